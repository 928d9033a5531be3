//! Phrases of a lexicon, and where they stand in a text.
//!
//! A phrase is a row of words. `a|b` is either of two, `word*` begins like that, `_` is any word,
//! `word?` may be left out, and `..` is up to four words of any kind. Contractions are written out:
//! "i am" finds "I'm" too. A phrase never reaches into the next sentence.

use std::ops::Range;

use super::text::Text;

/// The most words that `..` passes over.
const MAX_GAP: usize = 4;

/// A phrase, ready to be looked for.
pub(super) struct Phrase(Vec<Element>);

enum Element {
    Gap,
    Word { any_of: Vec<Form>, optional: bool },
}

enum Form {
    Any,
    Whole(&'static str),
    Beginning(&'static str),
}

impl Phrase {
    /// Reads a phrase.
    pub fn new(written: &'static str) -> Self {
        let element = |part: &'static str| {
            if part == ".." {
                return Element::Gap;
            }
            let (words, optional) = part.strip_suffix('?').map_or((part, false), |words| (words, true));
            Element::Word { any_of: words.split('|').map(Form::new).collect(), optional }
        };
        Self(written.split(' ').map(element).collect())
    }

    /// Where it stands, from left to right: ranges of the text's tokens that do not overlap.
    pub fn find(&self, text: &Text) -> Vec<Range<usize>> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < text.tokens.len() {
            match end(&self.0, text, at, at) {
                Some(end) if end > at => {
                    found.push(at..end);
                    at = end;
                }
                _ => at += 1,
            }
        }
        found
    }
}

impl Form {
    fn new(written: &'static str) -> Self {
        match written.strip_suffix('*') {
            Some(beginning) => Self::Beginning(beginning),
            None if written == "_" => Self::Any,
            None => Self::Whole(written),
        }
    }

    fn fits(&self, word: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Whole(whole) => word == *whole,
            Self::Beginning(beginning) => word.starts_with(beginning),
        }
    }
}

/// The token behind a phrase that began at `start` and whose `rest` is looked for from `at` on.
fn end(rest: &[Element], text: &Text, start: usize, at: usize) -> Option<usize> {
    let Some((first, rest)) = rest.split_first() else { return Some(at) };
    let is_next = |at: usize| at < text.tokens.len() && (at == start || text.is_joined(at));
    match first {
        Element::Gap => {
            for skipped in 0..=MAX_GAP {
                if let Some(end) = end(rest, text, start, at + skipped) {
                    return Some(end);
                }
                if !is_next(at + skipped) {
                    return None;
                }
            }
            None
        }
        Element::Word { any_of, optional } => {
            let fits = is_next(at) && any_of.iter().any(|form| form.fits(&text.tokens[at].text));
            let with = if fits { end(rest, text, start, at + 1) } else { None };
            with.or_else(|| if *optional { end(rest, text, start, at) } else { None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(phrase: &'static str, text: &str) -> Vec<String> {
        let text = Text::new(text);
        let found = Phrase::new(phrase).find(&text);
        found.into_iter().map(|tokens| text.raw[text.span(tokens)].to_owned()).collect()
    }

    #[test]
    fn words_are_found_whole_whatever_their_case() {
        assert_eq!(finds("sick", "Sick of sickness, SICK!"), ["Sick", "SICK"]);
        assert_eq!(
            finds("apolog*", "I apologise. Apologies, apologetically."),
            ["apologise", "Apologies", "apologetically"]
        );
        assert_eq!(finds("i am so|very? sorry", "I’m sorry, I am so sorry"), ["I’m sorry", "I am so sorry"]);
        assert_eq!(finds("i am", "naïf I\u{300}am"), Vec::<String>::new());
    }

    #[test]
    fn a_gap_is_short_and_stays_in_its_sentence() {
        assert_eq!(finds("boss .. awful", "my boss was really quite awful"), ["boss was really quite awful"]);
        assert_eq!(finds("boss .. awful", "the boss. Awful"), Vec::<String>::new());
        assert_eq!(finds("boss .. awful", "boss one two three four five awful"), Vec::<String>::new());
        assert_eq!(finds("boss _ awful", "boss was awful, boss awful"), ["boss was awful"]);
    }
}
