//! The key by which a caller marks a request that may have to be sent again.

use std::str::FromStr;

/// The most characters that a key can have.
const LONGEST: usize = 255;

/// A caller's name for one request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A text that is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 visible ASCII characters, bare or as a quoted string (RFC 8941)")]
pub struct InvalidKey;

impl IdempotencyKey {
    /// What a key looks like on its way, as a regular expression (ECMA 262).
    pub const PATTERN: &str = r#"^(?:"(?:[!#-\[\]-~]|\\["\\]){1,255}"|[!#-~][!-~]{0,254})$"#;

    /// The key without the quotes that it may have come in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let key = match text.strip_prefix('"') {
            Some(rest) => unquote(rest).ok_or(InvalidKey)?,
            None => text.to_owned(),
        };
        let is_key = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_key { Ok(Self(key)) } else { Err(InvalidKey) }
    }
}

/// What stands in a quoted string (RFC 8941, section 3.3.3), of which the first quote is taken off.
fn unquote(rest: &str) -> Option<String> {
    let mut characters = rest.chars();
    let mut inside = String::new();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(inside),
            '\\' => inside.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            other => inside.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<String> {
        text.parse::<IdempotencyKey>().ok().map(|key| key.0)
    }

    #[test]
    fn a_key_is_bare_or_quoted() {
        let longest = "k".repeat(LONGEST);
        for (text, key) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", Some("8e03978e-40d5-43dd-bc93-6894a57f9324")),
            (r#""order-7""#, Some("order-7")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            (r#"a"b"#, Some(r#"a"b"#)),
            (&longest, Some(longest.as_str())),
            (&format!("\"{longest}\""), Some(longest.as_str())),
            (&format!("{longest}k"), None),
            ("", None),
            (r#""""#, None),
            (r#"""#, None),
            (r#""a"#, None),
            (r#""a\""#, None),
            (r#""a\n""#, None),
            (r#""a"b"#, None),
            (r#""a";p=1"#, None),
            ("two words", None),
            ("\"two words\"", None),
            ("schlüssel", None),
            ("tab\t", None),
        ] {
            assert_eq!(parsed(text).as_deref(), key, "{text}");
            assert_eq!(matches_the_pattern(text), key.is_some(), "{text}");
        }
    }

    fn matches_the_pattern(text: &str) -> bool {
        jsonschema::is_valid(&serde_json::json!({"pattern": IdempotencyKey::PATTERN}), &text.into())
    }

    proptest! {
        #[test]
        fn the_pattern_is_that_of_what_is_taken(text in "[\"\\\\!~]{0,4}\\PC{0,2}[\"\\\\!~]{0,4}") {
            prop_assert_eq!(matches_the_pattern(&text), parsed(&text).is_some(), "{:?}", text);
        }

        #[test]
        fn a_key_in_quotes_is_the_same_key(key in "[!-~]{1,255}") {
            let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(parsed(&quoted), Some(key));
        }
    }
}
