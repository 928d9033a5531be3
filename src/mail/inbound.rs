//! What a message that came back is. It is anybody's, and read as such.

use mail_parser::{Message, MessageParser};

use super::dsn::{DeliveryStatus, MOST_RECIPIENTS, bare_address, failure_code, implied, one_line, shortened};
use super::leaves::{Leaf, leaves, text};
use crate::domain::inbound::{RecipientStatus, ReportedAction};

/// So much of what somebody wrote is kept, in characters.
const LONGEST_TEXT: usize = 4_000;

/// So much of a message is read, in bytes: what it says stands before what is attached to it.
const LONGEST_MESSAGE: usize = 256 << 10;

/// A message that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The Message-ID, which stays the same if it comes again.
    pub message_id: Option<String>,
    /// What it is.
    pub content: Content,
}

/// What a message that came back says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// What became of the message, recipient by recipient.
    Report(Vec<RecipientStatus>),
    /// Somebody did not want it (RFC 5965).
    Complaint,
    /// Somebody or something answers.
    Reply {
        /// A machine does.
        automatic: bool,
        /// What is said.
        text: String,
    },
}

impl Incoming {
    /// Reads a message (RFC 5322); none if it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = &bytes[..bytes.len().min(LONGEST_MESSAGE)];
        let head = MessageParser::default().parse_headers(bytes)?;
        if head.headers().is_empty() {
            return None;
        }
        Some(Self {
            message_id: head.message_id().and_then(unfolded),
            content: content(&head, &leaves(bytes)),
        })
    }
}

/// An id without white space: wherever it was folded on its way, and however its lines end, it is the same one.
fn unfolded(id: &str) -> Option<String> {
    let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    (!id.is_empty()).then_some(id)
}

fn content(head: &Message<'_>, leaves: &[Leaf]) -> Content {
    let typed = |kinds: &[&str]| leaves.iter().find(|leaf| leaf.is(kinds));
    let notice = typed(&["message/delivery-status", "message/global-delivery-status"]);
    if let Some(status) = notice.and_then(|part| DeliveryStatus::parse(&part.contents)) {
        return Content::Report(status.recipients);
    }
    let feedback = typed(&["message/feedback-report"]);
    if feedback.is_some_and(is_complaint) {
        return Content::Complaint;
    }
    let text = text(leaves);
    let failed = failed_recipients(head, &text).or_else(|| qmail(&text)).or_else(|| daemon(head, &text));
    if let Some(recipients) = failed {
        return Content::Report(recipients);
    }
    let receipt = typed(&["message/disposition-notification"]);
    let automatic = is_automatic(head) || notice.or(feedback).or(receipt).is_some();
    Content::Reply { automatic, text: readable(&text) }
}

/// The kinds of feedback that say that somebody minds (RFC 5965, section 7.3).
fn is_complaint(report: &Leaf) -> bool {
    let text = String::from_utf8_lossy(&report.contents).to_ascii_lowercase();
    let kind = text.lines().find_map(|line| line.strip_prefix("feedback-type:"));
    kind.is_some_and(|kind| matches!(kind.trim(), "abuse" | "fraud" | "other"))
}

/// The field with which Exim names the addresses that failed, whatever else is in the message.
fn failed_recipients(head: &Message<'_>, text: &str) -> Option<Vec<RecipientStatus>> {
    let named = raw(head, "X-Failed-Recipients")?;
    let addresses = named.split(',').filter_map(bare_address).take(MOST_RECIPIENTS);
    let code = failure_code(text).filter(|code| code.starts_with('5'));
    let failed: Vec<_> = addresses.map(|address| failed(Some(address), code.clone(), None)).collect();
    (!failed.is_empty()).then_some(failed)
}

fn failed(address: Option<String>, status: Option<String>, diagnostic: Option<&str>) -> RecipientStatus {
    RecipientStatus {
        final_recipient: address,
        original_recipient: None,
        action: ReportedAction::Failed,
        status,
        diagnostic: diagnostic.and_then(shortened),
    }
}

/// The notices of qmail: after a greeting a paragraph for each recipient, which begins with the address
/// (QSBMF).
fn qmail(text: &str) -> Option<Vec<RecipientStatus>> {
    let text = text.replace("\r\n", "\n");
    let (greeting, rest) = text.split_once("\n\n")?;
    if !greeting.trim_start().starts_with("Hi. This is the ") {
        return None;
    }
    let paragraphs = rest.split("\n\n").take_while(|paragraph| !paragraph.trim_start().starts_with("--- "));
    let recipients = paragraphs.filter_map(|paragraph| {
        let (address, said) = paragraph.trim_start().strip_prefix('<')?.split_once(">:")?;
        let said = one_line(said);
        Some(failed(Some(bare_address(address)?), failure_code(&said), Some(&said)))
    });
    let recipients: Vec<_> = recipients.take(MOST_RECIPIENTS).collect();
    (!recipients.is_empty()).then_some(recipients)
}

/// Words that only the last notice says, whatever it quotes.
const LAST_WORDS: [&str; 5] = [
    "permanent fatal error",
    "this was the last attempt",
    "this was the final attempt",
    "no further attempt",
    "will not be retried",
];
/// Words of a mail server that does not give up yet.
const TRIES_ON: [&str; 10] = [
    "will keep trying",
    "will continue to attempt",
    "will continue to try",
    "will continue trying",
    "attempts will continue",
    "will be retried",
    "before giving up",
    "not yet been delivered",
    "still being retried",
    "do not need to resend",
];
/// Words of one that does; whoever tries on may use them of what happened so far, or may happen yet.
const GIVES_UP: [&str; 5] =
    ["delivery has failed", "could not be delivered", "undeliverable", "giving up", "user unknown"];

/// A notice in nobody's format, from a mail server that says so in `From`.
fn daemon(head: &Message<'_>, text: &str) -> Option<Vec<RecipientStatus>> {
    let from = head.from()?.first()?.address()?.to_ascii_lowercase();
    let is_daemon = ["mailer-daemon@", "postmaster@"].iter().any(|name| from.starts_with(name));
    if !is_daemon {
        return None;
    }
    let said = one_line(text).to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let status = failure_code(&said);
    // A last word counts more than a code: what failed may be told with that of the last try (4.4.7).
    let action = if says(&LAST_WORDS) {
        ReportedAction::Failed
    } else if says(&TRIES_ON) {
        ReportedAction::Delayed
    } else if says(&GIVES_UP) {
        ReportedAction::Failed
    } else {
        implied(status.as_deref()?)?
    };
    Some(vec![RecipientStatus { action, ..failed(None, status, None) }])
}

/// Whether a machine sent it: RFC 3834, and what is used besides.
fn is_automatic(head: &Message<'_>) -> bool {
    let says = |name: &str, words: &[&str]| {
        raw(head, name).is_some_and(|value| {
            let word = value.split([';', ' ']).next().unwrap_or_default();
            words.iter().any(|known| word.eq_ignore_ascii_case(known))
        })
    };
    let any = ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-AutoReply-From"];
    raw(head, "Auto-Submitted").is_some_and(|value| !value.eq_ignore_ascii_case("no"))
        || any.iter().any(|name| raw(head, name).is_some())
        || says("Precedence", &["auto_reply", "bulk", "junk", "list"])
        || says("X-Auto-Response-Suppress", &["All", "OOF", "AutoReply"])
}

fn raw<'a>(head: &'a Message<'_>, name: &str) -> Option<&'a str> {
    head.headers_raw().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A text as it may be kept: without characters that hide others, its lines ended in one way, and no
/// longer than needed.
fn readable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let hides = |c: &char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let kept: String = text.trim().chars().filter(|c| !hides(c)).take(LONGEST_TEXT).collect();
    kept.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::dsn::LONGEST_DIAGNOSTIC;
    use super::*;
    use crate::domain::inbound::decisive;

    /// What is made of a file, in the words of the corpus.
    fn told(bytes: &[u8]) -> Value {
        match Incoming::read(bytes).unwrap().content {
            Content::Complaint => json!({"kind": "complaint"}),
            Content::Reply { automatic: true, .. } => json!({"kind": "auto_reply"}),
            Content::Reply { automatic: false, .. } => json!({"kind": "reply"}),
            Content::Report(recipients) => {
                let one = decisive(&recipients, "ines@nordwind.example").unwrap();
                json!({
                    "kind": "report", "action": one.action, "recipient": one.final_recipient, "status": one.status,
                    "marks_address": one.bounces("ines@nordwind.example"),
                })
            }
        }
    }

    #[test]
    fn messages_in_messages_are_read_however_deep() {
        let level = "Content-Type:message/rfc822\n\n";
        let plain = level.repeat(LONGEST_MESSAGE / level.len());
        assert!(Incoming::read(plain.as_bytes()).is_some());
        let head = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n";
        let encoded = format!("{head}{}", STANDARD.encode(level.repeat(3_000)));
        assert!(Incoming::read(encoded.as_bytes()).is_some());
    }

    #[test]
    fn what_a_server_is_quoted_with_is_one_line_of_bounded_length() {
        let words = "no\0 \u{7}mailbox ".repeat(200);
        let notice =
            format!("Subject: failure notice\n\nHi. This is the mailer.\n\n<a@b.example>:\n{words}\n");
        let Content::Report(recipients) = Incoming::read(notice.as_bytes()).unwrap().content else {
            panic!()
        };
        let said = recipients[0].diagnostic.as_deref().unwrap();
        assert_eq!(said.chars().count(), LONGEST_DIAGNOSTIC);
        assert!(!said.contains(char::is_control), "{said}");
    }

    #[test]
    fn a_message_that_was_folded_on_its_way_is_the_same() {
        let id = |said: &str| {
            let message = format!("From: a@b.example\nMessage-ID: {said}\n\nhello");
            Incoming::read(message.as_bytes()).unwrap().message_id
        };
        for said in ["<1.2@a.example>", "\n <1.2@a.example>", "<1.2@a\n .example>", "<1.2@a\r\n\t.example>"] {
            assert_eq!(id(said).as_deref(), Some("1.2@a.example"), "{said:?}");
        }
        for said in ["", "<>", "<\n >"] {
            assert_eq!(id(said), None, "{said:?}");
        }
    }

    #[test]
    fn a_recipient_is_one_word_with_a_domain_and_there_are_not_many() {
        const GREETING: &str = "From: a@b.example\n\nHi. This is the mailer.\n\n";
        let recipients = |message: &str| match Incoming::read(message.as_bytes()).unwrap().content {
            Content::Report(recipients) => {
                recipients.into_iter().filter_map(|one| one.final_recipient).collect()
            }
            _ => Vec::new(),
        };
        let named = "X-Failed-Recipients: <a@b.example>,\n c d@b.example, e\0@b.example\n\n";
        assert_eq!(recipients(named), ["a@b.example"]);
        let paragraphs =
            format!("{GREETING}<a@b.example>:\nno\n\n<see\nc@b.example>:\nno\n\n<nobody>:\nno\n");
        assert_eq!(recipients(&paragraphs), ["a@b.example"]);
        let named = format!("X-Failed-Recipients: {}\n\n", "a@b,".repeat(60_000));
        assert_eq!(recipients(&named).len(), MOST_RECIPIENTS);
        let paragraphs = format!("{GREETING}{}", "<a@b>:\nno\n\n".repeat(20_000));
        assert_eq!(recipients(&paragraphs).len(), MOST_RECIPIENTS);
    }

    #[test]
    fn the_corpus_is_read_as_expected() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/bounces");
        let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
        let files = std::fs::read_dir(&folder).unwrap().count() - 1;
        assert_eq!(expected.len(), files, "every file has its line");
        for mut case in expected {
            let name = case.as_object_mut().unwrap().remove("file").unwrap();
            let bytes = std::fs::read(folder.join(format!("{}.eml", name.as_str().unwrap()))).unwrap();
            assert_eq!(told(&bytes), case, "{name}");
        }
    }

    #[test]
    fn an_answer_is_kept_short_and_readable() {
        let body = format!("a\u{202e}b\u{7}c\td\r\n{}", "é".repeat(9_999));
        let message = format!("From: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}");
        let Some(Content::Reply { automatic: false, text }) =
            Incoming::read(message.as_bytes()).map(|m| m.content)
        else {
            panic!("not a reply");
        };
        assert!(text.starts_with("abc\td\né") && text.chars().count() == LONGEST_TEXT, "{text}");
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(bytes: Vec<u8>, head in "\\PC{0,40}", body in "\\PC{0,200}") {
            let _ = Incoming::read(&bytes);
            let _ = Incoming::read(format!("From: MAILER-DAEMON@x.example\r\nSubject: {head}\r\n\r\n{body}").as_bytes());
            let _ = Incoming::read(&[b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n", &bytes[..]].concat());
        }
    }
}
