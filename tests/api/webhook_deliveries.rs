//! Webhooks on their way: to a receiver that does what the test tells it.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use debrief::app::{Context, feed};
use debrief::domain::ids::EventId;
use debrief::jobs::{JobSettings, Jobs};
use debrief::mail::Transport;
use debrief::startup;
use debrief::store::events;
use debrief::store::pool::Tx;
use serde_json::{Value, json};

use crate::support::receiver::{Reaction, Receiver};
use crate::support::webhooks::{made, sender, sender_settings, sender_with, with_hooks};
use crate::support::{id, on_both};

const FAILS: Reaction = Reaction::Answer(500, "", "broken");

with_hooks! {
    async fn what_happens_is_told_as_the_standard_says(hooks, []) {
        let client = hooks.client().await;
        let hook = hooks.only();
        assert_eq!(hook.path, "/hook?of=debrief");
        assert_eq!(hook.json(), json!({"type": "client.created", "timestamp": "2026-11-20T12:00:00Z", "data": {"id": client["id"], "version": 1}}));
        assert!(hook.body.starts_with("{\"type\":\"client.created\",\"timestamp\":"), "{}", hook.body);
        assert_eq!(hook.header("content-type"), "application/json");
        assert_eq!(hook.header("user-agent"), format!("Debrief/{}", env!("CARGO_PKG_VERSION")));
        assert_eq!(hook.header("host"), format!("localhost:{}", hooks.receiver.port()));
        assert_eq!(hook.header("webhook-timestamp"), "1795176000");
        assert!(hook.is_signed_with(hooks.endpoint["secret"].as_str().unwrap()));
        let events = hooks.admin.get("/v1/events?types=client.created").await.expect(200);
        assert_eq!(hook.header("webhook-id"), events["data"][0]["id"]);

        let log = hooks.log().await;
        let delivery = &log[0];
        assert_eq!((&delivery["state"], &delivery["attempts"], &delivery["last_status"]), (&json!("delivered"), &json!(1), &json!(204)));
        assert_eq!((&delivery["event_id"], &delivery["event_type"]), (&events["data"][0]["id"], &json!("client.created")));
        assert_eq!((&delivery["delivered_at"], &delivery["next_attempt_at"]), (&json!("2026-11-20T12:00:00Z"), &json!(null)));
        assert!(delivery.get("body").is_none() && delivery.get("lease_token").is_none());
        assert_eq!(hooks.sender.run_once().await.unwrap(), 0);
        assert_eq!(hooks.admin.get(&format!("{}/deliveries?state=pending", hooks.path())).await.expect(200)["data"], json!([]));
    }

    async fn what_fails_is_tried_again_by_the_schedule(mut hooks, [FAILS, Reaction::Drop, Reaction::Answer(404, "", "")]) {
        hooks.client().await;
        let waits = |delivery: &Value| {
            let next: chrono::DateTime<chrono::Utc> = delivery["next_attempt_at"].as_str().unwrap().parse().unwrap();
            (next - hooks.app.clock.now()).num_milliseconds()
        };
        let log = hooks.log().await;
        assert_eq!((&log[0]["state"], &log[0]["last_status"]), (&json!("pending"), &json!(500)));
        assert!((4500..=5500).contains(&waits(&log[0])), "{log:?}");
        assert_eq!(hooks.sender.run_once().await.unwrap(), 0, "not before its time");

        hooks.later(TimeDelta::seconds(6)).await;
        let log = hooks.log().await;
        assert_eq!((&log[0]["last_status"], &log[0]["attempts"]), (&json!(null), &json!(2)));
        assert!(log[0]["last_error"].as_str().unwrap().starts_with("no answer in HTTP/1.1"), "{log:?}");
        hooks.later(TimeDelta::minutes(6)).await;
        assert_eq!(hooks.log().await[0]["last_status"], 404);
        hooks.later(TimeDelta::minutes(34)).await;
        assert_eq!(hooks.log().await[0]["state"], "delivered");

        let came = hooks.receiver.hooks();
        assert_eq!(came.len(), 4);
        for hook in &came {
            assert_eq!((hook.header("webhook-id"), &hook.body), (came[0].header("webhook-id"), &came[0].body));
            assert!(hook.is_signed_with(hooks.endpoint["secret"].as_str().unwrap()));
        }
        let times: Vec<_> = came.iter().map(|hook| hook.header("webhook-timestamp")).collect();
        assert_eq!(times, ["1795176000", "1795176006", "1795176366", "1795178406"], "of the attempt");
    }

    async fn after_ten_attempts_it_is_given_up(mut hooks, [FAILS, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS, FAILS]) {
        hooks.client().await;
        for hours in [1, 1, 1, 3, 6, 11, 16, 22, 27] {
            hooks.later(TimeDelta::hours(hours)).await;
        }
        let log = hooks.log().await;
        assert_eq!((&log[0]["state"], &log[0]["attempts"], &log[0]["next_attempt_at"]), (&json!("failed"), &json!(10), &json!(null)));
        hooks.later(TimeDelta::hours(48)).await;
        assert_eq!(hooks.receiver.hooks().len(), 10);
        assert_eq!(hooks.shown().await["disabled_at"], json!(null), "not for days yet");
    }

    async fn a_receiver_says_when_to_come_again(mut hooks, [
        Reaction::Answer(503, "Retry-After: 3600\r\n", ""), Reaction::Answer(429, "Retry-After: Fri, 20 Nov 2026 15:00:00 GMT\r\n", "")
    ]) {
        hooks.client().await;
        assert_eq!(hooks.log().await[0]["next_attempt_at"], "2026-11-20T13:00:00Z");
        hooks.later(TimeDelta::minutes(59)).await;
        assert_eq!(hooks.receiver.hooks().len(), 1);
        hooks.later(TimeDelta::minutes(1)).await;
        assert_eq!(hooks.log().await[0]["next_attempt_at"], "2026-11-20T15:00:00Z");
        hooks.later(TimeDelta::hours(2)).await;
        assert_eq!(hooks.log().await[0]["state"], "delivered");
    }

    async fn no_redirect_is_followed(hooks, []) {
        let elsewhere = Receiver::start([]).await;
        let location: &'static str = format!("Location: {}\r\n", elsewhere.url()).leak();
        for status in [301, 302, 303, 307, 308] {
            let receiver = Receiver::start([Reaction::Answer(status, location, "")]).await;
            hooks.admin.patch(&hooks.path(), json!({"url": receiver.url()})).await.expect(200);
            let queued = hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
            hooks.sender.run_once().await.unwrap();
            let log = hooks.log().await;
            let test = log.iter().find(|delivery| delivery["id"] == queued["id"]).unwrap();
            assert_eq!((&test["state"], &test["last_status"]), (&json!("pending"), &json!(status)));
        }
        assert_eq!(elsewhere.connections(), 0);
    }

    async fn a_receiver_that_says_nothing_has_its_time(hooks, [Reaction::Hang]) {
        hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
        sender_with(&hooks.app.context, Duration::from_millis(200)).run_once().await.unwrap();
        let log = hooks.log().await;
        assert_eq!((&log[0]["state"], &log[0]["last_error"]), (&json!("pending"), &json!("no answer within 0.2 s")));
    }

    async fn a_test_is_sent_and_stands_in_the_log(hooks, []) {
        let queued = hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
        assert_eq!((&queued["state"], &queued["event_type"]), (&json!("pending"), &json!("webhook.test")));
        hooks.sender.run_once().await.unwrap();
        let hook = hooks.only();
        assert_eq!(hook.json()["data"], json!({"endpoint_id": hooks.endpoint["id"]}));
        assert_eq!(hook.header("webhook-id"), queued["event_id"]);
        let log = hooks.log().await;
        assert_eq!((&log[0]["id"], &log[0]["state"]), (&queued["id"], &json!("delivered")));
        let events = hooks.admin.get("/v1/events?limit=200").await.expect(200);
        assert!(!events.to_string().contains("webhook.test"), "no part of what happened");
    }

    async fn a_part_that_is_kept_no_longer_is_not_sent_in_part(mut hooks, []) {
        for _ in 0..3 {
            hooks.client().await;
        }
        let told: Vec<String> = hooks.receiver.hooks().iter().map(|hook| hook.header("webhook-id").to_owned()).collect();
        let (agency, last): (_, EventId) = (hooks.app.agency(), told[2].parse().unwrap());
        hooks.later(TimeDelta::days(91)).await;
        let is_passed = move |tx: &mut Tx<'_>| {
            feed::expire(tx, agency, TimeDelta::days(90), 100)?;
            let (place, horizon) = events::place_and_horizon(tx, agency, last)?.unwrap();
            Ok(horizon.is_some_and(|horizon| place <= horizon.place()))
        };
        while !hooks.app.context.write(is_passed).await.unwrap() {}
        let path = format!("{}/replay", hooks.path());
        for gone in &told[..2] {
            hooks.admin.post(&path, json!({"after": gone})).await.problem(410, "events_expired");
        }
        let nothing = hooks.admin.post(&path, json!({"after": told[2]})).await.expect(202);
        assert_eq!(nothing, json!({"queued": 0, "more_after": null}));
        let until = json!({"after": told[2], "until": told[0]});
        hooks.admin.post(&path, until).await.problem(410, "events_expired");
    }

    async fn a_part_of_the_feed_is_sent_again(hooks, []) {
        for _ in 0..4 {
            hooks.client().await;
        }
        let first: Vec<String> = hooks.receiver.hooks().iter().map(|hook| hook.header("webhook-id").to_owned()).collect();
        assert_eq!(first.len(), 4);
        let path = format!("{}/replay", hooks.path());
        let replayed = hooks.admin.post(&path, json!({"after": first[0], "until": first[2]})).await.expect(202);
        assert_eq!(replayed, json!({"queued": 2, "more_after": null}));
        hooks.sender.run_once().await.unwrap();
        let mut again: Vec<String> = hooks.receiver.hooks()[4..].iter().map(|hook| hook.header("webhook-id").to_owned()).collect();
        again.sort();
        let mut wanted = first[1..3].to_vec();
        wanted.sort();
        assert_eq!(again, wanted, "each under its own id");
        assert_eq!(hooks.receiver.hooks()[4].body.len(), hooks.receiver.hooks()[1].body.len());
        let open = hooks.admin.post(&path, json!({"after": first[2]})).await.expect(202);
        assert_eq!(open["queued"], 1);

        let unknown = "evt_01h2xcejqtf2nbrexx3vqjhp41";
        assert_eq!(hooks.admin.post(&path, json!({"after": unknown})).await.faults(), ["/after unknown_reference"]);
        assert_eq!(hooks.admin.post(&path, json!({"after": first[0], "until": unknown})).await.faults(), ["/until unknown_reference"]);
    }

    async fn the_log_is_read_page_by_page_and_forgotten(hooks, []) {
        for _ in 0..5 {
            hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
        }
        let all = hooks.log().await;
        let mut seen = Vec::new();
        let list = format!("{}/deliveries", hooks.path());
        let mut path = format!("{list}?state=pending&limit=2");
        loop {
            let page = hooks.admin.get(&path).await.expect(200);
            seen.extend(page["data"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{list}?cursor={cursor}&limit=2");
        }
        assert_eq!(seen, all);
        let (statements, _) = hooks.app.statements(hooks.admin.get(&list)).await;
        assert_eq!(statements, 2);

        let forget = |tx: &mut debrief::store::pool::Tx<'_>| debrief::app::webhook_deliveries::forget_old(tx, 3);
        hooks.app.clock.advance(TimeDelta::days(30));
        assert_eq!(hooks.app.context.store.write(forget).unwrap(), 0);
        hooks.app.clock.advance(TimeDelta::seconds(1));
        assert_eq!([(); 3].map(|()| hooks.app.context.store.write(forget).unwrap()), [3, 2, 0]);
    }

    async fn two_workers_send_everything_once(hooks, []) {
        let twin = sender(&Context { store: hooks.app.database().open(hooks.app.clock.clone()), ..hooks.app.context.clone() });
        for number in 0..20 {
            hooks.admin.made("/v1/clients", json!({"name": format!("Client {number}")})).await;
        }
        while hooks.receiver.hooks().len() < 20 {
            let (one, other) = tokio::join!(hooks.sender.run_once(), twin.run_once());
            one.unwrap();
            other.unwrap();
        }
        let mut ids: Vec<String> = hooks.receiver.hooks().iter().map(|hook| hook.header("webhook-id").to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), hooks.receiver.hooks().len(), hooks.log().await.len()), (20, 20, 20));
    }

    async fn what_a_dead_worker_left_is_sent_again(mut hooks, [Reaction::Hang]) {
        let dead = sender_with(&hooks.app.context, Duration::from_secs(20));
        hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
        let dying = actix_web::rt::spawn(async move { dead.run_once().await });
        hooks.receiver.until(1).await;
        dying.abort();
        assert_eq!(hooks.log().await[0]["state"], "sending");
        hooks.later(TimeDelta::seconds(59)).await;
        assert_eq!(hooks.receiver.hooks().len(), 1, "somebody may be at it yet");
        hooks.later(TimeDelta::seconds(1)).await;
        let came = hooks.receiver.hooks();
        assert_eq!((came.len(), came[0].header("webhook-id")), (2, came[1].header("webhook-id")));
        let log = hooks.log().await;
        assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&json!("delivered"), &json!(2)));
    }

    async fn a_slow_receiver_keeps_nobody_waiting(hooks, [Reaction::Hang, Reaction::Hang, Reaction::Hang]) {
        for _ in 0..3 {
            hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
        }
        let settings = JobSettings { webhooks: sender_settings(), grace: Duration::from_millis(10), ..startup::job_settings(&hooks.app.settings) };
        let client = startup::build_client(&hooks.app.settings).unwrap();
        let jobs = Jobs::start(&hooks.app.context, Transport::Discard, client, settings);
        hooks.receiver.until(2).await;
        let quick = Receiver::start([]).await;
        let other = made(&hooks.admin, &quick).await;
        for _ in 0..6 {
            hooks.admin.post(&format!("/v1/webhook-endpoints/{}/test", id(&other)), json!({})).await.expect(202);
        }
        quick.until(6).await;
        assert_eq!(hooks.receiver.hooks().len(), 2, "two at once to one endpoint");
        jobs.stop().await;
    }

    async fn the_service_sends_by_itself(hooks, []) {
        let settings = JobSettings { webhooks: sender_settings(), ..startup::job_settings(&hooks.app.settings) };
        let client = startup::build_client(&hooks.app.settings).unwrap();
        let jobs = Jobs::start(&hooks.app.context, Transport::Discard, client, settings);
        hooks.admin.made("/v1/clients", json!({"name": "Nordwind"})).await;
        hooks.receiver.until(1).await;
        jobs.stop().await;
        assert_eq!(hooks.only().json()["type"], "client.created");
        assert_eq!(hooks.log().await[0]["state"], "delivered", "what was under way came to its end");
    }

    async fn a_deleted_endpoint_gets_nothing_and_is_forgotten(mut hooks, [FAILS]) {
        hooks.client().await;
        assert_eq!(hooks.admin.delete(&hooks.path()).await.status.as_u16(), 204);
        hooks.later(TimeDelta::hours(1)).await;
        assert_eq!(hooks.receiver.hooks().len(), 1);
        hooks.app.clock.advance(TimeDelta::days(31));
        let forget = |tx: &mut debrief::store::pool::Tx<'_>| debrief::app::webhook_deliveries::forget_old(tx, 100);
        assert_eq!(hooks.app.context.store.write(forget).unwrap(), 1);
        let left = hooks.app.context.store.read(debrief::app::webhook_deliveries::with_news).unwrap();
        assert!(left.is_empty());
    }
}

on_both! {
    async fn where_a_name_leads_is_judged_when_it_is_connected_to(app: TestApp) {
        let admin = app.admin().await;
        let receiver = Receiver::start([]).await;
        // A name is no address: whether it may be reached shows when it is resolved.
        let url = format!("https://localhost:{}/", receiver.port());
        let endpoint = admin.made("/v1/webhook-endpoints", json!({"url": url})).await;
        let path = format!("/v1/webhook-endpoints/{}", id(&endpoint));
        admin.post(&format!("{path}/test"), json!({})).await.expect(202);
        let client = startup::build_client(&app.settings).unwrap();
        debrief::jobs::Sender::new(app.context.clone(), client, sender_settings()).run_once().await.unwrap();
        let log = admin.get(&format!("{path}/deliveries")).await.expect(200);
        let test = log["data"].as_array().unwrap().iter().find(|delivery| delivery["event_type"] == "webhook.test").unwrap();
        assert_eq!((&test["state"], &test["last_error"]), (&json!("pending"), &json!("the host leads to a private, local or reserved address")));
        assert_eq!(receiver.connections(), 0);
    }

    async fn many_writes_are_looked_into_together(app: TestApp) {
        let ann = app.recruiter().await;
        let settings = startup::job_settings(&app.settings);
        let client = startup::build_client(&app.settings).unwrap();
        let jobs = Jobs::start(&app.context, Transport::Discard, client, settings);
        let is_look = |sql: &&String| sql.replace(['"', '`'], "").contains("SELECT webhook_endpoints.agency_id, webhook_endpoints.id FROM");
        app.database().take_statements();
        let began = Instant::now();
        for _ in 0..60 {
            ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        }
        let looks = app.database().take_statements().iter().filter(is_look).count();
        let took = began.elapsed();
        jobs.stop().await;
        assert!(looks > 0 && looks as u128 <= took.as_millis() / 100 + 2, "{looks} looks in {took:?}");
    }

    async fn both_ends_of_what_is_replayed_are_looked_for(app: TestApp) {
        let admin = app.admin().await;
        let made = admin.made("/v1/webhook-endpoints", json!({"url": "https://crm.example"})).await;
        let unknown = "evt_01h2xcejqtf2nbrexx3vqjhp41";
        let faults = admin.post(&format!("/v1/webhook-endpoints/{}/replay", id(&made)), json!({"after": unknown, "until": unknown})).await.faults();
        assert_eq!(faults, ["/after unknown_reference", "/until unknown_reference"]);
    }
}
