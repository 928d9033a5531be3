//! The text of a CSV cell. A spreadsheet takes a cell that begins with certain characters for a formula
//! and runs it, whoever wrote it ("CSV injection"). Such a text is written with an apostrophe before
//! it, which spreadsheets show as text, and gets rid of it when it is read again.

use std::borrow::Cow;

/// Marks a text that is to be taken as it stands.
const MARK: char = '\'';

/// Writes a text as a cell. The empty text is written as a lone apostrophe, since an empty cell means
/// that there is nothing.
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    if needs_mark(text) { Cow::Owned(format!("{MARK}{text}")) } else { Cow::Borrowed(text) }
}

/// Reads the text that a cell was written for. A text that was never guarded is left as it is, even if
/// it begins with an apostrophe, as names do.
#[must_use]
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix(MARK) {
        Some(text) if needs_mark(text) => text,
        _ => cell,
    }
}

/// Whether a text would be taken for a formula, for nothing at all, or for a guarded text.
fn needs_mark(text: &str) -> bool {
    match text.trim_start_matches(MARK).chars().next() {
        Some(first) => {
            matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
        }
        None => true,
    }
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

    proptest! {
        #[test]
        fn a_guarded_text_is_no_formula_and_reads_back(text in "['=+@\t\r\n-]{0,3}\\PC{0,4}") {
            let cell = guard(&text).into_owned();
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            prop_assert!(!cell.is_empty());
            prop_assert_eq!(unguard(&cell), text);
        }
    }
}
