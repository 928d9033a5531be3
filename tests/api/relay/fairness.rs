//! Servers that hang or are slow for some recipients, and agencies that send much: the others get
//! theirs all the same.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::deliveries::relay::lately_taken;
use debrief::jobs::{Relay, RelaySettings};
use debrief::mail::{SmtpRelay, SmtpServer, Timeouts, Transport};
use serde_json::json;
use tokio::time::timeout;

use super::{UNDO_WINDOW, start_jobs_with, until};
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, id, on_both, relay_settings, relay_with};

const GRACE: Duration = Duration::from_secs(60);

on_both! {
    async fn hung_destinations_leave_the_last_connection_to_others(app: TestApp) {
        let desk = Desk::set(&app).await;
        let mut contacts = Vec::new();
        for destination in ["hung.example", "still.example", "fine.example"] {
            for number in 0..3 {
                contacts.push(contact(&desk, &format!("{number}@{destination}")).await);
            }
        }
        let note = desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        let hang = |destination| (0..3).map(move |_| (At::RecipientIn(destination), Act::Hang));
        let peer = SmtpPeer::start(hang("hung.example").chain(hang("still.example"))).await;
        let jobs = start_jobs_with(&app, &peer, GRACE, RelaySettings { workers: 9, ..relay_settings() });
        until(|| peer.taken().len() == 3).await;
        assert_eq!(peer.connections(), 3, "one hangs for each destination that never took anything");
        assert!(peer.taken().iter().all(|taken| taken.recipient.ends_with("@fine.example>")));

        // What comes in meanwhile goes out too.
        let another = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        until(|| peer.taken().len() == 4).await;
        jobs.stop().await;
        assert_eq!(desk.fates(&another).await, ["sent"]);
        let fates = desk.fates(&note).await;
        let count = |state: &str| fates.iter().filter(|fate| *fate == state).count();
        assert_eq!((count("deferred"), count("queued"), count("sent")), (2, 4, 3), "{fates:?}");
    }

    async fn destinations_that_never_took_anything_leave_a_connection_to_the_others(app: TestApp) {
        let desk = Desk::set(&app).await;
        let hung = ["one.example", "two.example", "three.example", "four.example", "five.example"];
        let peer = SmtpPeer::start(hung.map(|destination| (At::RecipientIn(destination), Act::Hang))).await;
        let jobs = start_jobs_with(&app, &peer, GRACE, RelaySettings { workers: 9, ..relay_settings() });
        let known = contact(&desk, "known@fine.example").await;
        desk.approved(&[&known]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        until(|| peer.taken().len() == 1).await;

        let mut contacts = Vec::new();
        for destination in hung {
            contacts.push(contact(&desk, &format!("a@{destination}")).await);
        }
        let note = desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        let recipients = || peer.commands().iter().filter(|command| command.starts_with("RCPT")).count();
        until(|| recipients() == 4).await;
        let other = desk.approved(&[&contact(&desk, "other@fine.example").await]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        until(|| peer.taken().len() == 2).await;
        jobs.stop().await;
        assert_eq!(desk.fates(&other).await, ["sent"]);
        let fates = desk.fates(&note).await;
        assert_eq!(fates.iter().filter(|fate| *fate == "queued").count(), 2, "{fates:?}");
    }

    async fn a_long_queue_of_others_hides_nobody_who_is_known(app: TestApp) {
        let desk = Desk::set(&app).await;
        let hung = ["one.example", "two.example", "three.example"];
        let peer = SmtpPeer::start(hung.map(|destination| (At::RecipientIn(destination), Act::Hang))).await;
        let jobs = start_jobs_with(&app, &peer, GRACE, RelaySettings { workers: 9, ..relay_settings() });
        desk.approved(&[&contact(&desk, "known@fine.example").await]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        until(|| peer.taken().len() == 1).await;
        let mut contacts = Vec::new();
        for destination in hung {
            contacts.push(contact(&desk, &format!("a@{destination}")).await);
        }
        desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        let recipients = || peer.commands().iter().filter(|command| command.starts_with("RCPT")).count();
        until(|| recipients() == 4).await;

        queue_for_others(&app, 1_000);
        let other = desk.approved(&[&contact(&desk, "other@fine.example").await]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        // Before the ones that hang lose their leases, by which they would make room.
        let taken = timeout(Duration::from_secs(10), until(|| peer.taken().len() == 2)).await;
        jobs.stop().await;
        assert!(taken.is_ok(), "it waits for those that hang");
        assert_eq!(desk.fates(&other).await, ["sent"]);
    }

    async fn a_start_does_not_forget_who_took_something_lately(app: TestApp) {
        let desk = Desk::set(&app).await;
        let known = contact(&desk, "known@fine.example").await;
        desk.approved(&[&known]).await;
        app.clock.advance(UNDO_WINDOW);
        relay_with(&app, &SmtpPeer::start([]).await, relay_settings()).run_once().await.unwrap();

        let hung = ["one.example", "two.example", "three.example"];
        let peer = SmtpPeer::start(hung.map(|destination| (At::RecipientIn(destination), Act::Hang))).await;
        let mut contacts = Vec::new();
        for destination in hung {
            contacts.push(contact(&desk, &format!("a@{destination}")).await);
        }
        desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        let jobs = start_jobs_with(&app, &peer, GRACE, RelaySettings { workers: 9, ..relay_settings() });
        until(|| peer.commands().iter().filter(|command| command.starts_with("RCPT")).count() == 3).await;
        let other = desk.approved(&[&contact(&desk, "other@fine.example").await]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        // Before the ones that hang lose their leases, by which they would make room.
        let taken = timeout(Duration::from_secs(10), until(|| !peer.taken().is_empty())).await;
        jobs.stop().await;
        assert!(taken.is_ok(), "it waits for those that hang");
        assert_eq!(desk.fates(&other).await, ["sent"]);
    }

    async fn who_put_something_off_since_is_not_remembered(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (fine, slow) = (contact(&desk, "a@fine.example").await, contact(&desk, "a@slow.example").await);
        desk.approved(&[&fine, &slow]).await;
        app.clock.advance(UNDO_WINDOW);
        relay_with(&app, &SmtpPeer::start([]).await, relay_settings()).run_once().await.unwrap();
        let later = contact(&desk, "b@slow.example").await;
        desk.approved(&[&later]).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("451 4.3.0 not now"))]).await;
        relay_with(&app, &peer, relay_settings()).run_once().await.unwrap();
        let taken = |limit| app.context.store.read(|conn| lately_taken(conn, limit)).unwrap();
        assert_eq!(taken(9), ["fine.example"]);
        assert!(taken(1).is_empty(), "the newest one was put off");
    }

    async fn a_destination_takes_up_its_share_of_the_queue(app: TestApp) {
        let desk = Desk::set(&app).await;
        let mut contacts = Vec::new();
        for address in ["a@much.example", "b@much.example", "c@much.example", "d@MUCH.example", "e@little.example"] {
            contacts.push(contact(&desk, address).await);
        }
        let note = desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([]).await;
        let hung = SmtpPeer::start([(At::RecipientIn("much.example"), Act::Hang)]).await;
        let settings = RelaySettings { workers: 3, per_destination: 2, ..relay_settings() };
        let jobs = start_jobs_with(&app, &hung, GRACE, settings);
        until(|| hung.taken().len() == 1).await;
        let fates = desk.fates(&note).await;
        assert_eq!(fates.iter().filter(|fate| *fate == "queued").count(), 3, "{fates:?}");
        jobs.stop().await;
        relay_with(&app, &peer, relay_settings()).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent"; 5]);
    }

    async fn a_destination_that_wants_less_is_left_alone_for_a_while(app: TestApp) {
        let desk = Desk::set(&app).await;
        let slow = [contact(&desk, "a@slow.example").await, contact(&desk, "b@slow.example").await];
        let note = desk.approved(&[&slow[0], &slow[1], &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([(At::RecipientIn("slow.example"), Act::Reply("450 4.7.1 not so fast"))]).await;
        let settings = RelaySettings { per_destination: 1, ..relay_settings() };
        let relay = relay_with(&app, &peer, settings);
        assert_eq!(relay.run_once().await.unwrap(), 2);
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!(fates, ["deferred", "queued", "sent"]);
        app.clock.advance(TimeDelta::minutes(10));
        assert_eq!(relay.run_once().await.unwrap(), 0, "neither of the two is tried");
        let another = desk.approved(&[&desk.scene.manager]).await;
        app.clock.advance(UNDO_WINDOW);
        assert_eq!(relay.run_once().await.unwrap(), 1);
        assert_eq!(desk.fates(&another).await, ["sent"]);
        // Another process has to learn it for itself.
        relay_with(&app, &peer, relay_settings()).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent"; 3]);
    }

    async fn a_destination_that_hangs_is_left_alone_even_if_commands_went_out_together(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&contact(&desk, "a@hung.example").await, &contact(&desk, "b@hung.example").await]).await;
        app.clock.advance(UNDO_WINDOW);
        let offer = (At::Ehlo, Act::Reply("250-peer.example\r\n250 PIPELINING"));
        let peer = SmtpPeer::start([offer, (At::Mail, Act::WithTheNext), (At::Recipient, Act::Hang)]).await;
        let server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
        let timeouts = Timeouts { command: Duration::from_millis(60), ..Timeouts::default() };
        let transport = Transport::Smtp(Box::new(SmtpRelay::new(SmtpServer { timeouts, ..server }).unwrap()));
        let relay = Relay::new(app.context.clone(), transport, relay_settings());
        assert_eq!(relay.run_once().await.unwrap(), 1, "the other one is not tried");
        let shown = desk.note(&note).await["deliveries"].as_array().unwrap().clone();
        let mut fates: Vec<_> = shown.iter().map(|delivery| delivery["state"].as_str().unwrap()).collect();
        fates.sort_unstable();
        assert_eq!(fates, ["deferred", "queued"]);
        let tried = shown.iter().find(|delivery| delivery["state"] == "deferred").unwrap();
        let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(tried))).await.expect(200);
        assert_eq!(attempts["data"][0]["step"], "mail", "nobody knows that it was about the recipient");
    }

    async fn a_reply_that_is_not_about_the_pace_slows_nothing(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("452 4.2.2 full"))]).await;
        let relay = relay_with(&app, &peer, RelaySettings { per_destination: 1, ..relay_settings() });
        assert_eq!(relay.run_once().await.unwrap(), 2);
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!(fates, ["deferred", "sent"]);
    }

    async fn an_agency_sends_so_much_in_a_minute(app: TestApp) {
        let desk = Desk::set(&app).await;
        let mut contacts = Vec::new();
        for number in 0..5 {
            contacts.push(contact(&desk, &format!("{number}@a{number}.example")).await);
        }
        desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([]).await;
        let relay = relay_with(&app, &peer, RelaySettings { per_minute: 2, ..relay_settings() });
        assert_eq!(relay.run_once().await.unwrap(), 2);
        assert_eq!(relay.run_once().await.unwrap(), 0);
        app.clock.advance(TimeDelta::seconds(30));
        assert_eq!(relay.run_once().await.unwrap(), 1);
        app.clock.advance(TimeDelta::minutes(1));
        assert_eq!(relay.run_once().await.unwrap(), 2);
    }
}

/// Another contact at the desk's client.
async fn contact(desk: &Desk, email: &str) -> String {
    let body =
        json!({"client_id": desk.scene.client, "name": "A Contact", "email": email, "role": "interviewer"});
    id(&desk.ann.made("/v1/contacts", body).await)
}

/// So many deliveries that are due for long, each to another destination. They are copies of one that is being
/// sent, and withdrawn, since a note has one for each contact.
fn queue_for_others(app: &TestApp, count: usize) {
    let copy = |id: &str, numbers: &str| {
        format!(
            "INSERT INTO deliveries (id, agency_id, debrief_id, note_id, contact_id, position, state, transmitting,
                 withdrawn, attempts, due_at, next_attempt_at, lease_token, envelope_from, envelope_to, message_id,
                 message, created_at, updated_at)
             SELECT {id}, agency_id, debrief_id, note_id, contact_id, position + number, 'queued', FALSE,
                 TRUE, 0, due_at, due_at, 0, envelope_from, 'a@never' || number || '.example', message_id || number,
                 message, created_at, updated_at
             FROM (SELECT * FROM deliveries WHERE state = 'sending' ORDER BY id LIMIT 1) AS one, {numbers}"
        )
    };
    let counted = format!(
        "WITH RECURSIVE n (number) AS (VALUES (1) UNION ALL SELECT number + 1 FROM n WHERE number < {count})"
    );
    app.script(
        &format!("{counted} {}", copy("randomblob(16)", "n")),
        &copy("gen_random_uuid()", &format!("generate_series(1, {count}) AS number")),
    );
}
