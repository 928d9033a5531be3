//! What a text must be to be kept: checks that every record shares. They are made when a record
//! is written, so that nothing has to be refused when it is shown or sent.

use unicode_normalization::char::is_combining_mark;

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Nothing that can be seen.
    #[error("must not be blank")]
    Blank,
    /// A control character: it could hide what follows.
    #[error("must not contain control characters")]
    Control,
    /// The same, or a line break, in a text of one line: it could start a new header.
    #[error("must not contain control characters or line breaks")]
    NotOneLine,
    /// A character that changes the direction of what follows, so that a reader sees another text.
    #[error("must not contain characters that change the direction of text")]
    Bidi,
    /// Not an email address.
    #[error("must be an email address")]
    NotAnAddress,
    /// Not the name of a time zone.
    #[error("must be a time zone of the IANA database, such as Europe/Berlin")]
    NotATimeZone,
    /// Not a language tag.
    #[error("must be a language tag of BCP 47, such as de or pt-BR")]
    NotALanguage,
}

impl TextFault {
    /// The stable code for an answer to a machine.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Control | Self::NotOneLine => "control_character",
            Self::Bidi => "bidi_character",
            Self::NotAnAddress => "invalid_email",
            Self::NotATimeZone => "invalid_time_zone",
            Self::NotALanguage => "invalid_language",
        }
    }
}

/// Checks a text of one line: a name, a title, a subject. It may be empty.
pub fn check_line(text: &str) -> Result<(), TextFault> {
    // The last two end a line, or a paragraph, without being control characters.
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(TextFault::NotOneLine);
    }
    check_direction(text)
}

/// Checks a text of one line that must say something.
pub fn check_name(text: &str) -> Result<(), TextFault> {
    if is_blank(text) {
        return Err(TextFault::Blank);
    }
    check_line(text)
}

/// Checks a text of paragraphs: line breaks and tabs are fine, other control characters are not.
pub fn check_paragraphs(text: &str) -> Result<(), TextFault> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(TextFault::Control);
    }
    check_direction(text)
}

/// Checks a text of paragraphs that must say something.
pub fn check_told(text: &str) -> Result<(), TextFault> {
    if is_blank(text) {
        return Err(TextFault::Blank);
    }
    check_paragraphs(text)
}

/// Checks an email address (RFC 5321 mailbox; non-ASCII domains are fine, RFC 6531 local parts too).
pub fn check_email(text: &str) -> Result<(), TextFault> {
    check_line(text)?;
    let (local, domain) = text.rsplit_once('@').ok_or(TextFault::NotAnAddress)?;
    let local_fine = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| TextFault::NotAnAddress)?;
    let domain_fine = ascii.contains('.') && ascii.len() <= 253 && text.len() <= 254;
    if local_fine && domain_fine && !text.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err(TextFault::NotAnAddress)
    }
}

/// Reads the name of a time zone.
pub fn check_time_zone(text: &str) -> Result<chrono_tz::Tz, TextFault> {
    text.parse().map_err(|_| TextFault::NotATimeZone)
}

/// Checks that a text is formed like a language tag (BCP 47: RFC 5646, section 2.1), whether or not
/// its parts are registered.
pub fn check_language(text: &str) -> Result<(), TextFault> {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language = (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_language && parts.all(is_part) { Ok(()) } else { Err(TextFault::NotALanguage) }
}

/// Whether there is nothing to see: white space, and characters of no width.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    let shows_nothing = |c: char| {
        matches!(c, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200D}'
            | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}')
    };
    // A mark alone has nothing to stand on.
    text.chars().all(|c| c.is_whitespace() || is_combining_mark(c) || shows_nothing(c))
}

fn check_direction(text: &str) -> Result<(), TextFault> {
    let turns = |c: char| matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if text.contains(turns) { Err(TextFault::Bidi) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_start_a_header() {
        assert_eq!(check_name("Ann\r\nBcc: x@y.example"), Err(TextFault::NotOneLine));
        assert_eq!(check_name("Ann \u{202E}moc.live"), Err(TextFault::Bidi));
        assert_eq!(check_name("Ann\u{2028}Bcc: x@y.example"), Err(TextFault::NotOneLine));
        assert_eq!(check_name(" \t"), Err(TextFault::Blank));
        for blank in ["\u{200B}\n\u{FEFF}", "\u{301}", "\u{FE0F} \u{34F}", "\u{2800}"] {
            assert_eq!(check_told(blank), Err(TextFault::Blank), "{blank:?}");
        }
        assert_eq!(check_name("Zoë Müller"), Ok(()));
    }

    #[test]
    fn addresses_are_checked_before_they_are_kept() {
        for good in
            ["a@b.example", "first.last+tag@sub.example.org", "info@münchen.example", "jörg@example.org"]
        {
            assert_eq!(check_email(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b.example",
            "a@b",
            "a b@c.example",
            "a@b..example",
            ".a@b.example",
            "a@b.example\n",
            "<a@b.example>",
            "a@[127.0.0.1]",
        ] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_language_tag_has_the_form_of_one() {
        for good in ["de", "pt-BR", "zh-Hant-TW", "en-GB-oxendict", "sr-Latn-RS-x-private"] {
            assert_eq!(check_language(good), Ok(()), "{good}");
        }
        for bad in ["", "d", "de_DE", "de-", "-de", "de-DE\n", "d3", "german language", "ninechars"] {
            assert_eq!(check_language(bad), Err(TextFault::NotALanguage), "{bad}");
        }
    }
}
