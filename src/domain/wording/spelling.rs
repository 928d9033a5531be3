//! Spelling, by a table of common misspellings (the `typos` dictionary), and words that stand twice.
//!
//! A word that is in no table is not found: names, places and words of a trade stay what they are.

use std::collections::HashSet;

use super::names::Names;
use super::text::{Text, Word};
use super::{Hit, Rule, contact};

/// A line for each misspelling, in the order of their bytes: the wrong word, then the right ones.
static MISSPELLINGS: &str = include_str!(concat!(env!("OUT_DIR"), "/misspellings.txt"));
/// Shorter words are too often abbreviations.
const MIN_LETTERS: usize = 3;
/// At the beginning of a sentence, where a shorter word may be a name.
const MIN_LETTERS_OF_CAPITALISED: usize = 6;
/// The most corrections that are told.
const MAX_CORRECTIONS: usize = 3;
/// Words that stand twice for good.
const TWICE: [&str; 8] = ["that", "had", "is", "no", "so", "very", "bye", "ha"];

/// Looks for misspellings.
pub(super) fn look(text: &Text, names: Option<&Names>, hits: &mut Vec<Hit>) {
    let known: HashSet<String> = names.into_iter().flat_map(parts).collect();
    let links: Vec<_> = contact::pieces(text.raw)
        .filter(|(_, piece)| piece.contains(['@', '/', '_', '\\']) || contact::is_link(piece))
        .map(|(start, piece)| start..start + piece.len())
        .collect();
    let mut link = 0;
    for (i, word) in text.words.iter().enumerate() {
        while links.get(link).is_some_and(|span| span.end <= word.span.start) {
            link += 1;
        }
        if links.get(link).is_some_and(|span| span.start < word.span.end) {
            continue;
        }
        let folded = word.raw.to_lowercase();
        if is_checked(word, text)
            && !known.contains(&folded)
            && let Some(right) = corrections(&folded)
        {
            let suggestion = suggestion(right, word.raw);
            hits.push(Hit { rule: Rule::Spelling, span: word.span.clone(), suggestion });
        }
        if word.joined && i > 0 && is_doubled(&text.words[i - 1], word, text.raw) {
            let span = text.words[i - 1].span.start..word.span.end;
            hits.push(Hit { rule: Rule::Grammar, span, suggestion: "Write the word once.".to_owned() });
        }
    }
}

/// The parts of every name that is known, in lower case.
fn parts(names: &Names) -> Vec<String> {
    let all = names.own.iter().chain(&names.others);
    all.flat_map(|name| {
        Text::new(name).words.into_iter().map(|word| word.raw.to_lowercase()).collect::<Vec<_>>()
    })
    .collect()
}

/// Whether a word can be looked up: it is of letters, whole, and not a name.
fn is_checked(word: &Word, text: &Text) -> bool {
    let letters = word.raw.chars().count();
    let rest_is_lower = word.raw.chars().skip(1).all(char::is_lowercase);
    let is_capital = word.raw.starts_with(char::is_uppercase);
    let enough = if is_capital { MIN_LETTERS_OF_CAPITALISED } else { MIN_LETTERS };
    let hyphen = |c: Option<char>| c.is_some_and(|c| "-\u{2010}\u{2011}_&".contains(c));
    let is_whole = !hyphen(text.raw[..word.span.start].chars().next_back())
        && !hyphen(text.raw[word.span.end..].chars().next());
    letters >= enough && rest_is_lower && is_whole && (!is_capital || word.begins)
}

/// The right words for a wrong one; none if it is not known to be wrong.
fn corrections(word: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, MISSPELLINGS.len());
    while low < high {
        let middle = low.midpoint(high);
        let bytes = MISSPELLINGS.as_bytes();
        let start = bytes[..middle].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let end = bytes[middle..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| middle + at);
        let (wrong, right) = MISSPELLINGS[start..end].split_once(' ')?;
        match wrong.cmp(word) {
            std::cmp::Ordering::Equal => return Some(right),
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

fn suggestion(right: &str, written: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    };
    let shown =
        |word: &str| if written.starts_with(char::is_uppercase) { capital(word) } else { word.to_owned() };
    let words: Vec<String> = right.split(' ').take(MAX_CORRECTIONS).map(shown).collect();
    format!("Write \"{}\", if that is meant.", words.join("\" or \""))
}

/// Whether a word stands twice, with nothing but white space between.
fn is_doubled(first: &Word, second: &Word, raw: &str) -> bool {
    let word = second.raw.to_lowercase();
    raw[first.span.end..second.span.start].trim().is_empty()
        && second.raw.chars().all(char::is_lowercase)
        && first.raw.to_lowercase() == word
        && !TWICE.contains(&word.as_str())
}
