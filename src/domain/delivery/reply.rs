//! What a mail server said, and what follows from it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More of a reply than this many characters tells a person nothing.
const LONGEST_TEXT: usize = 500;

/// The reply of a mail server (RFC 5321, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reply {
    /// The reply code, 200 to 599.
    pub code: u16,
    /// The enhanced status code (RFC 3463), if the server gave one that agrees with `code`.
    pub enhanced_code: Option<String>,
    /// What the server wrote after the codes: one line, shortened to 500 characters.
    pub text: String,
}

/// What a reply means for the delivery, its recipient and its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyClass {
    /// 2xx and 3xx.
    Positive,
    /// 4xx: worth another attempt.
    Transient {
        /// 4.7.x: the server wants less of us; the whole domain is sent to more slowly.
        slows_domain: bool,
    },
    /// 5xx: another attempt would fail as well.
    Permanent {
        /// 5.1.x about the recipient: the address is bad.
        bounces_address: bool,
    },
}

impl Reply {
    /// Reads the reply with this code from its text, lines joined, enhanced code in front.
    #[must_use]
    pub fn new(code: u16, text: &str) -> Self {
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
        let line = words.collect::<Vec<_>>().join(" ");
        let (first, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let enhanced = is_enhanced_code(code, first);
        let text = if enhanced { rest } else { &line };
        Self {
            code,
            enhanced_code: enhanced.then(|| first.to_owned()),
            text: text.chars().take(LONGEST_TEXT).collect(),
        }
    }

    /// What the reply means.
    #[must_use]
    pub fn class(&self) -> ReplyClass {
        let enhanced = self.enhanced_code.as_deref().unwrap_or_default();
        match self.code {
            500.. => ReplyClass::Permanent { bounces_address: is_about_the_recipient(enhanced) },
            400..500 => ReplyClass::Transient { slows_domain: enhanced.starts_with("4.7.") },
            _ => ReplyClass::Positive,
        }
    }
}

/// RFC 2034, section 4: the class must agree with the reply code.
fn is_enhanced_code(code: u16, word: &str) -> bool {
    let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = word.split('.');
    let class = parts
        .next()
        .is_some_and(|class| matches!(code / 100, 2 | 4 | 5) && class == (code / 100).to_string());
    let rest: Vec<_> = parts.collect();
    class && rest.len() == 2 && rest.iter().all(number)
}

/// 5.1.7 and 5.1.8 blame the sender's address, which says nothing about the recipient's.
fn is_about_the_recipient(enhanced: &str) -> bool {
    enhanced.strip_prefix("5.1.").is_some_and(|detail| !matches!(detail, "7" | "8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enhanced_code_is_told_from_the_text() {
        let reply = Reply::new(550, "5.1.1 <a@b.example>: no\r\n such   user");
        assert_eq!(reply.enhanced_code.as_deref(), Some("5.1.1"));
        assert_eq!(reply.text, "<a@b.example>: no such user");
        for (code, text) in [
            (250, "OK"),
            (450, "5.1.1 class differs"),
            (550, "5.1 short"),
            (550, "5.1.1.1 x"),
            (354, "3.0.0 go"),
        ] {
            assert_eq!(Reply::new(code, text).enhanced_code, None, "{text}");
        }
        assert_eq!(Reply::new(250, "2.0.0").text, "");
    }

    #[test]
    fn what_a_reply_means() {
        let permanent = |bounces_address| ReplyClass::Permanent { bounces_address };
        let transient = |slows_domain| ReplyClass::Transient { slows_domain };
        for (code, text, class) in [
            (250, "2.0.0 queued", ReplyClass::Positive),
            (421, "too busy", transient(false)),
            (450, "4.7.1 greylisted", transient(true)),
            (452, "4.2.2 mailbox full", transient(false)),
            (550, "5.1.1 no such user", permanent(true)),
            (556, "5.1.10 null MX", permanent(true)),
            (553, "5.1.8 sender domain unknown", permanent(false)),
            (554, "5.7.1 policy", permanent(false)),
            (550, "no such user", permanent(false)),
        ] {
            assert_eq!(Reply::new(code, text).class(), class, "{code} {text}");
        }
    }

    #[test]
    fn a_hostile_text_becomes_one_short_line() {
        let reply = Reply::new(554, &format!("a\u{7}b\r\nc{}", "é".repeat(9_999)));
        assert!(reply.text.starts_with("a b cé") && reply.text.chars().count() == 500);
    }
}
