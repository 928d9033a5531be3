//! Bad mail servers: whatever one does, at whatever step, the delivery ends where it must, and what may
//! have arrived is not sent again.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::jobs::Relay;
use debrief::mail::{SmtpRelay, SmtpServer, Timeouts, Transport};
use serde_json::json;

use super::UNDO_WINDOW;
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, id, on_both, relay, relay_settings};

/// The steps that come before the commit point.
const APPROACH: [At; 5] = [At::Greeting, At::Ehlo, At::Mail, At::Recipient, At::Data];
/// Those of them that are about the message: what is refused there for good has failed.
const ABOUT_THE_MESSAGE: [At; 4] = [At::Mail, At::Recipient, At::Data, At::Dot];

const IMPATIENT: Duration = Duration::from_millis(60);

on_both! {
    async fn who_hangs_up_before_the_commit_point_has_nothing(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for at in APPROACH {
            for act in [Act::Drop, Act::SayAndDrop("250-half a rep")] {
                expect(&app, &mut desk, at, act, "deferred", 0).await;
            }
        }
    }

    async fn who_hangs_up_past_the_commit_point_leaves_a_doubt(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for (at, act, taken) in [
            (At::Content, Act::Drop, 0),
            (At::Dot, Act::Drop, 0),
            (At::Dot, Act::TakeAndDrop, 1),
            (At::Dot, Act::SayAndDrop("250 2.0.0 tak"), 0),
        ] {
            expect(&app, &mut desk, at, act, "unconfirmed", taken).await;
        }
    }

    async fn who_says_later_is_asked_later(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for at in APPROACH.into_iter().chain([At::Dot]) {
            expect(&app, &mut desk, at, Act::Reply("451 4.3.0 not now"), "deferred", 0).await;
        }
    }

    async fn who_closes_down_half_way_is_asked_later(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for at in APPROACH.into_iter().chain([At::Dot]) {
            expect(&app, &mut desk, at, Act::SayAndDrop("421 4.3.2 closing down\r\n"), "deferred", 0).await;
        }
    }

    async fn who_says_never_is_not_asked_again(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for at in ABOUT_THE_MESSAGE {
            expect(&app, &mut desk, at, Act::Reply("554 5.7.1 never"), "failed", 0).await;
        }
        // Who turns everybody away at the door says nothing about this message.
        for at in [At::Greeting, At::Ehlo] {
            expect(&app, &mut desk, at, Act::Reply("554 5.3.2 closed"), "deferred", 0).await;
        }
    }

    async fn who_has_lost_its_place_is_asked_again(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for at in [At::Mail, At::Recipient, At::Data] {
            expect(&app, &mut desk, at, Act::Reply("503 5.5.1 need MAIL command"), "deferred", 0).await;
        }
    }

    async fn who_says_nothing_is_given_up(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        for at in APPROACH {
            expect(&app, &mut desk, at, Act::Hang, "deferred", 0).await;
        }
        for at in [At::Content, At::Dot] {
            expect(&app, &mut desk, at, Act::Hang, "unconfirmed", 0).await;
        }
    }

    async fn one_bad_recipient_does_not_keep_a_note_from_the_others(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let third = json!({"client_id": desk.scene.client, "name": "Ola Lund", "email": "ola@nordwind.example", "role": "hr"});
        let third = id(&desk.ann.made("/v1/contacts", third).await);
        let body = desk.scene.past(json!({"contact_ids": [desk.scene.manager, desk.scene.peer, third]}));
        desk.debrief = desk.ann.made("/v1/interviews", body).await["debrief_id"].as_str().unwrap().to_owned();
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer, &third]).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("550 5.1.1 no such user"))]).await;
        relay(&app, &peer).run_once().await.unwrap();
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!((fates, peer.taken().len()), (["failed", "sent", "sent"].map(str::to_owned).to_vec(), 2));
        let mut addresses = Vec::new();
        for contact in [&desk.scene.manager, &desk.scene.peer, &third] {
            let contact = desk.ann.get(&format!("/v1/contacts/{contact}")).await.expect(200);
            addresses.push(contact["email_status"].as_str().unwrap().to_owned());
        }
        addresses.sort();
        assert_eq!(addresses, ["bounced", "ok", "ok"]);
    }
}

/// A note to somebody whose mail server does this: how the delivery ends, and how many copies the server
/// has. An hour later there is a server that takes everything, and only what certainly was not sent and may
/// still be wanted goes there.
async fn expect(app: &TestApp, desk: &mut Desk, at: At, act: Act, state: &str, copies: usize) {
    let interview = desk.ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
    desk.debrief = interview["debrief_id"].as_str().unwrap().to_owned();
    let note = desk.approved(&[&desk.scene.peer]).await;
    desk.later(app, UNDO_WINDOW);
    let peer = SmtpPeer::start([(at, act)]).await;
    impatient(app, &peer, at, act).run_once().await.unwrap();
    peer.quiet().await;
    assert_eq!(
        (desk.fates(&note).await, peer.taken().len()),
        (vec![state.to_owned()], copies),
        "{at:?} {act:?}"
    );

    desk.later(app, TimeDelta::hours(1));
    let friendly = SmtpPeer::start([]).await;
    relay(app, &friendly).run_once().await.unwrap();
    let (state, copies) = if state == "deferred" { ("sent", 1) } else { (state, 0) };
    let then = (desk.fates(&note).await, friendly.taken().len());
    assert_eq!(then, (vec![state.to_owned()], copies), "an hour after {at:?} {act:?}");
}

/// A relay that waits for ever, but not for an answer that will not come.
fn impatient(app: &TestApp, peer: &SmtpPeer, at: At, act: Act) -> Relay {
    let mut server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
    let mut timeouts = Timeouts::default();
    if matches!(act, Act::Hang) {
        *match at {
            At::Greeting | At::Ehlo => &mut timeouts.greeting,
            At::Data => &mut timeouts.data,
            At::Content | At::Dot => &mut timeouts.content,
            _ => &mut timeouts.command,
        } = IMPATIENT;
    }
    server.timeouts = timeouts;
    Relay::new(
        app.context.clone(),
        Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap())),
        relay_settings(),
    )
}
