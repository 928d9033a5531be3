//! What the rules about words look for, language by language: tables, and no code that judges.

use std::sync::LazyLock;

use super::Rule;
use super::phrase::Phrase;

mod english;
mod english_facts;

/// What one rule looks for.
pub(super) struct Table {
    /// The rule.
    pub rule: Rule,
    /// How many of them are fine in one text; those that follow are found.
    pub fine: usize,
    /// What is found.
    pub finds: &'static [&'static str],
    /// What is not found, though something in it would be.
    pub spares: &'static [&'static str],
    /// What to write instead.
    pub suggestion: &'static str,
}

/// A lexicon, ready to be looked things up in.
pub(super) struct Lexicon {
    /// The language that it is of: the first part of a BCP 47 tag.
    pub language: &'static str,
    /// What is found wherever it stands.
    pub tables: Vec<Ready>,
    /// Words of thanks.
    pub thanks: Vec<Phrase>,
    /// Words of interest in the role.
    pub interest: Vec<Phrase>,
    /// Words that bring in something new.
    pub additions: Vec<Phrase>,
}

/// A table whose phrases are ready.
pub(super) struct Ready {
    /// As it was written.
    pub table: &'static Table,
    /// What is found.
    pub finds: Vec<Phrase>,
    /// What is not.
    pub spares: Vec<Phrase>,
}

/// The lexicon for a language tag, by its first part; none if there is none for it.
pub(super) fn of(tag: &str) -> Option<&'static Lexicon> {
    static ENGLISH: LazyLock<Lexicon> = LazyLock::new(|| {
        let tables = english::TABLES.iter().chain(english_facts::TABLES);
        let ready = |table: &'static Table| Ready {
            table,
            finds: phrases(table.finds),
            spares: phrases(table.spares),
        };
        Lexicon {
            language: "en",
            tables: tables.map(ready).collect(),
            thanks: phrases(english_facts::THANKS),
            interest: phrases(english_facts::INTEREST),
            additions: phrases(english_facts::ADDITIONS),
        }
    });
    let language = tag.split('-').next().unwrap_or_default();
    (language.eq_ignore_ascii_case("en") || language.eq_ignore_ascii_case("eng")).then(|| &*ENGLISH)
}

fn phrases(written: &'static [&'static str]) -> Vec<Phrase> {
    written.iter().copied().map(Phrase::new).collect()
}
