//! The command line, run as an operator runs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use super::Database;

/// Runs the program on a database, with a text on its standard input and more in its environment.
pub fn run(database: &Database, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_debrief"))
        .args(arguments)
        .env("DEBRIEF__DATABASE__URL", database.url())
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever reads nothing has closed its end already.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}
