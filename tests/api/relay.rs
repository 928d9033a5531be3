//! Approved notes on their way: through real SMTP to a server that does what the test tells it.

mod fairness;
mod hindrances;
mod lateness;
mod ledger;
mod openings;
mod peers;
mod private;
mod recalls;
mod refusals;
mod tls;

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::AppError;
use debrief::jobs::{JobSettings, Jobs, Relay, RelaySettings};
use debrief::mail::{SmtpRelay, SmtpServer, Transport};
use debrief::startup;
use debrief::store::connection::DbConn;
use debrief::store::pool::Tx;
use debrief::store::schema::deliveries;
use diesel::prelude::*;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, history, id, on_both, relay, relay_settings};

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

    async fn a_conversation_goes_on_while_its_sign_of_life_waits(app: TestApp) {
        let desk = Desk::set(&app).await;
        desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = SmtpServer::plain("127.0.0.1", listener.local_addr().unwrap().port(), "debrief.example");
        let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
        let settings = RelaySettings { renew_every: Duration::from_millis(5), ..relay_settings() };
        let relay = Relay::new(app.context.clone(), transport, settings);
        let running = tokio::spawn(async move { relay.run_once().await });
        let (mut stream, _) = listener.accept().await.unwrap();

        let (release, released) = std::sync::mpsc::channel::<()>();
        let (hold, held) = tokio::sync::oneshot::channel();
        let context = app.context.clone();
        let holder = tokio::spawn(async move {
            let in_the_way = move |tx: &mut Tx<'_>| {
                let unchanged = deliveries::attempts.eq(deliveries::attempts);
                diesel::update(deliveries::table).set(unchanged).execute(&mut **tx)?;
                hold.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            };
            context.write(in_the_way).await
        });
        held.await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.write_all(b"220 peer.example\r\n").await.unwrap();
        let mut said = [0; 4];
        let answered = tokio::time::timeout(Duration::from_secs(3), stream.read_exact(&mut said)).await;
        release.send(()).unwrap();
        holder.await.unwrap().unwrap();
        drop(stream);
        running.await.unwrap().unwrap();
        assert!(answered.is_ok() && said == *b"EHLO");
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
    start_jobs_with(app, peer, grace, relay_settings())
}

fn start_jobs_with(app: &TestApp, peer: &SmtpPeer, grace: Duration, relay: RelaySettings) -> Jobs {
    let server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
    let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
    let settings = JobSettings { relay, grace, ..startup::job_settings(&app.settings) };
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
