//! The parts of a message in which something stands. Messages that lie in it are not looked into: they can lie
//! in each other as deep as anybody likes, and nothing in them is said by whoever sent this one.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};

/// Parts in parts are looked at down to here.
const DEEPEST: usize = 8;

/// So many parts are looked at.
const MOST: usize = 100;

/// A part that has no parts of its own.
pub(super) struct Leaf {
    /// Such as `text/plain`, in lower case.
    kind: String,
    charset: Option<String>,
    is_attached: bool,
    /// What stands in it, decoded.
    pub contents: Vec<u8>,
}

impl Leaf {
    fn of(entity: &[u8], head: Option<&Message<'_>>) -> Self {
        let found = head.and_then(MimeHeaders::content_type);
        let body = &entity[head_length(entity)..];
        let encoding = head.and_then(MimeHeaders::content_transfer_encoding).unwrap_or_default();
        let decoded = match encoding.to_ascii_lowercase().as_str() {
            "base64" => base64_decode(body),
            "quoted-printable" => quoted_printable_decode(body),
            _ => None,
        };
        Self {
            kind: found.map_or_else(|| "text/plain".to_owned(), kind),
            charset: found.and_then(|found| found.attribute("charset")).map(str::to_owned),
            is_attached: head
                .and_then(MimeHeaders::content_disposition)
                .is_some_and(ContentType::is_attachment),
            contents: decoded.unwrap_or_else(|| body.to_vec()),
        }
    }

    /// Whether it is of one of these types.
    pub fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }

    fn text(&self) -> String {
        let decoder = self.charset.as_ref().and_then(|charset| charset_decoder(charset.as_bytes()));
        let lossy = || String::from_utf8_lossy(&self.contents).into_owned();
        decoder.map_or_else(lossy, |decode| decode(&self.contents))
    }
}

/// The leaves of a message, in their order.
pub(super) fn leaves(message: &[u8]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut entities = vec![(message, 0, false)];
    while let Some((entity, depth, is_in_digest)) = entities.pop()
        && leaves.len() < MOST
    {
        let head = MessageParser::default().parse_headers(&entity[..head_length(entity)]);
        let found = head.as_ref().and_then(|head| head.content_type());
        let kind = found.map(kind);
        let is_multipart = kind.as_ref().is_some_and(|kind| kind.starts_with("multipart/"));
        let is_message = match kind.as_deref() {
            Some(kind) => matches!(kind, "message/rfc822" | "message/global"),
            None => is_in_digest,
        };
        if is_multipart {
            let boundary = found.and_then(|found| found.attribute("boundary"));
            if let Some(boundary) = boundary.filter(|_| depth < DEEPEST) {
                let is_digest = kind.as_deref() == Some("multipart/digest");
                let parts = parts(entity, boundary.as_bytes()).into_iter().rev();
                entities.extend(parts.map(|part| (part, depth + 1, is_digest)));
            }
        } else if !is_message {
            leaves.push(Leaf::of(entity, head.as_ref()));
        }
    }
    leaves
}

/// What a person reads: the first text, taken from HTML if there is nothing else.
pub(super) fn text(leaves: &[Leaf]) -> String {
    let first = |kind| leaves.iter().find(|leaf| leaf.is(&[kind]) && !leaf.is_attached);
    match (first("text/plain"), first("text/html")) {
        (Some(plain), _) => plain.text(),
        (None, Some(html)) => html_to_text(&html.text()),
        (None, None) => String::new(),
    }
}

fn kind(found: &ContentType<'_>) -> String {
    format!("{}/{}", found.ctype(), found.subtype().unwrap_or_default()).to_ascii_lowercase()
}

/// Up to the empty line behind the fields, with it.
fn head_length(entity: &[u8]) -> usize {
    let mut length = 0;
    for line in entity.split_inclusive(|byte| *byte == b'\n') {
        length += line.len();
        if line.trim_ascii().is_empty() {
            break;
        }
    }
    length
}

/// What lies between the lines of a boundary (RFC 2046, section 5.1.1); the last part may be cut off.
fn parts<'x>(entity: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
    let (mut parts, mut begun, mut at) = (Vec::new(), None, 0);
    for line in entity.split_inclusive(|byte| *byte == b'\n') {
        let rest = line.trim_ascii_end().strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary));
        if let Some(rest @ (b"" | b"--")) = rest {
            parts.extend(begun.map(|begun| &entity[begun..at]));
            begun = rest.is_empty().then_some(at + line.len());
            if parts.len() == MOST || begun.is_none() {
                return parts;
            }
        }
        at += line.len();
    }
    parts.extend(begun.map(|begun| &entity[begun..]));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_in_parts_and_decoded() {
        let message = "Content-Type: multipart/mixed; boundary=a\r\n\r\nlead\r\n--a\r\n\
            Content-Type: multipart/alternative; boundary=\"b c\"\r\n\r\n--b c\r\n\
            Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=C3=BC=\r\n=C3=9Fe\r\n--b c--\r\n\
            --a\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nnot this\r\n\
            --a\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: BASE64\r\n\r\nQWN0\r\naW9u\r\n\
            --a\r\n\r\nno head\r\n--a--\r\ntail";
        let found = leaves(message.as_bytes());
        let kinds: Vec<_> = found.iter().map(|leaf| leaf.kind.as_str()).collect();
        assert_eq!(kinds, ["text/html", "text/plain", "message/delivery-status", "text/plain"]);
        assert_eq!(found[2].contents, b"Action");
        assert_eq!(text(&found).trim(), "no head");
        assert_eq!(text(&found[..3]).trim(), "Grüße");
        assert!(leaves(&message.as_bytes()[..message.find("--a--").unwrap()]).len() == 4, "cut off");
    }

    #[test]
    fn what_lies_in_other_messages_or_too_deep_is_not_looked_at() {
        let digest = "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\nhello\n--a\n\
            Content-Type: text/plain\n\nnot a message\n--a--\n";
        assert_eq!(text(&leaves(digest.as_bytes())).trim(), "not a message");
        let nested = "Content-Type: message/rfc822\n\nContent-Type: text/plain\n\nhello";
        assert!(leaves(nested.as_bytes()).is_empty());
        let mut deep = "Content-Type: text/plain\n\nhello\n".to_owned();
        for level in 0..DEEPEST {
            deep = format!(
                "Content-Type: multipart/mixed; boundary=b{level}-\n\n--b{level}-\n{deep}--b{level}---\n"
            );
        }
        assert_eq!(text(&leaves(deep.as_bytes())).trim(), "hello");
        deep = format!("Content-Type: multipart/mixed; boundary=top\n\n--top\n{deep}--top--\n");
        assert!(leaves(deep.as_bytes()).is_empty());
    }
}
