//! Mail servers that say no, to a message or to everybody.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::jobs::Relay;
use debrief::mail::{SmtpRelay, SmtpServer, Transport};
use serde_json::json;

use super::UNDO_WINDOW;
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, history, id, on_both, relay, relay_settings, relay_with};

on_both! {
    async fn what_is_refused_for_good_has_failed(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("550 5.1.1 no such user"))]).await;
        let relay = relay(&app, &peer);
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["failed"]);
        assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.failed");
        let contact = format!("/v1/contacts/{}", desk.scene.peer);
        assert_eq!(desk.ann.get(&contact).await.expect(200)["email_status"], "bounced");
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        desk.ann.post(&path, desk.text(&[&desk.scene.peer])).await.problem(409, "contact_blocked");
        // With another address there is room for another note.
        desk.ann.patch(&contact, json!({"email": "jens.brandt@nordwind.example"})).await.expect(200);
        let other = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!(desk.fates(&other).await, ["sent"]);
    }

    async fn a_refusal_that_is_not_of_the_address_leaves_it_alone(app: TestApp) {
        for (at, no) in [(At::Dot, "554 5.7.1 we want none of this"), (At::Mail, "550 5.1.0 sender rejected")] {
            let desk = Desk::set(&app).await;
            let peer = SmtpPeer::start([(at, Act::Reply(no))]).await;
            let note = desk.approved(&[&desk.scene.peer]).await;
            app.clock.advance(UNDO_WINDOW);
            relay(&app, &peer).run_once().await.unwrap();
            assert_eq!(desk.fates(&note).await, ["failed"], "{no}");
            let contact = desk.ann.get(&format!("/v1/contacts/{}", desk.scene.peer)).await.expect(200);
            assert_eq!(contact["email_status"], "ok", "{no}");
        }
    }

    async fn what_is_said_in_an_odd_way_counts(app: TestApp) {
        for (at, said, fate, email_status) in [
            (At::Greeting, &b"220 mx.m\xfcller.example ESMTP"[..], "sent", "ok"),
            (At::Data, b"354", "sent", "ok"),
            (At::Dot, b"250", "sent", "ok"),
            (At::Recipient, b"550", "failed", "ok"),
            (At::Recipient, b"571 5.7.1 no", "failed", "ok"),
            (At::Dot, b"571 5.7.1 no", "failed", "ok"),
            (At::Recipient, b"550 5.1.1 Empf\xe4nger unbekannt", "failed", "bounced"),
        ] {
            let desk = Desk::set(&app).await;
            let peer = SmtpPeer::start([(at, Act::Say(said))]).await;
            let note = desk.approved(&[&desk.scene.peer]).await;
            app.clock.advance(UNDO_WINDOW);
            relay(&app, &peer).run_once().await.unwrap();
            let contact = desk.ann.get(&format!("/v1/contacts/{}", desk.scene.peer)).await.expect(200);
            let shown = desk.note(&note).await["deliveries"][0].clone();
            assert_eq!((&shown["state"], &contact["email_status"]), (&json!(fate), &json!(email_status)), "{at:?} {shown}");
            if fate == "failed" {
                let code: u64 = std::str::from_utf8(&said[..3]).unwrap().parse().unwrap();
                assert_eq!(shown["last_reply"]["code"], code);
            }
        }
    }

    async fn a_note_that_reached_nobody_is_missing(app: TestApp) {
        let desk = Desk::set(&app).await;
        const NO: (At, Act) = (At::Recipient, Act::Reply("550 5.7.1 not from you"));
        let peer = SmtpPeer::start([NO, NO]).await;
        let relay = relay(&app, &peer);
        let lacking = async || {
            let page = desk.ann.get("/v1/debriefs?missing=note").await.expect(200);
            page["data"].as_array().unwrap().len()
        };
        // The worklist and the debrief whole tell the same, in as many statements as ever.
        let shown = async || {
            let (statements, page) = app.statements(desk.ann.get("/v1/debriefs")).await;
            let row = page.expect(200)["data"][0].clone();
            let whole = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200);
            assert_eq!((statements, &row["note_state"], &row["note_stands"]), (2, &whole["note_state"], &whole["note_stands"]));
            (row["note_state"].clone(), row["note_stands"].clone())
        };
        assert_eq!((lacking().await, shown().await), (1, (json!(null), json!(false))));
        desk.approved(&[&desk.scene.peer]).await;
        assert_eq!((lacking().await, shown().await), (0, (json!("queued"), json!(true))), "it may still arrive");
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!((lacking().await, shown().await), (1, (json!("queued"), json!(false))));

        let second = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        let mut fates = desk.fates(&second).await;
        fates.sort();
        assert_eq!(fates, ["failed", "sent"]);
        assert_eq!((lacking().await, shown().await), (0, (json!("queued"), json!(true))), "somebody was thanked");
    }

    async fn a_server_that_lets_nobody_in_burns_no_attempt(app: TestApp) {
        let desk = Desk::set(&app).await;
        let offer = (At::Ehlo, Act::Reply("250-peer.example\r\n250 AUTH PLAIN"));
        let peer = SmtpPeer::start([offer, (At::Auth, Act::Reply("535 5.7.8 wrong password"))]).await;
        let mut server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
        server.username = Some("relay".to_owned());
        let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
        let mut settings = relay_settings();
        settings.workers = 1;
        let first = Relay::new(app.context.clone(), transport, settings);
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        assert_eq!(first.run_once().await.unwrap(), 1, "one was enough to find out");
        let note = desk.note(&note).await;
        let tried = note["deliveries"].as_array().unwrap().iter().find(|d| d["state"] == "deferred").unwrap();
        assert_eq!((&tried["attempts"], &tried["next_attempt_at"]), (&json!(0), &json!("2026-11-20T12:01:00Z")));
        assert_eq!(tried["last_reply"]["text"], "sign-in failed: 535 5.7.8", "the words may repeat the password");
        let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(tried))).await.expect(200);
        assert_eq!(attempts["data"], json!([]));
        assert_eq!(first.run_once().await.unwrap(), 0, "it pauses");
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent", "sent"]);
    }

    async fn a_server_that_lets_nobody_in_is_not_waited_for_for_ever(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Mail, Act::Reply("530 5.7.0 sign in first"))]).await;
        let mut settings = relay_settings();
        settings.workers = 1;
        let relay = relay_with(&app, &peer, settings);
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!(fates, ["deferred", "queued"]);
        desk.later(&app, TimeDelta::hours(72) - TimeDelta::seconds(1));
        relay.sweep().await.unwrap();
        assert_ne!(desk.fates(&note).await[0], "failed", "not before its time");
        desk.later(&app, TimeDelta::seconds(1));
        relay.sweep().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["failed", "failed"]);
        let failed = desk.note(&note).await;
        assert!(failed["deliveries"][1]["last_reply"]["text"].is_string() && failed["deliveries"][1]["next_attempt_at"].is_null());
        assert_eq!(history(&app, &desk.debrief).split_off(6), ["note.failed", "note.failed"]);
        desk.draft(&[&desk.scene.peer]).await;
    }

    async fn what_waits_is_not_given_up_while_the_server_lets_us_in(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        desk.later(&app, TimeDelta::hours(80));
        let relay = relay(&app, &peer);
        relay.sweep().await.unwrap();
        relay.run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent"]);
    }

    async fn a_hiccup_after_we_were_away_for_long_gives_nothing_up(app: TestApp) {
        for no in ["450 4.2.0 busy", "454 4.7.0 sign in later", "530 5.7.0 sign in first"] {
            let mut desk = Desk::set(&app).await;
            let peer = SmtpPeer::start([(At::Mail, Act::Reply(no))]).await;
            let mut settings = relay_settings();
            settings.workers = 1;
            let note = desk.approved(&[&desk.scene.peer]).await;
            desk.later(&app, TimeDelta::days(4));
            let first = relay_with(&app, &peer, settings);
            first.run_once().await.unwrap();
            first.sweep().await.unwrap();
            assert_eq!(desk.fates(&note).await, ["deferred"], "{no}");
            desk.later(&app, TimeDelta::minutes(1));
            relay(&app, &peer).run_once().await.unwrap();
            assert_eq!(desk.fates(&note).await, ["sent"], "{no}");
        }
    }

    async fn what_is_sent_again_has_its_time_anew(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let silent = SmtpPeer::start([(At::Dot, Act::TakeAndDrop)]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &silent).run_once().await.unwrap();
        desk.later(&app, TimeDelta::days(4));
        let path = format!("/v1/deliveries/{}/resolve", id(&note["deliveries"][0]));
        desk.ann.post(&path, json!({"resolution": "resend"})).await.expect(200);
        let busy = SmtpPeer::start([(At::Mail, Act::Reply("450 4.2.0 busy"))]).await;
        relay(&app, &busy).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["deferred"]);
    }

    async fn a_recipient_who_wants_a_sign_in_does_not_hold_back_the_others(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("530 5.7.0 sign in first"))]).await;
        let mut settings = relay_settings();
        settings.workers = 1;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay_with(&app, &peer, settings).run_once().await.unwrap();
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!(fates, ["failed", "sent"]);
        for contact in [&desk.scene.manager, &desk.scene.peer] {
            assert_eq!(desk.ann.get(&format!("/v1/contacts/{contact}")).await.expect(200)["email_status"], "ok");
        }
    }

    async fn a_refusal_at_the_door_does_not_end_a_pause(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let script = [(At::Mail, Act::Reply("530 5.7.0 sign in first")), (At::Greeting, Act::Reply("554 5.3.2 closed"))];
        let peer = SmtpPeer::start(script).await;
        let mut settings = relay_settings();
        settings.workers = 2;
        settings.first_pause = Duration::ZERO;
        let relay = relay_with(&app, &peer, settings);
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!((desk.fates(&note).await, peer.connections()), (vec!["deferred".to_owned()], 2));
        desk.later(&app, TimeDelta::hours(72));
        relay.sweep().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["failed"], "it still pauses");
    }
}
