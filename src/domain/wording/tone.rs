//! The rules that are nothing but phrases: they stand in the lexicon.

use std::ops::Range;

use super::Hit;
use super::lexicon::{Lexicon, Ready};
use super::phrase::Phrase;
use super::text::Text;

/// Looks for everything that the lexicon's tables tell of.
pub(super) fn look(text: &Text, lexicon: &Lexicon, hits: &mut Vec<Hit>) {
    for table in &lexicon.tables {
        for tokens in finds(text, table) {
            let suggestion = table.table.suggestion.to_owned();
            hits.push(Hit { rule: table.table.rule, span: text.span(tokens), suggestion });
        }
    }
}

/// Where one of the phrases stands, from left to right.
pub(super) fn places(text: &Text, phrases: &[Phrase]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = phrases.iter().flat_map(|phrase| phrase.find(text)).collect();
    found.sort_by_key(|tokens| (tokens.start, std::cmp::Reverse(tokens.end)));
    found
}

/// What a table finds beyond what is fine. A place counts once, and not at all inside what the table
/// spares.
fn finds(text: &Text, table: &Ready) -> Vec<Range<usize>> {
    let found = places(text, &table.finds);
    if found.is_empty() {
        return found;
    }
    let mut spared = vec![false; text.tokens.len()];
    for tokens in places(text, &table.spares) {
        spared[tokens].fill(true);
    }
    let mut kept: Vec<Range<usize>> = Vec::new();
    for tokens in found {
        let is_spared = spared[tokens.clone()].iter().all(|spared| *spared);
        if !is_spared && kept.last().is_none_or(|last| last.end <= tokens.start) {
            kept.push(tokens);
        }
    }
    kept.split_off(table.table.fine.min(kept.len()))
}
