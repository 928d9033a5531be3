//! What a person reads in a message that [`compose`](super::compose) made: a preview of exactly the
//! bytes that go out. It reads our own messages and no others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

/// A message, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Parts {
    /// Who it is from.
    #[schema(example = "\"Rosa Klein (Klein & Partner) via Debrief\" <notes@debrief.example>")]
    pub from: String,
    /// Whom a reply reaches.
    pub reply_to: String,
    /// Whom it is for.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The part in plain text.
    pub text: String,
    /// The part in HTML.
    pub html: String,
}

impl Parts {
    /// Decodes a message; none if it is not one of ours.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        let message = std::str::from_utf8(message).ok()?;
        let (head, body) = message.split_once("\r\n\r\n")?;
        let head = unfolded(head);
        let field = |name: &str| field(&head, name).map(decoded_words);
        let boundary = field("Content-Type")?.split_once("boundary=\"")?.1.split_once('"')?.0.to_owned();
        let mark = format!("--{boundary}");
        let mut parts = body.split(&mark).skip(1).filter_map(content);
        Some(Self {
            from: field("From")?,
            reply_to: field("Reply-To")?,
            to: field("To")?,
            subject: field("Subject")?,
            text: parts.next()?,
            html: parts.next()?,
        })
    }
}

/// The head of a message with every field on one line.
fn unfolded(head: &str) -> String {
    head.replace("\r\n ", " ").replace("\r\n\t", "\t")
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The decoded content of one part; none behind the last one.
fn content(part: &str) -> Option<String> {
    let (head, body) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
    let encoding = field(&unfolded(head), "Content-Transfer-Encoding")?.to_ascii_lowercase();
    // The line break before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
    let body = body.strip_suffix("\r\n").unwrap_or(body);
    let text = if encoding == "quoted-printable" {
        String::from_utf8_lossy(&unquoted(&body.replace("=\r\n", ""))).into_owned()
    } else {
        body.to_owned()
    };
    Some(text.replace("\r\n", "\n"))
}

/// A value with its encoded words (RFC 2047) decoded. White space between two of them is theirs.
fn decoded_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut bytes = Vec::new();
    let mut rest = value;
    while let Some((before, word, after)) = next_word(rest) {
        if bytes.is_empty() || !before.trim().is_empty() {
            decoded.push_str(&String::from_utf8_lossy(&std::mem::take(&mut bytes)));
            decoded.push_str(before);
        }
        // A character may be cut in two by the end of a word.
        bytes.extend(word);
        rest = after;
    }
    decoded.push_str(&String::from_utf8_lossy(&bytes));
    decoded.push_str(rest);
    decoded
}

/// The first encoded word: what stands before it, its bytes, what stands behind it.
fn next_word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let (before, rest) = text.split_once("=?")?;
    let (_charset, rest) = rest.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (word, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "b" | "B" => STANDARD.decode(word).ok()?,
        _ => unquoted(&word.replace('_', " ")),
    };
    Some((before, bytes, after))
}

/// Turns `=C3` and its like into bytes (RFC 2045, section 6.7).
fn unquoted(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('=');
    bytes.extend(pieces.next().unwrap_or_default().bytes());
    for piece in pieces {
        let code = piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                bytes.extend(piece[2..].bytes());
            }
            None => {
                bytes.push(b'=');
                bytes.extend(piece.bytes());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mail::{Author, Note, compose};

    fn note<'a>(name: &'a str, subject: &'a str, body: &'a str) -> Note<'a> {
        Note {
            recruiter_name: name,
            recruiter_address: "rosa@agency.example",
            agency_name: "Klein & Partner",
            author: Author::Service { name: "Debrief", address: "notes@debrief.example" },
            bounce_address: "bounces@debrief.example",
            contact_name: name,
            contact_address: "jg@größe.example",
            candidate_name: "Ann Lee",
            subject,
            body,
            greeting: None,
            signature: None,
            language: "en",
            message_id: "1",
            boundary_seed: "1",
            date: chrono::DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
        }
    }

    #[test]
    fn a_message_is_shown_as_it_is_read() {
        let body = "Dear Mr Groß,\n\nthank you for <your> time & = patience.\n.\nAnn";
        let letter = compose(&note("Rosa Klein", "Thank you – it was a pleasure", body)).unwrap();
        let parts = Parts::of(&letter.bytes).unwrap();
        assert_eq!(parts.from, "\"Rosa Klein (Klein & Partner) via Debrief\" <notes@debrief.example>");
        assert_eq!(parts.reply_to, "\"Rosa Klein\" <rosa@agency.example>");
        assert_eq!(parts.to, "\"Rosa Klein\" <jg@xn--gre-6ka8i.example>");
        assert_eq!(parts.subject, "Thank you – it was a pleasure");
        assert!(parts.text.starts_with(&format!("{body}\n\n-- \n")), "{}", parts.text);
        assert!(
            parts.html.contains("thank you for &#60;your&#62; time &#38; = patience.<br>"),
            "{}",
            parts.html
        );
    }

    #[test]
    fn what_is_no_message_of_ours_has_no_parts() {
        for bytes in [&b""[..], b"From: a\r\n\r\nhi", b"\xff\xfe"] {
            assert_eq!(Parts::of(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn every_subject_and_body_is_read_as_it_was_written(
            name in "[\\PC&&[^\\p{Z}=]]{1,20}", words in prop::collection::vec("[\\PC&&[^\\p{Z}=]]{1,40}", 1..12),
            lines in prop::collection::vec("[\\PC&&[^\\p{Z}]]{1,200}", 1..6),
        ) {
            let (subject, body) = (words.join(" "), lines.join("\n"));
            let letter = compose(&note(&name, &subject, &body)).unwrap();
            let parts = Parts::of(&letter.bytes).unwrap();
            prop_assert_eq!(parts.subject, subject);
            prop_assert!(parts.text.starts_with(&format!("{body}\n\n-- \n")), "{:?} {:?}", parts.text, body);
        }
    }
}
