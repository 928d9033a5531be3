mod attempts;
mod feedback;
mod hostile;
mod jobs;

use actix_web::http::Method;
use chrono::TimeDelta;
use debrief::app::imports;
use debrief::domain::ids::ImportId;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, Scene, TestApp, id, on_both};

async fn send(caller: &Caller, query: &str, content_type: &str, file: &str) -> Answer {
    let path = format!("/v1/imports?kind={query}");
    caller.send(Method::POST, &path, content_type, file.as_bytes().to_vec()).await
}

/// What came of each row of a CSV file.
async fn csv(caller: &Caller, query: &str, file: &str) -> Vec<Value> {
    lines(send(caller, query, "text/csv", file).await)
}

/// What came of each row of an NDJSON file.
async fn ndjson(caller: &Caller, query: &str, rows: &[Value]) -> Vec<Value> {
    let file: String = rows.iter().map(|row| format!("{row}\n")).collect();
    lines(send(caller, query, "application/x-ndjson", &file).await)
}

#[track_caller]
fn lines(answer: Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let text = String::from_utf8(answer.bytes).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().zip(1..).all(|(line, row)| line["row"] == row), "{lines:#?}");
    lines
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The faults of a row that failed.
#[track_caller]
fn faults(result: &Value) -> Vec<String> {
    assert_eq!(result["status"], "failed", "{result:#}");
    let line = |fault: &Value| {
        format!("{} {}", fault["pointer"].as_str().unwrap_or("-"), fault["code"].as_str().unwrap())
    };
    result["errors"].as_array().unwrap().iter().map(line).collect()
}

async fn exported(caller: &Caller, path: &str) -> String {
    let answer = caller.get(&format!("/v1/exports/{path}")).await;
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.bytes).unwrap()
}

/// The rows of an export without what is an agency's own.
async fn content(caller: &Caller, path: &str) -> Vec<Value> {
    let text = exported(caller, path).await;
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        for own in
            ["id", "created_at", "updated_at", "submitted_at", "client_id", "debrief_id", "recruiter_id"]
        {
            row.as_object_mut().unwrap().remove(own);
        }
        for point in row["points"].as_array_mut().into_iter().flatten() {
            point.as_object_mut().unwrap().remove("id");
        }
        row
    };
    text.lines().map(row).collect()
}

/// Works an import off, as the job does.
async fn work_off(app: &TestApp) {
    while imports::advance_all(&app.context).await.unwrap() {}
}

on_both! {
    async fn rows_become_records_and_change_them(app: TestApp) {
        let ann = app.recruiter().await;
        let file = "external_id,name,phone,time_zone\r\nB1,Ada Lindt,'+49 30,Europe/Berlin\r\nB2,\"Brandt, Jens\",,\r\n";
        let made = csv(&ann, "candidates&external_system=bullhorn", file).await;
        assert_eq!(statuses(&made), ["created", "created"]);
        let ada = ann.get(&format!("/v1/candidates/{}", id(&made[0]))).await.expect(200);
        assert_eq!((&ada["phone"], &ada["external_refs"]), (&json!("+49 30"), &json!([{"system": "bullhorn", "id": "B1"}])));
        let before = ann.get("/v1/events").await.status;
        assert_eq!(before, 403, "a recruiter does not follow the feed");
        let again = csv(&ann, "candidates&external_system=bullhorn", file).await;
        assert_eq!(statuses(&again), ["unchanged", "unchanged"]);
        assert_eq!(ann.get(&format!("/v1/candidates/{}", id(&made[0]))).await.expect(200), ada);
        // Columns that are not there are left alone, empty cells clear.
        let changed = csv(&ann, "candidates&external_system=bullhorn", "phone;external_id\n;B1\n030;B2\n").await;
        assert_eq!(statuses(&changed), ["updated", "updated"]);
        let ada = ann.get(&format!("/v1/candidates/{}", id(&made[0]))).await.expect(200);
        assert_eq!((&ada["phone"], &ada["name"], &ada["time_zone"]), (&json!(null), &json!("Ada Lindt"), &json!("Europe/Berlin")));
        let by_ref = json!({"name": "Ada L.", "external_refs": [{"system": "bullhorn", "id": "B1"}, {"system": "ats", "id": "7"}]});
        assert_eq!(ndjson(&ann, "candidates", &[by_ref]).await[0]["id"], made[0]["id"]);
    }

    async fn a_column_that_says_nothing_undoes_no_decision(app: TestApp) {
        let ann = app.recruiter().await;
        let client = id(&ann.made("/v1/clients", json!({"name": "Nordwind"})).await);
        let file = format!("client_id,external_id,name,role,off_limits,email\n{client},C1,Ines Okafor,hr,,\n");
        let query = "contacts&external_system=crm";
        let made = csv(&ann, query, &file).await;
        assert_eq!(statuses(&made), ["created"]);
        let path = format!("/v1/contacts/{}", id(&made[0]));
        ann.patch(&path, json!({"off_limits": true, "email": "ines@nordwind.example"})).await.expect(200);
        assert_eq!(statuses(&csv(&ann, query, &file).await), ["updated"]);
        let contact = ann.get(&path).await.expect(200);
        assert_eq!((&contact["off_limits"], &contact["role"], &contact["email"]), (&json!(true), &json!("hr"), &json!(null)));
        assert_eq!(statuses(&csv(&ann, query, &file).await), ["unchanged"]);
    }

    async fn a_bad_row_keeps_no_other_from_being_taken(app: TestApp) {
        let ann = app.recruiter().await;
        let rows = [
            json!({"name": "Ada"}),
            json!({"name": " ", "email": "ada@", "shoe_size": 43, "time_zone": "Mars"}),
            json!({"name": "Ben", "time_zone": "Mars", "email": "ben@"}),
            json!({"email": "nobody@home.example"}),
            json!({"id": "cnd_01h2xcejqtf2nbrexx3vqjhp41", "name": "Nobody"}),
            json!({"external_id": "B1", "name": "Whose?"}),
            json!({"name": "Gone", "deleted_at": "2026-11-01T00:00:00Z"}),
            json!({"name": "Cleo", "external_refs": [{"system": "ats", "id": "1"}]}),
        ];
        let results = ndjson(&ann, "candidates", &rows).await;
        assert_eq!(statuses(&results), ["created", "failed", "failed", "failed", "failed", "failed", "failed", "created"]);
        assert_eq!(faults(&results[1]), ["/email invalid_email", "/name blank", "/shoe_size unknown_field", "/time_zone invalid_time_zone"]);
        assert_eq!(faults(&results[2]), ["/email invalid_email", "/time_zone invalid_time_zone"]);
        assert_eq!(faults(&results[3]), ["/name required"]);
        assert_eq!(faults(&results[4]), ["/id unknown_reference"]);
        assert_eq!(faults(&results[5]), ["/external_id external_system_missing"]);
        assert_eq!(faults(&results[6]), ["/deleted_at not_allowed"]);
        assert_eq!(ann.get("/v1/candidates").await.expect(200)["data"].as_array().unwrap().len(), 2);
        let file = send(&ann, "candidates", "application/x-ndjson", "{\"name\": \"Dan\"}\n{\n[]\n").await;
        let results = lines(file);
        assert_eq!(statuses(&results), ["created", "failed", "failed"]);
        assert_eq!(faults(&results[1]), [" malformed"]);
        let results = csv(&ann, "candidates", "name,phone\nEve,1\nFay\n").await;
        assert_eq!(faults(&results[1]), [" wrong_number_of_cells"]);
    }

    async fn a_file_that_cannot_be_read_is_refused_whole(app: TestApp) {
        let ann = app.recruiter().await;
        let refused = |query, file| { let ann = ann.clone(); async move { send(&ann, query, "text/csv", file).await.faults() } };
        assert_eq!(refused("candidates", "name,shoe_size,name\nAda,43,Ada\n").await, ["/shoe_size unknown_column", "/name repeated"]);
        assert_eq!(refused("candidates", "\n").await, [" no_header"]);
        assert_eq!(refused("contacts", "name,client_external_id\nAda,K1\n").await, ["/client_external_id external_system_missing"]);
        assert_eq!(refused("users", "name\n").await, ["kind unknown_word"]);
        assert_eq!(refused("%FF&dry=1", "name\n").await, ["kind malformed", "dry unknown_parameter"]);
        assert_eq!(ann.send(Method::POST, "/v1/imports", "text/csv", b"name".to_vec()).await.faults(), ["kind required"]);
        send(&ann, "clients", "application/json", "{}").await.problem(415, "unsupported_media_type");
        send(&app.user(Role::Auditor).await, "clients", "text/csv", "name\n").await.problem(403, "forbidden");
        assert_eq!(ann.get("/v1/imports").await.expect(200)["data"], json!([]), "nothing is left of them");
        assert_eq!(csv(&ann, "clients", "name\n").await, Vec::<Value>::new());
    }

    async fn who_has_changed_meanwhile_is_not_written_over(app: TestApp) {
        let ann = app.recruiter().await;
        let client = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        let file = exported(&ann, "clients?format=csv").await;
        assert_eq!(statuses(&csv(&ann, "clients", &file).await), ["unchanged"], "an export is imported as it is");
        ann.patch(&format!("/v1/clients/{}", id(&client)), json!({"notes": "Pays late"})).await.expect(200);
        assert_eq!(faults(&csv(&ann, "clients", &file.replace("Nordwind", "Südwind")).await[0]), ["- stale_version"]);
        let current = exported(&ann, "clients?format=csv").await;
        assert_eq!(statuses(&csv(&ann, "clients", &current.replace("Nordwind", "Südwind")).await), ["updated"]);
        let rows = [json!({"id": client["id"], "version": "2", "notes": "Pays"}), json!({"id": client["id"], "version": 2.5, "notes": "Pays"})];
        for result in ndjson(&ann, "clients", &rows).await {
            assert_eq!(faults(&result), ["/version wrong_type"]);
        }
        assert_eq!(faults(&csv(&ann, "clients", "name,version\nOstwind,two\n").await[0]), ["/version wrong_type"]);
    }

    async fn a_dry_run_tells_and_writes_nothing(app: TestApp) {
        let ann = app.recruiter().await;
        ann.put("/v1/clients/by-external-id/crm/1", json!({"name": "Nordwind"})).await.expect(201);
        let file = "external_id,name\n1,Nordwind AG\n2,Südwind\n3, \n1,Nordwind\n2,Sudwind\n";
        let results = csv(&ann, "clients&external_system=crm&dry_run=true", file).await;
        assert_eq!(statuses(&results), ["would_update", "would_create", "failed", "would_update", "would_update"], "the row before counts");
        let has_id: Vec<bool> = results.iter().map(|result| result.get("id").is_some()).collect();
        assert_eq!(has_id, [true, false, false, true, false], "what was only rehearsed has no id");
        let clients = ann.get("/v1/clients").await.expect(200);
        assert_eq!((clients["data"].as_array().unwrap().len(), &clients["data"][0]["version"]), (1, &json!(1)));
        // What comes after it in the feed tells that nothing comes before.
        let last = ann.made("/v1/clients", json!({"name": "Westwind"})).await;
        let auditor = app.user(Role::Auditor).await;
        let told = loop {
            let events = auditor.get("/v1/events?types=client.created,client.updated").await.expect(200)["data"].take();
            let told: Vec<Value> = events.as_array().unwrap().iter().map(|event| event["data"]["id"].clone()).collect();
            if told.contains(&last["id"]) {
                break told;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert_eq!(told.len(), 2, "a rehearsal is no event");
    }

    async fn a_rehearsal_says_what_it_cannot_know(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let mut rows = vec![json!({}); 101];
        rows[0] = scene.past(json!({"external_id": "I1"}));
        rows[1] = scene.to_come(json!({"external_id": "I2", "retry_of_interview_external_id": "I0"}));
        rows[100] = scene.to_come(json!({"external_id": "I3", "retry_of_interview_external_id": "I1"}));
        let results = ndjson(&ann, "interviews&external_system=crm&dry_run=true", &rows).await;
        assert_eq!(results[0]["status"], "would_create");
        assert_eq!(faults(&results[1]), ["/retry_of_interview_external_id unknown_reference"]);
        assert_eq!(faults(&results[100]), ["/retry_of_interview_external_id not_rehearsed"]);
        let results = ndjson(&ann, "interviews&external_system=crm", &rows).await;
        assert_eq!(results[100]["status"], "created");
        rows[100]["retry_of_interview_external_id"] = json!("I0");
        let results = ndjson(&ann, "interviews&external_system=crm", &rows).await;
        assert_eq!(faults(&results[100]), ["/retry_of_interview_external_id unknown_reference"]);
    }

    async fn what_one_agency_exports_another_imports(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        for (path, external) in [
            (format!("clients/{}", scene.client), "K1"), (format!("contacts/{}", scene.manager), "P1"),
            (format!("contacts/{}", scene.peer), "P2"), (format!("candidates/{}", scene.candidate), "C1"),
            (format!("job-orders/{}", scene.order), "J1"),
        ] {
            let refs = json!({"external_refs": [{"system": "crm", "id": external}, {"system": "ats", "id": format!("={external}")}]});
            ann.patch(&format!("/v1/{path}"), refs).await.expect(200);
        }
        ann.patch(&format!("/v1/clients/{}", scene.client), json!({"notes": "-1\n=2\t\"quoted\", 'and so on'"})).await.expect(200);
        let interview = scene.past(json!({"preparation": [{"item": "=Tools", "done": true}], "external_refs": [{"system": "crm", "id": "I1"}]}));
        let interview = ann.made("/v1/interviews", interview).await;
        let again = scene.to_come(json!({"retry_of_interview_id": interview["id"], "external_refs": [{"system": "crm", "id": "I2"}]}));
        app.clock.advance(TimeDelta::seconds(1));
        ann.made("/v1/interviews", again).await;
        let accounts = format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap());
        ann.made(&accounts, json!({
            "side": "candidate", "channel": "phone", "narrative": "So it went.", "submit": true, "verbatim": true,
            "ratings": [{"competency": "motivation", "rating": "yes"}], "agency_only": {"salary": "60k"},
            "points": [{"kind": "slip", "what": "Rambled.", "severity": "minor"}, {"kind": "strength", "what": "Calm."}],
        })).await;
        ann.made(&accounts, json!({"side": "client", "contact_id": scene.manager, "channel": "email", "narrative": "Fine.", "overall": "yes"})).await;
        for format in ["csv", "ndjson"] {
            let eve = app.stranger(Role::Manager).await;
            for kind in ["clients", "contacts", "candidates", "job-orders", "interviews", "feedback"] {
                let query = format!("{kind}?external_system=crm");
                let mut file = exported(&ann, &format!("{query}&format={format}")).await;
                // A recruiter is one agency's own.
                if kind == "interviews" && format == "csv" {
                    file = without_column(&file, "recruiter_id");
                } else if kind == "interviews" {
                    file = file.lines().map(|line| { let mut row: Value = serde_json::from_str(line).unwrap(); row.as_object_mut().unwrap().remove("recruiter_id"); format!("{row}\n") }).collect();
                }
                let media = if format == "csv" { "text/csv" } else { "application/x-ndjson" };
                for expected in ["created", "unchanged"] {
                    app.clock.advance(TimeDelta::seconds(1));
                    let results = lines(send(&eve, &format!("{kind}&external_system=crm"), media, &file).await);
                    assert!(statuses(&results).iter().all(|status| *status == expected), "{kind} {format}: {results:#?}");
                    assert!(!results.is_empty());
                }
                let (mut theirs, mut ours) = (content(&eve, &query).await, content(&ann, &query).await);
                for row in theirs.iter_mut().chain(&mut ours) {
                    row.as_object_mut().unwrap().remove("version");
                }
                theirs.sort_by_key(Value::to_string);
                ours.sort_by_key(Value::to_string);
                assert_eq!(theirs, ours, "{kind} {format}");
            }
        }
    }

    async fn references_are_found_or_told_of(app: TestApp) {
        let ann = app.recruiter().await;
        let client = ann.put("/v1/clients/by-external-id/crm/K1", json!({"name": "Nordwind"})).await.expect(201);
        let rows = [
            json!({"name": "Ines", "client_external_id": "K1"}),
            json!({"name": "Jens", "client_external_id": "K2"}),
            json!({"name": "Kim", "client_external_id": "K1", "client_id": client["id"]}),
            json!({"name": "Lea", "client_id": client["id"], "off_limits": true}),
            json!({"name": "Max", "client_external_id": 1}),
        ];
        let results = ndjson(&ann, "contacts&external_system=crm", &rows).await;
        assert_eq!(statuses(&results), ["created", "failed", "failed", "created", "failed"]);
        assert_eq!(faults(&results[1]), ["/client_external_id unknown_reference"]);
        assert_eq!(faults(&results[2]), ["/client_external_id contradiction"]);
        assert_eq!(faults(&results[4]), ["/client_external_id wrong_type"]);
        let file = "id,off_limits,role\n".to_owned() + &format!("{},TRUE,king\n{},FALSE,hr\n", id(&results[0]), id(&results[3]));
        let results = csv(&ann, "contacts", &file).await;
        assert_eq!(faults(&results[0]), ["/role unknown_word"]);
        let lea = ann.get(&format!("/v1/contacts/{}", id(&results[1]))).await.expect(200);
        assert_eq!((&lea["off_limits"], &lea["role"]), (&json!(false), &json!("hr")));
        let eve = app.stranger(Role::Manager).await;
        assert_eq!(faults(&ndjson(&eve, "contacts", &[json!({"name": "Ned", "client_id": client["id"]})]).await[0]), ["/client_id unknown_reference"]);
        assert_eq!(faults(&ndjson(&eve, "clients", &[json!({"name": "Ned", "id": client["id"]})]).await[0]), ["/id unknown_reference"]);
    }
}

/// A CSV file without one of its columns.
fn without_column(file: &str, name: &str) -> String {
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = header.iter().position(|column| column == name).unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in std::iter::once(header).chain(reader.records().map(Result::unwrap)) {
        writer
            .write_record(row.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, cell)| cell))
            .unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
