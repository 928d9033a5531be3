//! What a note should have: thanks, interest, something new; and not too many words.

use super::lexicon::Lexicon;
use super::phrase::Phrase;
use super::text::Text;
use super::{Hit, Rule, tone};

/// The most words of a note that is still read.
const MAX_WORDS: usize = 200;
/// A sentence of so many words, without thanks or interest in it, says something of its own.
const TELLING_WORDS: usize = 8;
/// A sentence of so many words says more than the thanks or the interest in it.
const TELLING_WORDS_BESIDES: usize = 20;

/// Looks at the texts of a note together: what stands in the subject need not stand in the body. What
/// is missing is missing from the last of them, which is the body.
pub(super) fn look(texts: &[Text], lexicon: Option<&Lexicon>, hits: &mut Vec<Hit>) {
    let Some(body) = texts.last() else { return };
    let mut missing = |rule, suggestion: &str| {
        hits.push(Hit { rule, span: 0..body.raw.len(), suggestion: suggestion.to_owned() });
    };
    let words = body.count();
    if words > MAX_WORDS {
        let suggestion =
            format!("It has {words} words: cut it to {MAX_WORDS} or fewer, keeping the one new thing.");
        missing(Rule::Length, &suggestion);
    }
    let Some(lexicon) = lexicon else { return };
    let has = |phrases: &[Phrase]| texts.iter().any(|text| !tone::places(text, phrases).is_empty());
    if !has(&lexicon.thanks) {
        missing(Rule::NoThanks, "Begin with thanks for the time and for one thing that was of use.");
    }
    if !has(&lexicon.interest) {
        missing(Rule::NoConfirmedInterest, "Say in one sentence that the role is wanted, and why.");
    }
    if !has(&lexicon.additions) && !tells(body, lexicon) {
        let suggestion =
            "Add one thing: an answer that came too late, an example, a thought on what was said.";
        missing(Rule::NothingNew, suggestion);
    }
}

/// Whether some sentence says more than thanks and interest.
fn tells(body: &Text, lexicon: &Lexicon) -> bool {
    let sentences = body.words.last().map_or(0, |last| last.sentence + 1);
    let mut words = vec![0_usize; sentences];
    for word in &body.words {
        words[word.sentence] += 1;
    }
    let mut needed = vec![TELLING_WORDS; sentences];
    for phrases in [&lexicon.thanks, &lexicon.interest] {
        for tokens in tone::places(body, phrases) {
            needed[body.words[body.tokens[tokens.start].word].sentence] = TELLING_WORDS_BESIDES;
        }
    }
    words.iter().zip(needed).any(|(words, needed)| *words >= needed)
}
