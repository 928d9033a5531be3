use std::collections::BTreeSet;

use chrono::TimeDelta;
use debrief::domain::exchange::Collection;
use debrief::domain::people::Role;
use serde_json::{Value, json};
use strum::VariantArray;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Caller, Scene, TestApp, id, on_both};

/// The rows of a CSV file, cell by cell.
fn cells(answer: &Answer) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(answer.bytes.as_slice());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The objects of an NDJSON file.
fn objects(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Makes so many clients beside the API, oldest first.
fn fill(app: &TestApp, count: usize) {
    let agency = app.agency().uuid().simple().to_string();
    let script = |is_postgres: bool| {
        let mut script = "BEGIN;".to_owned();
        for i in 0..count {
            let (id, agency, at) = if is_postgres {
                (format!("'{i:032x}'"), format!("'{agency}'"), "'2026-11-01T00:00:00Z'")
            } else {
                (format!("x'{i:032x}'"), format!("x'{agency}'"), "0")
            };
            script.push_str(&format!(
                "INSERT INTO clients (id, agency_id, name, external_refs, version, created_at, updated_at) \
                 VALUES ({id}, {agency}, 'Client {i}', '[]', 1, {at}, {at});"
            ));
        }
        script + "COMMIT;"
    };
    app.script(&script(false), &script(true));
}

async fn export(caller: &Caller, path: &str) -> Vec<Value> {
    let answer = caller.get(&format!("/v1/exports/{path}")).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    objects(&answer)
}

/// An answer as it stands on the wire.
async fn raw(app: &TestApp, caller: &Caller, path: &str) -> Vec<u8> {
    let mut stream = app.connect().await.unwrap();
    let token = caller.token();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

on_both! {
    async fn a_csv_file_has_a_header_and_runs_nothing(app: TestApp) {
        let ann = app.recruiter().await;
        let refs = json!([{"system": "bullhorn", "id": "=4711"}, {"system": "ats", "id": "1;=2"}]);
        ann.made("/v1/candidates", json!({"name": "=HYPERLINK(\"http://evil.example\")", "phone": "+34 600;=1", "external_refs": refs})).await;
        app.clock.advance(TimeDelta::seconds(1));
        ann.made("/v1/candidates", json!({"name": "'t Hooft, \"Gerard\"", "phone": ""})).await;
        let answer = ann.get("/v1/exports/candidates?format=csv&external_system=bullhorn").await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"candidates.csv\"");
        let rows = cells(&answer);
        assert_eq!(rows[0][..6], ["id", "external_id", "name", "email", "phone", "locale"]);
        assert_eq!(rows[1][..6], ["", "'=4711", "'=HYPERLINK(\"http://evil.example\")", "", "'+34 600;'=1", ""]);
        assert_eq!(rows[1][7], r#"[{"id":"1;\u003d2","system":"ats"},{"id":"=4711","system":"bullhorn"}]"#);
        assert!(rows[2][0].starts_with("cnd_"));
        assert_eq!(rows[2][1..6], ["", "'t Hooft, \"Gerard\"", "", "'", ""]);
        let without = ann.with("Accept", "text/csv;q=0.9, application/json").get("/v1/exports/candidates").await;
        assert_eq!(cells(&without)[0][..3], ["id", "name", "email"]);
        assert!(answer.bytes.ends_with(b"\r\n"));
    }

    async fn every_kind_of_record_shows_what_the_api_shows(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({"preparation": [{"item": "Tools", "done": true}]}))).await;
        let account = json!({
            "side": "candidate", "channel": "phone", "narrative": "So it went.", "submit": true, "overall": "yes",
            "ratings": [{"competency": "motivation", "rating": "yes"}],
            "points": [{"kind": "slip", "what": "Rambled."}, {"kind": "strength", "what": "Calm."}],
        });
        let path = format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap());
        let mut account = ann.made(&path, account).await;
        for kind in ["clients", "contacts", "candidates", "job-orders", "interviews"] {
            let mut listed = ann.get(&format!("/v1/{kind}")).await.expect(200)["data"].take();
            listed.as_array_mut().unwrap().reverse();
            assert_eq!(json!(export(&ann, kind).await), listed, "{kind}: oldest first");
        }
        account.as_object_mut().unwrap().remove("waived_reason");
        account["interview_id"] = interview["id"].clone();
        account["submit"] = json!(true);
        assert_eq!(export(&ann, "feedback").await, [account], "those who were only asked have told nothing yet");
        for kind in Collection::VARIANTS {
            let rows = export(&ann, &format!("{kind}?external_system=crm&include_deleted={}", *kind != Collection::Feedback)).await;
            let header = ann.get(&format!("/v1/exports/{kind}?format=csv&external_system=crm")).await;
            let columns: BTreeSet<String> = cells(&header).swap_remove(0).into_iter().collect();
            let mut fields: BTreeSet<String> = rows[0].as_object().unwrap().keys().cloned().collect();
            if *kind != Collection::Feedback {
                fields.insert("deleted_at".to_owned());
            }
            assert_eq!(columns, fields, "{kind}");
        }
        let eve = app.stranger(Role::Admin).await;
        for kind in Collection::VARIANTS {
            assert_eq!(export(&eve, &kind.to_string()).await, Vec::<Value>::new());
        }
    }

    async fn other_systems_ids_stand_where_there_are_some(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let name = |kind: &str, id: &str, external: &str| (format!("/v1/{kind}/{id}"), json!({"external_refs": [{"system": "crm", "id": external}]}));
        for (path, refs) in [name("candidates", &scene.candidate, "C1"), name("contacts", &scene.manager, "P1"), name("clients", &scene.client, "K1")] {
            ann.patch(&path, refs).await.expect(200);
        }
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let row = export(&ann, "interviews?external_system=crm").await.remove(0);
        assert_eq!((&row["id"], &row["external_id"]), (&interview["id"], &json!(null)));
        assert_eq!((&row["candidate_id"], &row["candidate_external_id"]), (&json!(null), &json!("C1")));
        let panel = json!([scene.manager, scene.peer]);
        assert_eq!((&row["contact_ids"], &row["contact_external_ids"]), (&panel, &json!(null)), "not all of them have one");
        for contact in export(&ann, "contacts?external_system=crm").await {
            let (id, external) = if contact["name"] == "Ines Okafor" { (json!(null), json!("P1")) } else { (json!(scene.peer), json!(null)) };
            assert_eq!((&contact["id"], &contact["external_id"], &contact["client_external_id"]), (&id, &external, &json!("K1")));
        }
        let others = export(&ann, "clients?external_system=ats").await;
        assert_eq!((&others[0]["id"], &others[0]["external_id"]), (&json!(scene.client), &json!(null)));
    }

    async fn an_export_goes_on_from_piece_to_piece(app: TestApp) {
        let ann = app.recruiter().await;
        fill(&app, 1_203);
        let rows = export(&ann, "clients").await;
        assert_eq!(rows.len(), 1_203);
        assert!((0..1_203).all(|i| rows[i]["name"] == format!("Client {i}")));
        let rows = export(&ann, "clients?updated_since=2026-11-20T00:00:00Z").await;
        assert_eq!(rows.len(), 0);
        let client = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        ann.delete(&format!("/v1/clients/{}", id(&client))).await.expect(204);
        let since = "clients?updated_since=2026-11-20T00:00:00Z&include_deleted=true";
        assert_eq!(export(&ann, since).await[0]["deleted_at"], "2026-11-20T12:00:00Z");
        assert_eq!(export(&ann, "clients").await.len(), 1_203);
    }

    async fn a_file_that_breaks_off_is_not_taken_for_the_whole(app: TestApp) {
        let ann = app.recruiter().await;
        fill(&app, 1_203);
        assert!(raw(&app, &ann, "/v1/exports/clients").await.ends_with(b"\r\n0\r\n\r\n"), "the last chunk");
        // A row of the second piece that cannot be read.
        let spoil = "UPDATE clients SET external_refs = '5' WHERE name = 'Client 700'";
        app.script(spoil, spoil);
        let broken = raw(&app, &ann, "/v1/exports/clients").await;
        assert!(broken.starts_with(b"HTTP/1.1 200 OK"));
        assert!(!broken.ends_with(b"0\r\n\r\n"), "the last chunk is missing");
        // Of the first piece it can still be told in an answer.
        let spoil = "UPDATE clients SET external_refs = '5' WHERE name = 'Client 7'";
        app.script(spoil, spoil);
        ann.get("/v1/exports/clients").await.problem(500, "internal");
    }

    async fn what_cannot_be_exported_is_refused(app: TestApp) {
        let ann = app.recruiter().await;
        ann.get("/v1/exports/users").await.problem(404, "not_found");
        ann.with("Accept", "application/pdf").get("/v1/exports/clients").await.problem(406, "not_acceptable");
        assert_eq!(ann.get("/v1/exports/clients?format=pdf").await.faults(), ["format unknown_word"]);
        assert_eq!(ann.get("/v1/exports/feedback?include_deleted=true").await.faults(), ["include_deleted not_allowed"]);
        assert_eq!(ann.get("/v1/exports/clients?external_system=").await.faults(), ["external_system blank"]);
        app.nobody().get("/v1/exports/clients").await.problem(401, "unauthorized");
        app.user(Role::Auditor).await.get("/v1/exports/clients").await.expect(200);
    }
}
