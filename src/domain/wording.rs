//! The wording review: a linter for words. It tells what a recruiter may want to look at again, and
//! why; it never changes a text and never ranks a person.
//!
//! It would rather miss something than cry wolf: every rule has texts that it must pass over. Each
//! of them takes time in proportion to the text.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

use super::words::words;
use text::{Places, Text};

mod contact;
mod content;
mod lexicon;
mod names;
mod phrase;
mod placeholder;
mod spelling;
mod text;
mod tone;

pub use names::{Names, first_words};

/// The longest text that is reviewed, in characters.
pub const MAX_TEXT_CHARS: usize = 20_000;
/// The language of a text that names none.
const DEFAULT_LANGUAGE: &str = "en";

words! {
    /// What a text is for: a note goes to the client, an account stays at the agency.
    pub enum WordingKind {
        /// A thank-you note.
        Note,
        /// The candidate's own account of the interview.
        CandidateFeedback,
    }
}

words! {
    /// What a finding is about.
    pub enum Rule {
        /// More apologies than one.
        OverApologising,
        /// The writer speaks ill of themselves.
        SelfDeprecation,
        /// A slip told as the end of the world, or as how it always is.
        CatastrophicWords,
        /// Blame of the interviewer, or hostility.
        BlameOfInterviewer,
        /// Ill words about a former or present employer.
        FormerEmployer,
        /// Pressure on the client, or pleading.
        PressureOrPleading,
        /// One mistake after the other.
        ListOfMistakes,
        /// More words than a note should have.
        Length,
        /// The note thanks nobody.
        NoThanks,
        /// The note does not say that the role is wanted.
        NoConfirmedInterest,
        /// The note says nothing beyond thanks and interest.
        NothingNew,
        /// An address, a number or a link by which the recruiter would be passed over.
        ContactDetails,
        /// Something about somebody's health.
        HealthDetails,
        /// The name of another company.
        OtherCompany,
        /// A placeholder that was not filled in.
        Placeholder,
        /// A word that is spelt wrong.
        Spelling,
        /// A slip of grammar.
        Grammar,
    }
}

words! {
    /// How much a finding matters.
    pub enum FindingSeverity {
        /// Worth a thought.
        Hint,
        /// Better mended.
        Warning,
        /// Should not leave the agency like this.
        Serious,
    }
}

words! {
    /// Which text of a stored note a finding is in.
    pub enum NoteField {
        /// The subject line.
        Subject,
        /// The body.
        Body,
    }
}

/// One thing to look at again. The recruiter decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// What it is about.
    pub rule: Rule,
    /// How much it matters.
    pub severity: FindingSeverity,
    /// Which text of a stored note the places are in; `null` where there is only one.
    pub field: Option<NoteField>,
    /// Where it begins, in UTF-16 code units, as strings of JavaScript, Java and C# are counted. What
    /// is missing from a text is found in the whole of it.
    #[schema(example = 7)]
    pub start: usize,
    /// Where it ends, in UTF-16 code units: the place behind its last one.
    #[schema(example = 17)]
    pub end: usize,
    /// Where it begins, in characters (Unicode code points), as strings of Python are counted.
    #[schema(example = 7)]
    pub start_character: usize,
    /// Where it ends, in characters: the place behind its last one.
    #[schema(example = 17)]
    pub end_character: usize,
    /// What was found, and why it matters.
    #[schema(example = "A slip told as a catastrophe: the reader remembers the word, not the slip.")]
    pub message: String,
    /// What to do about it.
    #[schema(example = "Name the one thing that went wrong, in its real size.")]
    pub suggestion: String,
}

/// What was found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WordingReview {
    /// Every finding, in the order of the text; those of a subject come first.
    pub findings: Vec<Finding>,
    /// How many words it has; of a stored note, its body.
    #[schema(example = 143)]
    pub word_count: usize,
    /// The language whose words were looked for, the first part of a BCP 47 tag. `null` if there is no
    /// lexicon for the text's language: then only the rules ran that no language is needed for.
    #[schema(example = "en")]
    pub language: Option<String>,
    /// The rules that ran. What is not among them was not looked for.
    pub rules: Vec<Rule>,
}

/// What a rule found, with its place in bytes.
struct Hit {
    rule: Rule,
    span: Range<usize>,
    suggestion: String,
}

impl Rule {
    /// How much its findings matter.
    const fn severity(self) -> FindingSeverity {
        match self {
            Self::ContactDetails
            | Self::HealthDetails
            | Self::OtherCompany
            | Self::Placeholder
            | Self::BlameOfInterviewer
            | Self::FormerEmployer => FindingSeverity::Serious,
            Self::OverApologising
            | Self::SelfDeprecation
            | Self::CatastrophicWords
            | Self::PressureOrPleading
            | Self::ListOfMistakes
            | Self::NoThanks
            | Self::Spelling => FindingSeverity::Warning,
            Self::Length | Self::NoConfirmedInterest | Self::NothingNew | Self::Grammar => {
                FindingSeverity::Hint
            }
        }
    }

    /// What was found, and why it matters.
    const fn message(self) -> &'static str {
        match self {
            Self::OverApologising => "One more apology: each one makes the slip look bigger than it was.",
            Self::SelfDeprecation => {
                "A judgement on oneself: the reader is asked to agree with it, and nothing can be done about it."
            }
            Self::CatastrophicWords => {
                "A slip told as a catastrophe: the reader remembers the word, not the slip."
            }
            Self::BlameOfInterviewer => {
                "Blame of the interviewer: whoever reads it is asked to take sides, and will take the other one."
            }
            Self::FormerEmployer => {
                "Ill words about an employer: the reader wonders what will be said of them one day."
            }
            Self::PressureOrPleading => {
                "Pressure or pleading: it moves the talk from what the candidate can do to what they need."
            }
            Self::ListOfMistakes => {
                "Another mistake in the list: most of them nobody had noticed, and now they are in writing."
            }
            Self::Length => {
                "A long note: past 200 words or so it is skimmed, and what matters is passed over."
            }
            Self::NoThanks => {
                "No word of thanks: that is what the note is for, and its absence is what is read."
            }
            Self::NoConfirmedInterest => {
                "It does not say that the role is still wanted: after a hard interview the client may doubt it."
            }
            Self::NothingNew => {
                "Nothing beyond thanks and interest: a note is a chance to add what was left out in the interview."
            }
            Self::ContactDetails => {
                "A way around the recruiter: answers that go past the agency are lost to everybody who works on this."
            }
            Self::HealthDetails => {
                "Something about health: such data is specially protected, and is not passed on unless the candidate insists."
            }
            Self::OtherCompany => {
                "The name of another company: it looks like a text that was copied from elsewhere."
            }
            Self::Placeholder => "A placeholder that was not filled in: it shows that the text is a form.",
            Self::Spelling => "Spelt wrong, it seems: small slips in a note have cost people offers.",
            Self::Grammar => "A slip of grammar, it seems: it draws the eye away from what is said.",
        }
    }

    /// Whether it has a say on texts of this kind. What is said to the agency alone may be long, name
    /// every mistake, and thank nobody.
    const fn is_for(self, kind: WordingKind) -> bool {
        match kind {
            WordingKind::Note => true,
            WordingKind::CandidateFeedback => matches!(
                self,
                Self::SelfDeprecation
                    | Self::CatastrophicWords
                    | Self::BlameOfInterviewer
                    | Self::FormerEmployer
                    | Self::HealthDetails
                    | Self::Placeholder
                    | Self::Spelling
                    | Self::Grammar
            ),
        }
    }

    /// Whether it runs on a text of any language.
    const fn needs_no_lexicon(self) -> bool {
        matches!(self, Self::Length | Self::ContactDetails | Self::Placeholder | Self::OtherCompany)
    }
}

/// Reviews a text. Without a language it is taken for English.
#[must_use]
pub fn review(text: &str, kind: WordingKind, language: Option<&str>) -> WordingReview {
    reviewed(&[(None, text)], kind, language, None)
}

/// Reviews a note with its subject, knowing what other companies are called.
#[must_use]
pub fn review_note(subject: &str, body: &str, language: Option<&str>, names: &Names) -> WordingReview {
    let texts = [(Some(NoteField::Subject), subject), (Some(NoteField::Body), body)];
    reviewed(&texts, WordingKind::Note, language, Some(names))
}

/// Whether a text says something about health, in English: there is no other lexicon yet, and nobody says which
/// language a point or a wish is in.
#[must_use]
pub fn tells_of_health(text: &str) -> bool {
    lexicon::of(DEFAULT_LANGUAGE).is_some_and(|lexicon| {
        let mut hits = Vec::new();
        tone::look(&Text::new(text), lexicon, &mut hits);
        hits.iter().any(|hit| hit.rule == Rule::HealthDetails)
    })
}

fn reviewed(
    texts: &[(Option<NoteField>, &str)],
    kind: WordingKind,
    language: Option<&str>,
    names: Option<&Names>,
) -> WordingReview {
    use strum::VariantArray;

    let lexicon = lexicon::of(language.unwrap_or(DEFAULT_LANGUAGE));
    let runs = |rule: &Rule| {
        rule.is_for(kind)
            && (lexicon.is_some() || rule.needs_no_lexicon())
            && (names.is_some() || *rule != Rule::OtherCompany)
    };
    let rules: Vec<Rule> = Rule::VARIANTS.iter().copied().filter(runs).collect();
    let cut: Vec<Text> = texts.iter().map(|(_, raw)| Text::new(raw)).collect();
    let mut findings = Vec::new();
    for (i, (field, raw)) in texts.iter().enumerate() {
        let (mut hits, text) = (Vec::new(), &cut[i]);
        placeholder::look(text, &mut hits);
        contact::look(text, &mut hits);
        if let Some(names) = names {
            names::look(text, names, &mut hits);
        }
        if let Some(lexicon) = lexicon {
            tone::look(text, lexicon, &mut hits);
            spelling::look(text, names, &mut hits);
        }
        if i + 1 == texts.len() {
            content::look(&cut, lexicon, &mut hits);
        }
        hits.retain(|hit| rules.contains(&hit.rule));
        let places = Places::new(raw);
        findings.extend(in_order(hits).into_iter().map(|hit| found(hit, *field, &places)));
    }
    WordingReview {
        findings,
        word_count: cut.last().map_or(0, Text::count),
        language: lexicon.map(|lexicon| lexicon.language.to_owned()),
        rules,
    }
}

/// The hits from left to right; of those of one rule that overlap, the first and longest.
fn in_order(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.rule, hit.span.start, std::cmp::Reverse(hit.span.end)));
    hits.dedup_by(|later, kept| later.rule == kept.rule && later.span.start < kept.span.end);
    hits.sort_by_key(|hit| (hit.span.start, hit.span.end, hit.rule));
    hits
}

fn found(hit: Hit, field: Option<NoteField>, places: &Places) -> Finding {
    let ((start, start_character), (end, end_character)) =
        (places.at(hit.span.start), places.at(hit.span.end));
    Finding {
        rule: hit.rule,
        severity: hit.rule.severity(),
        field,
        start,
        end,
        start_character,
        end_character,
        message: hit.rule.message().to_owned(),
        suggestion: hit.suggestion,
    }
}

#[cfg(test)]
mod tests;
