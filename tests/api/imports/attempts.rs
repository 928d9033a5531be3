//! Attempts that come to nothing: of a process that died, of a row that breaks, of a database that is busy.

use chrono::TimeDelta;
use debrief::app::imports;
use debrief::domain::ids::ImportId;
use debrief::store::pool::{Location, Tx};
use serde_json::{Value, json};

use super::{send, work_off};
use crate::support::{Caller, TestApp, id, on_both};

const ROWS: &str = "name\nNordwind\nSüdwind\nWestwind\n";

/// More often than an import may break.
const OFTEN: usize = 8;

/// An import of three clients that nobody works off yet.
async fn queued(ann: &Caller) -> (ImportId, String) {
    let import = send(&ann.with("Prefer", "respond-async"), "clients", "text/csv", ROWS).await.expect(202);
    (id(&import).parse().unwrap(), format!("/v1/imports/{}", id(&import)))
}

/// Begins to work rows off, and says no more of it. Answers whether it was let.
async fn die_at(app: &TestApp, import: ImportId) -> bool {
    let agency = app.agency();
    app.context.write(move |tx: &mut Tx<'_>| imports::begin(tx, agency, import)).await.unwrap().is_some()
}

/// Tries to work rows off, again and again, and each time later.
async fn try_often(app: &TestApp, import: ImportId) {
    for _ in 0..OFTEN {
        imports::advance(&app.context, app.agency(), import).await.unwrap();
        app.clock.advance(TimeDelta::seconds(31));
    }
}

async fn shown(ann: &Caller, path: &str) -> (Value, Value) {
    let import = ann.get(path).await.expect(200);
    (import["state"].clone(), import["rows_done"].clone())
}

on_both! {
    async fn a_row_that_kills_the_process_is_given_up(app: TestApp) {
        let ann = app.recruiter().await;
        let (import, path) = queued(&ann).await;
        for _ in 0..5 {
            assert!(die_at(&app, import).await);
            assert!(!die_at(&app, import).await, "it may be at it still");
            app.clock.advance(TimeDelta::seconds(11));
        }
        assert_eq!(shown(&ann, &path).await, (json!("queued"), json!(0)));
        imports::advance(&app.context, app.agency(), import).await.unwrap();
        assert_eq!(shown(&ann, &path).await, (json!("failed"), json!(0)));
        assert_eq!(ann.get(&path).await.expect(200)["reason"], "row 1 could not be worked off, for a reason on our side");
    }

    async fn after_a_death_it_goes_on_row_by_row(app: TestApp) {
        let ann = app.recruiter().await;
        let (import, path) = queued(&ann).await;
        assert!(die_at(&app, import).await);
        assert!(!imports::advance(&app.context, app.agency(), import).await.unwrap(), "not yet");
        app.clock.advance(TimeDelta::seconds(11));
        for done in 1..=2 {
            assert!(imports::advance(&app.context, app.agency(), import).await.unwrap());
            assert_eq!(shown(&ann, &path).await, (json!("running"), json!(done)));
        }
        assert!(imports::advance(&app.context, app.agency(), import).await.unwrap());
        assert_eq!(shown(&ann, &path).await, (json!("done"), json!(3)));
    }

    async fn a_busy_database_is_no_fault_of_the_rows(app: TestApp) {
        let ann = app.recruiter().await;
        let (import, path) = queued(&ann).await;
        app.script(
            "CREATE TRIGGER busy BEFORE INSERT ON clients BEGIN SELECT RAISE(ABORT, 'database is locked'); END",
            "CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END $$; \
             CREATE TRIGGER busy BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION busy()",
        );
        try_often(&app, import).await;
        assert_eq!(shown(&ann, &path).await, (json!("queued"), json!(0)));
        app.script("DROP TRIGGER busy", "DROP TRIGGER busy ON clients");
        work_off(&app).await;
        assert_eq!(shown(&ann, &path).await, (json!("done"), json!(3)));
    }

    async fn a_database_that_goes_away_costs_no_row(app: TestApp) {
        if matches!(app.context.store.location(), Location::Sqlite(_)) {
            return; // A file does not go away.
        }
        let ann = app.recruiter().await;
        let (import, path) = queued(&ann).await;
        app.script("", "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS \
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
            CREATE TRIGGER gone BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION gone()");
        try_often(&app, import).await;
        assert_eq!(shown(&ann, &path).await, (json!("queued"), json!(0)));
        app.script("", "DROP TRIGGER gone ON clients");
        work_off(&app).await;
        assert_eq!(shown(&ann, &path).await, (json!("done"), json!(3)));
    }
}
