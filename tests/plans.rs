//! With a hundred thousand debriefs, no list and no worklist reads a whole table, on either
//! database: asked of the databases themselves, about the statements that the service runs.

mod records;
mod relay;

use debrief::store::connection::DbConn;
use debrief::store::pool::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::json;

use crate::support::{Caller, Database, Desk, TestApp, id};
use records::{Records, fill};
use relay::{at_address, claim_all};

/// Every list there is, with every filter that it has, alone and as a recruiter would combine them.
fn lists(records: &Records) -> Vec<String> {
    let mut lists = Vec::new();
    for noun in ["clients", "contacts", "candidates", "job-orders", "interviews"] {
        lists.push(format!("/v1/{noun}"));
        lists.push(format!("/v1/{noun}?updated_since=2026-11-01T00:00:00Z&include_deleted=true"));
    }
    for noun in ["clients", "candidates"] {
        lists.push(format!("/v1/{noun}?q=name+4711"));
    }
    lists.push("/v1/candidates?q=name".to_owned());
    let Records {
        client,
        contact,
        candidate,
        job_order,
        recruiter,
        debrief,
        delivery,
        feedback,
        note,
        endpoint,
    } = records;
    lists.extend([
        format!("/v1/contacts?client_id={client}"),
        format!("/v1/job-orders?client_id={client}"),
        "/v1/job-orders?status=filled".to_owned(),
        format!("/v1/interviews?candidate_id={candidate}"),
        format!("/v1/interviews?job_order_id={job_order}"),
        format!("/v1/interviews?client_id={client}"),
        format!("/v1/interviews?contact_id={contact}"),
        "/v1/interviews?status=cancelled".to_owned(),
        "/v1/users".to_owned(),
        "/v1/api-clients".to_owned(),
        "/v1/events".to_owned(),
        "/v1/events?types=note.sent".to_owned(),
        "/v1/events?types=note.sent,client.created".to_owned(),
        "/v1/imports".to_owned(),
        "/v1/exports/feedback?updated_since=2026-11-18T12:00:00Z".to_owned(),
        "/v1/webhook-endpoints".to_owned(),
        format!("/v1/webhook-endpoints/{endpoint}/deliveries"),
        format!("/v1/webhook-endpoints/{endpoint}/deliveries?state=failed"),
        "/v1/notes".to_owned(),
        "/v1/notes?state=submitted".to_owned(),
        "/v1/notes?delivery_state=failed".to_owned(),
        "/v1/notes?updated_since=2026-11-01T00:00:00Z".to_owned(),
        format!("/v1/notes?contact_id={contact}"),
        format!("/v1/deliveries/{delivery}/attempts"),
        format!("/v1/feedback/{feedback}/revisions"),
        "/v1/retry-requests".to_owned(),
        "/v1/retry-requests?updated_since=2026-11-01T00:00:00Z".to_owned(),
        "/v1/retry-requests?state=put_to_client".to_owned(),
        format!("/v1/retry-requests?client_id={client}"),
        format!("/v1/debriefs/{debrief}"),
        format!("/v1/debriefs/{debrief}/comparison"),
        format!("/v1/debriefs/{debrief}/call-sheet"),
        format!("/v1/notes/{note}/review"),
        format!("/v1/debriefs/{debrief}/history"),
        format!("/v1/debriefs/{debrief}/activities"),
    ]);
    lists.extend(lists_of_few_debriefs(records));
    let filters = [
        String::new(),
        "state=open".to_owned(),
        format!("client_id={client}"),
        format!("candidate_id={candidate}"),
        format!("job_order_id={job_order}"),
        format!("contact_id={contact}"),
        format!("recruiter_id={recruiter}"),
        "overdue=true".to_owned(),
        "overdue=false".to_owned(),
        "missing=candidate_feedback".to_owned(),
        "missing=client_feedback".to_owned(),
        "missing=note".to_owned(),
        "note_late=hour".to_owned(),
        "note_unconfirmed=true".to_owned(),
        "note_unconfirmed=false".to_owned(),
        "interviewed_from=2026-10-01T00:00:00Z&interviewed_to=2026-10-08T00:00:00Z".to_owned(),
        "updated_since=2026-11-01T00:00:00Z".to_owned(),
        "q=name+4711".to_owned(),
        "q=name".to_owned(),
        format!("client_id={client}&state=closed&missing=note"),
        format!("recruiter_id={recruiter}&overdue=true"),
    ];
    for filter in filters {
        for sort in ["interviewed_at", "-interviewed_at", "due_at", "-due_at"] {
            lists.push(format!("/v1/debriefs?{filter}&sort={sort}").replace("?&", "?"));
        }
    }
    lists
}

/// The lists of what belongs to a few debriefs.
fn lists_of_few_debriefs(records: &Records) -> Vec<String> {
    let Records { client, candidate, debrief, .. } = records;
    let filters = [
        format!("notes?client_id={client}"),
        format!("notes?candidate_id={candidate}"),
        format!("notes?debrief_id={debrief}"),
        format!("retry-requests?candidate_id={candidate}"),
        format!("retry-requests?debrief_id={debrief}"),
    ];
    let lists = filters.iter().map(|filter| {
        [String::new(), "&updated_since=2026-11-01T00:00:00Z".to_owned()]
            .map(|since| format!("/v1/{filter}{since}"))
    });
    lists.flatten().collect()
}

async fn read_all(caller: &Caller, lists: &[String]) {
    for list in lists {
        let answer = caller.get(list).await;
        assert_eq!(answer.status.as_u16(), 200, "{list}: {:#}", answer.body);
        // The second page goes another way into the index than the first.
        if let Some(cursor) = answer.body["next_cursor"].as_str() {
            let path = list.split('?').next().unwrap();
            caller.get(&format!("{path}?cursor={cursor}")).await.expect(200);
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// SQLite's plans of some statements.
fn explained<'a>(app: &TestApp, statements: &'a [String]) -> Vec<(&'a String, Vec<Step>)> {
    app.context
        .store
        .read(|conn| {
            let DbConn::Sqlite(conn) = conn else { unreachable!() };
            let plan = |sql| Ok((sql, diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(conn)?));
            statements.iter().map(plan).collect::<Result<_, StoreError>>()
        })
        .unwrap()
}

#[actix_web::test]
async fn sqlite_scans_no_table() {
    let app = TestApp::start(Database::sqlite()).await;
    let manager = app.user(debrief::domain::people::Role::Admin).await;
    let records = fill(&app);
    app.database().take_statements();
    read_all(&manager, &lists(&records)).await;

    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.trim_start().to_ascii_uppercase().starts_with("SELECT"));
    statements.sort_unstable();
    statements.dedup();
    assert!(statements.len() > 40, "only {} statements were seen", statements.len());
    let mut scans = Vec::new();
    for (sql, plan) in explained(&app, &statements) {
        let scan = |step: &&Step| step.detail.starts_with("SCAN ") && !is_small(&step.detail);
        scans.extend(plan.iter().filter(scan).map(|step| format!("{}: {sql}", step.detail)));
    }
    assert!(scans.is_empty(), "{}", scans.join("\n"));
}

#[actix_web::test]
async fn sqlite_finds_what_belongs_to_few_debriefs_by_them() {
    let app = TestApp::start(Database::sqlite()).await;
    let manager = app.user(debrief::domain::people::Role::Admin).await;
    app.database().take_statements();
    read_all(&manager, &lists_of_few_debriefs(&Records::known())).await;
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains("`updated_at`") && sql.contains("LIMIT"));
    assert_eq!(statements.len(), 10, "{statements:#?}");
    for (sql, plan) in explained(&app, &statements) {
        let found = plan.iter().any(|step| step.detail.contains("_by_debrief (debrief_id=?"));
        assert!(found, "{}: {sql}", plan[0].detail);
    }
}

#[actix_web::test]
async fn sqlite_finds_the_interviews_of_a_client_by_the_client() {
    let app = TestApp::start(Database::sqlite()).await;
    let manager = app.user(debrief::domain::people::Role::Admin).await;
    let client = Records::known().client;
    app.database().take_statements();
    for since in ["", "&updated_since=2026-11-01T00:00:00Z"] {
        manager.get(&format!("/v1/interviews?client_id={client}{since}")).await.expect(200);
    }
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains("`interviews`") && sql.contains("LIMIT"));
    assert_eq!(statements.len(), 2, "{statements:#?}");
    for (sql, plan) in explained(&app, &statements) {
        assert!(plan[0].detail.contains("debriefs_by_client (client_id=?"), "{}: {sql}", plan[0].detail);
    }
}

#[actix_web::test]
async fn sqlite_goes_on_in_the_feed_where_it_was() {
    let app = TestApp::start(Database::sqlite()).await;
    let admin = app.user(debrief::domain::people::Role::Admin).await;
    let first = admin.get("/v1/events?limit=1").await.expect(200);
    app.database().take_statements();
    let after = first["data"][0]["id"].as_str().unwrap();
    admin.get(&format!("/v1/events?after={after}")).await.expect(200);
    app.context.store.read(debrief::app::webhook_deliveries::with_news).unwrap();
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains("events") && sql.contains("xact") && sql.contains('>'));
    assert_eq!(statements.len(), 2, "{statements:#?}");
    for (sql, plan) in explained(&app, &statements) {
        let goes_on = "events_in_order (agency_id=? AND xact=? AND seq>?)";
        assert!(
            plan.iter().any(|step| step.detail.contains(goes_on)),
            "{sql}: {}",
            plan.last().unwrap().detail
        );
    }
}

#[actix_web::test]
async fn sqlite_follows_rare_events_along_their_type() {
    let app = TestApp::start(Database::sqlite()).await;
    let admin = app.user(debrief::domain::people::Role::Admin).await;
    let first = admin.get("/v1/events?limit=1").await.expect(200);
    app.database().take_statements();
    let after = first["data"][0]["id"].as_str().unwrap();
    admin.get(&format!("/v1/events?after={after}&types=note.sent,note.failed")).await.expect(200);
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains("LIMIT") && sql.contains("seq") && sql.contains("`type` ="));
    assert_eq!(statements.len(), 2, "{statements:#?}");
    for (sql, plan) in explained(&app, &statements) {
        let along = "events_by_type (agency_id=? AND type=? AND xact=? AND seq>?)";
        assert!(
            plan.iter().any(|step| step.detail.contains(along)),
            "{sql}: {}",
            plan.last().unwrap().detail
        );
    }
}

/// What may be read whole: the one agency, and the rows of a subquery, which were found by an index.
fn is_small(detail: &str) -> bool {
    ["SCAN CONSTANT ROW", "SCAN found", "SCAN (subquery", "SCAN SUBQUERY", "SCAN agencies"]
        .iter()
        .any(|start| detail.starts_with(start))
}

#[derive(QueryableByName, PartialEq, Eq, Debug)]
struct Scans {
    #[diesel(sql_type = Text)]
    relname: String,
    #[diesel(sql_type = BigInt)]
    seq_scan: i64,
}

/// Sequential scans of each table with more than a page or two of rows.
fn scans(app: &TestApp) -> Vec<Scans> {
    app.context
        .store
        .read(|conn| {
            let DbConn::Postgres(conn) = conn else { unreachable!() };
            let query =
                "SELECT relname::text, seq_scan FROM pg_stat_user_tables WHERE n_live_tup > 500 ORDER BY 1";
            Ok::<_, StoreError>(diesel::sql_query(query).load(conn)?)
        })
        .unwrap()
}

#[actix_web::test]
async fn postgres_scans_no_table() {
    let Some(database) = Database::postgres() else { return };
    let app = TestApp::start(database).await;
    let manager = app.user(debrief::domain::people::Role::Admin).await;
    let records = fill(&app);
    // What a connection counted is published once it is idle for a moment, or asked to.
    let settle = || std::thread::sleep(std::time::Duration::from_millis(1500));
    settle();
    let before = scans(&app);
    assert!(before.len() > 8, "{before:?}");
    read_all(&manager, &lists(&records)).await;
    claim_all(&app);
    app.context.store.write(|tx| at_address(&app, tx)).unwrap();
    manager.get("/metrics").await.expect(200);
    settle();
    // Any use of a connection publishes what it counted.
    for _ in 0..4 {
        manager.get("/v1/me").await.expect(200);
    }
    settle();
    assert_eq!(scans(&app), before);
}

/// What a recruiter does with one debrief is found by that debrief, or whatever else it names. An agency has
/// far more of everything, and SQLite without statistics thinks of it as equally few.
#[actix_web::test]
async fn sqlite_walks_through_no_agency_for_one_debrief() {
    let app = TestApp::start(Database::sqlite()).await;
    app.database().take_statements();
    let desk = Desk::set(&app).await;
    let debrief = format!("/v1/debriefs/{}", desk.debrief);
    let account = json!({"side": "candidate", "channel": "phone", "verbatim": false, "narrative": "It was short.",
        "submit": true, "points": [{"kind": "slip", "what": "Came late."}]});
    let account = desk.ann.made(&format!("{debrief}/feedback"), account).await;
    let path = format!("/v1/feedback/{}", id(&account));
    desk.ann.at(&account["version"]).patch(&path, json!({"points": []})).await.expect(200);
    let retry = json!({"grounds": "nerves", "what_would_differ": "Calm.", "candidate_words": "Once more."});
    desk.ann.made(&format!("{debrief}/retry-requests"), retry).await;
    let note = desk.approved(&[&desk.scene.manager]).await;
    desk.act(&note, "recall", json!({})).await.expect(200);
    for part in ["", "/comparison", "/call-sheet", "/history", "/activities"] {
        desk.ann.get(&format!("{debrief}{part}")).await.expect(200);
    }
    let mut statements = app.database().take_statements();
    let verbs = ["SELECT", "UPDATE", "DELETE"];
    statements.retain(|sql| verbs.iter().any(|verb| sql.trim_start().starts_with(verb)));
    statements.sort_unstable();
    statements.dedup();
    assert!(statements.len() > 30, "only {} statements were seen", statements.len());
    let mut walks = Vec::new();
    for (sql, plan) in explained(&app, &statements) {
        let is_walk = |detail: &str| detail.ends_with("(agency_id=?)") && !detail.contains(" mail_domains ");
        let walk = |step: &&Step| is_walk(&step.detail);
        walks.extend(plan.iter().filter(walk).map(|step| format!("{}: {sql}", step.detail)));
    }
    assert!(walks.is_empty(), "{}", walks.join("\n"));
}
