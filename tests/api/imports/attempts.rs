//! Attempts that come to nothing: of a process that died, of a row that breaks, of a database that is busy.

use chrono::TimeDelta;
use debrief::app::imports;
use debrief::domain::ids::ImportId;
use debrief::store::pool::{Location, Tx};
use serde_json::{Value, json};

use super::{faults, send, statuses, work_off};
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
    async fn a_row_that_kills_the_process_is_passed_over(app: TestApp) {
        let ann = app.recruiter().await;
        let (import, path) = queued(&ann).await;
        for _ in 0..5 {
            assert!(die_at(&app, import).await);
            assert!(!die_at(&app, import).await, "it may be at it still");
            app.clock.advance(TimeDelta::seconds(11));
        }
        assert_eq!(shown(&ann, &path).await, (json!("queued"), json!(0)));
        imports::advance(&app.context, app.agency(), import).await.unwrap();
        assert_eq!(shown(&ann, &path).await, (json!("running"), json!(1)));
        work_off(&app).await;
        assert_eq!(shown(&ann, &path).await, (json!("done"), json!(3)));
        let results = ann.get(&format!("{path}/results")).await.expect(200);
        assert_eq!(statuses(results["data"].as_array().unwrap()), ["failed", "created", "created"]);
        assert_eq!(faults(&results["data"][0]), ["- internal"]);
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
        let refusals = [
            ("database is locked", "serialization_failure", "no"),
            ("database is locked", "lock_not_available", "canceling statement due to lock timeout"),
            ("database or disk is full", "disk_full", "could not extend file \"base/5/1\": No space left on device"),
        ];
        for (sqlite, code, postgres) in refusals {
            app.script(
                &format!("CREATE TRIGGER refused BEFORE INSERT ON clients BEGIN SELECT RAISE(ABORT, '{sqlite}'); END"),
                &format!("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN RAISE EXCEPTION '{postgres}' USING ERRCODE = '{code}'; END $$; \
                    CREATE TRIGGER refused BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION refuse()"),
            );
            let refused = ann.post("/v1/clients", json!({"name": "Ostwind"})).await;
            assert!(!refused.header("retry-after").is_empty());
            refused.problem(503, "unavailable");
            try_often(&app, import).await;
            assert_eq!(shown(&ann, &path).await, (json!("queued"), json!(0)));
            app.script("DROP TRIGGER refused", "DROP TRIGGER refused ON clients; DROP FUNCTION refuse()");
        }
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

    async fn a_row_that_breaks_is_tried_alone_and_passed_over(app: TestApp) {
        let ann = app.recruiter().await;
        let client = ann.put("/v1/clients/by-external-id/crm/2", json!({"name": "Südwind"})).await.expect(201);
        let later = ann.with("Prefer", "respond-async");
        let file = "external_id,name\n1,Nordwind\n2,Südwind AG\n3,Westwind\n";
        let import = send(&later, "clients&external_system=crm", "text/csv", file).await.expect(202);
        // A record that cannot be read: a fault of ours, and not of the row.
        let spoil = format!("UPDATE clients SET external_refs = '5' WHERE name = '{}'", client["name"].as_str().unwrap());
        app.script(&spoil, &spoil);
        let path = format!("/v1/imports/{}", id(&import));
        try_often(&app, id(&import).parse().unwrap()).await;
        assert_eq!(shown(&ann, &path).await, (json!("done"), json!(3)));
        let results = ann.get(&format!("{path}/results")).await.expect(200);
        assert_eq!(statuses(results["data"].as_array().unwrap()), ["created", "failed", "created"]);
        assert_eq!(faults(&results["data"][1]), ["- internal"]);
        let left = ann.get("/v1/clients?q=Westwind").await.expect(200);
        assert_eq!(left["data"].as_array().unwrap().len(), 1, "a row behind the broken one");
    }

    async fn a_long_import_does_not_keep_a_short_one_waiting(app: TestApp) {
        let ann = app.recruiter().await.with("Prefer", "respond-async");
        let mut waiting = Vec::new();
        for number in 0..11 {
            let rows: String = (0..if number == 10 { 1 } else { 300 }).map(|row| format!("Client {number} {row}\n")).collect();
            waiting.push(send(&ann, "clients", "text/csv", &format!("name\n{rows}")).await.expect(202));
            app.clock.advance(TimeDelta::milliseconds(1));
        }
        for _ in 0..2 {
            app.clock.advance(TimeDelta::seconds(1));
            imports::advance_all(&app.context).await.unwrap();
        }
        let short = ann.get(&format!("/v1/imports/{}", id(&waiting[10]))).await.expect(200);
        let long = ann.get(&format!("/v1/imports/{}", id(&waiting[0]))).await.expect(200);
        assert_eq!((&short["state"], &long["state"]), (&json!("done"), &json!("running")));
    }
}
