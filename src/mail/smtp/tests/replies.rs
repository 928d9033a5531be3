//! Replies that are short, odd or in an encoding of old, which servers give all the same.

use super::*;

#[tokio::test]
async fn a_code_without_a_text_is_a_reply() {
    for at in [At::Greeting, At::Ehlo, At::Mail, At::Recipient, At::Data, At::Dot] {
        let said = match at {
            At::Greeting => "220",
            At::Data => "354",
            _ => "250",
        };
        let (outcome, committed, peer) = attempt([(at, Act::Say(said.as_bytes()))], PATIENT).await;
        assert!(committed, "{at:?}: {outcome:?}");
        assert!(matches!(outcome, Outcome::Accepted(_)), "{at:?}: {outcome:?}");
        assert_eq!(peer.connections(), 1);
    }
    let (outcome, _, _) = attempt([(At::Recipient, Act::Reply("550"))], PATIENT).await;
    assert_eq!(outcome.event(), Some(DeliveryEvent::PermanentReply), "{outcome:?}");
    assert!(!outcome.bounces_address());
}

#[tokio::test]
async fn a_banner_in_latin_1_keeps_nobody_out() {
    let banner = (At::Greeting, Act::Say(b"220 mx.m\xfcller.example ESMTP"));
    let (outcome, _, _) = attempt([banner], PATIENT).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_second_digit_beyond_the_standard_changes_nothing() {
    for (at, step) in [(At::Recipient, Step::Recipient), (At::Dot, Step::Content)] {
        let (outcome, _, peer) = attempt([(at, Act::Reply("571 5.7.1 no"))], PATIENT).await;
        let Outcome::Refused { step: seen, reply } = &outcome else { panic!("{at:?}: {outcome:?}") };
        assert_eq!((*seen, reply.code, reply.enhanced_code.as_deref()), (step, 571, Some("5.7.1")));
        assert_eq!(outcome.event(), Some(DeliveryEvent::PermanentReply));
        assert!(peer.taken().is_empty());
    }
}

#[tokio::test]
async fn a_refusal_in_latin_1_is_read_to_its_end() {
    let no = (At::Recipient, Act::Say(b"550 5.1.1 Empf\xe4nger unbekannt"));
    let (outcome, _, _) = attempt([no], PATIENT).await;
    assert!(outcome.bounces_address(), "{outcome:?}");
    let Outcome::Refused { reply, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reply.text, "Empf\u{e4}nger unbekannt");
}

#[tokio::test]
async fn what_is_no_reply_is_no_failure_of_tls() {
    for said in [&b"\xff\xfe\r\n"[..], b"SSH-2.0-OpenSSH"] {
        let (outcome, _, _) = attempt([(At::Greeting, Act::Say(said))], PATIENT).await;
        assert!(matches!(outcome, Outcome::Lost { step: Step::Greeting, .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_ends_its_reply_is_given_up() {
    const LONG: &[u8] = &[b'a'; 200_000];
    let (outcome, _, _) = attempt([(At::Greeting, Act::Say(LONG))], PATIENT).await;
    assert!(matches!(outcome, Outcome::Lost { step: Step::Greeting, .. }), "{outcome:?}");
}
