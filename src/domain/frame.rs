//! What an agency says around a candidate's words: a greeting and a signature, in plain text with names
//! to be filled in. What the candidate wrote is never looked at here.

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::text::{TextFault, check_paragraphs};

/// The frame of notes in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Stands before the candidate's words; nothing if it is left out.
    #[schema(max_length = 2000, format = "mail-frame", example = "Dear {{contact_name}},")]
    pub greeting: Option<String>,
    /// Stands below them; a sentence that says whose words these are, if it is left out.
    #[schema(max_length = 2000, format = "mail-frame", example = "{{recruiter_name}}\n{{agency_name}}")]
    pub signature: Option<String>,
}

/// What can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Placeholder {
    /// The recipient.
    ContactName,
    /// Whose words these are.
    CandidateName,
    /// Who passes them on.
    RecruiterName,
    /// The recruiter's agency, as its mail calls it.
    AgencyName,
}

/// The names that stand for the placeholders.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The recipient.
    pub contact: &'a str,
    /// Whose words these are.
    pub candidate: &'a str,
    /// Who passes them on.
    pub recruiter: &'a str,
    /// The recruiter's agency.
    pub agency: &'a str,
}

impl<'a> Names<'a> {
    const fn of(self, placeholder: Placeholder) -> &'a str {
        match placeholder {
            Placeholder::ContactName => self.contact,
            Placeholder::CandidateName => self.candidate,
            Placeholder::RecruiterName => self.recruiter,
            Placeholder::AgencyName => self.agency,
        }
    }
}

/// What is wrong with a text of a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// No text that may be kept at all.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// There is nothing of this name to be filled in.
    #[error("has {{{{{0}}}}}, which is none of {names}", names = known())]
    Unknown(String),
    /// Two braces open a placeholder and nothing closes it.
    #[error("has {{{{ without }}}} behind it")]
    Open,
}

impl FrameFault {
    /// The stable code for an answer to a machine.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text(fault) => fault.code(),
            Self::Unknown(_) => "unknown_placeholder",
            Self::Open => "open_placeholder",
        }
    }
}

fn known() -> String {
    Placeholder::iter().map(<&str>::from).collect::<Vec<_>>().join(", ")
}

/// A piece of a frame's text.
enum Piece<'a> {
    Text(&'a str),
    Name(Placeholder),
}

/// The text in its pieces. It is gone through once: what is filled in is not looked at again.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, FrameFault> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (name, after) = behind.split_once("}}").ok_or(FrameFault::Open)?;
        let placeholder = name.trim().parse().map_err(|_| FrameFault::Unknown(name.trim().to_owned()))?;
        pieces.extend([Piece::Text(before), Piece::Name(placeholder)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Checks a text of a frame.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str) -> Result<(), FrameFault> {
    check_paragraphs(text)?;
    pieces(text).map(drop)
}

/// Fills the names in. A text that was not checked stays as it is.
#[must_use]
pub fn fill(text: &str, names: Names<'_>) -> String {
    let Ok(pieces) = pieces(text) else { return text.to_owned() };
    let filled = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Name(placeholder) => names.of(placeholder),
    });
    filled.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: Names<'_> =
        Names { contact: "Ines", candidate: "{{agency_name}}", recruiter: "Rosa", agency: "Hanse" };

    #[test]
    fn names_are_filled_in_once() {
        let text = "Dear {{contact_name}},\n{{ candidate_name }} writes, says {{recruiter_name}} of {{agency_name}}. { } }}";
        assert_eq!(check(text), Ok(()));
        assert_eq!(fill(text, NAMES), "Dear Ines,\n{{agency_name}} writes, says Rosa of Hanse. { } }}");
    }

    #[test]
    fn what_cannot_be_filled_in_is_named() {
        for (text, code) in [
            ("Dear {{name}}", "unknown_placeholder"),
            ("{{}}", "unknown_placeholder"),
            ("{{ContactName}}", "unknown_placeholder"),
            ("{{contact_name", "open_placeholder"),
            ("a\u{0}b", "control_character"),
            ("a\u{202E}b", "bidi_character"),
        ] {
            assert_eq!(check(text).unwrap_err().code(), code, "{text}");
        }
        let told = check("{{x}}").unwrap_err().to_string();
        assert_eq!(
            told,
            "has {{x}}, which is none of contact_name, candidate_name, recruiter_name, agency_name"
        );
        assert_eq!(check("{{contact_name").unwrap_err().to_string(), "has {{ without }} behind it");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_where_nothing_is_filled_in(text in "[^{]*") {
            prop_assert_eq!(fill(&text, NAMES), text);
        }
    }
}
