//! The worklist: every filter, every order, page by page.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use debrief::app::notes;
use debrief::auth::caller::Caller as Principal;
use debrief::domain::clock::Clock;
use debrief::domain::debrief::{DebriefState, Missing};
use debrief::domain::ids::{Id, Kind, kinds};
use debrief::domain::people::Role;
use debrief::store::candidates::Candidate;
use debrief::store::names;
use debrief::store::pool::StoreError;
use debrief::store::worklist::{self, SortKey, WorklistFilters, WorklistPage};
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};

use super::deliveries::unconfirmed;
use crate::support::{Caller, Database, Desk, Scene, id, on_both};

/// The ids of the debriefs on every page of a list, `limit` at a time.
async fn listed(caller: &Caller, query: &str, limit: usize) -> Vec<String> {
    let (mut ids, mut path) = (vec![], format!("/v1/debriefs?limit={limit}&{query}"));
    loop {
        let page = caller.get(&path).await.expect(200);
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= limit);
        ids.extend(rows.iter().map(id));
        let Some(cursor) = page["next_cursor"].as_str() else { return ids };
        path = format!("/v1/debriefs?limit={limit}&cursor={cursor}");
    }
}

async fn debrief_of(caller: &Caller, body: Value) -> String {
    caller.made("/v1/interviews", body).await["debrief_id"].as_str().unwrap().to_owned()
}

fn at(starts_at: &str, ends_at: &str) -> Value {
    json!({"starts_at": starts_at, "ends_at": ends_at})
}

on_both! {
    async fn a_row_shows_what_a_worklist_needs(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let debrief = debrief_of(&ann, scene.past(json!({}))).await;
        let (statements, page) = app.statements(ann.get("/v1/debriefs")).await;
        assert_eq!(statements, 2);
        let row = page.expect(200)["data"][0].clone();
        assert_eq!(row["id"], debrief);
        assert_eq!(row["candidate"], json!({"id": scene.candidate, "name": "Tomás Herrera", "time_zone": "Europe/Berlin"}));
        assert_eq!(row["client"], json!({"id": scene.client, "name": "Nordwind Logistics"}));
        assert_eq!(row["job_order"], json!({"id": scene.order, "title": "Shift lead"}));
        assert_eq!(row["recruiter"]["name"], "Test recruiter");
        assert_eq!(row["contacts"], json!([{"id": scene.manager, "name": "Ines Okafor"}, {"id": scene.peer, "name": "Jens Brandt"}]));
        let told: Vec<&Value> = ["state", "outcome", "candidate_side", "client_side", "candidate_overall", "client_overall", "retry_state", "note_state", "overdue"].iter().map(|name| &row[name]).collect();
        assert_eq!(json!(told), json!(["open", null, "missing", "missing", null, null, null, null, false]));
        assert_eq!((&row["interviewed_at"], &row["due_at"], &row["version"]), (&json!("2026-11-20T10:00:00Z"), &json!("2026-11-20T22:59:59.999999Z"), &json!(1)));
        let eve = app.stranger(Role::Admin).await;
        assert_eq!(eve.get("/v1/debriefs").await.expect(200), json!({"data": [], "next_cursor": null}));
    }

    async fn a_doubt_about_an_email_shows_until_somebody_decides(app: TestApp) {
        let desk = Desk::set(&app).await;
        debrief_of(&desk.ann, desk.scene.past(json!({}))).await;
        let doubted = async || {
            let page = |filter: &str| { let (ann, filter) = (desk.ann.clone(), filter.to_owned()); async move {
                let page = ann.get(&format!("/v1/debriefs?{filter}")).await.expect(200);
                page["data"].as_array().unwrap().iter().map(|row| row["note_unconfirmed"].as_bool().unwrap()).collect::<Vec<_>>()
            } };
            let whole = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200);
            (page("note_unconfirmed=true").await, page("note_unconfirmed=false").await, whole["note_unconfirmed"].as_bool().unwrap())
        };
        assert_eq!(doubted().await, (vec![], vec![false, false], false));
        let (_, delivery) = unconfirmed(&app, &desk).await;
        assert_eq!(doubted().await, (vec![true], vec![false], true));
        desk.ann.post(&format!("/v1/deliveries/{delivery}/resolve"), json!({"resolution": "sent"})).await.expect(200);
        assert_eq!(doubted().await, (vec![], vec![false, false], false));
    }

    async fn every_filter_lets_through_what_it_says(app: TestApp) {
        let (ann, bob) = (app.recruiter().await, app.user(Role::Manager).await);
        let (here, there) = (Scene::set(&ann).await, Scene::set(&ann).await);
        ann.patch(&format!("/v1/clients/{}", there.client), json!({"name": "Südwind"})).await.expect(200);
        ann.patch(&format!("/v1/candidates/{}", there.candidate), json!({"name": "Zoë Weiß"})).await.expect(200);
        let late = debrief_of(&ann, here.past(at("2026-11-18T10:00:00Z", "2026-11-18T11:00:00Z"))).await;
        let today = debrief_of(&ann, here.past(json!({"contact_ids": [here.peer]}))).await;
        let theirs = debrief_of(&bob, there.past(at("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"))).await;
        let to_come = debrief_of(&bob, there.to_come(json!({}))).await;
        let done = debrief_of(&bob, there.past(at("2026-11-10T08:00:00Z", "2026-11-10T09:00:00Z"))).await;
        bob.at(&json!(1)).post(&format!("/v1/debriefs/{done}/close"), json!({"outcome": "reject"})).await.expect(200);
        for (account, side) in [(&today, json!({"side": "candidate"})), (&theirs, json!({"side": "client", "contact_id": there.peer}))] {
            let mut body = json!({"channel": "phone", "verbatim": false, "narrative": "So it went.", "submit": true});
            json_patch::merge(&mut body, &side);
            bob.made(&format!("/v1/debriefs/{account}/feedback"), body).await;
        }
        let note = json!({"contact_ids": [here.manager], "subject": "Thank you", "body": "Thank you."});
        let (system, of) = (Principal::system(app.agency()), late.parse().unwrap());
        app.context.store.write(|tx| notes::create(tx, &system, of, serde_json::from_value(note).unwrap())).unwrap();

        let recruiter = bob.get(&format!("/v1/debriefs/{theirs}")).await.expect(200)["recruiter_id"].as_str().unwrap().to_owned();
        for (query, expected) in [
            (String::new(), vec![&to_come, &today, &theirs, &late, &done]),
            ("state=open".into(), vec![&today, &theirs, &late]),
            ("state=closed".into(), vec![&done]),
            ("state=cancelled".into(), vec![]),
            (format!("client_id={}", here.client), vec![&today, &late]),
            (format!("candidate_id={}", there.candidate), vec![&to_come, &theirs, &done]),
            (format!("job_order_id={}", here.order), vec![&today, &late]),
            (format!("contact_id={}", here.manager), vec![&late]),
            (format!("contact_id={}&state=open", here.peer), vec![&today, &late]),
            (format!("recruiter_id={recruiter}"), vec![&to_come, &theirs, &done]),
            (format!("recruiter_id={recruiter}&sort=due_at"), vec![&done, &theirs, &to_come]),
            ("overdue=true".into(), vec![&late]),
            ("overdue=false".into(), vec![&to_come, &today, &theirs, &done]),
            ("missing=candidate_feedback".into(), vec![&theirs, &late]),
            ("missing=client_feedback".into(), vec![&today, &late]),
            ("missing=note".into(), vec![&today, &theirs]),
            ("missing=note&overdue=true".into(), vec![]),
            ("interviewed_from=2026-11-20T08:00:00Z&interviewed_to=2026-11-20T10:00:00Z".into(), vec![&theirs]),
            ("interviewed_to=2026-11-18T10:00:00.000001Z&sort=-due_at".into(), vec![&late, &done]),
            ("q=zoe%20w".into(), vec![&to_come, &theirs, &done]),
            ("q=SUDWIND&state=closed".into(), vec![&done]),
            ("q=nord".into(), vec![&today, &late]),
            ("q=nobody".into(), vec![]),
            ("sort=interviewed_at".into(), vec![&done, &late, &theirs, &today, &to_come]),
        ] {
            let expected: Vec<&str> = expected.into_iter().map(String::as_str).collect();
            assert_eq!(listed(&ann, &query, 200).await, expected, "{query}");
            assert_eq!(listed(&ann, &query, 1).await, expected, "{query}");
        }
        let (statements, page) = app.statements(ann.get("/v1/debriefs?q=wind&sort=due_at")).await;
        assert_eq!((statements, page.expect(200)["data"].as_array().unwrap().len()), (4, 5));
    }

    async fn wrong_filters_are_named(app: TestApp) {
        let ann = app.recruiter().await;
        let faults = ann.get("/v1/debriefs?state=done&client_id=con_x&overdue=maybe&missing=tea&sort=name&interviewed_from=now&since=1").await.faults();
        assert_eq!(faults, ["since unknown_parameter", "client_id invalid_id", "interviewed_from invalid_format", "missing unknown_word", "overdue wrong_type", "sort unknown_word", "state unknown_word"]);
    }

    async fn pages_make_up_the_whole_list_in_every_order(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let mut made = vec![];
        for i in 0..11 {
            // Some begin at one time, and some fall on one day.
            let day = 1 + i % 4;
            let hour = 8 + i % 3;
            let times = at(&format!("2026-11-0{day}T{hour:02}:00:00Z"), &format!("2026-11-0{day}T{:02}:00:00Z", hour + 1));
            made.push(debrief_of(&ann, scene.past(times)).await);
            app.clock.advance(TimeDelta::seconds(i64::from(i % 2)));
        }
        made.sort();
        for sort in ["sort=interviewed_at", "sort=-interviewed_at", "sort=due_at", "sort=-due_at", "updated_since=2026-11-01T00:00:00Z", "overdue=true&sort=due_at", "missing=note", "q=herrera"] {
            let whole = listed(&ann, sort, 200).await;
            let mut sorted = whole.clone();
            sorted.sort();
            assert_eq!(sorted, made, "{sort}");
            for limit in [1, 2, 3, 5, 10, 11] {
                assert_eq!(listed(&ann, sort, limit).await, whole, "{sort} by {limit}");
            }
        }
        let (mut up, down) = (listed(&ann, "sort=due_at", 4).await, listed(&ann, "sort=-due_at", 4).await);
        up.reverse();
        assert_eq!(up, down);
    }

    async fn who_syncs_sees_changes_in_their_order_and_tombstones(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        let gone = interview["debrief_id"].as_str().unwrap().to_owned();
        let first = debrief_of(&ann, scene.past(json!({}))).await;
        let other = debrief_of(&ann, scene.to_come(json!({}))).await;
        app.clock.advance(TimeDelta::minutes(1));
        ann.at(&json!(1)).post(&format!("/v1/debriefs/{other}/cancel"), json!({"reason": "cancelled"})).await.expect(200);
        app.clock.advance(TimeDelta::minutes(1));
        ann.at(&json!(1)).post(&format!("/v1/debriefs/{first}/close"), json!({"outcome": "hold"})).await.expect(200);
        app.clock.advance(TimeDelta::minutes(1));
        ann.delete(&format!("/v1/interviews/{}", id(&interview))).await.expect(204);
        assert_eq!(listed(&ann, "updated_since=2026-11-20T12:01:00Z", 1).await, [&*other, &*first]);
        assert_eq!(listed(&ann, "updated_since=2026-11-20T12:01:00Z&include_deleted=true", 1).await, [other, first.clone(), gone]);
        assert_eq!(listed(&ann, "updated_since=2026-11-20T12:01:30Z", 1).await, [first]);
    }

    async fn many_names_are_found_in_one_look(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let debrief = debrief_of(&ann, scene.past(json!({}))).await;
        for i in 0..101 {
            ann.made("/v1/candidates", json!({"name": format!("Ana Ana {i}"), "time_zone": "Europe/Berlin"})).await;
        }
        ann.patch(&format!("/v1/candidates/{}", scene.candidate), json!({"name": "Anatol"})).await.expect(200);
        assert_eq!(listed(&ann, "q=an", 50).await, [&*debrief]);
        assert_eq!(listed(&ann, "q=ana%20ana%201", 50).await, [""; 0]);
    }
}

/// What SQLite says of how it finds a page of the worklist.
fn plan(database: &Database, filters: &WorklistFilters, key: SortKey) -> String {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let clock = Clock::manual(Default::default());
    let (store, statements) = (database.open(clock.clone()), Arc::new(Mutex::new(Vec::new())));
    let page = WorklistPage { key, descending: true, after: None, limit: 51, now: clock.now().into() };
    let seen = statements.clone();
    store
        .write(|tx| {
            Ok::<_, StoreError>(names::replace(
                tx,
                some(),
                Candidate::KIND,
                some::<kinds::Candidate>(),
                "Ana",
            )?)
        })
        .unwrap();
    let steps = store.read(|conn| {
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                seen.lock().unwrap().push(query.to_string());
            }
        });
        worklist::list(conn, some(), filters, &page)?;
        let ran = statements.lock().unwrap().last().unwrap().split(" -- binds").next().unwrap().to_owned();
        Ok::<_, StoreError>(diesel::sql_query(format!("EXPLAIN QUERY PLAN {ran}")).load::<Step>(conn)?)
    });
    let steps: Vec<String> = steps.unwrap().into_iter().map(|step| step.detail).collect();
    // What comes after the list of ids is the same for every page.
    steps.join("; ")
}

fn some<K: Kind>() -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(7))
}

#[test]
fn no_page_is_found_by_walking_through_the_whole_agency() {
    let database = Database::sqlite();
    let none = WorklistFilters::default;
    let state = |state| WorklistFilters { state: Some(state), ..none() };
    let client = WorklistFilters { client_id: Some(some()), ..none() };
    let recruiter = WorklistFilters { recruiter_id: Some(some()), state: Some(DebriefState::Open), ..none() };
    let contact = WorklistFilters { contact_id: Some(some()), ..none() };
    let missing = WorklistFilters { missing: Some(Missing::CandidateFeedback), ..none() };
    let overdue = WorklistFilters { overdue: Some(true), ..none() };
    let named = WorklistFilters { named: Some(("a".to_owned(), "b".to_owned())), ..none() };
    let since = WorklistFilters { updated_since: Some(Clock::system().now().into()), ..none() };
    let (by_interview, by_due) = (SortKey::InterviewedAt, SortKey::DueAt);
    for (filters, key, index) in [
        (none(), by_interview, "debriefs_by_interview_time (agency_id=?)"),
        (none(), by_due, "debriefs_by_due_time (agency_id=?)"),
        (since, SortKey::UpdatedAt, "debriefs_by_update (agency_id=? AND updated_at>?)"),
        (state(DebriefState::Closed), by_interview, "debriefs_by_interview_time (agency_id=?)"),
        (state(DebriefState::Ready), by_interview, "debriefs_by_state (agency_id=? AND state=?)"),
        (overdue.clone(), by_interview, "debriefs_by_state (agency_id=? AND state=? AND due_at<?)"),
        (overdue, by_due, "debriefs_by_state (agency_id=? AND state=? AND due_at<?)"),
        (missing, by_interview, "debriefs_by_state (agency_id=? AND state=?)"),
        (client.clone(), by_interview, "debriefs_by_client (client_id=?)"),
        (client, by_due, "debriefs_by_client (client_id=?)"),
        (recruiter, by_interview, "debriefs_by_state (agency_id=? AND state=?)"),
        (contact, by_interview, "(interview_id=?)"),
        (named, by_interview, "debriefs_by_candidate (candidate_id=?)"),
    ] {
        let plan = plan(&database, &filters, key);
        assert!(plan.contains(index), "{filters:?} by {key:?}: {plan}");
        assert!(!plan.contains("SCAN"), "{filters:?} by {key:?}: {plan}");
    }
}
