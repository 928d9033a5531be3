//! The rules that keep the code in shape: which way imports go, and how long a file may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each part of the crate may import besides itself.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("failpoint", &[]),
    ("auth", &["domain"]),
    ("mail", &["domain", "failpoint"]),
    ("outbound", &["domain"]),
    ("store", &["domain"]),
    ("app", &["auth", "mail", "store", "domain", "failpoint"]),
    ("api", &["app", "auth", "store", "domain"]),
    ("jobs", &["app", "mail", "outbound", "store", "domain", "failpoint"]),
    ("demo", &["app", "mail", "auth", "store", "domain"]),
    ("config", &["domain"]),
    ("telemetry", &["config"]),
    ("startup", &["api", "app", "auth", "config", "domain", "jobs", "mail", "outbound", "store"]),
    ("cli", &["app", "auth", "config", "demo", "domain", "failpoint", "startup", "store", "telemetry"]),
];

/// Libraries that only some parts may know.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("actix_web", &["api", "startup", "cli"]),
    ("diesel", &["store", "app"]),
    ("lettre", &["mail"]),
    ("jsonwebtoken", &["auth"]),
    ("hyper", &["outbound"]),
    ("ring::aead", &["auth"]),
];

/// A file is one idea.
const MAX_LINES: usize = 500;
/// Most are shorter.
const USUAL_LINES: usize = 300;

fn sources() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(path.clone(), std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// The part of the crate that a file belongs to.
fn part(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = part(&path);
        if from == "lib" || from == "main" {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == from) else {
            wrong.push(format!("{} is in no known part", path.display()));
            continue;
        };
        for line in code(&text) {
            for piece in line.split("crate::").skip(1) {
                let to: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if MAY_IMPORT.iter().any(|(name, _)| *name == to)
                    && to != from
                    && !allowed.contains(&to.as_str())
                {
                    wrong.push(format!("{}: {from} must not import {to}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = part(&path);
        for (library, parts) in KEPT_TO {
            let used = code(&text).any(|line| line.contains(&format!("{library}::")));
            if used && !parts.contains(&from.as_str()) {
                wrong.push(format!("{}: {from} must not know {library}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short() {
    let sources = sources();
    let lines = |text: &String| text.lines().count();
    let long: Vec<String> = sources
        .iter()
        // The tables are one list, and it is the database's.
        .filter(|(path, text)| lines(text) > MAX_LINES && !path.ends_with("store/schema.rs"))
        .map(|(path, text)| format!("{} has {} lines", path.display(), lines(text)))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let over = sources.values().filter(|text| lines(text) > USUAL_LINES).count();
    assert!(over * 10 <= sources.len(), "{over} of {} files have over {USUAL_LINES} lines", sources.len());
}
