//! The text of a CSV cell. A spreadsheet takes a cell that begins with certain characters for a formula
//! and runs it, whoever wrote it ("CSV injection"). Such a text is written with an apostrophe before
//! it, which spreadsheets show as text, and gets rid of it when it is read again.
//!
//! Where numbers have a decimal comma, spreadsheets split a file at semicolons, or at tabs. Then our commas and
//! quotation marks are text to them, and a cell or a row begins in the middle of what was one cell, perhaps with
//! a quotation mark of its own. So a formula has an apostrophe there too.

use std::borrow::Cow;

/// Marks a text that is to be taken as it stands.
const MARK: char = '\'';

/// What may end a cell, or a row, of a program that does not split at commas.
const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// Writes a text as a cell. The empty text is written as a lone apostrophe, since an empty cell means
/// that there is nothing.
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    let inside = marked_inside(text, |marks| marks + 1);
    if needs_mark(text) { Cow::Owned(format!("{MARK}{inside}")) } else { inside }
}

/// Reads the text that a cell was written for. A text that was never guarded is left as it is, even if
/// it begins with an apostrophe, as names do.
#[must_use]
pub fn unguard(cell: &str) -> Cow<'_, str> {
    let cell = match cell.strip_prefix(MARK) {
        Some(text) if needs_mark(text) => text,
        _ => cell,
    };
    marked_inside(cell, |marks| marks.saturating_sub(1))
}

/// Writes a JSON document as a cell, which stays the same document.
#[must_use]
pub fn guard_json(document: &str) -> String {
    let mut guarded = String::with_capacity(document.len());
    for c in document.chars() {
        // A semicolon, and what comes after it, is always inside a string.
        if guarded.ends_with(SEPARATORS) && begins_formula(c) {
            guarded.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            guarded.push(c);
        }
    }
    guarded
}

/// Whether a text would be taken for a formula, for nothing at all, or for a guarded text.
fn needs_mark(text: &str) -> bool {
    match text.trim_start_matches(MARK).chars().next() {
        Some(first) => begins_formula(first) || matches!(first, '\t' | '\r' | '\n'),
        None => true,
    }
}

fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// The text with as many apostrophes before what begins a formula behind a separator as `wanted` makes of those
/// that are there.
fn marked_inside(text: &str, wanted: impl Fn(usize) -> usize) -> Cow<'_, str> {
    let mut changed = String::new();
    let mut kept = 0;
    for (place, separator) in text.match_indices(SEPARATORS) {
        let after = place + separator.len();
        let rest = text[after..].trim_start_matches([MARK, '"']);
        if rest.starts_with(begins_formula) {
            let formula = text.len() - rest.len();
            let unmarked = text[after..formula].trim_end_matches(MARK).len() + after;
            changed.push_str(&text[kept..unmarked]);
            changed.extend(std::iter::repeat_n(MARK, wanted(formula - unmarked)));
            kept = formula;
        }
    }
    if kept == 0 { Cow::Borrowed(text) } else { Cow::Owned(changed + &text[kept..]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_with_an_apostrophe_stay_as_they_are() {
        for name in ["'t Hooft", "'s-Hertogenbosch", "O'Brien", "Ada"] {
            assert_eq!(guard(name), name);
            assert_eq!(unguard(name), name);
        }
        assert_eq!(guard("+34 600"), "'+34 600");
        assert_eq!(guard("'=1"), "''=1");
        assert_eq!(guard(""), "'");
    }

    #[test]
    fn what_a_semicolon_or_a_line_ends_begins_no_formula() {
        assert_eq!(guard("a;=1;-b"), "a;'=1;'-b");
        assert_eq!(guard("-a\n- b\t'@c"), "'-a\n'- b\t''@c");
        assert_eq!(guard(r#"a;"=1;'"'=b"#), r#"a;"'=1;'"''=b"#);
        for text in ["a; b", "a, =1", "a=1;b", "5;'t Hooft", "a;\"b\"=1"] {
            assert_eq!(guard(text), text);
            assert_eq!(unguard(text), text);
        }
        assert_eq!(guard_json(r#"["a;=1","b;+",-1]"#), r#"["a;\u003d1","b;\u002b",-1]"#);
    }

    /// The beginnings of the cells that a program sees which splits at semicolons or tabs, without the quotation
    /// marks that it takes for its own.
    fn beginnings(cell: &str) -> impl Iterator<Item = &str> {
        let (first, others) = cell.split_at(cell.find(SEPARATORS).unwrap_or(cell.len()));
        std::iter::once(first).chain(others.split(SEPARATORS).map(|cell| cell.trim_start_matches('"')))
    }

    proptest! {
        #[test]
        fn a_guarded_text_is_no_formula_and_reads_back(text in "['\"=+@;\t\r\n-]{0,6}\\PC{0,4}['\"=＝+@;\t\r\n-]{0,6}") {
            let cell = guard(&text).into_owned();
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            prop_assert!(beginnings(&cell).all(|cell| !cell.starts_with(begins_formula)), "{cell:?}");
            prop_assert!(!cell.is_empty());
            prop_assert_eq!(unguard(&cell), text);
        }

        #[test]
        fn a_guarded_document_is_no_formula_and_the_same(text in "['\"\\\\=＝+@;\t\r\n-]{0,12}") {
            let document = serde_json::json!([{ &text: &text }, -1]);
            let cell = guard_json(&document.to_string());
            prop_assert!(beginnings(&cell).all(|cell| !cell.starts_with(begins_formula)), "{cell:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&cell).unwrap(), document);
        }
    }
}
