mod opening;
mod pipelining;
mod replies;

use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::domain::delivery::DeliveryEvent;
use crate::mail::smtp_peer::{Act, At, SmtpPeer};
use crate::mail::{Break, Envelope, Fault, Letter, Outcome, Step};

fn letter(text: &str) -> Letter {
    let envelope = Envelope { sender: "bounces@a.example".into(), recipient: "jo@b.example".into() };
    let bytes = format!("Subject: hello\r\n\r\n{text}\r\n").into_bytes();
    Letter { message_id: "1@a.example".into(), envelope, bytes }
}

fn server(peer: &SmtpPeer) -> SmtpServer {
    SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "us.example")
}

fn relay(server: SmtpServer) -> SmtpRelay {
    SmtpRelay::new(server).unwrap()
}

/// Sends one message to a server with this script; says what came of it and whether the commit
/// point was reached.
async fn attempt(script: impl IntoIterator<Item = (At, Act)>, limit: Duration) -> (Outcome, bool, SmtpPeer) {
    let peer = SmtpPeer::start(script).await;
    let timeouts = Timeouts { connect: limit, greeting: limit, command: limit, data: limit, content: limit };
    let committed = AtomicBool::new(false);
    let commit = || {
        committed.store(true, Ordering::SeqCst);
        std::future::ready(true)
    };
    let outcome = relay(SmtpServer { timeouts, ..server(&peer) }).relay(&letter("hi"), commit).await;
    peer.quiet().await;
    (outcome, committed.into_inner(), peer)
}

const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(60);

/// Every step up to the commit point, as the server and as we call it.
const APPROACH: [(At, Step); 5] = [
    (At::Greeting, Step::Greeting),
    (At::Ehlo, Step::Greeting),
    (At::Mail, Step::Mail),
    (At::Recipient, Step::Recipient),
    (At::Data, Step::Data),
];

#[tokio::test]
async fn a_message_arrives_as_it_is() {
    let peer = SmtpPeer::start([]).await;
    let letter = letter(".\r\n..\r\n.dot\r\nend.\r\n\r\n.");
    let outcome = relay(server(&peer)).relay(&letter, async || true).await;
    let Outcome::Accepted(reply) = outcome else { panic!("{outcome:?}") };
    assert_eq!((reply.code, reply.enhanced_code.as_deref()), (250, Some("2.0.0")));
    let taken = &peer.taken()[0];
    assert_eq!(taken.bytes, letter.bytes);
    assert_eq!((taken.mail.as_str(), taken.recipient.as_str()), ("<bounces@a.example>", "<jo@b.example>"));
    assert_eq!(peer.commands()[0], "EHLO us.example");
}

#[tokio::test]
async fn notices_are_asked_for_where_they_are_offered() {
    let dsn = (At::Ehlo, Act::Reply("250-peer.example\r\n250 DSN"));
    let peer = SmtpPeer::start([dsn]).await;
    let outcome = relay(server(&peer)).relay(&letter("hi"), async || true).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    let taken = &peer.taken()[0];
    assert_eq!(taken.mail, "<bounces@a.example> RET=HDRS ENVID=1");
    assert_eq!(taken.recipient, "<jo@b.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;jo@b.example");

    let utf8 = (At::Ehlo, Act::Reply("250-peer.example\r\n250-SMTPUTF8\r\n250 DSN"));
    for (offers, address, orcpt) in [
        (dsn, "jo+a=b@b.example", "rfc822;jo+2Ba+3Db@b.example"),
        (utf8, "j\u{F6}+rg@b.example", "utf-8;j\\x{F6}\\x{2B}rg@b.example"),
    ] {
        let peer = SmtpPeer::start([offers]).await;
        let mut letter = letter("hi");
        letter.envelope.recipient = address.into();
        assert!(matches!(relay(server(&peer)).relay(&letter, async || true).await, Outcome::Accepted(_)));
        let recipient = &peer.taken()[0].recipient;
        assert!(recipient.ends_with(&format!(" ORCPT={orcpt}")), "{recipient}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_up_to_its_limit() {
    let peer = SmtpPeer::start([]).await;
    let relay = relay(SmtpServer { max_messages: 2, ..server(&peer) });
    for text in ["one", "two", "three"] {
        let outcome = relay.relay(&letter(text), async || true).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    relay.close().await;
    assert_eq!(peer.taken().iter().map(|taken| taken.connection).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(peer.commands().iter().filter(|command| *command == "QUIT").count(), 2);
}

#[tokio::test]
async fn an_old_connection_is_replaced() {
    let peer = SmtpPeer::start([]).await;
    let relay = relay(SmtpServer { max_age: Duration::ZERO, ..server(&peer) });
    for _ in 0..2 {
        relay.relay(&letter("hi"), async || true).await;
    }
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn as_many_connections_as_allowed_and_no_more() {
    let peer = SmtpPeer::start([]).await;
    let relay = relay(SmtpServer { max_connections: 1, ..server(&peer) });
    let (one, two) = (letter("one"), letter("two"));
    let (one, two) = tokio::join!(relay.relay(&one, async || true), relay.relay(&two, async || true));
    assert!(matches!((one, two), (Outcome::Accepted(_), Outcome::Accepted(_))));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_step() {
    for (at, step) in APPROACH {
        for (said, code) in [("450 4.7.1 later", 450), ("550 5.7.1 never", 550), ("421 4.3.2 closing", 421)] {
            let (outcome, committed, peer) = attempt([(at, Act::Reply(said))], PATIENT).await;
            let Outcome::Refused { step: seen, reply } = outcome else {
                panic!("{at:?} {said}: {outcome:?}")
            };
            assert_eq!((seen, reply.code), (step, code));
            assert!(reply.enhanced_code.is_some());
            assert!(!committed && peer.taken().is_empty());
        }
    }
}

#[tokio::test]
async fn a_refusal_after_the_dot_is_an_answer() {
    for (said, event) in [
        ("452 4.3.1 full", DeliveryEvent::TransientReply),
        ("554 5.7.1 spam", DeliveryEvent::PermanentReply),
        ("530 5.7.0 sign in", DeliveryEvent::PermanentReply),
        ("554-5.7.1 spam\r\n554 5.7.1 go away", DeliveryEvent::PermanentReply),
    ] {
        let (outcome, committed, peer) = attempt([(At::Dot, Act::Reply(said))], PATIENT).await;
        assert!(matches!(outcome, Outcome::Refused { step: Step::Content, .. }), "{outcome:?}");
        assert_eq!(outcome.event(), Some(event));
        assert!(committed && peer.taken().is_empty());
    }
}

#[tokio::test]
async fn what_breaks_before_the_commit_point_is_unsent() {
    for (at, step) in APPROACH {
        for act in [Act::Drop, Act::SayAndDrop("250-half a rep"), Act::SayAndDrop("no reply at all\r\n")] {
            let (outcome, committed, peer) = attempt([(at, act)], PATIENT).await;
            assert!(
                matches!(outcome, Outcome::Lost { step: seen, .. } if seen == step),
                "{at:?}: {outcome:?}"
            );
            assert!(!committed && peer.taken().is_empty());
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_at_every_step() {
    for act in [Act::Hang, Act::SayAndHang("250-half a rep")] {
        for (at, step) in APPROACH {
            let (outcome, committed, _) = attempt([(at, act)], IMPATIENT).await;
            assert_eq!(outcome, Outcome::Lost { step, error: Break::TimedOut }, "{at:?} {act:?}");
            assert!(!committed);
        }
        for at in [At::Content, At::Dot] {
            let (outcome, committed, _) = attempt([(at, act)], IMPATIENT).await;
            assert_eq!(outcome, Outcome::Unknown { error: Break::TimedOut });
            assert!(committed);
        }
    }
}

#[tokio::test]
async fn a_recipient_who_is_not_answered_for_holds_up_no_other() {
    let peer = SmtpPeer::start([(At::RecipientIn("hung.example"), Act::Hang)]).await;
    let relay = relay(server(&peer));
    let (mut hung, fine) = (letter("one"), letter("two"));
    hung.envelope.recipient = "jo@hung.example".into();
    let mut hanging = std::pin::pin!(relay.relay(&hung, async || true));
    tokio::select! {
        outcome = &mut hanging => panic!("{outcome:?}"),
        outcome = relay.relay(&fine, async || true) => assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}"),
    }
    assert_eq!((peer.taken().len(), peer.connections()), (1, 2));
}

#[tokio::test]
async fn what_breaks_past_the_commit_point_is_unknown() {
    for (at, act, taken) in [
        (At::Content, Act::Drop, 0),
        (At::Dot, Act::Drop, 0),
        (At::Dot, Act::TakeAndDrop, 1),
        (At::Dot, Act::SayAndDrop("250 2.0.0 o"), 0),
        (At::Dot, Act::SayAndDrop("354 what?\r\n"), 0),
    ] {
        let (outcome, committed, peer) = attempt([(at, act)], PATIENT).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{at:?} {act:?}: {outcome:?}");
        assert_eq!(peer.taken().len(), taken);
        assert!(committed);
    }
}

#[tokio::test]
async fn a_wrong_kind_of_yes_is_no_agreement() {
    for (at, said) in [(At::Mail, "354 go on"), (At::Recipient, "334 more"), (At::Data, "250 fine")] {
        let (outcome, committed, _) = attempt([(at, Act::Reply(said))], PATIENT).await;
        assert!(matches!(outcome, Outcome::Lost { .. }), "{at:?}: {outcome:?}");
        assert!(!committed);
    }
}

#[tokio::test]
async fn a_message_that_was_called_off_never_leaves() {
    let peer = SmtpPeer::start([]).await;
    let relay = relay(server(&peer));
    assert_eq!(relay.relay(&letter("hi"), async || false).await, Outcome::Revoked);
    peer.quiet().await;
    assert!(peer.taken().is_empty());
    assert_eq!(peer.commands().last().map(String::as_str), Some("DATA"));

    relay.relay(&letter("another"), async || true).await;
    assert_eq!(peer.taken()[0].connection, 2, "the broken connection is not used again");
}

#[tokio::test]
async fn after_a_refusal_the_connection_goes_on() {
    for at in [At::Mail, At::Recipient, At::Data, At::Dot] {
        let peer = SmtpPeer::start([(at, Act::Reply("550 5.1.1 nobody"))]).await;
        let relay = relay(server(&peer));
        relay.relay(&letter("one"), async || true).await;
        relay.relay(&letter("two"), async || true).await;
        assert_eq!((peer.taken().len(), peer.connections()), (1, 1), "{at:?}");
        assert!(peer.commands().contains(&"RSET".to_owned()));
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_attempt() {
    let stale = [Act::Drop, Act::SayAndDrop("421 4.4.2 too long\r\n"), Act::Reply("500 5.5.1 what?")];
    for act in stale {
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("550 no")), (At::Reset, act)]).await;
        let relay = relay(server(&peer));
        relay.relay(&letter("one"), async || true).await;
        let outcome = relay.relay(&letter("two"), async || true).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        assert_eq!(peer.connections(), 2);
    }
}

#[tokio::test]
async fn what_a_server_says_before_it_is_asked_is_no_answer() {
    let goodbye = "250 2.0.0 taken\r\n554 5.3.2 idle for too long\r\n";
    for (script, connections) in [
        // Behind the last answer; the same, and closes; and as if it were the answer.
        (vec![(At::Dot, Act::Reply("250 2.0.0 taken\r\n554 5.3.2 idle for too long"))], 2),
        (vec![(At::Dot, Act::SayAndDrop(goodbye))], 2),
        (vec![(At::Dot, Act::SayAndDrop("250 2.0.0 taken\r\n"))], 2),
        (
            vec![
                (At::Dot, Act::Reply("250 2.0.0 taken")),
                (At::Mail, Act::Reply("554 5.3.2 idle for too long")),
            ],
            2,
        ),
        (vec![(At::Dot, Act::Reply("250 2.0.0 taken")), (At::Mail, Act::Reply("450 4.3.2 busy"))], 1),
    ] {
        let peer = SmtpPeer::start(script.clone()).await;
        let relay = relay(server(&peer));
        assert!(matches!(relay.relay(&letter("one"), async || true).await, Outcome::Accepted(_)));
        let outcome = relay.relay(&letter("two"), async || true).await;
        assert_eq!(matches!(outcome, Outcome::Accepted(_)), connections == 2, "{script:?}: {outcome:?}");
        assert_eq!(peer.connections(), connections, "{script:?}");
    }
}

#[tokio::test]
async fn a_no_to_every_sender_is_heard_on_a_new_connection_too() {
    let no = "550 5.7.1 not from you";
    let script = [(At::Dot, Act::Reply("250 ok")), (At::Mail, Act::Reply(no)), (At::Mail, Act::Reply(no))];
    let peer = SmtpPeer::start(script).await;
    let relay = relay(server(&peer));
    relay.relay(&letter("one"), async || true).await;
    let outcome = relay.relay(&letter("two"), async || true).await;
    assert!(matches!(outcome, Outcome::Refused { step: Step::Mail, .. }), "{outcome:?}");
    assert_eq!((peer.taken().len(), peer.connections()), (1, 2));
}

#[tokio::test]
async fn nobody_listening_is_a_lost_attempt() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome =
        relay(SmtpServer::plain("127.0.0.1", port, "us.example")).relay(&letter("hi"), async || true).await;
    assert!(matches!(outcome, Outcome::Lost { step: Step::Connect, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_local_part_beyond_ascii_is_sent_only_where_it_is_understood() {
    let mut beyond = letter("hi");
    beyond.envelope.recipient = "jörg@b.example".into();
    let peer = SmtpPeer::start([]).await;
    relay(server(&peer)).relay(&beyond, async || true).await;
    assert_eq!(peer.taken()[0].mail, "<bounces@a.example> SMTPUTF8 BODY=8BITMIME");
    assert_eq!(peer.taken()[0].recipient, "<jörg@b.example>");

    let peer = SmtpPeer::start([(At::Ehlo, Act::Reply("250 peer.example"))]).await;
    let outcome = relay(server(&peer)).relay(&beyond, async || true).await;
    assert!(matches!(outcome, Outcome::Unsendable(_)), "{outcome:?}");
}

#[tokio::test]
async fn what_is_no_message_is_not_sent() {
    let outcome =
        relay(SmtpServer::plain("127.0.0.1", 9, "us.example")).relay(&letter("a\nb"), async || true).await;
    assert!(matches!(outcome, Outcome::Unsendable(_)), "{outcome:?}");
}

#[test]
fn a_name_that_would_start_a_command_is_refused() {
    for name in ["", "us.example\r\nMAIL FROM:<x@y.example>", "a b"] {
        assert!(SmtpRelay::new(SmtpServer::plain("localhost", 25, name)).is_err(), "{name:?}");
    }
    let server = SmtpServer { password: "secret".into(), ..SmtpServer::plain("localhost", 25, "us.example") };
    assert!(!format!("{server:?}").contains("secret"));
}
