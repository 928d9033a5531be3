//! Servers that take commands together (RFC 2920).

use super::*;

const PIPELINING: (At, Act) = (At::Ehlo, Act::Reply("250-peer.example\r\n250 PIPELINING"));

/// The same with a server that takes commands together.
async fn attempt_ahead(at: At, act: Act, limit: Duration) -> (Outcome, bool, SmtpPeer) {
    attempt([PIPELINING, (at, act)], limit).await
}

#[tokio::test]
async fn commands_go_out_together_where_they_may() {
    let peer = SmtpPeer::start([PIPELINING]).await;
    let relay = relay(server(&peer));
    for text in ["one", "two"] {
        assert!(matches!(relay.relay(&letter(text), async || true).await, Outcome::Accepted(_)));
    }
    assert_eq!((peer.taken().len(), peer.connections()), (2, 1));

    for (at, step) in &APPROACH[2..] {
        let (outcome, committed, peer) = attempt_ahead(*at, Act::Reply("550 5.7.1 never"), PATIENT).await;
        assert!(
            matches!(outcome, Outcome::Refused { step: seen, .. } | Outcome::Lost { step: seen, .. } if seen == *step),
            "{at:?}: {outcome:?}"
        );
        assert!(!committed && peer.taken().is_empty());
        assert_eq!(peer.commands().last().map(String::as_str), Some("DATA"), "{at:?}");
        for act in [Act::Drop, Act::SayAndDrop("250-half a rep"), Act::SayAndDrop("421 4.3.2 closing\r\n")] {
            let (outcome, committed, _) = attempt_ahead(*at, act, PATIENT).await;
            assert!(
                matches!(outcome, Outcome::Lost { step: seen, .. } | Outcome::Refused { step: seen, .. } if seen == *step),
                "{at:?}: {outcome:?}"
            );
            assert!(!committed);
        }
        let (outcome, committed, _) = attempt_ahead(*at, Act::Hang, IMPATIENT).await;
        let error = if *at == At::Mail { Break::NoneAnswered } else { Break::TimedOut };
        assert_eq!(outcome, Outcome::Lost { step: *step, error }, "{at:?}");
        assert!(!committed);
    }
    for act in [Act::Drop, Act::TakeAndDrop] {
        let (outcome, committed, _) = attempt_ahead(At::Dot, act, PATIENT).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }) && committed, "{outcome:?}");
    }
}

#[tokio::test]
async fn what_went_out_behind_a_refusal_counts_for_nothing() {
    const NO: Act = Act::Reply("550 5.7.1 never");
    const OUT_OF_ORDER: Act = Act::Reply("503 5.5.1 first things first");
    let refusals: [(&[(At, Act)], usize); 4] = [
        (&[(At::Mail, NO), (At::Recipient, OUT_OF_ORDER), (At::Data, OUT_OF_ORDER)], 1),
        (&[(At::Recipient, NO), (At::Data, OUT_OF_ORDER)], 1),
        // These want the content all the same, and get none.
        (&[(At::Mail, NO), (At::Recipient, OUT_OF_ORDER)], 2),
        (&[(At::Recipient, NO)], 2),
    ];
    for (script, connections) in refusals {
        let offers = std::iter::once(PIPELINING);
        let peer = SmtpPeer::start(offers.chain(script.iter().copied())).await;
        let relay = relay(server(&peer));
        let outcome = relay.relay(&letter("one"), async || panic!("not reached")).await;
        assert!(matches!(outcome, Outcome::Refused { step, .. } if step <= Step::Recipient), "{outcome:?}");
        assert!(matches!(relay.relay(&letter("two"), async || true).await, Outcome::Accepted(_)));
        assert_eq!((peer.taken().len(), peer.connections()), (1, connections), "{script:?}");
    }
}

#[tokio::test]
async fn a_silence_may_be_about_the_recipient_if_the_replies_before_it_were_kept_back() {
    let kept: [&[(At, Act)]; 2] = [
        &[(At::Mail, Act::WithTheNext), (At::Recipient, Act::Hang)],
        &[(At::Mail, Act::WithTheNext), (At::Recipient, Act::WithTheNext), (At::Data, Act::Hang)],
    ];
    for script in kept {
        let offers = std::iter::once(PIPELINING);
        let (outcome, committed, _) = attempt(offers.chain(script.iter().copied()), IMPATIENT).await;
        assert_eq!(outcome, Outcome::Lost { step: Step::Mail, error: Break::NoneAnswered });
        assert!(!committed);
    }
}

#[tokio::test]
async fn who_says_no_and_then_yes_is_asked_again_from_the_beginning() {
    const NO: Act = Act::Reply("550 5.7.1 never");
    const YES: Act = Act::Reply("250 2.0.0 fine");
    let contradictions: [(&[(At, Act)], Step); 4] = [
        (&[(At::Mail, NO)], Step::Mail),
        (&[(At::Mail, NO), (At::Recipient, YES), (At::Data, YES)], Step::Mail),
        (&[(At::Mail, NO), (At::Recipient, NO), (At::Data, YES)], Step::Mail),
        (&[(At::Recipient, NO), (At::Data, YES)], Step::Recipient),
    ];
    for (script, seen) in contradictions {
        let offers = std::iter::once(PIPELINING);
        let peer = SmtpPeer::start(offers.chain(script.iter().copied())).await;
        let relay = relay(server(&peer));
        let outcome = relay.relay(&letter("one"), async || panic!("not reached")).await;
        let Outcome::Lost { step, error } = outcome else { panic!("{script:?}: {outcome:?}") };
        assert!(step == seen && error.to_string().contains("550 5.7.1 never"), "{script:?}: {step} {error}");
        assert!(matches!(relay.relay(&letter("two"), async || true).await, Outcome::Accepted(_)));
        assert_eq!((peer.taken().len(), peer.connections()), (1, 2), "{script:?}");
    }
}
