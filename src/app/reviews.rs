//! Reviews of texts that are not kept.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::wording::{self, WordingKind, WordingReview};

/// A text to be reviewed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WordingInput {
    /// The text. It is not kept, and not changed.
    #[schema(
        min_length = 1,
        max_length = 20_000,
        format = "text-not-blank",
        example = "Thank you for your time. I am so sorry, it was a disaster."
    )]
    text: String,
    /// What it is for.
    kind: WordingKind,
    /// The language that it is written in, a BCP 47 tag; English if left out. For a language without a
    /// lexicon only the rules run that no language is needed for: the answer names them.
    #[schema(max_length = 35, format = "language-tag", example = "en-GB")]
    language: Option<String>,
}

/// What is to be looked at again in a text.
#[must_use]
pub fn wording(input: &WordingInput) -> WordingReview {
    wording::review(&input.text, input.kind, input.language.as_deref())
}
