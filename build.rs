//! Writes the table of misspellings that `domain::wording::spelling` reads.
//!
//! The library's own table is made of pointers, which the loader has to set right: 8 MB more on disk,
//! and 4 MB of memory before the first word is looked up. Text costs nothing until it is read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let known = typos_dict::WORD.map.entries();
    let known = known.map(|(wrong, right)| (wrong.into_inner().to_lowercase(), right.join(" ")));
    // What was never a word has no correction.
    let sorted: BTreeMap<String, String> = known.filter(|(_, right)| !right.is_empty()).collect();
    let lines: String = sorted.iter().map(|(wrong, right)| format!("{wrong} {right}\n")).collect();
    let folder = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(folder.join("misspellings.txt"), lines)
}
