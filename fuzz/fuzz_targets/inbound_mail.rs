//! A message that comes back: anybody's bytes.

#![no_main]

use debrief::domain::inbound::{RecipientStatus, decisive};
use debrief::mail::{Content, DeliveryStatus, Incoming};
use libfuzzer_sys::fuzz_target;

const LONGEST_DIAGNOSTIC: usize = 500;
const LONGEST_TEXT: usize = 4_000;
const MOST_RECIPIENTS: usize = 100;

fuzz_target!(|bytes: &[u8]| {
    if let Some(status) = DeliveryStatus::parse(bytes) {
        look_at_all(&status.recipients);
        let text = String::from_utf8_lossy(bytes);
        for address in addresses(&status.recipients) {
            assert!(text.contains(address), "nobody wrote {address:?}");
        }
        let again = DeliveryStatus::parse(status.to_string().as_bytes());
        assert_eq!(again.as_ref(), Some(&status), "what was read is written so that it is read again");
    }
    if let Some(incoming) = Incoming::read(bytes) {
        look_at(&incoming, bytes);
    }
});

fn look_at(incoming: &Incoming, bytes: &[u8]) {
    let is_id = |id: &String| !id.is_empty() && !id.contains(|c: char| c.is_whitespace() || c.is_control());
    assert!(incoming.message_id.iter().all(is_id), "{:?}", incoming.message_id);
    match &incoming.content {
        Content::Report(recipients) => {
            look_at_all(recipients);
            if is_plain(bytes) {
                let text = String::from_utf8_lossy(bytes);
                for address in addresses(recipients) {
                    assert!(text.contains(address), "nobody wrote {address:?}");
                }
            }
        }
        Content::Complaint => {}
        Content::Reply { text, .. } => {
            assert!(text.chars().count() <= LONGEST_TEXT, "{text}");
            assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')), "{text:?}");
            assert!(!text.contains(['\u{202a}', '\u{202e}', '\u{2066}', '\u{200f}']), "{text:?}");
        }
    }
    // A pipe ends lines in one way, a request in another: it is the same message.
    if is_plain(bytes) && !bytes.contains(&b'\r') {
        let other = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        let other = Incoming::read(other.as_bytes());
        let lossy = Incoming::read(String::from_utf8_lossy(bytes).as_bytes());
        assert_eq!(lossy, other, "lines that end in another way say the same");
    }
}

fn look_at_all(recipients: &[RecipientStatus]) {
    assert!((1..=MOST_RECIPIENTS).contains(&recipients.len()), "{} recipients", recipients.len());
    assert!(decisive(recipients, "ines@nordwind.example").is_some());
    for address in addresses(recipients) {
        assert!(!address.contains(|c: char| c.is_whitespace() || c.is_control()), "{address:?}");
    }
    for recipient in recipients {
        let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if let Some(status) = &recipient.status {
            assert!(status.starts_with(['2', '4', '5']) && status.split('.').all(number), "{status:?}");
            assert_eq!(status.split('.').count(), 3, "{status:?}");
        }
        if let Some(said) = &recipient.diagnostic {
            assert!(
                said.chars().count() <= LONGEST_DIAGNOSTIC && !said.contains(char::is_control),
                "{said:?}"
            );
        }
    }
}

fn addresses(recipients: &[RecipientStatus]) -> impl Iterator<Item = &str> {
    let named =
        recipients.iter().flat_map(|recipient| [&recipient.final_recipient, &recipient.original_recipient]);
    named.flatten().map(String::as_str)
}

/// Whether the message says what it says as it is: nothing in it is encoded, or text taken out of HTML.
fn is_plain(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let says = |word: &[u8]| lower.windows(word.len()).any(|window| window == word);
    ![&b"base64"[..], b"quoted-printable", b"charset", b"html"].iter().any(|word| says(word))
}
