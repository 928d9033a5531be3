//! Servers that fail before they are told of a message: at STARTTLS, in the handshake, at the greeting in
//! private, at each step of a sign-in, and at the RSET of a connection that is used again. None of it comes
//! near the commit point, and once the server behaves again the note is there once.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::config::SmtpTls;
use debrief::jobs::{Relay, RelaySettings};
use debrief::mail::{SmtpRelay, SmtpServer, Timeouts, Tls, Transport};
use serde_json::{Value, json};

use super::UNDO_WINDOW;
use super::private::{Open, in_private};
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, id, on_both, relay_settings};

/// A server that keeps its connection to itself, in every way there is: it goes, it is silent.
const LOST: [Act; 5] = [
    Act::Drop,
    Act::SayAndDrop("421 4.3.2 closing down\r\n"),
    Act::SayAndDrop("250-half a rep"),
    Act::SayAndHang("250-half a rep"),
    Act::Hang,
];
/// One that says no.
const REFUSED: [Act; 2] = [Act::Reply("454 4.7.0 not now"), Act::Reply("554 5.7.1 never")];

const PLAIN: (At, Act) = (At::Ehlo, Act::Reply("250-peer.example\r\n250 AUTH PLAIN"));
const LOGIN: (At, Act) = (At::Ehlo, Act::Reply("250-peer.example\r\n250 AUTH LOGIN"));

const IMPATIENT: Duration = Duration::from_millis(100);

/// What becomes of the note for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// An attempt was made, and it is told at which step it failed; the next one is planned.
    Later(&'static str),
    /// The server lets nobody in: no attempt was made, and there is none until the pause ends.
    Nobody,
}

on_both! {
    async fn who_fails_at_starttls_has_nothing(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for (acts, then) in [(&LOST[..], For::Later("start_tls")), (&REFUSED, For::Nobody)] {
            for act in acts {
                Case { open: Some((Open::StartTls, *act)), script: vec![PLAIN], limits: commands(), then }.hold(&app, &mut desk).await;
            }
        }
    }

    async fn who_fails_in_the_handshake_has_nothing(app: TestApp) {
        const HALF_A_RECORD: &str = "\x16\x03\x03\x00\x7a\x02";
        const FATAL_ALERT: &str = "\x15\x03\x03\x00\x02\x02\x28";
        let mut desk = Desk::set(&app).await;
        let limits = Timeouts { connect: IMPATIENT, ..Timeouts::default() };
        for (act, then) in [
            (Act::Drop, For::Later("start_tls")),
            (Act::SayAndDrop(HALF_A_RECORD), For::Later("start_tls")),
            (Act::SayAndHang(HALF_A_RECORD), For::Later("start_tls")),
            (Act::Hang, For::Later("start_tls")),
            // What is said in the open now is not TLS, whatever it says.
            (Act::SayAndDrop("421 4.3.2 closing down\r\n"), For::Nobody),
            (Act::Reply("454 4.7.0 not now"), For::Nobody),
            (Act::Reply("554 5.7.1 never"), For::Nobody),
            (Act::SayAndDrop(FATAL_ALERT), For::Nobody),
        ] {
            Case { open: Some((Open::Handshake, act)), script: vec![PLAIN], limits, then }.hold(&app, &mut desk).await;
        }
    }

    async fn who_fails_at_the_greeting_in_private_has_nothing(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let limits = Timeouts { greeting: IMPATIENT, ..Timeouts::default() };
        // Who turns everybody away at the door says nothing about this message.
        for act in LOST.into_iter().chain(REFUSED) {
            let script = vec![(At::Ehlo, act), PLAIN];
            Case { open: None, script, limits, then: For::Later("greeting") }.hold(&app, &mut desk).await;
        }
    }

    async fn who_offers_no_sign_in_in_private_lets_nobody_in(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let script = vec![(At::Ehlo, Act::Reply("250 peer.example")), PLAIN];
        Case { open: None, script, limits: Timeouts::default(), then: For::Nobody }.hold(&app, &mut desk).await;
    }

    async fn who_fails_at_the_sign_in_has_nothing(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for (offer, at) in [(PLAIN, At::Auth), (LOGIN, At::Auth), (LOGIN, At::Credentials)] {
            for (acts, then) in [(&LOST[..], For::Later("sign_in")), (&REFUSED, For::Nobody)] {
                for act in acts {
                    let script = vec![offer, (at, *act), offer];
                    Case { open: None, script, limits: commands(), then }.hold(&app, &mut desk).await;
                }
            }
        }
    }

    async fn who_fails_at_a_reset_is_called_anew(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for act in LOST.into_iter().chain(REFUSED) {
            let peer = SmtpPeer::start([(At::Recipient, Act::Reply("554 5.7.1 never")), (At::Reset, act)]).await;
            let note = two_in_a_row(&app, &mut desk, &peer).await;
            assert_eq!(states_and_attempts(&desk.note(&note).await), [("failed".to_owned(), json!(1)), ("sent".to_owned(), json!(1))], "{act:?}");
            assert_eq!((peer.taken().len(), peer.connections()), (1, 2), "{act:?}");
        }
    }

    async fn who_fails_at_a_reset_and_is_not_there_any_more_has_nothing(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for act in LOST.into_iter().chain(REFUSED) {
            let closed = (At::Greeting, Act::SayAndDrop("421 4.3.2 closing down\r\n"));
            let peer = SmtpPeer::start([(At::Recipient, Act::Reply("554 5.7.1 never")), (At::Reset, act), closed]).await;
            let note = two_in_a_row(&app, &mut desk, &peer).await;
            assert_eq!(states_and_attempts(&desk.note(&note).await), [("deferred".to_owned(), json!(1)), ("failed".to_owned(), json!(1))], "{act:?}");
            assert_eq!(marks(&app), 0, "{act:?}");
            desk.later(&app, TimeDelta::minutes(1));
            assert_eq!(resetting(&app, &peer).run_once().await.unwrap(), 1);
            assert_eq!(states_and_attempts(&desk.note(&note).await), [("failed".to_owned(), json!(1)), ("sent".to_owned(), json!(2))], "{act:?}");
            assert_eq!((peer.taken().len(), marks(&app)), (1, 1), "{act:?}");
        }
    }
}

/// A server that fails its first client, and takes what every other one brings.
struct Case {
    open: Option<(Open, Act)>,
    /// What it does in private.
    script: Vec<(At, Act)>,
    limits: Timeouts,
    then: For,
}

impl Case {
    async fn hold(self, app: &TestApp, desk: &mut Desk) {
        let what = format!("{:?} {:?}", self.open, self.script);
        let note = note_for(app, desk, false).await;
        let peer = SmtpPeer::start(self.script).await;
        let (port, certificate) = in_private(&peer, SmtpTls::Starttls, self.open).await;
        let relay = |timeouts| {
            let server = SmtpServer {
                tls: Tls::StartTls,
                root_certificate: Some(certificate.clone().into_bytes()),
                username: Some("relay".to_owned()),
                password: "secret".to_owned(),
                timeouts,
                ..SmtpServer::plain("localhost", port, "debrief.example")
            };
            let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
            Relay::new(app.context.clone(), transport, relay_settings())
        };
        let first = relay(self.limits);
        assert_eq!(first.run_once().await.unwrap(), 1, "{what}");
        assert_eq!((peer.taken().len(), marks(app)), (0, 0), "{what}");
        let shown = desk.note(&note).await["deliveries"][0].clone();
        assert_eq!(shown["state"], "deferred", "{what}: {shown}");
        let now = app.clock.now();
        let (attempts, next) = match self.then {
            For::Later(_) => (1, now + TimeDelta::minutes(1)),
            For::Nobody => (0, now),
        };
        let next = next.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(
            (&shown["attempts"], &shown["next_attempt_at"]),
            (&json!(attempts), &json!(next)),
            "{what}"
        );

        desk.later(app, TimeDelta::minutes(1));
        // Its pause is longer than the test; with the next one it is over.
        let again = match self.then {
            For::Later(_) => first,
            For::Nobody => {
                assert_eq!(first.run_once().await.unwrap(), 0, "{what}: it pauses");
                relay(Timeouts::default())
            }
        };
        assert_eq!(again.run_once().await.unwrap(), 1, "{what}");
        desk.later(app, TimeDelta::hours(4));
        assert_eq!(again.run_once().await.unwrap(), 0, "{what}");
        assert_eq!(
            (desk.fates(&note).await, peer.taken().len(), marks(app)),
            (vec!["sent".to_owned()], 1, 1),
            "{what}"
        );
        let made = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(&shown))).await.expect(200);
        let made: Vec<_> = made["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| (a["outcome"].clone(), a["step"].clone()))
            .collect();
        let mut due = vec![(json!("sent"), json!("content"))];
        if let For::Later(step) = self.then {
            due.insert(0, (json!("deferred"), json!(step)));
        }
        assert_eq!(made, due, "{what}");
    }
}

/// An approved note whose time has come; the statements of before are forgotten.
async fn note_for(app: &TestApp, desk: &mut Desk, both: bool) -> Value {
    let interview = desk.ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
    desk.debrief = interview["debrief_id"].as_str().unwrap().to_owned();
    let contacts = if both { vec![&desk.scene.manager, &desk.scene.peer] } else { vec![&desk.scene.peer] };
    let note = desk.approved(&contacts).await;
    desk.later(app, UNDO_WINDOW);
    app.database().take_statements();
    note
}

/// Two messages, one after the other, so that the second one finds the connection of the first.
async fn two_in_a_row(app: &TestApp, desk: &mut Desk, peer: &SmtpPeer) -> Value {
    let note = note_for(app, desk, true).await;
    assert_eq!(resetting(app, peer).run_once().await.unwrap(), 2);
    note
}

fn resetting(app: &TestApp, peer: &SmtpPeer) -> Relay {
    let mut server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
    server.timeouts = Timeouts { command: 3 * IMPATIENT, ..Timeouts::default() };
    let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
    Relay::new(app.context.clone(), transport, RelaySettings { workers: 1, ..relay_settings() })
}

/// Waits for ever for anything but the answer to a command.
fn commands() -> Timeouts {
    Timeouts { command: IMPATIENT, ..Timeouts::default() }
}

/// In the order of the states: which contact comes first is left to chance.
fn states_and_attempts(note: &Value) -> Vec<(String, Value)> {
    let deliveries = note["deliveries"].as_array().unwrap().iter();
    let mut found: Vec<_> =
        deliveries.map(|d| (d["state"].as_str().unwrap().to_owned(), d["attempts"].clone())).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// How many deliveries went past the commit point since this was asked last.
fn marks(app: &TestApp) -> usize {
    let statements = app.database().take_statements();
    let is_mark = |sql: &&String| sql.contains("SET \"transmitting\"") || sql.contains("SET `transmitting`");
    statements.iter().filter(is_mark).count()
}
