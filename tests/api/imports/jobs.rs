//! Files that are worked off in the background, stopped, or sent again.

use serde_json::json;

use super::*;
use crate::support::on_both;

on_both! {
    async fn a_large_file_is_worked_off_by_a_job(app: TestApp) {
        let ann = app.recruiter().await;
        let rows: String = (1..=230).map(|i| if i % 100 == 7 { " \n".to_owned() } else { format!("Client {i}\n") }).collect();
        let later = ann.with("Prefer", "respond-async");
        let answer = send(&later, "clients", "text/csv", &format!("name\n{rows}")).await;
        assert_eq!(answer.header("preference-applied"), "respond-async");
        let path = answer.header("location");
        let import = answer.expect(202);
        assert_eq!((&import["state"], &import["rows_total"], &import["rows_done"]), (&json!("queued"), &json!(230), &json!(0)));
        assert_eq!(ann.get(&path).await.expect(200), import);
        let key: ImportId = id(&import).parse().unwrap();
        assert!(imports::advance(&app.context, app.agency(), key).await.unwrap());
        let half = ann.get(&path).await.expect(200);
        assert_eq!((&half["state"], &half["rows_done"], &half["rows_failed"]), (&json!("running"), &json!(100), &json!(1)));
        work_off(&app).await;
        let done = ann.get(&path).await.expect(200);
        assert_eq!((&done["state"], &done["rows_created"], &done["rows_failed"]), (&json!("done"), &json!(227), &json!(3)));
        let mut seen = Vec::new();
        let mut next = format!("{path}/results?limit=70");
        loop {
            let page = ann.get(&next).await.expect(200);
            seen.extend(page["data"].as_array().unwrap().iter().map(|result| result["row"].as_i64().unwrap()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("{path}/results?limit=70&cursor={cursor}");
        }
        assert_eq!(seen, (1..=230).collect::<Vec<i64>>());
        let failed = ann.get(&format!("{path}/results?failed=true&limit=2")).await.expect(200);
        assert_eq!((&failed["data"][0]["row"], &failed["data"][1]["row"]), (&json!(7), &json!(107)));
        let failed = ann.get(&format!("{path}/results?cursor={}", failed["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!((&failed["data"][0]["row"], &failed["next_cursor"]), (&json!(207), &json!(null)));
        assert_eq!(ann.get("/v1/imports?limit=1").await.expect(200)["data"], json!([done]));
        ann.post(&format!("{path}/cancel"), json!({})).await.problem(409, "import_over");
        let eve = app.stranger(Role::Admin).await;
        eve.get(&path).await.problem(404, "not_found");
        eve.get(&format!("{path}/results")).await.problem(404, "not_found");
        eve.post(&format!("{path}/cancel"), json!({})).await.problem(404, "not_found");
    }

    async fn an_import_that_is_stopped_leaves_what_was_done(app: TestApp) {
        let admin = app.admin().await;
        let rows: String = (1..=230).map(|i| format!("Client {i}\n")).collect();
        let later = admin.with("Prefer", "respond-async");
        let import = send(&later, "clients", "text/csv", &format!("name\n{rows}")).await.expect(202);
        let (path, key) = (format!("/v1/imports/{}", id(&import)), id(&import).parse().unwrap());
        imports::advance(&app.context, app.agency(), key).await.unwrap();
        let stopped = admin.post(&format!("{path}/cancel"), json!({})).await.expect(200);
        assert_eq!((&stopped["state"], &stopped["rows_done"]), (&json!("cancelled"), &json!(100)));
        work_off(&app).await;
        assert_eq!(admin.get(&path).await.expect(200), stopped);
        // Who may not write any more writes nothing more.
        let ben = admin.made("/v1/users", json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"})).await;
        let token = admin.post("/v1/auth/login", json!({"email": "ben@hanse.example", "password": "correct horse"})).await.expect(200);
        let import = send(&later.with_token(token["access_token"].as_str().unwrap()), "clients", "text/csv", "name\nOne more\n").await.expect(202);
        admin.patch(&format!("/v1/users/{}", id(&ben)), json!({"disabled": true})).await.expect(200);
        work_off(&app).await;
        let failed = admin.get(&format!("/v1/imports/{}", id(&import))).await.expect(200);
        assert_eq!((&failed["state"], &failed["rows_done"]), (&json!("failed"), &json!(0)));
        // And in time all of it is forgotten.
        app.clock.advance(TimeDelta::days(31));
        let kept_for = std::time::Duration::from_secs(30 * 24 * 3600);
        while app.context.write(move |tx| imports::forget(tx, kept_for, 100)).await.unwrap() > 0 {}
        assert_eq!(admin.get(&path).await.status, 401, "the token has ended by then");
        let system = debrief::auth::caller::Caller::system(app.agency());
        let left = app.context.store.read(|conn| imports::list(conn, system.agency, None, 10)).unwrap();
        assert!(left.is_empty());
    }

    async fn results_that_never_come_are_not_waited_for(app: TestApp) {
        let (ann, admin) = (app.recruiter().await.with("Idempotency-Key", "7"), app.admin().await);
        let later = ann.with("Prefer", "respond-async");
        let import = send(&later, "clients", "text/csv", "name\nNordwind\n").await.expect(202);
        admin.post(&format!("/v1/imports/{}/cancel", id(&import)), json!({})).await.expect(200);
        send(&ann, "clients", "text/csv", "name\nNordwind\n").await.problem(409, "import_over");
    }

    async fn a_repeated_file_is_imported_once(app: TestApp) {
        let ann = app.recruiter().await.with("Idempotency-Key", "7");
        let (file, query) = ("name\nNordwind\nSüdwind\n", "clients");
        let first = send(&ann, query, "text/csv", file).await;
        let again = send(&ann, query, "text/csv", file).await;
        assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (String::new(), "true".to_owned()));
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(lines(again), lines(first));
        send(&ann, query, "text/csv", "name\nWestwind\n").await.problem(422, "idempotency_key_reused");
        assert_eq!(ann.get("/v1/clients").await.expect(200)["data"].as_array().unwrap().len(), 2);
        assert_eq!(ann.get("/v1/imports").await.expect(200)["data"].as_array().unwrap().len(), 1);
    }
}
