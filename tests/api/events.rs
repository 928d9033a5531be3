//! The change feed.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::{feed, records};
use debrief::auth::caller::Caller as Principal;
use debrief::domain::people::Role;
use debrief::store::clients::Client;
use debrief::store::pool::{Location, Tx};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::{Caller, Scene, TestApp, id, on_both};

/// What comes after an event, once it is `count` events: on PostgreSQL an event waits for every
/// transaction of the whole server that began before, and other tests have theirs.
async fn next(caller: &Caller, after: Option<&str>, filters: &str, count: usize) -> Vec<Value> {
    let after = after.map(|id| format!("&after={id}")).unwrap_or_default();
    let path = format!("/v1/events?limit=200{after}{filters}");
    loop {
        let events = caller.get(&path).await.expect(200)["data"].as_array().unwrap().clone();
        if events.len() >= count {
            return events;
        }
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["data"]["id"].as_str().unwrap()).collect()
}

/// Lets the feed begin where it is to begin by now, and answers how many events that passed. On PostgreSQL an
/// event is passed once no transaction that began before it is under way.
async fn expire(app: &TestApp) -> usize {
    let agency = app.agency();
    let expire = move |tx: &mut Tx<'_>| feed::expire(tx, agency, TimeDelta::days(90), 4);
    let mut passed = 0;
    loop {
        match app.context.write(expire).await.unwrap() {
            0 => return passed,
            count => passed += count,
        }
    }
}

on_both! {
    async fn what_happens_is_told_in_its_order(app: TestApp) {
        let admin = app.admin().await;
        let before = next(&admin, None, "", 3).await;
        assert_eq!(types(&before), ["agency.created", "user.created", "user.created"]);
        let last = before[2]["id"].as_str().unwrap();
        let client = admin.made("/v1/clients", json!({"name": "Nordwind"})).await;
        let path = format!("/v1/clients/{}", id(&client));
        admin.patch(&path, json!({"notes": "Pays late"})).await.expect(200);
        admin.made("/v1/candidates", json!({"name": "Ada Lindt", "time_zone": "Europe/Berlin"})).await;
        let events = next(&admin, Some(last), "", 3).await;
        assert_eq!(types(&events), ["client.created", "client.updated", "candidate.created"]);
        assert_eq!(events[1]["data"], json!({"id": client["id"], "version": 2, "changed": ["notes"]}), "thin: nobody's words");
        assert_eq!(events[1]["occurred_at"], "2026-11-20T12:00:00Z");
        let fields: Vec<&String> = events[1].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["data", "id", "occurred_at", "type"]);

        let events = next(&admin, Some(last), "&types=candidate.created,client.updated", 2).await;
        assert_eq!(types(&events), ["client.updated", "candidate.created"]);
        let nothing = admin.get(&format!("/v1/events?after={}", id(&events[1]))).await.expect(200);
        assert_eq!(nothing, json!({"data": [], "next_cursor": null}));
    }

    async fn it_is_read_page_by_page(app: TestApp) {
        let admin = app.admin().await;
        for number in 0..5 {
            admin.made("/v1/clients", json!({"name": format!("Client {number}")})).await;
        }
        let all = next(&admin, None, "&types=client.created", 5).await;
        let mut seen = Vec::new();
        let mut path = "/v1/events?types=client.created&limit=2".to_owned();
        loop {
            let page = admin.get(&path).await.expect(200);
            seen.extend(page["data"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/events?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, all);
        let (statements, _) = app.statements(admin.get(&format!("/v1/events?after={}", id(&all[0])))).await;
        assert_eq!(statements, 2);
    }

    async fn what_is_asked_for_must_be(app: TestApp) {
        let admin = app.admin().await;
        let stranger = app.stranger(Role::Admin).await;
        let theirs = id(&next(&stranger, None, "", 1).await[0]);
        assert_eq!(admin.get(&format!("/v1/events?after={theirs}")).await.faults(), ["after unknown_reference"]);
        assert_eq!(admin.get("/v1/events?types=client.created,clint.gone").await.faults(), ["types unknown_word"]);
        assert_eq!(admin.get("/v1/events?types=").await.faults(), ["types unknown_word"]);
        app.recruiter().await.get("/v1/events").await.problem(403, "forbidden");
        app.user(Role::Auditor).await.get("/v1/events").await.expect(200);
    }

    async fn several_types_come_in_one_order(app: TestApp) {
        let admin = app.admin().await;
        for number in 0..3 {
            let client = admin.made("/v1/clients", json!({"name": format!("Client {number}")})).await;
            admin.patch(&format!("/v1/clients/{}", id(&client)), json!({"notes": "Pays late"})).await.expect(200);
            admin.made("/v1/candidates", json!({"name": "Ada Lindt"})).await;
        }
        let filter = "&types=candidate.created,client.updated,client.created,client.updated";
        let events = next(&admin, None, filter, 9).await;
        assert_eq!(types(&events), ["client.created", "client.updated", "candidate.created"].repeat(3));
        let page = admin.get("/v1/events?limit=2&types=client.created,candidate.created").await.expect(200);
        let rest = admin.get(&format!("/v1/events?cursor={}", page["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!(types(rest["data"].as_array().unwrap()), ["client.created", "candidate.created"].repeat(2));
    }

    async fn who_has_seen_everything_goes_on_however_long_nothing_happened(app: TestApp) {
        let admin = app.admin().await;
        admin.made("/v1/clients", json!({"name": "Nordwind"})).await;
        let last = id(next(&admin, None, "", 4).await.last().unwrap());
        app.clock.advance(TimeDelta::days(91));
        let (context, agency) = (app.context.clone(), app.agency());
        let expire = move |tx: &mut Tx<'_>| feed::expire(tx, agency, TimeDelta::days(90), 4);
        let mut passed = 0;
        while passed < 4 {
            passed += context.write(expire).await.unwrap();
        }
        let admin = app.admin().await;
        assert_eq!(types(&next(&admin, Some(&last), "", 1).await), ["user.created"]);
    }

    async fn the_feed_goes_back_as_far_as_it_is_to(app: TestApp) {
        let admin = app.admin().await;
        let scene = Scene::set(&admin).await;
        let interview = admin.made("/v1/interviews", scene.past(json!({}))).await;
        let history = format!("/v1/debriefs/{}/history", interview["debrief_id"].as_str().unwrap());
        let told = admin.get(&history).await.expect(200);
        let old = next(&admin, None, "", 9).await;
        let (made, last) = (id(old.iter().find(|event| event["type"] == "client.created").unwrap()), id(old.last().unwrap()));
        let cursor = admin.get("/v1/events?limit=1").await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
        app.clock.advance(TimeDelta::days(90));
        assert_eq!(expire(&app).await, 0, "not yet");
        app.clock.advance(TimeDelta::seconds(1));
        let admin = app.admin().await;
        let mut passed = 0;
        while passed < old.len() {
            passed += expire(&app).await;
        }
        let now = next(&admin, None, "", 1).await;
        assert_eq!(types(&now), ["user.created"], "the administrator of today");
        for filter in [format!("after={}", id(&old[0])), format!("after={made}"), format!("cursor={cursor}")] {
            admin.get(&format!("/v1/events?{filter}")).await.problem(410, "events_expired");
        }
        assert_eq!(next(&admin, Some(&last), "", 1).await, now, "who had seen all of them goes on");
        let never = "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz";
        assert_eq!(admin.get(&format!("/v1/events?after={never}")).await.faults(), ["after unknown_reference"]);
        assert_eq!(admin.get(&history).await.expect(200), told, "the history is kept");
    }

    async fn a_type_is_followed_however_long_none_of_it_happened(app: TestApp) {
        let admin = app.admin().await;
        for _ in 0..2 {
            admin.made("/v1/clients", json!({"name": "Nordwind"})).await;
        }
        for name in ["Ada", "Ben"] {
            admin.made("/v1/candidates", json!({"name": name})).await;
        }
        let old = next(&admin, None, "", 7).await;
        assert_eq!(types(&old[3..]), ["client.created", "client.created", "candidate.created", "candidate.created"]);
        let [first, clients, _, candidates] = [3, 4, 5, 6].map(|i| id(&old[i]));
        app.clock.advance(TimeDelta::days(91));
        let mut passed = 0;
        while passed < old.len() {
            passed += expire(&app).await;
        }
        let admin = app.admin().await;
        let client = admin.made("/v1/clients", json!({"name": "Südwind"})).await;
        let events = next(&admin, Some(&clients), "&types=client.created,user.created", 2).await;
        assert_eq!(types(&events), ["user.created", "client.created"], "nothing of it was forgotten");
        assert_eq!(events[1]["data"]["id"], client["id"]);
        let people = next(&admin, Some(&id(&old[0])), "&types=agency.created,user.created", 3).await;
        assert_eq!(types(&people), ["user.created", "user.created", "user.created"], "of these nothing ever is");
        next(&admin, Some(&candidates), "", 2).await;
        for filter in [format!("after={first}&types=client.created"), format!("after={clients}&types=client.created,candidate.created"), format!("after={clients}")] {
            admin.get(&format!("/v1/events?{filter}")).await.problem(410, "events_expired");
        }
        // Once the next one of its type is passed, it goes.
        app.clock.advance(TimeDelta::days(91));
        let mut passed = 0;
        while passed < 2 {
            passed += expire(&app).await;
        }
        let admin = app.admin().await;
        admin.get(&format!("/v1/events?after={clients}&types=client.created")).await.problem(410, "events_expired");
        next(&admin, Some(&candidates), "&types=candidate.created", 0).await;
    }

    async fn nobody_comes_before_what_was_shown(app: TestApp) {
        if matches!(app.context.store.location(), Location::Sqlite(_)) {
            return; // One writer at a time: a transaction that is under way keeps the others waiting.
        }
        let admin = app.admin().await;
        let last = id(next(&admin, None, "", 3).await.last().unwrap());
        let (began, has_begun) = oneshot::channel();
        let (go_on, goes_on) = oneshot::channel::<()>();
        let (context, agency) = (app.context.clone(), app.agency());
        let slow = actix_web::rt::spawn(async move {
            let work = context.write(move |tx| {
                let input = serde_json::from_value(json!({"name": "Slow"})).unwrap();
                let client = records::create::<Client>(tx, &Principal::system(agency), input, None)?;
                began.send(()).unwrap();
                goes_on.blocking_recv().unwrap();
                Ok(client.id)
            });
            work.await.unwrap()
        });
        has_begun.await.unwrap();
        let quick = admin.made("/v1/clients", json!({"name": "Quick"})).await;
        let shown = admin.get(&format!("/v1/events?after={last}")).await.expect(200);
        assert_eq!(shown["data"], json!([]), "the other one may still come before it");
        go_on.send(()).unwrap();
        let slow = slow.await.unwrap();
        let events = next(&admin, Some(&last), "", 2).await;
        assert_eq!(ids(&events), [slow.to_string(), id(&quick)]);
    }

    async fn many_writers_and_a_reader_miss_nothing(app: TestApp) {
        const WRITERS: usize = 8;
        const EACH: usize = 12;
        let admin = app.admin().await;
        let writers = (0..WRITERS).map(|_| {
            let writer = admin.clone();
            actix_web::rt::spawn(async move {
                let mut made = Vec::new();
                for _ in 0..EACH {
                    made.push(id(&writer.made("/v1/clients", json!({"name": "One of many"})).await));
                }
                made
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut followed: Vec<Value> = Vec::new();
        while followed.len() < WRITERS * EACH {
            let after = followed.last().map(id);
            followed.extend(next(&admin, after.as_deref(), "&types=client.created", 1).await);
        }
        let mut made = Vec::new();
        for writer in writers {
            let mine = writer.await.unwrap();
            let theirs: Vec<&str> = ids(&followed).into_iter().filter(|id| mine.iter().any(|m| m == id)).collect();
            assert_eq!(theirs, mine, "in the order in which each of them wrote");
            made.extend(mine);
        }
        let mut seen = ids(&followed);
        seen.sort_unstable();
        made.sort_unstable();
        assert_eq!(seen, made, "nothing is missed and nothing comes twice");
    }

    async fn every_type_that_there_is_not_is_named(app: TestApp) {
        let admin = app.admin().await;
        let answer = admin.get("/v1/events?types=zz,client.created,yy&limit=0&after=x&since=1").await;
        assert_eq!(answer.body["errors"][3]["detail"], "there are no events called \"yy\", \"zz\"; EventType in the document has those that there are");
        assert_eq!(answer.faults(), ["since unknown_parameter", "limit out_of_range", "after invalid_id", "types unknown_word"]);
    }
}
