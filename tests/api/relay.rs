//! Approved notes on their way: through real SMTP to a server that does what the test tells it.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::AppError;
use debrief::jobs::{JobSettings, Jobs};
use debrief::mail::{SmtpRelay, SmtpServer, Transport};
use debrief::startup;
use debrief::store::connection::DbConn;
use debrief::store::schema::deliveries;
use diesel::prelude::*;
use serde_json::json;

use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, history, id, on_both, relay, relay_settings, relay_with};

const UNDO_WINDOW: TimeDelta = TimeDelta::seconds(60);

on_both! {
    async fn a_note_reaches_each_contact_in_a_message_of_its_own(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let relay = relay(&app, &peer);
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        assert_eq!(relay.run_once().await.unwrap(), 0, "the undo window has not passed");
        let etag = desk.ann.get(&format!("/v1/notes/{}", id(&note))).await.header("etag");

        app.clock.advance(UNDO_WINDOW);
        assert_eq!(relay.run_once().await.unwrap(), 2);
        assert_eq!(desk.fates(&note).await, ["sent", "sent"]);
        let mut taken = peer.taken();
        taken.sort_by(|a, b| a.recipient.cmp(&b.recipient));
        assert_eq!(taken.iter().map(|t| t.recipient.as_str()).collect::<Vec<_>>(), ["<ines@nordwind.example>", "<jens@nordwind.example>"]);
        for (taken, contact) in taken.iter().zip([&desk.scene.manager, &desk.scene.peer]) {
            let preview = desk.ann.get(&format!("/v1/notes/{}/preview?contact_id={contact}", id(&note))).await;
            assert_eq!(preview.bytes, taken.bytes, "what was shown is what went out");
        }
        let shown = desk.ann.with("If-None-Match", &etag).get(&format!("/v1/notes/{}", id(&note))).await;
        assert!(shown.header("etag").starts_with("\"3-"), "the same version, another representation");
        let shown = shown.expect(200);
        let first = &shown["deliveries"][0];
        assert_eq!((&first["attempts"], &first["sent_at"], &first["next_attempt_at"]), (&json!(1), &json!("2026-11-20T12:01:00Z"), &json!(null)));
        assert_eq!(first["last_reply"], json!({"code": 250, "enhanced_code": "2.0.0", "text": "taken"}));
        assert!(String::from_utf8(taken[0].bytes.clone()).unwrap().contains(&format!("Message-ID: {}", first["message_id"].as_str().unwrap())));
        assert_eq!(history(&app, &desk.debrief).split_off(6), ["note.sent", "note.sent"]);
        assert_eq!(relay.run_once().await.unwrap(), 0);
    }

    async fn the_commit_point_is_durable_whatever_is_set(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        app.database().take_statements();
        relay(&app, &peer).run_once().await.unwrap();
        let statements = app.database().take_statements();
        let mark = statements.iter().position(|sql| sql.contains("SET \"transmitting\"") || sql.contains("SET `transmitting`")).unwrap();
        let durable = statements[..mark].iter().rposition(|sql| sql.contains("synchronous")).unwrap();
        let begun = statements[..mark].iter().rposition(|sql| sql.starts_with("BEGIN")).unwrap();
        assert!(begun.abs_diff(durable) <= 1, "{statements:#?}");
    }

    async fn what_is_put_off_is_tried_again(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("450 4.2.0 busy, come back")), (At::Greeting, Act::Drop)]).await;
        let relay = relay(&app, &peer);
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        let deferred = desk.note(&note).await;
        let delivery = &deferred["deliveries"][0];
        assert_eq!((&delivery["state"], &delivery["next_attempt_at"]), (&json!("deferred"), &json!("2026-11-20T12:02:00Z")));
        assert_eq!(delivery["last_reply"], json!({"code": 450, "enhanced_code": "4.2.0", "text": "busy, come back"}));
        assert_eq!(relay.run_once().await.unwrap(), 0, "not before its time");

        // The connection is still there: the second attempt goes through on it.
        app.clock.advance(TimeDelta::minutes(1));
        relay.run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent"]);
        let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(delivery))).await.expect(200);
        let attempts = attempts["data"].as_array().unwrap();
        let outline: Vec<_> = attempts.iter().map(|a| (a["number"].clone(), a["outcome"].clone(), a["step"].clone())).collect();
        assert_eq!(outline, [(json!(1), json!("deferred"), json!("recipient")), (json!(2), json!("sent"), json!("content"))]);
        assert_eq!((&attempts[0]["host"], &attempts[0]["started_at"], &attempts[0]["finished_at"]), (&json!(peer.address.to_string()), &json!("2026-11-20T12:01:00Z"), &json!("2026-11-20T12:01:00Z")));
        assert_eq!(peer.taken().len(), 1);
    }

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

    async fn a_refusal_of_the_policy_leaves_the_address_alone(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Dot, Act::Reply("554 5.7.1 we want none of this"))]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["failed"]);
        let contact = desk.ann.get(&format!("/v1/contacts/{}", desk.scene.peer)).await.expect(200);
        assert_eq!(contact["email_status"], "ok");
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
        desk.approved(&[&desk.scene.peer]).await;
        assert_eq!(lacking().await, 0, "it may still arrive");
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!(lacking().await, 1);

        let second = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        let mut fates = desk.fates(&second).await;
        fates.sort();
        assert_eq!(fates, ["failed", "sent"]);
        assert_eq!(lacking().await, 0, "somebody was thanked");
    }

    async fn a_refused_sender_leaves_the_address_alone(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Mail, Act::Reply("550 5.1.0 sender rejected"))]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["failed"]);
        let contact = desk.ann.get(&format!("/v1/contacts/{}", desk.scene.peer)).await.expect(200);
        assert_eq!(contact["email_status"], "ok");
    }

    async fn it_is_given_up_after_three_days(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let mut attempts = 0;
        loop {
            let refusing = SmtpPeer::start([(At::Mail, Act::Reply("451 4.3.0 not now"))]).await;
            assert_eq!(relay(&app, &refusing).run_once().await.unwrap(), 1);
            attempts += 1;
            let delivery = desk.note(&note).await["deliveries"][0].clone();
            let Some(next) = delivery["next_attempt_at"].as_str() else {
                assert_eq!(delivery["state"], "failed");
                break;
            };
            let next: chrono::DateTime<chrono::Utc> = next.parse().unwrap();
            desk.later(&app, next - app.clock.now());
        }
        assert_eq!(app.clock.now().to_rfc3339(), "2026-11-23T12:01:00+00:00");
        assert!((20..30).contains(&attempts), "{attempts}");
    }

    async fn a_recall_within_the_undo_window_is_never_lost(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!((&recalled["state"], &recalled["deliveries"][0]["state"], &recalled["deliveries"][1]["next_attempt_at"]), (&json!("recalled"), &json!("recalled"), &json!(null)));
        desk.later(&app, TimeDelta::days(1));
        assert_eq!(relay(&app, &peer).run_once().await.unwrap(), 0);
        assert_eq!(peer.connections(), 0);
        desk.draft(&[&desk.scene.manager]).await;
        let problem = desk.act(&recalled, "recall", json!({})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("recalled"), &json!([])));
    }

    async fn what_has_left_stays_and_the_rest_comes_back(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("450 4.2.0 later"))]).await;
        let relay = relay(&app, &peer);
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!(fates, ["deferred", "sent"]);
        let path = format!("/v1/notes/{}", id(&note));
        desk.ann.at(&note["version"]).patch(&path, json!({"body": "Other words."})).await.problem(409, "invalid_transition");

        // The note's own version is still the one that was seen: what its emails do is no edit.
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!(recalled["state"], "recalled");
        let fate = |i: usize| recalled["deliveries"][i]["state"].as_str().unwrap().to_owned();
        let contact = |state: &str| recalled["contact_ids"][(0..2).find(|i| fate(*i) == state).unwrap()].as_str().unwrap().to_owned();
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        desk.ann.post(&path, desk.text(&[&contact("sent")])).await.problem(409, "already_exists");
        desk.draft(&[&contact("recalled")]).await;
    }

    async fn everything_that_has_left_cannot_be_recalled(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &peer).run_once().await.unwrap();
        let problem = desk.act(&note, "recall", json!({})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("sent"), &json!([])));
        assert_eq!(desk.note(&note).await["state"], "queued");
    }

    async fn a_recall_is_heard_up_to_the_commit_point(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Data, Act::Hang)]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let relay = relay(&app, &peer);
        let sending = actix_web::rt::spawn(async move { relay.run_once().await.unwrap() });
        until(|| peer.commands().iter().any(|command| command == "DATA")).await;
        assert_eq!(desk.fates(&note).await, ["sending"]);
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!(recalled["deliveries"][0]["state"], "recalled");
        sending.abort();
        let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(&note["deliveries"][0]))).await.expect(200);
        assert_eq!(attempts["data"][0]["outcome"], "recalled");
        assert_eq!(peer.taken(), []);
    }

    async fn a_contact_who_went_off_limits_is_not_written_to(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        desk.ann.patch(&format!("/v1/contacts/{}", desk.scene.peer), json!({"off_limits": true})).await.expect(200);
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent", "recalled"]);
        assert_eq!(desk.note(&note).await["deliveries"][1]["last_reply"]["text"], "the contact is off-limits by now");
        assert!(history(&app, &desk.debrief).contains(&"note.called_off".to_owned()));
        assert_eq!(peer.taken().len(), 1);
    }

    async fn a_server_that_lets_nobody_in_burns_no_attempt(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Auth, Act::Reply("535 5.7.8 wrong password"))]).await;
        let mut server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
        server.username = Some("relay".to_owned());
        let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
        let mut settings = relay_settings();
        settings.workers = 1;
        let first = debrief::jobs::Relay::new(app.context.clone(), transport, settings);
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        assert_eq!(first.run_once().await.unwrap(), 1, "one was enough to find out");
        let note = desk.note(&note).await;
        let tried = note["deliveries"].as_array().unwrap().iter().find(|d| d["state"] == "deferred").unwrap();
        assert_eq!((&tried["attempts"], &tried["next_attempt_at"]), (&json!(0), &json!("2026-11-20T12:01:00Z")));
        assert!(tried["last_reply"]["text"].as_str().unwrap().starts_with("sign-in failed"), "{tried}");
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

    async fn what_was_called_off_is_not_followed_by_thanks(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        let interview = format!("/v1/interviews/{}", id(&desk.interview));
        desk.ann.patch(&interview, json!({"status": "no_show"})).await.expect(200);
        app.clock.advance(UNDO_WINDOW);
        assert_eq!(relay(&app, &peer).run_once().await.unwrap(), 0);
        let delivery = desk.note(&note).await["deliveries"][0].clone();
        assert_eq!((&delivery["state"], &delivery["last_reply"]["text"]), (&json!("recalled"), &json!("the debrief was cancelled")));
    }

    async fn the_service_sends_by_itself(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let jobs = start_jobs(&app, &peer, Duration::from_secs(60));
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        // The relay looks once a minute, but the bell wakes it.
        app.context.relay_bell.notify_one();
        until(|| !peer.taken().is_empty()).await;
        jobs.stop().await;
        assert_eq!(desk.fates(&note).await, ["sent"]);
    }

    async fn a_stop_breaks_off_what_cannot_have_left(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Data, Act::Hang)]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let jobs = start_jobs(&app, &peer, Duration::from_secs(60));
        until(|| peer.commands().iter().any(|command| command == "DATA")).await;
        jobs.stop().await;
        let delivery = desk.note(&note).await["deliveries"][0].clone();
        assert_eq!((&delivery["state"], &delivery["attempts"], &delivery["next_attempt_at"]), (&json!("deferred"), &json!(0), &json!("2026-11-20T12:01:00Z")));
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent"]);
    }

    async fn a_stop_does_not_wait_for_ever_for_what_may_have_left(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Content, Act::Hang)]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let jobs = start_jobs(&app, &peer, Duration::from_millis(1));
        until(|| is_transmitting(&app)).await;
        jobs.stop().await;
        assert_eq!(desk.fates(&note).await, ["sending"]);
        app.clock.advance(TimeDelta::seconds(60));
        relay(&app, &peer).sweep().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["unconfirmed"]);
    }
}

fn start_jobs(app: &TestApp, peer: &SmtpPeer, grace: Duration) -> Jobs {
    let server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
    let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
    let settings = JobSettings { relay: relay_settings(), grace, ..startup::job_settings(&app.settings) };
    Jobs::start(&app.context, transport, startup::build_client(&app.settings).unwrap(), settings)
}

fn is_transmitting(app: &TestApp) -> bool {
    let any = |conn: &mut DbConn| -> Result<bool, AppError> {
        let past = deliveries::table.filter(deliveries::transmitting).select(deliveries::id);
        Ok(diesel::select(diesel::dsl::exists(past)).get_result(conn)?)
    };
    app.context.store.read(any).unwrap()
}

async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
