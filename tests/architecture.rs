//! The rules that keep the code in shape: which way imports go, and how long a file may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each part of the crate may import besides itself, as the map in ARCHITECTURE.md says.
fn may_import() -> BTreeMap<String, Vec<String>> {
    let map = include_str!("../docs/ARCHITECTURE.md");
    let cells = |line: &'static str| line.split('|').map(str::trim).collect::<Vec<_>>();
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<_> = map.lines().filter(|line| line.starts_with("| `src/")).map(cells).collect();
    let part = |row: &[&str]| row[1].trim_matches('`').trim_start_matches("src/").to_owned();
    let all: Vec<String> = rows.iter().map(|row| part(row)).collect();
    let allowed = |row: &[&str]| match row[3].strip_prefix("all but ") {
        Some(others) => {
            let others = names(others);
            all.iter().filter(|part| !others.contains(part)).cloned().collect()
        }
        None => names(row[3]),
    };
    rows.iter().map(|row| (part(row), allowed(row))).collect()
}

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
const MAX_LINES: usize = 400;
/// Most are shorter.
const USUAL_LINES: usize = 300;

fn sources() -> BTreeMap<PathBuf, String> {
    files("src")
}

fn files(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // What a client's tests have installed is not ours.
                folders.extend((!path.ends_with("node_modules")).then_some(path));
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

/// The first name of a path, or of each path in the group that it is.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut names, mut depth) = (vec![name(group)], 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

#[test]
fn groups_of_imports_are_seen() {
    assert_eq!(first_names("{api::{a, b}, store};use x::{y, z}"), ["api", "store"]);
    assert_eq!(first_names("domain::ids::{A, B}"), ["domain"]);
}

#[test]
fn imports_go_one_way() {
    let (mut wrong, may_import) = (Vec::new(), may_import());
    assert!(may_import.len() > 10, "{may_import:?}");
    for (path, text) in sources() {
        let from = part(&path);
        if from == "lib" || from == "main" {
            continue;
        }
        let Some(allowed) = may_import.get(&from) else {
            wrong.push(format!("{} is in no known part", path.display()));
            continue;
        };
        let code: String = code(&text).collect();
        for to in code.split("crate::").skip(1).flat_map(first_names) {
            if may_import.contains_key(&to) && to != from && !allowed.contains(&to) {
                wrong.push(format!("{}: {from} must not import {to}", path.display()));
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
    let tests = files("tests");
    let lines = |text: &String| text.lines().count();
    let long: Vec<String> = sources
        .iter()
        .chain(&tests)
        // The tables are one list, and it is the database's.
        .filter(|(path, text)| lines(text) > MAX_LINES && !path.ends_with("store/schema.rs"))
        .map(|(path, text)| format!("{} has {} lines", path.display(), lines(text)))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let over = sources.values().filter(|text| lines(text) > USUAL_LINES).count();
    assert!(over * 10 <= sources.len(), "{over} of {} files have over {USUAL_LINES} lines", sources.len());
}
