//! Debriefs: shown whole, moved along, compared, and what is kept beside them.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use debrief::app::{notes, retry_requests};
use debrief::auth::caller::Caller as Principal;
use debrief::domain::ids::DebriefId;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Caller, Desk, Scene, TestApp, id, on_both};

async fn debrief_of(caller: &Caller, body: Value) -> (Value, String) {
    let interview = caller.made("/v1/interviews", body).await;
    let path = format!("/v1/debriefs/{}", interview["debrief_id"].as_str().unwrap());
    (interview, path)
}

/// A debrief in which both sides have spoken of a slip each, on different competencies.
async fn ready(caller: &Caller) -> (Scene, String) {
    let scene = Scene::set(caller).await;
    let (_, path) = debrief_of(caller, scene.past(json!({}))).await;
    let slip = |competency: &str| json!({"kind": "slip", "competency": competency, "what": format!("Something about {competency}.")});
    let base = json!({"channel": "phone", "verbatim": false, "narrative": "So it went.", "submit": true, "ratings": []});
    let with = |fields: Value| {
        let mut body = base.clone();
        json_patch::merge(&mut body, &fields);
        body
    };
    let strength = json!({"kind": "strength", "what": "Friendly."});
    caller
        .made(
            &format!("{path}/feedback"),
            with(json!({"side": "candidate", "points": [slip("preparation"), strength]})),
        )
        .await;
    caller
        .made(
            &format!("{path}/feedback"),
            with(json!({"side": "client", "contact_id": scene.manager, "points": [slip("communication")]})),
        )
        .await;
    (scene, path)
}

/// Gives the debrief a retry request and a note to two contacts.
fn ask_and_thank(app: &TestApp, scene: &Scene, path: &str) {
    let debrief: DebriefId = path.rsplit('/').next().unwrap().parse().unwrap();
    let system = Principal::system(app.agency());
    let wish = json!({"grounds": "nerves", "what_would_differ": "Calm.", "candidate_words": "Please."});
    let note =
        json!({"contact_ids": [scene.manager, scene.peer], "subject": "Thank you", "body": "Thank you."});
    app.context
        .store
        .write(|tx| {
            retry_requests::create(tx, &system, debrief, serde_json::from_value(wish).unwrap())?;
            notes::create(tx, &system, debrief, serde_json::from_value(note).unwrap())
        })
        .unwrap();
}

fn types(history: &Value) -> Vec<&str> {
    history["data"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect()
}

on_both! {
    async fn a_debrief_is_shown_whole_in_one_call(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, path) = ready(&ann).await;
        let (statements, shown) = app.statements(ann.get(&path)).await;
        shown.expect(200);
        assert_eq!(statements, 2);
        ask_and_thank(&app, &scene, &path);
        let (statements, shown) = app.statements(ann.get(&path)).await;
        assert_eq!(statements, 4);
        let whole = shown.expect(200);
        for (record, of) in [("candidate", &scene.candidate), ("client", &scene.client), ("job_order", &scene.order)] {
            assert_eq!(whole[record]["id"], json!(of), "{record}");
        }
        assert_eq!(whole["interview"], ann.get(&format!("/v1/interviews/{}", id(&whole["interview"]))).await.expect(200));
        assert_eq!(whole["candidate"], ann.get(&format!("/v1/candidates/{}", scene.candidate)).await.expect(200));
        assert_eq!(whole["recruiter"]["name"], "Test recruiter");
        let contacts: Vec<&Value> = whole["contacts"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
        assert_eq!(contacts, [&json!(scene.manager), &json!(scene.peer)]);
        let states: Vec<&Value> = whole["feedback"].as_array().unwrap().iter().map(|f| &f["state"]).collect();
        assert_eq!((states[0], states.len()), (&json!("submitted"), 3));
        assert_eq!(whole["feedback"][0]["points"].as_array().unwrap().len(), 2);
        assert_eq!((&whole["retry_requests"][0]["state"], &whole["retry_state"]), (&json!("requested"), &json!("requested")));
        assert_eq!((&whole["notes"][0]["contact_ids"], &whole["note_state"]), (&json!([scene.manager, scene.peer]), &json!("draft")));
        assert_eq!(whole["notes"][0]["deliveries"], json!([]));
        assert_eq!(whole["comparison"]["strengths"][0]["what"], "Friendly.");
        assert_eq!((&whole["state"], &whole["overdue"], &whole["outcome"]), (&json!("ready"), &json!(false), &json!(null)));
        assert!(whole.get("agency_id").is_none() && whole.get("deleted_at").is_none());
    }

    async fn a_debrief_is_never_shown_half_changed(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, path) = ready(&ann).await;
        let account = ann.get(&path).await.expect(200)["feedback"][0].clone();
        let account = format!("/v1/feedback/{}", id(&account));
        let done = AtomicBool::new(false);
        let write = async {
            for count in (0..60).map(|turn| 1 + turn % 3) {
                let points = vec![json!({"kind": "strength", "what": "Friendly."}); count];
                let told = json!({"narrative": format!("{count}"), "points": points});
                ann.with("If-Match", "*").patch(&account, told).await.expect(200);
            }
            done.store(true, Ordering::Relaxed);
        };
        let read = async || {
            while !done.load(Ordering::Relaxed) {
                let shown = ann.get(&path).await.expect(200);
                let (told, points) = (&shown["feedback"][0]["narrative"], &shown["feedback"][0]["points"]);
                let is_first = told == "So it went.";
                assert!(is_first || *told == json!(points.as_array().unwrap().len().to_string()), "{told}: {points}");
            }
        };
        tokio::join!(write, read(), read(), read());
    }

    async fn the_etag_changes_with_everything_that_is_shown(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, path) = ready(&ann).await;
        let etag = ann.get(&path).await.header("etag");
        let known = ann.with("If-None-Match", &etag).get(&path).await;
        assert_eq!((known.status.as_u16(), known.bytes.len(), known.header("etag")), (304, 0, etag.clone()));
        ann.patch(&format!("/v1/candidates/{}", scene.candidate), json!({"name": "Tomás H."})).await.expect(200);
        let changed = ann.with("If-None-Match", &etag).get(&path).await;
        assert_ne!(changed.header("etag"), etag);
        assert_eq!(changed.expect(200)["candidate"]["name"], "Tomás H.");
        // What was shown is of the same version, so the tag is good for a transition.
        let released = ann.with("If-Match", &etag).post(&format!("{path}/release"), json!({})).await;
        assert_eq!(released.header("etag"), ann.get(&path).await.header("etag"));
        assert_eq!(released.expect(200)["state"], "released");
    }

    async fn a_debrief_goes_from_ready_to_closed_and_back(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, path) = ready(&ann).await;
        ann.post(&format!("{path}/release"), json!({})).await.problem(428, "precondition_required");
        ann.at(&json!(1)).post(&format!("{path}/release"), json!({})).await.problem(412, "stale_version");
        app.clock.advance(TimeDelta::minutes(1));
        let released = ann.at(&json!(3)).post(&format!("{path}/release"), json!({})).await.expect(200);
        assert_eq!((&released["state"], &released["released_at"], &released["version"]), (&json!("released"), &json!("2026-11-20T12:01:00Z"), &json!(4)));
        let again = ann.at(&json!(4)).post(&format!("{path}/release"), json!({})).await.problem(409, "invalid_transition");
        assert_eq!((&again["state"], &again["allowed"]), (&json!("released"), &json!(["close"])));

        assert_eq!(ann.at(&json!(4)).post(&format!("{path}/close"), json!({"reason": " "})).await.faults(), ["/outcome required", "/reason blank"]);
        assert_eq!(ann.at(&json!(4)).post(&format!("{path}/close"), json!({"outcome": "offer", "reason": " "})).await.faults(), ["/reason blank"]);
        let closed = ann.at(&json!(4)).post(&format!("{path}/close"), json!({"outcome": "offer", "reason": "They loved it."})).await.expect(200);
        assert_eq!((&closed["state"], &closed["outcome"], &closed["closed_at"]), (&json!("closed"), &json!("offer"), &json!("2026-11-20T12:01:00Z")));
        let open = ann.at(&json!(5)).post(&format!("{path}/reopen"), json!({"reason": "Budget cut."})).await.expect(200);
        assert_eq!((&open["state"], &open["outcome"], &open["closed_at"], &open["version"]), (&json!("ready"), &json!(null), &json!(null), &json!(6)));

        let history = ann.get(&format!("{path}/history")).await.expect(200);
        assert_eq!(types(&history)[7..], ["debrief.made_ready", "debrief.released", "debrief.closed", "debrief.reopened", "debrief.made_ready"]);
        let reopened = &history["data"][10];
        assert_eq!((&reopened["reason"], &reopened["data"]["from"], &reopened["data"]["state"]), (&json!("Budget cut."), &json!("closed"), &json!("open")));
        assert_eq!((&reopened["actor"]["kind"], &reopened["actor"]["name"], &reopened["occurred_at"]), (&json!("user"), &json!("Test recruiter"), &json!("2026-11-20T12:01:00Z")));
    }

    async fn a_cancelled_debrief_cancels_its_interview(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let (interview, path) = debrief_of(&ann, scene.to_come(json!({}))).await;
        let body = json!({"reason": "no_show", "note": "Stood in the wrong lobby."});
        let cancelled = ann.at(&json!(1)).post(&format!("{path}/cancel"), body).await.expect(200);
        assert_eq!((&cancelled["state"], &cancelled["interview"]["status"]), (&json!("cancelled"), &json!("no_show")));
        let shown = ann.get(&format!("/v1/interviews/{}", id(&interview))).await.expect(200);
        assert_eq!((&shown["status"], &shown["version"]), (&json!("no_show"), &json!(2)));
        let history = ann.get(&format!("{path}/history")).await.expect(200);
        assert_eq!(types(&history), ["interview.created", "debrief.created", "debrief.cancelled", "interview.updated"]);
        assert_eq!(history["data"][2]["reason"], "Stood in the wrong lobby.");
        ann.at(&json!(2)).post(&format!("{path}/cancel"), json!({"reason": "cancelled"})).await.problem(409, "invalid_transition");
    }

    async fn two_points_are_matched_by_hand(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, path) = ready(&ann).await;
        let whole = ann.get(&path).await.expect(200);
        let [own, strength] = &whole["feedback"][0]["points"].as_array().unwrap()[..] else { panic!() };
        let theirs = whole["feedback"].as_array().unwrap().iter().find_map(|f| (f["side"] == "client").then(|| f["points"].get(0)).flatten()).unwrap();
        let (own, strength, theirs) = (id(own), id(strength), id(theirs));
        let noticed = |comparison: Value| -> Vec<Value> { comparison["points"].as_array().unwrap().iter().map(|group| group["noticed_by"].clone()).collect() };
        assert_eq!(noticed(whole["comparison"].clone()), ["client_only", "candidate_only"]);

        let matches = format!("{path}/matches");
        let made = ann.post(&matches, json!({"points": [own, theirs], "same": true})).await.expect(201);
        assert_eq!((&made["points"], &made["same"]), (&json!([own, theirs]), &json!(true)));
        assert_eq!(noticed(ann.get(&format!("{path}/comparison")).await.expect(200)), ["both"]);
        let turned = ann.post(&matches, json!({"points": [theirs, own], "same": false})).await.expect(200);
        assert_eq!((&turned["id"], &turned["same"]), (&made["id"], &json!(false)));
        assert_eq!(ann.post(&matches, json!({"points": [own, theirs], "same": false})).await.expect(200), turned, "no change");
        assert_eq!(ann.get(&path).await.expect(200)["matches"], json!([turned]));
        assert_eq!(noticed(ann.get(&format!("{path}/comparison")).await.expect(200)), ["client_only", "candidate_only"]);

        for (points, faults) in [
            (json!([own]), vec!["/points too_few"]),
            (json!([own, own]), vec!["/points/1 duplicate"]),
            (json!([strength, "pnt_01h2xcejqtf2nbrexx3vqjhp41"]), vec!["/points/0 not_allowed", "/points/1 unknown_reference"]),
        ] {
            assert_eq!(ann.post(&matches, json!({"points": points, "same": true})).await.faults(), faults);
        }
        let one = format!("{matches}/{}", id(&made));
        ann.at(&json!(4)).delete(&one).await.problem(412, "stale_version");
        ann.delete(&one).await.expect(204);
        ann.delete(&one).await.problem(404, "not_found");
        let after = ann.get(&path).await.expect(200);
        assert_eq!((&after["matches"], &after["version"]), (&json!([]), &json!(6)));
        let history = ann.get(&format!("{path}/history")).await.expect(200);
        assert_eq!(types(&history)[8..], ["debrief.points_matched", "debrief.points_matched", "debrief.match_removed"]);
    }

    async fn what_was_said_of_a_point_goes_with_it(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, path) = ready(&ann).await;
        let whole = ann.get(&path).await.expect(200);
        let account = &whole["feedback"][0];
        let theirs = whole["feedback"].as_array().unwrap().iter().find_map(|f| (f["side"] == "client").then(|| f["points"].get(0)).flatten()).unwrap();
        let made = ann.made(&format!("{path}/matches"), json!({"points": [account["points"][0]["id"], theirs["id"]], "same": true})).await;
        let feedback = format!("/v1/feedback/{}", id(account));
        let mut kept = account["points"][0].clone();
        kept["what"] = json!("Said otherwise.");
        let revised = ann.at(&account["version"]).patch(&feedback, json!({"points": [kept]})).await.expect(200);
        assert_eq!(ann.get(&path).await.expect(200)["matches"], json!([made]));
        ann.at(&revised["version"]).patch(&feedback, json!({"points": []})).await.expect(200);
        assert_eq!(ann.get(&path).await.expect(200)["matches"], json!([]));
    }

    async fn calls_and_messages_are_logged(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let (_, path) = debrief_of(&ann, scene.past(json!({}))).await;
        let activities = format!("{path}/activities");
        let before = ann.get(&path).await;
        let call = ann.made(&activities, json!({"kind": "voicemail", "outcome": "No answer.", "contact_id": scene.manager})).await;
        assert_eq!((&call["occurred_at"], &call["conflict_of_interest"], &call["summary"]), (&json!("2026-11-20T12:00:00Z"), &json!(false), &json!(null)));
        // Whoever syncs debriefs, or shows one, hears of it.
        let after = ann.get(&path).await;
        assert_ne!(after.header("etag"), before.header("etag"));
        let (before, after) = (before.expect(200), after.expect(200));
        assert_eq!(after["version"].as_i64(), before["version"].as_i64().map(|version| version + 1));
        assert_eq!(after["updated_at"], "2026-11-20T12:00:00Z");
        app.clock.advance(TimeDelta::minutes(1));
        let word = json!({"kind": "advocate", "outcome": "Spoke up.", "summary": "A friend in dispatch.", "conflict_of_interest": true, "occurred_at": "2026-11-20T11:30:00Z"});
        let word = ann.made(&activities, word).await;
        assert_eq!(ann.get(&activities).await.expect(200)["data"], json!([word, call]));
        let page = ann.get(&format!("{activities}?limit=1")).await.expect(200);
        let next = ann.get(&format!("{activities}?cursor={}", page["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!((&page["data"], &next["data"]), (&json!([word]), &json!([call])));

        let elsewhere = Scene::set(&ann).await;
        let wrong = json!({"kind": "direct_contact", "outcome": " ", "contact_id": elsewhere.peer, "occurred_at": "2026-11-20T12:02:00Z"});
        assert_eq!(ann.post(&activities, wrong).await.faults(), ["/outcome blank", "/occurred_at in_the_future", "/contact_id unknown_reference"]);
        app.recruiter().await.post(&activities, json!({"kind": "call", "outcome": "x"})).await.problem(403, "forbidden");
        let history = ann.get(&format!("{path}/history")).await.expect(200);
        assert_eq!(types(&history)[3..], ["activity.logged", "activity.logged"]);
        assert_eq!(history["data"][3]["data"]["kind"], "voicemail");
    }

    async fn history_is_read_page_by_page(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, path) = ready(&ann).await;
        let (statements, all) = app.statements(ann.get(&format!("{path}/history"))).await;
        let all = all.expect(200);
        assert!(statements <= 3, "{statements}");
        assert_eq!(types(&all), ["interview.created", "debrief.created", "debrief.opened", "feedback.created", "feedback.submitted", "feedback.created", "feedback.submitted", "debrief.made_ready"]);
        let (mut seen, mut at) = (vec![], format!("{path}/history?limit=3"));
        loop {
            let page = ann.get(&at).await.expect(200);
            seen.extend(page["data"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            at = format!("{path}/history?limit=3&cursor={cursor}");
        }
        assert_eq!(json!(seen), all["data"]);
    }

    async fn a_stranger_sees_nothing_of_it(app: TestApp) {
        let (ann, bob, eve) = (app.recruiter().await, app.recruiter().await, app.stranger(Role::Admin).await);
        let (_, path) = ready(&ann).await;
        for part in ["", "/comparison", "/history", "/activities"] {
            eve.get(&format!("{path}{part}")).await.problem(404, "not_found");
            bob.get(&format!("{path}{part}")).await.expect(200);
        }
        for (part, body) in [("release", json!({})), ("close", json!({"outcome": "hold"})), ("cancel", json!({"reason": "no_show"}))] {
            eve.at(&json!(3)).post(&format!("{path}/{part}"), body.clone()).await.problem(404, "not_found");
            bob.at(&json!(3)).post(&format!("{path}/{part}"), body).await.problem(403, "forbidden");
        }
    }

    async fn a_deleted_debrief_is_gone_with_all_that_is_inside(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let (interview, path) = debrief_of(&ann, scene.past(json!({}))).await;
        let asked = id(&ann.get(&path).await.expect(200)["feedback"][0]);
        let account = format!("/v1/feedback/{asked}");
        ann.get(&account).await.expect(200);
        ann.delete(&format!("/v1/interviews/{}", id(&interview))).await.expect(204);
        for part in ["", "/comparison", "/history", "/history?limit=1", "/activities"] {
            ann.get(&format!("{path}{part}")).await.problem(404, "not_found");
        }
        ann.get(&account).await.problem(404, "not_found");
        ann.get(&format!("{account}/revisions")).await.problem(404, "not_found");
        ann.at(&json!(1)).patch(&account, json!({"narrative": "x"})).await.problem(404, "not_found");
        ann.at(&json!(1)).post(&format!("{account}/waive"), json!({"reason": "x"})).await.problem(404, "not_found");
        for (part, body) in [
            ("cancel", json!({"reason": "cancelled"})),
            ("activities", json!({"kind": "call", "outcome": "x"})),
            ("feedback", json!({"side": "candidate", "channel": "phone", "narrative": "x"})),
            ("retry-requests", json!({"grounds": "nerves", "what_would_differ": "x", "candidate_words": "x"})),
            ("notes", json!({"contact_ids": [scene.manager], "subject": "x", "body": "x"})),
        ] {
            ann.at(&json!(1)).post(&format!("{path}/{part}"), body).await.problem(404, "not_found");
        }
    }

    async fn an_outcome_is_kept_when_it_is_taken_back(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}", desk.debrief);
        desk.ann.patch(&format!("/v1/interviews/{}", id(&desk.interview)), json!({"round": 2, "format": "phone"})).await.expect(200);
        for (transition, body) in [
            ("close", json!({"outcome": "offer"})), ("reopen", json!({"reason": "A mistake."})), ("close", json!({"outcome": "reject"})),
        ] {
            let present = desk.ann.get(&path).await.header("etag");
            desk.ann.with("If-Match", present).post(&format!("{path}/{transition}"), body).await.expect(200);
        }
        let history = desk.ann.get(&format!("{path}/history?limit=200")).await.expect(200);
        let of = |name: &str, field: &str| {
            let told = history["data"].as_array().unwrap().iter().filter(|event| event["type"] == name);
            told.map(|event| event["data"][field].clone()).collect::<Vec<_>>()
        };
        let mut outcomes = of("debrief.closed", "outcome");
        outcomes.sort_by_key(Value::to_string);
        assert_eq!(outcomes, [json!("offer"), json!("reject")]);
        assert_eq!(of("interview.updated", "changed"), [json!(["format", "round"])]);
    }
}
