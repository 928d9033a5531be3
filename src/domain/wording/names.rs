//! Names of other companies, left over from a note to somebody else.

use std::collections::BTreeSet;

use super::text::{Text, Word};
use super::{Hit, Rule};

/// The most words of one text by which other companies are looked for.
const MAX_FIRST_WORDS: usize = 60;
/// What stands at the end of a company's name and is left out when it is spoken of.
const LEGAL_FORMS: [&str; 18] = [
    "ag",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "group",
    "holding",
    "inc",
    "kg",
    "limited",
    "llc",
    "llp",
    "ltd",
    "plc",
    "sa",
    "se",
];

/// What is known about names when a note is reviewed.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Names that belong in the note: the client's, those of people and of the vacancy.
    pub own: Vec<String>,
    /// Names of the agency's other clients.
    pub others: Vec<String>,
}

/// The words that a company's name may begin with, as they stand in the texts: those in capitals.
#[must_use]
pub fn first_words(texts: &[&str]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for text in texts {
        let text = Text::new(text);
        found.extend(text.words.iter().filter(|word| is_capital(word)).map(|word| word.raw.to_owned()));
    }
    found.into_iter().take(MAX_FIRST_WORDS).collect()
}

/// Looks for the names of other companies.
pub(super) fn look(text: &Text, names: &Names, hits: &mut Vec<Hit>) {
    let own: Vec<Vec<String>> = names.own.iter().map(|name| spoken(name)).collect();
    let words: Vec<String> = text.words.iter().map(folded).collect();
    let mut is_own = vec![false; words.len()];
    for name in &own {
        for at in places(&words, name) {
            is_own[at..at + name.len()].fill(true);
        }
    }
    for other in &names.others {
        let name = spoken(other);
        // A part of the client's own name is not another company.
        if own.iter().any(|own| own.windows(name.len().max(1)).any(|part| part == name)) {
            continue;
        }
        for at in places(&words, &name) {
            let (first, last) = (&text.words[at], &text.words[at + name.len() - 1]);
            // One word in capitals may be there because a sentence begins.
            let is_sure = name.len() > 1 || !first.begins;
            if is_sure && is_capital(first) && !is_own[at] {
                let span = first.span.start..last.span.end;
                let suggestion = format!("Is {other} meant? If not, put the client's name here.");
                hits.push(Hit { rule: Rule::OtherCompany, span, suggestion });
            }
        }
    }
}

/// The words of a name as it is spoken, in lower case.
fn spoken(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Text::new(name).words.iter().map(|word| folded(word)).collect();
    while words.len() > 1 && words.last().is_some_and(|last| LEGAL_FORMS.contains(&last.as_str())) {
        words.pop();
    }
    words
}

/// The places of the words that a name begins at.
fn places(words: &[String], name: &[String]) -> Vec<usize> {
    if name.is_empty() {
        return Vec::new();
    }
    let fits = |(at, part): (usize, &[String])| (part == name).then_some(at);
    words.windows(name.len()).enumerate().filter_map(fits).collect()
}

fn folded(word: &Word) -> String {
    let folded = word.raw.to_lowercase().replace('\u{2019}', "'");
    folded.strip_suffix("'s").map_or(folded.clone(), str::to_owned)
}

fn is_capital(word: &Word) -> bool {
    word.raw.starts_with(|c: char| c.is_uppercase() || c.is_numeric())
}
