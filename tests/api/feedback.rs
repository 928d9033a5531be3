//! Accounts: written, given, revised and given up on.

use chrono::TimeDelta;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Caller, Scene, id, on_both};

/// An interview that is over, in whose debrief nobody has spoken.
async fn open_debrief(caller: &Caller) -> (Scene, String) {
    let scene = Scene::set(caller).await;
    let interview = caller.made("/v1/interviews", scene.past(json!({}))).await;
    (scene, format!("/v1/debriefs/{}", interview["debrief_id"].as_str().unwrap()))
}

/// The candidate's account, with other fields laid over it.
fn told(fields: Value) -> Value {
    let mut body = json!({
        "side": "candidate", "channel": "phone", "verbatim": false,
        "first_impression": "It was a disaster.", "narrative": "They asked about the night shift.",
        "overall": "no", "submit": true,
        "ratings": [{"competency": "communication", "rating": "no"}],
        "points": [
            {"kind": "slip", "competency": "communication", "what": "Rambled about the night shift.", "severity": "noticeable"},
            {"kind": "slip", "competency": "preparation", "what": "Mixed up the two sites.", "severity": "minor"},
            {"kind": "strength", "competency": "technical_depth", "what": "Knew the tour planning by heart."},
        ],
        "agency_only": {"interest_level": "high", "salary": "52k"},
    });
    json_patch::merge(&mut body, &fields);
    body
}

/// A contact's account, with other fields laid over it.
fn heard(contact: &str, fields: Value) -> Value {
    let mut body = json!({
        "side": "client", "contact_id": contact, "channel": "phone", "verbatim": false,
        "narrative": "Good on the job, long in the answers.", "overall": "yes", "submit": true,
        "ratings": [{"competency": "communication", "rating": "mixed"}],
        "points": [{"kind": "slip", "competency": "communication", "what": "Long answers.", "severity": "noticeable"}],
    });
    json_patch::merge(&mut body, &fields);
    body
}

async fn shown(caller: &Caller, debrief: &str) -> Value {
    caller.get(debrief).await.expect(200)
}

on_both! {
    async fn both_sides_speak_and_the_debrief_is_ready(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        let feedback = format!("{debrief}/feedback");
        let before = shown(&ann, &debrief).await;
        let asked: Vec<&Value> = before["feedback"].as_array().unwrap().iter().map(|f| &f["state"]).collect();
        assert_eq!(asked, ["requested"; 3]);

        let made = ann.post(&feedback, told(json!({}))).await;
        assert_eq!(made.header("location"), format!("/v1/feedback/{}", id(&made.body)));
        assert_eq!(made.header("etag"), "\"2\"");
        let account = made.expect(201);
        assert_eq!(account["id"], before["feedback"][0]["id"]);
        assert_eq!((&account["state"], &account["revision"]), (&json!("submitted"), &json!(1)));
        assert_eq!(account["points"].as_array().unwrap().len(), 3);
        assert_eq!(account["agency_only"]["salary"], "52k");
        let half = shown(&ann, &debrief).await;
        assert_eq!((&half["state"], &half["candidate_side"], &half["client_side"], &half["candidate_overall"]),
            (&json!("open"), &json!("in"), &json!("missing"), &json!("no")));

        let other = ann.made(&feedback, heard(&scene.manager, json!({}))).await;
        assert_eq!(ann.get(&format!("/v1/feedback/{}", id(&other))).await.expect(200), other);
        let ready = shown(&ann, &debrief).await;
        assert_eq!((&ready["state"], &ready["client_overall"], &ready["version"]), (&json!("ready"), &json!("yes"), &json!(3)));
        assert_eq!(ready["comparison"]["points"][0]["noticed_by"], "both");
        assert_eq!(ready["comparison"]["competencies"][0]["gap"], 1);
        assert_eq!(ready["comparison"]["overthinking"][0]["what"], "Mixed up the two sites.");
        assert_eq!(ann.get(&format!("{debrief}/comparison")).await.expect(200), ready["comparison"]);

        // Of two contacts the lower overall judgement counts.
        ann.made(&feedback, heard(&scene.peer, json!({"overall": "strong_no"}))).await;
        let more = shown(&ann, &debrief).await;
        assert_eq!((&more["state"], &more["client_overall"]), (&json!("ready"), &json!("strong_no")));
    }

    async fn a_person_speaks_once_in_a_debrief(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        let feedback = format!("{debrief}/feedback");
        for body in [told(json!({"submit": false})), heard(&scene.manager, json!({})), json!({
            "side": "client", "said_by": "The receptionist", "channel": "email", "verbatim": true, "narrative": "Was friendly.",
        })] {
            let first = ann.made(&feedback, body.clone()).await;
            let problem = ann.post(&feedback, body).await.problem(409, "already_exists");
            assert_eq!(problem["existing_id"], first["id"]);
        }
        let all = shown(&ann, &debrief).await["feedback"].as_array().unwrap().len();
        assert_eq!(all, 4);
    }

    async fn of_two_who_write_at_once_one_is_told_so(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        let feedback = format!("{debrief}/feedback");
        let (own, theirs) = (told(json!({})), heard(&scene.manager, json!({})));
        let (a, b, c, d) = tokio::join!(
            ann.post(&feedback, own.clone()), ann.post(&feedback, theirs.clone()), ann.post(&feedback, own), ann.post(&feedback, theirs),
        );
        let mut statuses = [a, b, c, d].map(|answer| answer.status.as_u16());
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 409, 409]);
        let ready = shown(&ann, &debrief).await;
        assert_eq!((&ready["state"], &ready["version"]), (&json!("ready"), &json!(3)));
    }

    async fn every_fault_is_named_at_its_place(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        let feedback = format!("{debrief}/feedback");
        let wrong = json!({
            "side": "director", "verbatim": 1, "narrative": "x", "colour": "red",
            "points": [{"kind": "oops", "what": ""}, {"what": "y", "id": "cli_x"}],
            "ratings": [{"competency": "communication", "rating": "great", "stars": 5}],
        });
        assert_eq!(ann.post(&feedback, wrong).await.faults(), [
            "/channel required", "/colour unknown_field", "/points/0/kind unknown_word", "/points/0/what blank",
            "/points/1/id invalid_id", "/points/1/kind required", "/ratings/0/rating unknown_word",
            "/ratings/0/stars unknown_field", "/side unknown_word", "/verbatim wrong_type",
        ]);

        let wrong = json!({
            "contact_id": scene.manager, "said_by": " ", "narrative": "a\u{202e}b", "first_impression": "a\u{1}b",
            "ratings": [{"competency": "charm", "rating": "no"}, {"competency": "culture", "rating": "no"}, {"competency": "culture", "rating": "yes", "note": "\u{7}"}],
            "points": [{"kind": "slip", "what": " \n", "competency": "luck"}, {"kind": "slip", "what": "x", "why": "\u{7}", "id": "pnt_01h2xcejqtf2nbrexx3vqjhp41"}],
            "agency_only": {"concerns": "\u{7}"},
        });
        let mut faults = ann.post(&feedback, told(wrong)).await.faults();
        faults.sort();
        assert_eq!(faults, [
            "/agency_only/concerns control_character", "/contact_id not_allowed", "/first_impression control_character",
            "/narrative bidi_character", "/points/0/competency unknown_reference", "/points/0/what blank",
            "/points/1/id unknown_reference", "/points/1/why control_character", "/ratings/0/competency unknown_reference",
            "/ratings/2/competency duplicate", "/ratings/2/note control_character", "/said_by blank",
        ]);

        let elsewhere = Scene::set(&ann).await;
        let wrong = heard(&elsewhere.manager, json!({"agency_only": {"salary": "1"}, "narrative": "", "overall": null, "ratings": null, "points": null}));
        let mut faults = ann.post(&feedback, wrong).await.faults();
        faults.sort();
        assert_eq!(faults, ["/agency_only not_allowed", "/contact_id unknown_reference", "/narrative blank"]);
        assert_eq!(shown(&ann, &debrief).await["version"], 1);
    }

    async fn an_archived_competency_stays_where_it_is(app: TestApp) {
        let (ann, ada) = (app.recruiter().await, app.admin().await);
        let (_, debrief) = open_debrief(&ann).await;
        let account = ann.made(&format!("{debrief}/feedback"), told(json!({}))).await;
        ada.patch("/v1/competencies/communication", json!({"archived": true})).await.expect(200);
        let path = format!("/v1/feedback/{}", id(&account));
        let revised = ann.at(&account["version"]).patch(&path, json!({"narrative": "Once more."})).await.expect(200);
        ada.patch("/v1/competencies/culture", json!({"archived": true})).await.expect(200);
        let point = json!({"points": [{"kind": "slip", "what": "x", "competency": "culture"}]});
        assert_eq!(ann.at(&revised["version"]).patch(&path, point).await.faults(), ["/points/0/competency archived"]);
    }

    async fn a_submitted_account_is_revised_and_never_overwritten(app: TestApp) {
        let (ann, bob) = (app.recruiter().await, app.user(Role::Manager).await);
        let (_, debrief) = open_debrief(&ann).await;
        let first = ann.made(&format!("{debrief}/feedback"), told(json!({}))).await;
        let path = format!("/v1/feedback/{}", id(&first));
        app.clock.advance(TimeDelta::minutes(10));

        ann.patch(&path, json!({"narrative": "x"})).await.problem(428, "precondition_required");
        ann.at(&json!(1)).patch(&path, json!({"narrative": "x"})).await.problem(412, "stale_version");
        let same = ann.at(&first["version"]).patch(&path, json!({"narrative": first["narrative"]})).await;
        assert_eq!((same.header("etag"), same.expect(200)), ("\"2\"".to_owned(), first.clone()));

        let mut kept = first["points"][0].clone();
        kept["what"] = json!("Rambled a little.");
        let change = json!({"narrative": "On reflection it was fine.", "overall": "yes", "points": [kept, {"kind": "conduct", "what": "Kept looking at the clock."}]});
        let revised = bob.at(&first["version"]).patch(&path, change).await.expect(200);
        assert_eq!((&revised["revision"], &revised["version"], &revised["state"]), (&json!(2), &json!(3), &json!("submitted")));
        assert_eq!(revised["points"][0]["id"], first["points"][0]["id"]);
        assert_ne!(revised["points"][1]["id"], first["points"][1]["id"]);
        assert_eq!(revised["first_impression"], "It was a disaster.");
        assert_eq!(ann.get(&path).await.expect(200), revised);
        assert_eq!(shown(&ann, &debrief).await["candidate_overall"], "yes");

        let page = ann.get(&format!("{path}/revisions")).await.expect(200);
        let [new, old] = &page["data"].as_array().unwrap()[..] else { panic!("{page:#}") };
        assert_eq!((&new["revision"], &new["state"], &new["document"]["overall"]), (&json!(2), &json!("submitted"), &json!("yes")));
        assert_eq!((&old["revision"], &old["state"], &old["document"]["points"]), (&json!(1), &json!("superseded"), &first["points"]));
        assert_eq!((&old["recorded_at"], &new["recorded_at"]), (&json!("2026-11-20T12:00:00Z"), &json!("2026-11-20T12:10:00Z")));
        assert_ne!(old["recorded_by"], new["recorded_by"]);
        let page = ann.get(&format!("{path}/revisions?limit=1")).await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = ann.get(&format!("{path}/revisions?limit=1&cursor={cursor}")).await.expect(200);
        assert_eq!((&rest["data"][0]["revision"], &rest["next_cursor"]), (&json!(1), &json!(null)));

        let at = ann.at(&revised["version"]);
        let moved = json!({"side": "client", "contact_id": "con_01h2xcejqtf2nbrexx3vqjhp41", "submit": false, "agency_only": null});
        assert_eq!(at.patch(&path, moved).await.faults(), ["/side immutable", "/contact_id immutable", "/submit immutable"]);
        let twice = json!({"points": [revised["points"][0], revised["points"][0]]});
        assert_eq!(at.patch(&path, twice).await.faults(), ["/points/1/id duplicate"]);
        assert_eq!(at.patch(&path, json!({"points": [first["points"][1]]})).await.faults(), ["/points/0/id unknown_reference"]);
        at.post(&format!("{path}/submit"), json!({})).await.problem(409, "invalid_transition");
    }

    async fn a_draft_is_edited_until_it_is_submitted(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, debrief) = open_debrief(&ann).await;
        let empty = json!({"submit": false, "first_impression": null, "narrative": "", "overall": null, "ratings": [], "points": []});
        let draft = ann.made(&format!("{debrief}/feedback"), told(empty)).await;
        let path = format!("/v1/feedback/{}", id(&draft));
        assert_eq!((&draft["state"], &draft["revision"]), (&json!("draft"), &json!(0)));
        assert_eq!(shown(&ann, &debrief).await["candidate_side"], "missing");
        assert_eq!(ann.at(&draft["version"]).post(&format!("{path}/submit"), json!({})).await.faults(), ["/narrative blank"]);
        let edited = ann.at(&draft["version"]).patch(&path, json!({"narrative": "Fine."})).await.expect(200);
        assert_eq!((&edited["state"], &edited["revision"], &edited["version"]), (&json!("draft"), &json!(0), &json!(3)));
        assert_eq!(ann.get(&format!("{path}/revisions")).await.expect(200)["data"], json!([]));
        let given = ann.at(&edited["version"]).post(&format!("{path}/submit"), json!({})).await.expect(200);
        assert_eq!((&given["state"], &given["revision"], &given["submitted_at"]), (&json!("submitted"), &json!(1), &json!("2026-11-20T12:00:00Z")));
        assert_eq!(shown(&ann, &debrief).await["candidate_side"], "in");
    }

    async fn a_patch_can_submit_what_it_edits(app: TestApp) {
        let ann = app.recruiter().await;
        let (_, debrief) = open_debrief(&ann).await;
        let asked = shown(&ann, &debrief).await["feedback"][0].clone();
        let path = format!("/v1/feedback/{}", id(&asked));
        assert_eq!(ann.at(&asked["version"]).patch(&path, json!({})).await.faults(), ["/channel required", "/narrative required"]);
        let change = json!({"channel": "email", "narrative": "Fine.", "verbatim": true, "submit": true});
        let given = ann.at(&asked["version"]).patch(&path, change).await.expect(200);
        assert_eq!((&given["state"], &given["revision"], &given["channel"]), (&json!("submitted"), &json!(1), &json!("email")));
        assert_eq!(ann.get(&format!("{path}/revisions")).await.expect(200)["data"][0]["document"]["narrative"], "Fine.");
    }

    async fn an_account_is_given_up_on_and_taken_back(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        ann.made(&format!("{debrief}/feedback"), told(json!({}))).await;
        let asked = shown(&ann, &debrief).await["feedback"].as_array().unwrap()[1..].to_vec();
        for account in &asked {
            let path = format!("/v1/feedback/{}/waive", id(account));
            ann.post(&path, json!({"reason": "x"})).await.problem(428, "precondition_required");
            assert_eq!(ann.at(&account["version"]).post(&path, json!({"reason": " "})).await.faults(), ["/reason blank"]);
            let waived = ann.at(&account["version"]).post(&path, json!({"reason": "Has left the company."})).await.expect(200);
            assert_eq!((&waived["state"], &waived["waived_reason"]), (&json!("waived"), &json!("Has left the company.")));
        }
        let ready = shown(&ann, &debrief).await;
        assert_eq!((&ready["state"], &ready["client_side"]), (&json!("ready"), &json!("waived")));

        // Whoever was given up on still has an account, which can be written after all.
        let late = heard(&scene.manager, json!({}));
        let theirs = ann.post(&format!("{debrief}/feedback"), late).await.problem(409, "already_exists")["existing_id"].clone();
        let path = format!("/v1/feedback/{}", theirs.as_str().unwrap());
        let back = ann.at(&json!(2)).patch(&path, json!({"channel": "email", "narrative": "Sorry, was away."})).await.expect(200);
        assert_eq!((&back["state"], &back["waived_reason"]), (&json!("draft"), &json!(null)));
        let open = shown(&ann, &debrief).await;
        assert_eq!((&open["state"], &open["client_side"]), (&json!("open"), &json!("missing")));
        let types: Vec<Value> = ann.get(&format!("{debrief}/history")).await.expect(200)["data"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
        assert_eq!(types[types.len() - 4..], [json!("feedback.waived"), json!("debrief.made_ready"), json!("feedback.taken_back"), json!("debrief.set_back")]);
    }

    async fn nobody_gives_an_account_before_the_interview_begins(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let soon = json!({"starts_at": "2026-11-20T12:10:00Z", "ends_at": "2026-11-20T13:00:00Z"});
        let interview = ann.made("/v1/interviews", scene.to_come(soon)).await;
        let debrief = format!("/v1/debriefs/{}", interview["debrief_id"].as_str().unwrap());
        let problem = ann.post(&format!("{debrief}/feedback"), told(json!({}))).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("scheduled"), &json!(["cancel"])));
        let draft = ann.made(&format!("{debrief}/feedback"), told(json!({"submit": false}))).await;
        let submit = format!("/v1/feedback/{}/submit", id(&draft));
        ann.at(&draft["version"]).post(&submit, json!({})).await.problem(409, "invalid_transition");

        // It has begun, and to speak of it tells that it is over.
        app.clock.advance(TimeDelta::minutes(11));
        ann.at(&draft["version"]).post(&submit, json!({})).await.expect(200);
        assert_eq!(shown(&ann, &debrief).await["state"], "open");
    }

    async fn nothing_is_written_once_the_debrief_is_done(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        let account = ann.made(&format!("{debrief}/feedback"), told(json!({"submit": false}))).await;
        let closed = ann.at(&json!(2)).post(&format!("{debrief}/close"), json!({"outcome": "hold"})).await.expect(200);
        assert_eq!(closed["state"], "closed");
        ann.post(&format!("{debrief}/feedback"), heard(&scene.manager, json!({}))).await.problem(409, "invalid_transition");
        let path = format!("/v1/feedback/{}", id(&account));
        let at = ann.at(&account["version"]);
        at.patch(&path, json!({"narrative": "x"})).await.problem(409, "invalid_transition");
        at.post(&format!("{path}/submit"), json!({})).await.problem(409, "invalid_transition");
        at.post(&format!("{path}/waive"), json!({"reason": "x"})).await.problem(409, "invalid_transition");
    }

    async fn a_colleague_and_a_stranger_change_nothing(app: TestApp) {
        let (ann, bob, eve) = (app.recruiter().await, app.recruiter().await, app.stranger(Role::Admin).await);
        let (_, debrief) = open_debrief(&ann).await;
        let account = ann.made(&format!("{debrief}/feedback"), told(json!({}))).await;
        let path = format!("/v1/feedback/{}", id(&account));
        bob.post(&format!("{debrief}/feedback"), told(json!({}))).await.problem(403, "forbidden");
        bob.at(&account["version"]).patch(&path, json!({"narrative": "x"})).await.problem(403, "forbidden");
        assert_eq!(bob.get(&path).await.expect(200), account);
        eve.post(&format!("{debrief}/feedback"), told(json!({}))).await.problem(404, "not_found");
        eve.at(&account["version"]).patch(&path, json!({"narrative": "x"})).await.problem(404, "not_found");
        eve.get(&path).await.problem(404, "not_found");
        eve.get(&format!("{path}/revisions")).await.problem(404, "not_found");
        app.user(Role::Auditor).await.post(&format!("{debrief}/feedback"), told(json!({}))).await.problem(403, "forbidden");
    }

    async fn writing_takes_few_statements(app: TestApp) {
        let ann = app.recruiter().await;
        let (scene, debrief) = open_debrief(&ann).await;
        let feedback = format!("{debrief}/feedback");
        let (statements, made) = app.statements(ann.post(&feedback, told(json!({})))).await;
        let account = made.expect(201);
        assert_eq!(statements, app.on(7, 3));
        let (statements, made) = app.statements(ann.post(&feedback, heard(&scene.manager, json!({})))).await;
        made.expect(201);
        assert_eq!(statements, app.on(7, 3));
        let path = format!("/v1/feedback/{}", id(&account));
        let change = json!({"points": [{"kind": "slip", "what": "x"}, {"kind": "slip", "what": "y"}]});
        let (statements, revised) = app.statements(ann.at(&account["version"]).patch(&path, change)).await;
        revised.expect(200);
        assert_eq!(statements, app.on(9, 5));
    }

    async fn accounts_are_asked_for_and_shown_in_the_order_of_the_panel(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        for panel in [[&scene.manager, &scene.peer], [&scene.peer, &scene.manager]].into_iter().cycle().take(8) {
            let interview = ann.made("/v1/interviews", scene.past(json!({"contact_ids": panel}))).await;
            let whole = ann.get(&format!("/v1/debriefs/{}", interview["debrief_id"].as_str().unwrap())).await.expect(200);
            let speakers: Vec<_> = whole["feedback"].as_array().unwrap()[1..].iter().map(|account| account["contact_id"].clone()).collect();
            assert_eq!(json!(speakers), json!(panel));
        }
    }

    async fn writing_for_somebody_who_was_not_asked_takes_few_statements(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let panel = json!({"contact_ids": [scene.manager]});
        let interview = ann.made("/v1/interviews", scene.past(panel)).await;
        let feedback = format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap());
        let (statements, made) = app.statements(ann.post(&feedback, heard(&scene.peer, json!({})))).await;
        made.expect(201);
        assert_eq!(statements, app.on(8, 5));
        let receptionist = heard("", json!({"contact_id": null, "said_by": "The receptionist"}));
        let (statements, made) = app.statements(ann.post(&feedback, receptionist)).await;
        made.expect(201);
        assert_eq!(statements, app.on(7, 4));
    }
}
