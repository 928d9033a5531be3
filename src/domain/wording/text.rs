//! A text as the rules read it: words, with what stands between them.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// A text cut into words.
pub(super) struct Text<'a> {
    /// As it was written.
    pub raw: &'a str,
    /// Its words (Unicode Standard Annex 29), as they were written.
    pub words: Vec<Word<'a>>,
    /// The same as phrases are compared with them: in lower case, contractions taken apart.
    pub tokens: Vec<Token>,
}

/// A word as it was written.
pub(super) struct Word<'a> {
    /// The word.
    pub raw: &'a str,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// The number of its sentence.
    pub sentence: usize,
    /// Whether it begins a sentence.
    pub begins: bool,
    /// Whether nothing but white space, a comma, a hyphen or a quotation mark stands before it and
    /// after the word before.
    pub joined: bool,
}

/// A word as it is compared.
pub(super) struct Token {
    /// In lower case.
    pub text: String,
    /// The number of the word that it comes from; "don't" gives two.
    pub word: usize,
}

impl<'a> Text<'a> {
    /// Cuts a text.
    pub fn new(raw: &'a str) -> Self {
        let (mut words, mut tokens) = (Vec::<Word>::new(), Vec::new());
        for (start, word) in raw.unicode_word_indices() {
            let last = words.last();
            let gap = &raw[last.map_or(0, |last| last.span.end)..start];
            let begins = last.is_none() || ends_sentence(gap);
            let sentence = last.map_or(0, |last| last.sentence + usize::from(begins));
            for text in taken_apart(word) {
                tokens.push(Token { text: text.into_owned(), word: words.len() });
            }
            let (span, joined) = (start..start + word.len(), !begins && gap.chars().all(joins));
            words.push(Word { raw: word, span, sentence, begins, joined });
        }
        Self { raw, words, tokens }
    }

    /// Whether a token follows the one before it closely enough to be of one phrase with it.
    pub fn is_joined(&self, token: usize) -> bool {
        let word = self.tokens[token].word;
        (token > 0 && self.tokens[token - 1].word == word) || self.words[word].joined
    }

    /// Where some tokens stand, in bytes.
    pub fn span(&self, tokens: Range<usize>) -> Range<usize> {
        match (self.tokens.get(tokens.start), self.tokens[tokens].last()) {
            (Some(first), Some(last)) => self.words[first.word].span.start..self.words[last.word].span.end,
            _ => 0..0,
        }
    }

    /// The number of its words as people count them: by the white space between them.
    pub fn count(&self) -> usize {
        self.raw.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
    }
}

fn joins(c: char) -> bool {
    c.is_whitespace() || ",-\u{2010}\u{2011}\u{2013}'\"\u{2018}\u{2019}\u{201C}\u{201D}".contains(c)
}

/// Whether a sentence ends in what stands between two words: at its mark, or with the paragraph.
fn ends_sentence(gap: &str) -> bool {
    gap.contains(['.', '!', '?', '\u{2026}', '\u{3002}']) || gap.matches('\n').count() > 1
}

/// A word in lower case with plain apostrophes; a contraction as the words that it is made of, and a
/// possessive as the word itself.
fn taken_apart(word: &str) -> Vec<Cow<'static, str>> {
    let folded = word.to_lowercase().replace(['\u{2019}', '\u{02BC}'], "'");
    let two = |first: &str, second: &'static str| vec![Cow::Owned(first.to_owned()), Cow::Borrowed(second)];
    match folded.as_str() {
        "cannot" | "can't" => return two("can", "not"),
        "won't" => return two("will", "not"),
        "it's" | "he's" | "she's" | "that's" | "there's" | "what's" => {
            return two(folded.trim_end_matches("'s"), "is");
        }
        _ => {}
    }
    for (ending, meant) in
        [("n't", "not"), ("'m", "am"), ("'re", "are"), ("'ve", "have"), ("'d", "would"), ("'ll", "will")]
    {
        if let Some(first) = folded.strip_suffix(ending).filter(|first| !first.is_empty()) {
            return two(first, meant);
        }
    }
    match folded.strip_suffix("'s") {
        Some(owner) if !owner.is_empty() => vec![Cow::Owned(owner.to_owned())],
        _ => vec![Cow::Owned(folded)],
    }
}

/// Translates places in a text from bytes to what callers count in.
pub(super) struct Places {
    /// For each character its byte and its UTF-16 code unit; one more for the end.
    starts: Vec<(usize, usize)>,
}

impl Places {
    /// The places of a text.
    pub fn new(text: &str) -> Self {
        let mut unit = 0;
        let mut starts = Vec::with_capacity(text.len() + 1);
        for (byte, character) in text.char_indices() {
            starts.push((byte, unit));
            unit += character.len_utf16();
        }
        starts.push((text.len(), unit));
        Self { starts }
    }

    /// The UTF-16 code unit and the character that begin at a byte; the next ones if none does.
    pub fn at(&self, byte: usize) -> (usize, usize) {
        let character = self.starts.partition_point(|(start, _)| *start < byte).min(self.starts.len() - 1);
        (self.starts[character].1, character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        Text::new(text).tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn contractions_are_taken_apart() {
        assert_eq!(tokens("I’m sorry"), ["i", "am", "sorry"]);
        assert_eq!(tokens("DON'T you've can't"), ["do", "not", "you", "have", "can", "not"]);
        assert_eq!(tokens("The interviewer’s ‘question’"), ["the", "interviewer", "question"]);
    }

    #[test]
    fn sentences_end_at_marks_and_paragraphs() {
        let text = Text::new("Dear Ann,\n\nthank you.\nIt was good, really");
        let begins: Vec<&str> = text.words.iter().filter(|word| word.begins).map(|word| word.raw).collect();
        assert_eq!(begins, ["Dear", "thank", "It"]);
        assert!(text.words.iter().filter(|word| !word.begins).all(|word| word.joined));
    }

    #[test]
    fn places_are_counted_as_callers_count() {
        let text = "a😀é";
        let places = Places::new(text);
        assert_eq!([0, 1, 5, 7].map(|byte| places.at(byte)), [(0, 0), (1, 1), (3, 2), (4, 3)]);
        assert_eq!(text.encode_utf16().count(), 4);
    }
}
