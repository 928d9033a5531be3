//! The candidate's wish to meet the client again, from wish to meeting.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::retry_requests::expiry;
use debrief::domain::people::Role;
use debrief::jobs::Jobs;
use debrief::mail::Transport;
use debrief::startup;
use serde_json::{Value, json};

use crate::support::{Caller, Desk, history, id, on_both};

on_both! {
    async fn from_the_wish_to_the_second_meeting(app: TestApp) {
        let desk = Desk::set(&app).await;
        let answer = desk.ann.post(&path(&desk), wish()).await;
        assert_eq!(answer.header("etag"), "\"1\"");
        let request = answer.expect(201);
        assert_eq!((&request["state"], &request["interview_id"], &request["client_id"]), (&json!("requested"), &desk.interview["id"], &json!(desk.scene.client)));

        let asked = json!({"contact_id": desk.scene.manager, "channel": "phone", "note": "Rang at four."});
        let request = act(&desk.ann, &request, "put-to-client", asked).await;
        assert_eq!((&request["state"], &request["channel"], &request["put_to_client_at"]), (&json!("put_to_client"), &json!("phone"), &json!("2026-11-20T12:00:00Z")));
        let offered = json!({"contact_id": desk.scene.peer, "proposal": "A call of half an hour."});
        let request = act(&desk.ann, &request, "counter-propose", offered).await;
        assert_eq!((&request["state"], &request["proposal"]), (&json!("counter_proposed"), &json!("A call of half an hour.")));
        let request = act(&desk.ann, &request, "accept", json!({"contact_id": desk.scene.manager})).await;
        assert_eq!(request["state"], "accepted");

        let date = json!({"interview": {"starts_at": "2026-11-20T12:10:00Z", "ends_at": "2026-11-20T12:40:00Z", "format": "phone"}});
        let request = act(&desk.ann, &request, "schedule", date).await;
        assert_eq!(request["state"], "scheduled");
        let second = desk.ann.get(&format!("/v1/interviews/{}", request["scheduled_interview_id"].as_str().unwrap())).await.expect(200);
        for same in ["candidate_id", "job_order_id", "contact_ids", "round", "time_zone", "recruiter_id"] {
            assert_eq!(second[same], desk.interview[same], "{same}");
        }
        assert_eq!((&second["retry_of_interview_id"], &second["format"], &second["status"]), (&desk.interview["id"], &json!("phone"), &json!("scheduled")));

        let mark_held = format!("/v1/retry-requests/{}/mark-held", id(&request));
        let early = desk.ann.at(&request["version"]).post(&mark_held, json!({})).await;
        assert_eq!(early.problem(409, "invalid_transition")["state"], "scheduled");
        app.clock.advance(TimeDelta::minutes(10));
        let request = act(&desk.ann, &request, "mark-held", json!({})).await;
        assert_eq!((&request["state"], &request["version"]), (&json!("held"), &json!(6)));
        let second = desk.ann.get(&format!("/v1/interviews/{}", id(&second))).await.expect(200);
        assert_eq!(second["status"], "held");
        let told = history(&app, &desk.debrief);
        assert_eq!(told[3..], [
            "retry_request.created", "retry_request.put_to_client", "retry_request.counter_proposed",
            "retry_request.accepted", "retry_request.scheduled", "retry_request.held",
        ]);
    }

    async fn a_client_who_does_not_answer_in_time_has_not_agreed(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let patience = TimeDelta::days(14);
        let expire = || app.context.store.write(|tx| expiry::expire_unanswered(tx, patience, 100)).unwrap();
        let asked = asked(&desk).await;
        let other = desk.ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
        let path = format!("/v1/debriefs/{}/retry-requests", other["debrief_id"].as_str().unwrap());
        let unasked = desk.ann.made(&path, wish()).await;
        desk.later(&app, patience - TimeDelta::microseconds(1));
        assert_eq!(expire(), 0);
        assert_eq!(shown(&desk, &asked).await["state"], "put_to_client");

        desk.later(&app, TimeDelta::microseconds(1));
        assert_eq!((expire(), expire()), (1, 0));
        let expired = shown(&desk, &asked).await;
        assert_eq!((&expired["state"], &expired["version"]), (&json!("expired"), &json!(3)));
        assert_eq!(shown(&desk, &unasked).await["state"], "requested");
        assert_eq!(history(&app, &desk.debrief).last().unwrap(), "retry_request.expired");
        let told = desk.ann.get(&format!("/v1/debriefs/{}/history", desk.debrief)).await.expect(200);
        assert_eq!(told["data"].as_array().unwrap().last().unwrap()["actor"]["kind"], "system");
        let debrief = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200);
        assert_eq!(debrief["retry_state"], "expired");
        desk.ann.made(&self::path(&desk), wish()).await;
    }

    async fn an_answer_in_time_is_waited_for_no_longer(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let request = asked(&desk).await;
        let offered = json!({"contact_id": desk.scene.peer, "proposal": "A call of half an hour."});
        let request = act(&desk.ann, &request, "counter-propose", offered).await;
        desk.later(&app, TimeDelta::days(400));
        let expired = app.context.store.write(|tx| expiry::expire_unanswered(tx, TimeDelta::days(14), 100));
        assert_eq!(expired.unwrap(), 0);
        assert_eq!(shown(&desk, &request).await, request);
    }

    async fn the_service_ends_by_itself_what_nobody_answers(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let request = asked(&desk).await;
        desk.later(&app, TimeDelta::days(14));
        let jobs = Jobs::start(&app.context, Transport::Discard, startup::build_client(&app.settings).unwrap(), startup::job_settings(&app.settings));
        while shown(&desk, &request).await["state"] != "expired" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        jobs.stop().await;
    }

    async fn one_open_request_per_interview(app: TestApp) {
        let desk = Desk::set(&app).await;
        let first = desk.ann.made(&path(&desk), wish()).await;
        let problem = desk.ann.post(&path(&desk), wish()).await.problem(409, "already_exists");
        assert_eq!(problem["existing_id"], first["id"]);
        // A reason may be left out, and the body with it.
        let withdraw = format!("/v1/retry-requests/{}/withdraw", id(&first));
        let bare = desk.ann.with("If-Match", "\"1\"").send(actix_web::http::Method::POST, &withdraw, "", Vec::new()).await;
        assert_eq!(bare.expect(200)["state"], "withdrawn");
        let second = desk.ann.made(&path(&desk), wish()).await;
        let second = act(&desk.ann, &second, "decline-by-agency", json!({"reason": "The client has decided."})).await;
        assert_eq!((&second["state"], &second["reason"]), (&json!("agency_declined"), &json!("The client has decided.")));
        let third = desk.ann.made(&path(&desk), wish()).await;
        let third = act(&desk.ann, &third, "mark-moot", json!({"reason": "Filled."})).await;
        assert_eq!(third["state"], "moot");
    }

    async fn what_the_state_does_not_allow_is_told(app: TestApp) {
        let desk = Desk::set(&app).await;
        let request = desk.ann.made(&path(&desk), wish()).await;
        let accept = format!("/v1/retry-requests/{}/accept", id(&request));
        let answer = json!({"contact_id": desk.scene.manager});
        let problem = desk.ann.with("If-Match", "\"1\"").post(&accept, answer.clone()).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("requested"), &json!(["put_to_client", "decline_by_agency", "withdraw", "mark_moot"])));
        desk.ann.post(&accept, answer.clone()).await.problem(428, "precondition_required");
        desk.ann.with("If-Match", "\"2\"").post(&accept, answer).await.problem(412, "stale_version");

        let coming = desk.ann.made("/v1/interviews", desk.scene.to_come(json!({}))).await;
        let path = format!("/v1/debriefs/{}/retry-requests", coming["debrief_id"].as_str().unwrap());
        assert_eq!(desk.ann.post(&path, wish()).await.problem(409, "invalid_transition")["state"], "scheduled");
    }

    async fn the_client_is_asked_through_its_own_people(app: TestApp) {
        let desk = Desk::set(&app).await;
        let request = desk.ann.made(&path(&desk), wish()).await;
        let other = id(&desk.ann.made("/v1/clients", json!({"name": "Other"})).await);
        let other = id(&desk.ann.made("/v1/contacts", json!({"client_id": other, "name": "Olga", "role": "hr"})).await);
        let put = format!("/v1/retry-requests/{}/put-to-client", id(&request));
        let seen = desk.ann.with("If-Match", "\"1\"");
        let asked = |contact: &str| json!({"contact_id": contact, "channel": "email"});
        assert_eq!(seen.post(&put, asked(&other)).await.faults(), ["/contact_id unknown_reference"]);
        assert_eq!(seen.post(&put, json!({"contact_id": other, "channel": "pigeon", "note": "a\u{202e}b"})).await.faults(), ["/channel unknown_word", "/note bidi_character"]);
        desk.ann.patch(&format!("/v1/contacts/{}", desk.scene.manager), json!({"off_limits": true})).await.expect(200);
        assert_eq!(seen.post(&put, asked(&desk.scene.manager)).await.problem(409, "contact_blocked")["existing_id"], desk.scene.manager);
        seen.post(&put, asked(&desk.scene.peer)).await.expect(200);
    }

    async fn the_faults_of_the_second_meeting_stand_where_it_was_given(app: TestApp) {
        let desk = Desk::set(&app).await;
        let request = accepted(&desk).await;
        let schedule = format!("/v1/retry-requests/{}/schedule", id(&request));
        let seen = desk.ann.at(&request["version"]);
        let date = json!({"interview": {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T08:00:00Z", "time_zone": "Nowhere"}});
        assert_eq!(seen.post(&schedule, date).await.faults(), ["/interview/time_zone invalid_time_zone", "/interview/ends_at not_after_start"]);
        assert_eq!(seen.post(&schedule, json!({"interview": {"status": "held"}})).await.faults(), ["/interview/ends_at required", "/interview/starts_at required", "/interview/status unknown_field"]);
        assert_eq!(desk.ann.get("/v1/interviews").await.expect(200)["data"].as_array().unwrap().len(), 1, "nothing half-done");
    }

    async fn a_request_shows_in_lists_and_to_nobody_else(app: TestApp) {
        let desk = Desk::set(&app).await;
        let request = desk.ann.made(&path(&desk), wish()).await;
        let ids = |page: Value| page["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
        for (query, found) in [
            (String::new(), 1),
            ("?state=requested".to_owned(), 1),
            ("?state=held".to_owned(), 0),
            (format!("?client_id={}&candidate_id={}", desk.scene.client, desk.scene.candidate), 1),
            (format!("?debrief_id={}", desk.debrief), 1),
            ("?updated_since=2026-11-20T12:00:01Z".to_owned(), 0),
        ] {
            let page = desk.ann.get(&format!("/v1/retry-requests{query}")).await.expect(200);
            assert_eq!(ids(page).len(), found, "{query}");
        }
        let shown = desk.ann.get(&format!("/v1/retry-requests/{}", id(&request))).await.expect(200);
        assert_eq!(shown, request);
        let eve = app.stranger(Role::Admin).await;
        eve.get(&format!("/v1/retry-requests/{}", id(&request))).await.problem(404, "not_found");
        eve.post(&path(&desk), wish()).await.problem(404, "not_found");
        app.recruiter().await.post(&path(&desk), wish()).await.problem(403, "forbidden");
        assert_eq!(desk.ann.post(&path(&desk), json!({"grounds": "luck", "what_would_differ": " "})).await.faults(), ["/candidate_words required", "/grounds unknown_word", "/what_would_differ blank"]);
    }

    async fn a_wish_ends_with_an_interview_that_did_not_take_place(app: TestApp) {
        let desk = Desk::set(&app).await;
        let request = asked(&desk).await;
        let debrief = format!("/v1/debriefs/{}", desk.debrief);
        let present = desk.ann.get(&debrief).await;
        let cancelled = desk.ann.with("If-Match", present.header("etag")).post(&format!("{debrief}/cancel"), json!({"reason": "no_show"})).await.expect(200);
        assert_eq!((&cancelled["state"], &cancelled["retry_state"]), (&json!("cancelled"), &json!("moot")));
        let request = shown(&desk, &request).await;
        assert_eq!((&request["state"], &request["reason"]), (&json!("moot"), &json!("the interview did not take place")));
        assert_eq!(history(&app, &desk.debrief).iter().rev().take(3).collect::<Vec<_>>(), ["interview.updated", "retry_request.mooted", "debrief.cancelled"]);
    }

    async fn a_second_meeting_that_was_called_off_leaves_the_request_open(app: TestApp) {
        let desk = Desk::set(&app).await;
        let date = json!({"interview": {"starts_at": "2026-11-20T12:10:00Z", "ends_at": "2026-11-20T12:40:00Z"}});
        let request = act(&desk.ann, &accepted(&desk).await, "schedule", date).await;
        let second = format!("/v1/interviews/{}", request["scheduled_interview_id"].as_str().unwrap());
        desk.ann.patch(&second, json!({"status": "cancelled"})).await.expect(200);
        app.clock.advance(TimeDelta::minutes(10));
        let mark_held = format!("/v1/retry-requests/{}/mark-held", id(&request));
        let problem = desk.ann.at(&request["version"]).post(&mark_held, json!({})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("cancelled"), &json!(["withdraw", "mark_moot"])));
        assert_eq!(problem["detail"], "mark_held is not possible while the request's interview is cancelled");
        act(&desk.ann, &request, "withdraw", json!({})).await;
    }

    async fn who_keeps_no_debriefs_any_more_is_not_given_the_second_meeting(app: TestApp) {
        let (desk, admin) = (Desk::set(&app).await, app.admin().await);
        let manager = app.user(Role::Manager).await;
        let request = accepted(&desk).await;
        let ann = format!("/v1/users/{}", desk.interview["recruiter_id"].as_str().unwrap());
        admin.patch(&ann, json!({"disabled": true})).await.expect(200);
        let date = json!({"interview": {"starts_at": "2026-11-20T12:10:00Z", "ends_at": "2026-11-20T12:40:00Z"}});
        let request = act(&manager, &request, "schedule", date).await;
        let second = format!("/v1/interviews/{}", request["scheduled_interview_id"].as_str().unwrap());
        let me = manager.get("/v1/me").await.expect(200)["id"].clone();
        assert_eq!(manager.get(&second).await.expect(200)["recruiter_id"], me, "whoever makes it keeps it");
    }
}

fn path(desk: &Desk) -> String {
    format!("/v1/debriefs/{}/retry-requests", desk.debrief)
}

fn wish() -> Value {
    json!({"grounds": "illness", "what_would_differ": "I am well again.", "candidate_words": "I had a fever, and should have said so."})
}

/// A request that was put to the client.
async fn asked(desk: &Desk) -> Value {
    let request = desk.ann.made(&path(desk), wish()).await;
    let asked = json!({"contact_id": desk.scene.manager, "channel": "phone"});
    act(&desk.ann, &request, "put-to-client", asked).await
}

/// The request as it is now.
async fn shown(desk: &Desk, request: &Value) -> Value {
    desk.ann.get(&format!("/v1/retry-requests/{}", id(request))).await.expect(200)
}

async fn accepted(desk: &Desk) -> Value {
    let request = asked(desk).await;
    act(&desk.ann, &request, "accept", json!({"contact_id": desk.scene.manager})).await
}

async fn act(caller: &Caller, request: &Value, transition: &str, body: Value) -> Value {
    let path = format!("/v1/retry-requests/{}/{transition}", id(request));
    caller.at(&request["version"]).post(&path, body).await.expect(200)
}
