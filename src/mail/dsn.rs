//! The machine's part of a delivery status notification (RFC 3464): groups of fields, of which the
//! first is about the message and every other one about a recipient. It comes from anybody, so nothing
//! in it is trusted to be there.

use std::fmt;

use crate::domain::inbound::{RecipientStatus, ReportedAction};

/// More recipients than this are no notice about a message to one.
pub(super) const MOST_RECIPIENTS: usize = 100;

/// More of a diagnostic than this many characters tells a person nothing.
pub(super) const LONGEST_DIAGNOSTIC: usize = 500;

/// What a notice says, recipient by recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// The server that gives notice.
    pub reporting_mta: Option<String>,
    /// What the sender called the message's envelope (RFC 3461).
    pub envelope_id: Option<String>,
    /// The recipients.
    pub recipients: Vec<RecipientStatus>,
}

impl DeliveryStatus {
    /// Reads a `message/delivery-status`; none if no recipient's group is in it.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut status = Self { reporting_mta: None, envelope_id: None, recipients: Vec::new() };
        for group in groups(&text) {
            if let Some(recipient) = recipient(&group) {
                status.recipients.push(recipient);
            } else if status.recipients.is_empty() {
                status.reporting_mta = value(&group, "reporting-mta").map(|mta| typed(mta).to_owned());
                status.envelope_id = value(&group, "original-envelope-id").map(str::to_owned);
            }
            if status.recipients.len() == MOST_RECIPIENTS {
                break;
            }
        }
        (!status.recipients.is_empty()).then_some(status)
    }
}

/// The fields of one group: names in lower case, values on one line.
type Group = Vec<(String, String)>;

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![Vec::new()];
    for line in text.split('\n') {
        let line = line.trim_end_matches(['\r', ' ', '\t']);
        let Some(group) = groups.last_mut() else { break };
        if line.is_empty() {
            if !group.is_empty() {
                groups.push(Vec::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut() {
                value.push(' ');
                value.push_str(&one_line(line));
            }
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), one_line(value)));
        }
    }
    groups
}

pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn value<'a>(group: &'a Group, name: &str) -> Option<&'a str> {
    let found = group.iter().find(|(found, value)| found == name && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

fn recipient(group: &Group) -> Option<RecipientStatus> {
    let said = value(group, "diagnostic-code").map(typed);
    let status = finer(value(group, "status").and_then(status_code), said.and_then(status_code));
    let action = value(group, "action").and_then(action).or_else(|| implied(status.as_deref()?))?;
    Some(RecipientStatus {
        final_recipient: value(group, "final-recipient").and_then(address),
        original_recipient: value(group, "original-recipient").and_then(address),
        action,
        status,
        diagnostic: said.and_then(shortened),
    })
}

/// The code that says more: some servers give `5.0.0`, and what they were told in the diagnostic.
fn finer(status: Option<String>, said: Option<String>) -> Option<String> {
    let is_vague = |code: &String| code.ends_with(".0.0");
    match (status, said) {
        (Some(status), Some(said)) if is_vague(&status) && said.starts_with(&status[..1]) => Some(said),
        (status, _) => status,
    }
}

/// What of a diagnostic is kept.
pub(super) fn shortened(text: &str) -> Option<String> {
    let kept: String = text.chars().take(LONGEST_DIAGNOSTIC).collect();
    let kept = kept.trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// What stands behind the type, as in `rfc822; a@b.example`. A type is one word: where there is none, the text may
/// have a semicolon of its own.
fn typed(text: &str) -> &str {
    let is_type = |kind: &str| kind.split('(').next().is_none_or(|kind| !kind.trim().contains(' '));
    match text.split_once(';') {
        Some((kind, value)) if is_type(kind) => value.trim(),
        _ => text,
    }
}

fn address(text: &str) -> Option<String> {
    bare_address(typed(text))
}

/// An address without what some servers put around it.
pub(super) fn bare_address(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"', ' ']);
    let is_one_word = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    (text.contains('@') && is_one_word).then(|| text.to_owned())
}

/// The first word that is an enhanced status code (RFC 3463, section 2).
pub(super) fn status_code(text: &str) -> Option<String> {
    status_codes(text).next().map(str::to_owned)
}

/// The first word in somebody's prose that is the code of a failure. Versions of programs look like codes
/// (Postfix 2.11.3, Exim 4.94.2), but no subject is above 7 (RFC 3463, section 3).
pub(super) fn failure_code(text: &str) -> Option<String> {
    let is_failure = |code: &&str| matches!(code.as_bytes(), [b'4' | b'5', b'.', b'0'..=b'7', b'.', ..]);
    status_codes(text).find(is_failure).map(str::to_owned)
}

fn status_codes(text: &str) -> impl Iterator<Item = &str> {
    let is_code = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts.iter().all(number)
    };
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.map(|word| word.trim_matches('.')).filter(is_code)
}

fn action(text: &str) -> Option<ReportedAction> {
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty())?;
    word.to_ascii_lowercase().parse().ok()
}

/// What a code says where no action does.
pub(super) fn implied(status: &str) -> Option<ReportedAction> {
    match status.as_bytes().first()? {
        b'5' => Some(ReportedAction::Failed),
        b'4' => Some(ReportedAction::Delayed),
        b'2' => Some(ReportedAction::Delivered),
        _ => None,
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name, kind, value: &Option<String>| match value {
            Some(value) => write!(f, "{name}: {kind}{value}\r\n"),
            None => Ok(()),
        };
        line(f, "Reporting-MTA", "dns; ", &self.reporting_mta)?;
        line(f, "Original-Envelope-Id", "", &self.envelope_id)?;
        for recipient in &self.recipients {
            f.write_str("\r\n")?;
            line(f, "Original-Recipient", "rfc822; ", &recipient.original_recipient)?;
            line(f, "Final-Recipient", "rfc822; ", &recipient.final_recipient)?;
            write!(f, "Action: {}\r\n", recipient.action)?;
            line(f, "Status", "", &recipient.status)?;
            line(f, "Diagnostic-Code", "smtp; ", &recipient.diagnostic)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::VariantArray;

    use super::*;

    #[test]
    fn a_notice_is_read_recipient_by_recipient() {
        let text = "Reporting-MTA: dns; mx.b.example\nOriginal-Envelope-ID: dlv_1\n\n\
            Final-Recipient: RFC822;<a@b.example>\nAction: failed (expired)\nStatus: 5.1.1 (bad mailbox)\n\
            Diagnostic-Code: smtp; 550 5.1.1 no\n  such user\nRemote-MTA: dns; x\n\n\
            Original-Recipient: rfc822;c@d.example\nStatus: 4.4.1\n\nX-Nonsense: yes\n";
        let read = DeliveryStatus::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (read.reporting_mta.as_deref(), read.envelope_id.as_deref()),
            (Some("mx.b.example"), Some("dlv_1"))
        );
        let [first, second] = read.recipients.try_into().unwrap();
        assert_eq!(first.final_recipient.as_deref(), Some("a@b.example"));
        assert_eq!((first.action, first.status.as_deref()), (ReportedAction::Failed, Some("5.1.1")));
        assert_eq!(first.diagnostic.as_deref(), Some("550 5.1.1 no such user"));
        assert_eq!(
            (second.action, second.original_recipient.as_deref()),
            (ReportedAction::Delayed, Some("c@d.example"))
        );
    }

    #[test]
    fn a_diagnostic_without_a_type_is_read_to_its_end() {
        for (diagnostic, said, code) in [
            ("550 5.1.1 no such user; see the manual", "550 5.1.1 no such user; see the manual", "5.1.1"),
            ("smtp (of 1982) ; 550 5.1.1 no; never", "550 5.1.1 no; never", "5.1.1"),
            ("smtp;550 5.2.2 full", "550 5.2.2 full", "5.2.2"),
        ] {
            let text = format!("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: {diagnostic}\n");
            let read = DeliveryStatus::parse(text.as_bytes()).unwrap().recipients.remove(0);
            assert_eq!((read.diagnostic.as_deref(), read.status.as_deref()), (Some(said), Some(code)));
        }
    }

    #[test]
    fn what_is_shortened_ends_with_a_word() {
        let long =
            format!("Action: failed\nDiagnostic-Code: smtp; {} b\n", "a".repeat(LONGEST_DIAGNOSTIC - 1));
        let read = DeliveryStatus::parse(long.as_bytes()).unwrap();
        assert_eq!(DeliveryStatus::parse(read.to_string().as_bytes()), Some(read));
    }

    #[test]
    fn the_version_of_a_program_is_no_code_of_a_failure() {
        for (text, code) in [
            ("Postfix 2.11.3 says 550 5.1.1 no", Some("5.1.1")),
            ("Exim 4.94.2: (4.4.1)", Some("4.4.1")),
            ("Exim 4.94.2", None),
            ("250 2.1.5 fine", None),
            ("552-5.2.2 full", Some("5.2.2")),
        ] {
            assert_eq!(failure_code(text).as_deref(), code, "{text}");
        }
    }

    #[test]
    fn what_says_nothing_of_a_recipient_is_no_notice() {
        for text in [
            "",
            "\n\n",
            "Reporting-MTA: dns; x\n",
            "Final-Recipient: rfc822; a@b.example\n",
            "Action: eaten\n",
            ":\n:\n",
        ] {
            assert_eq!(DeliveryStatus::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    fn recipients() -> impl Strategy<Value = RecipientStatus> {
        let address = || prop::option::of("[a-z0-9.+-]{1,20}@[a-z]{1,10}\\.example");
        let action = prop::sample::select(ReportedAction::VARIANTS);
        let status = prop::option::of("[245]\\.[1-9]\\.[0-9]{1,3}");
        let words = prop::option::of("[!-9<-~]{1,12}( [!-9<-~]{1,12}){0,5}");
        (address(), address(), action, status, words).prop_map(
            |(final_recipient, original_recipient, action, status, diagnostic)| RecipientStatus {
                final_recipient,
                original_recipient,
                action,
                status,
                diagnostic,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            reporting_mta in prop::option::of("[a-z.]{1,20}"), envelope_id in prop::option::of("[a-z0-9_]{1,30}"),
            recipients in prop::collection::vec(recipients(), 1..5),
        ) {
            let status = DeliveryStatus { reporting_mta, envelope_id, recipients };
            prop_assert_eq!(DeliveryStatus::parse(status.to_string().as_bytes()), Some(status));
        }

        #[test]
        fn nothing_breaks_it(bytes: Vec<u8>) {
            let _ = DeliveryStatus::parse(&bytes);
        }

        #[test]
        fn nothing_like_a_notice_breaks_it(
            lines in prop::collection::vec(prop_oneof![
                Just("Action: failed".to_owned()), Just("Status: 5".to_owned()), Just("Final-Recipient: ;".to_owned()),
                Just(String::new()), Just(" \t".to_owned()), Just("Diagnostic-Code:".to_owned()), "\\PC{0,40}",
            ], 0..20)
        ) {
            if let Some(read) = DeliveryStatus::parse(lines.join("\r\n").as_bytes()) {
                prop_assert!(read.recipients.len() <= MOST_RECIPIENTS);
            }
        }
    }
}
