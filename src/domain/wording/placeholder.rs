//! Placeholders that were left in, in any language.

use std::ops::Range;

use super::text::Text;
use super::{Hit, Rule};

/// Brackets that hold what is to be filled in.
const BRACKETS: [(char, char); 3] = [('[', ']'), ('{', '}'), ('<', '>')];
/// The longest name of a placeholder, in bytes.
const MAX_NAME: usize = 60;
/// Words that stand for something to come; they are written in capitals.
const MARKS: [&str; 5] = ["TODO", "TBD", "TBC", "FIXME", "TK"];
/// What stands in brackets for good.
const MEANT: [&str; 4] = ["sic", "...", "\u{2026}", "x"];

/// Looks for placeholders.
pub(super) fn look(text: &Text, hits: &mut Vec<Hit>) {
    let mut add = |span: Range<usize>| {
        let suggestion = "Fill it in, or take it out.".to_owned();
        hits.push(Hit { rule: Rule::Placeholder, span, suggestion });
    };
    for (open, close) in BRACKETS {
        bracketed(text.raw, open, close, &mut add);
    }
    lines(text.raw, &mut add);
    for (i, word) in text.words.iter().enumerate() {
        let crosses = word.raw.len() >= 3 && word.raw.chars().all(|c| c == 'X' || c == 'x');
        if crosses || MARKS.contains(&word.raw) {
            add(word.span.clone());
        }
        let next = text.words.get(i + 1).filter(|next| next.joined && next.raw.eq_ignore_ascii_case("ipsum"));
        if let Some(next) = next.filter(|_| word.raw.eq_ignore_ascii_case("lorem")) {
            add(word.span.start..next.span.end);
        }
    }
}

/// Short names in brackets: `[Name]`, `{{company}}`, `<role>`.
fn bracketed(raw: &str, open: char, close: char, add: &mut impl FnMut(Range<usize>)) {
    let (mut from, mut last_open) = (None, 0);
    for (at, c) in raw.char_indices() {
        if c == open {
            // The outermost of several brackets is the placeholder's.
            let is_doubled = from.is_some() && last_open + 1 == at;
            from = if is_doubled { from } else { Some(at) };
            last_open = at;
        } else if c == close
            && let Some(start) = from.take()
        {
            let name = raw[start..at].trim_start_matches(open);
            // "2 < 3 and 4 > 1" is a comparison.
            if is_name(name) && (open != '<' || name.trim() == name) {
                let end = at + raw[at..].len() - raw[at..].trim_start_matches(close).len();
                add(start..end);
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || " _-/'’.,:".contains(c);
    let name = name.trim();
    name.len() <= MAX_NAME
        && name.contains(char::is_alphabetic)
        && name.chars().all(fits)
        && !name.contains("//")
        && !MEANT.contains(&name.to_lowercase().as_str())
}

/// Lines to write on: `____`.
fn lines(raw: &str, add: &mut impl FnMut(Range<usize>)) {
    let mut start = 0;
    for piece in raw.split_inclusive(|c| c != '_') {
        let line = piece.bytes().take_while(|b| *b == b'_').count();
        if line >= 3 {
            add(start..start + line);
        }
        start += piece.len();
    }
}
