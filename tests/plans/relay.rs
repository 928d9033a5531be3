//! What the relay looks for, in a queue that may be long.

use std::sync::Arc;

use chrono::TimeDelta;
use debrief::app::AppError;
use debrief::app::deliveries::relay;
use debrief::domain::delivery::Room;
use debrief::domain::mailbox;
use debrief::store::correspondents;
use debrief::store::pool::Tx;

use super::explained;
use crate::support::{Database, Desk, TestApp};

#[actix_web::test]
async fn sqlite_finds_the_newest_deliveries_by_their_ids() {
    let app = TestApp::start(Database::sqlite()).await;
    app.database().take_statements();
    app.context.store.read(|conn| relay::lately_taken(conn, 9)).unwrap();
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains("`destination`"));
    assert_eq!(statements.len(), 1, "{statements:#?}");
    for (sql, plan) in explained(&app, &statements) {
        let steps: Vec<_> = plan.iter().map(|step| step.detail.as_str()).collect();
        assert_eq!(steps, ["SCAN deliveries USING INDEX sqlite_autoindex_deliveries_1"], "{sql}");
    }
}

/// What the relay looks for: what is due to anybody, and where there is no room for the others, to those who are
/// known to take messages.
pub fn claim_all(app: &TestApp) {
    let proven = Arc::new(["a.example", "b.example"].map(str::to_owned).into());
    for mut room in [Room::of(9), Room { unproven: 0, proven, ..Room::of(9) }] {
        let claim = |tx: &mut Tx<'_>| relay::claim(tx, "mx.example", TimeDelta::minutes(1), &mut room);
        app.context.store.write(claim).unwrap();
    }
}

#[actix_web::test]
async fn sqlite_finds_what_is_due_by_its_time() {
    let app = TestApp::start(Database::sqlite()).await;
    app.database().take_statements();
    claim_all(&app);
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains("`destination`"));
    assert_eq!(statements.len(), 2, "{statements:#?}");
    for (sql, plan) in explained(&app, &statements) {
        let steps: Vec<_> = plan.iter().map(|step| step.detail.as_str()).collect();
        assert_eq!(steps, ["SEARCH deliveries USING INDEX deliveries_due (next_attempt_at<?)"], "{sql}");
    }
}

/// SQLite's plans of those statements of some work that a word is in.
fn plans_of(
    app: &TestApp,
    word: &str,
    work: impl FnOnce(&mut Tx<'_>) -> Result<(), AppError>,
) -> Vec<String> {
    app.database().take_statements();
    app.context.store.write(work).unwrap();
    let mut statements = app.database().take_statements();
    statements.retain(|sql| sql.contains(word));
    let plans = explained(app, &statements);
    plans.into_iter().flat_map(|(_, plan)| plan).map(|step| step.detail).collect()
}

#[actix_web::test]
async fn sqlite_finds_what_stands_against_a_message_by_its_ids() {
    let app = TestApp::start(Database::sqlite()).await;
    let desk = Desk::set(&app).await;
    desk.approved(&[&desk.scene.manager]).await;
    app.clock.advance(TimeDelta::minutes(1));
    let claim = |tx: &mut Tx<'_>| relay::claim(tx, "mx.example", TimeDelta::minutes(1), &mut Room::of(9));
    let claims: Vec<_> = app.context.store.write(claim).unwrap().into_iter().map(|job| job.claim).collect();
    let plans = plans_of(&app, "`off_limits`", |tx| {
        assert_eq!(relay::pass_commit_points(tx, &claims)?.len(), 1);
        Ok(())
    });
    let mut plans: Vec<_> = plans.iter().filter(|step| !step.starts_with("USING")).collect();
    plans.sort_unstable();
    let by_id = |table| format!("SEARCH {table} USING INDEX sqlite_autoindex_{table}_1 (id=?)");
    assert_eq!(plans, ["contacts", "debriefs", "deliveries", "notes"].map(by_id).iter().collect::<Vec<_>>());
}

#[actix_web::test]
async fn sqlite_finds_who_has_an_address_by_it() {
    let app = TestApp::start(Database::sqlite()).await;
    let plans = plans_of(&app, "lower(", |tx| at_address(&app, tx));
    assert_eq!(plans, ["SEARCH contacts USING INDEX contacts_by_email (agency_id=? AND <expr>=?)"]);
}

#[actix_web::test]
async fn sqlite_counts_what_waits_and_what_is_in_doubt_in_their_indexes() {
    let app = TestApp::start(Database::sqlite()).await;
    let plans = plans_of(&app, "COUNT(", |tx| relay::backlog(tx).map(drop));
    let [waiting, in_doubt] = plans.as_slice() else { panic!("{plans:?}") };
    assert!(waiting.contains("INDEX deliveries_due (next_attempt_at>"), "{waiting}");
    assert!(in_doubt.ends_with("INDEX deliveries_unconfirmed"), "{in_doubt}");
}

/// Who has an address that nobody has.
pub fn at_address(app: &TestApp, tx: &mut Tx<'_>) -> Result<(), AppError> {
    let address = mailbox::spellings("c4711@client.example");
    Ok(correspondents::at_address(tx, app.agency(), &address).map(drop)?)
}
