//! What an interview does to its debrief.

use chrono::TimeDelta;
use debrief::app::AppError;
use debrief::app::debriefs::lifecycle;
use debrief::app::interviews;
use debrief::auth::caller::Caller as Principal;
use debrief::domain::debrief::{CancelReason, DebriefState, SideStatus};
use debrief::domain::feedback::FeedbackState;
use debrief::domain::ids::ContactId;
use debrief::domain::people::Role;
use debrief::store::debriefs::{self, Debrief};
use debrief::store::feedback::FeedbackRow;
use debrief::store::pool::Tx;
use debrief::store::schema::{events, feedback};
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::support::{Scene, TestApp, id, on_both};

on_both! {
    async fn an_interview_to_come_waits_for_its_end(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        let debrief = debrief_of(&app, &interview);
        assert_eq!((debrief.state, debrief.version), (DebriefState::Scheduled, 1));
        assert_eq!((debrief.candidate_side, debrief.client_side), (SideStatus::Missing, SideStatus::Missing));
        assert_eq!(debrief.recruiter_id.unwrap().to_string(), interview["recruiter_id"]);
        // The end of the day in Berlin.
        assert_eq!(debrief.due_at.to_string(), "2026-11-21T22:59:59.999999Z");
        let accounts = accounts(&app, &interview);
        assert_eq!(accounts.iter().filter(|a| a.state == FeedbackState::Requested).count(), 3);
        assert_eq!(asked(&accounts), sorted([&scene.manager, &scene.peer]));
        assert_eq!(history(&app, &interview), ["interview.created", "debrief.created"]);

        assert_eq!(open_due(&app), 0);
        app.clock.advance(TimeDelta::hours(22));
        assert_eq!((open_due(&app), open_due(&app)), (1, 0));
        let opened = debrief_of(&app, &interview);
        assert_eq!((opened.state, opened.version), (DebriefState::Open, 2));
        assert_eq!(history(&app, &interview).last().unwrap(), "debrief.opened");
    }

    async fn an_interview_of_the_past_opens_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let past = ann.made("/v1/interviews", scene.past(json!({}))).await;
        assert_eq!(debrief_of(&app, &past).state, DebriefState::Open);
        assert_eq!(history(&app, &past), ["interview.created", "debrief.created", "debrief.opened"]);
        let held = ann.made("/v1/interviews", scene.under_way(json!({"status": "held"}))).await;
        assert_eq!(debrief_of(&app, &held).state, DebriefState::Open);
        let off = ann.made("/v1/interviews", scene.past(json!({"status": "no_show"}))).await;
        assert_eq!(debrief_of(&app, &off).state, DebriefState::Cancelled);
    }

    async fn only_so_many_are_opened_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        for _ in 0..3 {
            ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        }
        let gone = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        ann.delete(&format!("/v1/interviews/{}", id(&gone))).await.expect(204);
        app.clock.advance(TimeDelta::days(2));
        let open = |limit| app.context.store.write(|tx| lifecycle::open_due(tx, limit)).unwrap();
        assert_eq!((open(2), open(2), open(2)), (2, 1, 0));
    }

    async fn a_debrief_moves_with_its_interview_until_it_is_open(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        let next_week = json!({"starts_at": "2026-11-27T09:00:00Z", "ends_at": "2026-11-27T10:00:00Z"});
        ann.patch(&path, next_week.clone()).await.expect(200);
        let moved = debrief_of(&app, &interview);
        assert_eq!((moved.interviewed_at.to_string(), moved.due_at.to_string()), ("2026-11-27T09:00:00Z".into(), "2026-11-27T22:59:59.999999Z".into()));
        assert_eq!(moved.version, 2);

        ann.patch(&path, json!({"starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-20T10:00:00Z"})).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).state, DebriefState::Open);
        assert_eq!(ann.patch(&path, next_week).await.faults(), ["/ends_at debrief_is_open"]);
        ann.patch(&path, json!({"starts_at": "2026-11-20T08:00:00Z", "status": "held"})).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).interviewed_at.to_string(), "2026-11-20T08:00:00Z");
    }

    async fn what_is_undone_is_due_where_the_candidate_lives(app: TestApp) {
        let (ann, bob) = (app.recruiter().await, app.recruiter().await);
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let done = ann.made("/v1/interviews", scene.past(json!({"status": "cancelled"}))).await;
        let path = format!("/v1/candidates/{}", scene.candidate);
        bob.patch(&path, json!({"time_zone": "America/Lima"})).await.expect(200);
        let moved = debrief_of(&app, &interview);
        assert_eq!((moved.due_at.to_string(), moved.version), ("2026-11-21T04:59:59.999999Z".into(), 2));
        assert_eq!(debrief_of(&app, &done).due_at.to_string(), "2026-11-20T22:59:59.999999Z");
        // Lima and Bogotá share their days, and a name has none.
        bob.patch(&path, json!({"time_zone": "America/Bogota", "name": "T. Herrera"})).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).version, 2);
        assert_eq!(history(&app, &interview)[3..], ["debrief.updated"]);
    }

    async fn a_debrief_follows_the_status_of_its_interview(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.under_way(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        assert_eq!(debrief_of(&app, &interview).state, DebriefState::Scheduled);
        ann.patch(&path, json!({"status": "held"})).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).state, DebriefState::Open);
        ann.patch(&path, json!({"status": "cancelled"})).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).state, DebriefState::Cancelled);
        assert_eq!(reasons(&app, &interview), ["cancelled"]);
    }

    async fn an_interview_that_was_talked_about_took_place(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        let both_in = |debrief: &mut Debrief| (debrief.candidate_side, debrief.client_side) = (SideStatus::In, SideStatus::In);
        change(&app, &interview, both_in);
        for state in [DebriefState::Ready, DebriefState::Released, DebriefState::Closed] {
            change(&app, &interview, |debrief| debrief.state = state);
            for status in ["cancelled", "no_show"] {
                let problem = ann.patch(&path, json!({"status": status})).await.problem(409, "invalid_transition");
                assert_eq!(problem["state"], json!(state));
            }
            assert_eq!(ann.get(&path).await.expect(200)["status"], "scheduled");
            assert_eq!(debrief_of(&app, &interview).state, state);
        }
        ann.patch(&path, json!({"status": "held"})).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).state, DebriefState::Closed);
    }

    async fn a_new_recruiter_takes_over_the_debrief(app: TestApp) {
        let (ann, manager) = (app.recruiter().await, app.user(Role::Manager).await);
        let scene = Scene::set(&ann).await;
        let theirs = manager.made("/v1/interviews", scene.past(json!({}))).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let taken = json!({"recruiter_id": theirs["recruiter_id"]});
        manager.patch(&format!("/v1/interviews/{}", id(&interview)), taken).await.expect(200);
        assert_eq!(debrief_of(&app, &interview).recruiter_id, debrief_of(&app, &theirs).recruiter_id);
        assert_eq!(history(&app, &interview)[3..], ["interview.updated", "debrief.assigned"]);
    }

    async fn whoever_joins_the_panel_is_asked_and_whoever_leaves_is_not(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let late = json!({"client_id": scene.client, "name": "Late", "email": "late@nordwind.example"});
        let late = id(&ann.made("/v1/contacts", late).await);
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        let panel = json!({"contact_ids": [late, scene.manager]});
        let changed = ann.patch(&path, panel.clone()).await.expect(200);
        assert_eq!(changed["contact_ids"], panel["contact_ids"]);
        assert_eq!(ann.get(&path).await.expect(200)["contact_ids"], panel["contact_ids"]);
        assert_eq!(asked(&accounts(&app, &interview)), sorted([&scene.manager, &late]));
        assert_eq!(history(&app, &interview)[3..], ["interview.updated", "feedback.withdrawn", "feedback.requested"]);

        // The order alone asks nobody.
        ann.patch(&path, json!({"contact_ids": [scene.manager, late]})).await.expect(200);
        assert_eq!(history(&app, &interview)[6..], ["interview.updated"]);

        set_state(&app, &interview, &late, FeedbackState::Draft);
        let problem = ann.patch(&path, json!({"contact_ids": [scene.manager]})).await.problem(409, "in_use");
        assert!(problem["existing_id"].as_str().unwrap().starts_with("fbk_"));
        assert_eq!(ann.get(&path).await.expect(200)["contact_ids"], json!([scene.manager, late]));
    }

    async fn the_client_side_is_counted_anew_with_the_panel(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        set_state(&app, &interview, &scene.manager, FeedbackState::Waived);
        let account = json!({"side": "candidate", "channel": "phone", "verbatim": false, "narrative": "It was short.", "submit": true});
        ann.made(&format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap()), account).await;
        // Without the one who has not answered the client's side is waived, and so all is in.
        ann.patch(&path, json!({"contact_ids": [scene.manager]})).await.expect(200);
        let debrief = debrief_of(&app, &interview);
        assert_eq!((debrief.client_side, debrief.state), (SideStatus::Waived, DebriefState::Ready));
        ann.patch(&path, json!({"contact_ids": [scene.manager, scene.peer]})).await.expect(200);
        let debrief = debrief_of(&app, &interview);
        assert_eq!((debrief.client_side, debrief.state), (SideStatus::Missing, DebriefState::Open));
    }

    async fn an_interview_with_accounts_is_not_deleted(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        set_state(&app, &interview, &scene.manager, FeedbackState::Draft);
        ann.delete(&path).await.problem(409, "in_use");
        set_state(&app, &interview, &scene.manager, FeedbackState::Requested);
        ann.delete(&path).await.expect(204);
        let debrief = debrief_of(&app, &interview);
        assert_eq!((debrief.deleted_at.map(|at| at.to_string()), debrief.version), (Some("2026-11-20T12:00:00Z".into()), 2));
        assert_eq!(history(&app, &interview)[3..], ["interview.deleted", "debrief.deleted"]);
    }

    async fn a_cancelled_debrief_tells_its_interview(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let debrief = debrief_of(&app, &interview);
        let system = Principal::system(app.agency());
        let call_off = |tx: &mut Tx<'_>| interviews::call_off(tx, &system, debrief.interview_id, debrief.id, CancelReason::NoShow);
        app.context.store.write(call_off).unwrap();
        let told = ann.get(&format!("/v1/interviews/{}", id(&interview))).await.expect(200);
        assert_eq!((&told["status"], &told["version"]), (&json!("no_show"), &json!(2)));
        assert!(matches!(app.context.store.write(call_off), Err(AppError::Transition(_))));
    }
}

fn debrief_of(app: &TestApp, interview: &Value) -> Debrief {
    let debrief = interview["debrief_id"].as_str().unwrap().parse().unwrap();
    let agency = app.agency();
    app.context.store.read(|conn| Ok::<_, AppError>(debriefs::find(conn, agency, debrief)?)).unwrap().unwrap()
}

/// Changes the debrief behind the service's back.
fn change(app: &TestApp, interview: &Value, change: impl FnOnce(&mut Debrief)) {
    let mut debrief = debrief_of(app, interview);
    change(&mut debrief);
    let written =
        app.context.store.write(|tx| Ok::<_, AppError>(debriefs::update(tx, &debrief, debrief.version)?));
    assert!(written.unwrap());
}

fn accounts(app: &TestApp, interview: &Value) -> Vec<FeedbackRow> {
    let debrief = debrief_of(app, interview).id;
    let rows = feedback::table.filter(feedback::debrief_id.eq(debrief)).select(FeedbackRow::as_select());
    app.context.store.read(|conn| Ok::<_, AppError>(rows.load(conn)?)).unwrap()
}

/// The contacts whose accounts there are.
fn asked(accounts: &[FeedbackRow]) -> Vec<String> {
    let mut contacts: Vec<String> =
        accounts.iter().filter_map(|account| account.contact_id).map(|contact| contact.to_string()).collect();
    contacts.sort();
    contacts
}

fn sorted(ids: [&String; 2]) -> Vec<String> {
    let mut ids = ids.map(Clone::clone);
    ids.sort();
    ids.to_vec()
}

/// Puts a contact's account into a state behind the service's back.
fn set_state(app: &TestApp, interview: &Value, contact: &str, state: FeedbackState) {
    let debrief = debrief_of(app, interview).id;
    let contact: ContactId = contact.parse().unwrap();
    let theirs =
        feedback::table.filter(feedback::debrief_id.eq(debrief)).filter(feedback::contact_id.eq(contact));
    let changed = app.context.store.write(|tx| {
        Ok::<_, AppError>(diesel::update(theirs).set(feedback::state.eq(state)).execute(&mut **tx)?)
    });
    assert_eq!(changed.unwrap(), 1);
}

/// What happened in the debrief of an interview, in order.
fn history(app: &TestApp, interview: &Value) -> Vec<String> {
    let debrief = debrief_of(app, interview).id;
    let types =
        events::table.filter(events::debrief_id.eq(debrief)).order(events::seq).select(events::event_type);
    app.context.store.read(|conn| Ok::<_, AppError>(types.load(conn)?)).unwrap()
}

/// The reasons that were given for what happened.
fn reasons(app: &TestApp, interview: &Value) -> Vec<String> {
    let debrief = debrief_of(app, interview).id;
    let given = events::table
        .filter(events::debrief_id.eq(debrief))
        .filter(events::reason.is_not_null())
        .select(events::reason.assume_not_null());
    app.context.store.read(|conn| Ok::<_, AppError>(given.load(conn)?)).unwrap()
}

fn open_due(app: &TestApp) -> usize {
    app.context.store.write(|tx| lifecycle::open_due(tx, 100)).unwrap()
}
