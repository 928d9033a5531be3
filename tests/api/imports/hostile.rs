//! Rows that would cost more than they are worth, and ids that no other system has.

use debrief::app::faults::MAX_FAULTS;
use debrief::app::imports;
use serde_json::{Value, json};

use super::{csv, faults, lines, ndjson, send, statuses};
use crate::support::{Scene, id, on_both};

on_both! {
    async fn a_row_with_an_endless_list_is_refused_in_a_few_words(app: TestApp) {
        let ann = app.recruiter().await;
        let (endless, long) = (vec![1; 300_000], vec![1; 201]);
        let wide: Value = (0..300).map(|i| (format!("field_{i}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
        let rows = [
            json!({"name": "Ada", "external_refs": endless}),
            json!({"name": "Ben", "external_refs": [long, {"system": long}]}),
            wide,
            json!({"name": "Cleo", "phone": {"p".repeat(2_000): 1}}),
            json!({"name": "Dan"}),
        ];
        let results = ndjson(&ann, "candidates", &rows).await;
        assert_eq!(faults(&results[0]), ["/external_refs too_many"]);
        assert_eq!(faults(&results[1]), ["/external_refs/0 too_many", "/external_refs/1/system too_many"]);
        assert_eq!(faults(&results[2]), [" too_many"]);
        assert_eq!(faults(&results[3]), ["/phone too_long"]);
        assert_eq!(results[4]["status"], "created");
        let cell = serde_json::to_string(&endless).unwrap();
        let results = csv(&ann, "candidates", &format!("name,external_refs\nAda,\"{cell}\"\n")).await;
        assert_eq!(faults(&results[0]), ["/external_refs too_many"]);
    }

    async fn what_a_row_names_is_looked_up_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let (count, results) = {
            let many: Vec<String> = (0..200).map(|i| format!("P{i}")).collect();
            let refs: Vec<Value> = (0..20).map(|i| json!({"system": format!("crm {i}"), "id": i.to_string()})).collect();
            let row = json!({"contact_external_ids": many, "external_refs": refs});
            app.statements(ndjson(&ann, "interviews&external_system=crm", &[row])).await
        };
        assert_eq!(faults(&results[0]).len(), MAX_FAULTS + 1);
        assert!(count < 40, "{count} statements");
    }

    async fn nobody_is_told_more_faults_than_anybody_mends(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let ratings = vec![json!({"competency": "charm", "rating": "yes"}); 100];
        let account = json!({"side": "candidate", "channel": "phone", "narrative": "So it went.", "ratings": ratings});
        let mut row = account.clone();
        row["interview_id"] = interview["id"].clone();
        let told = faults(&ndjson(&ann, "feedback", &[row.clone()]).await[0]);
        assert_eq!((told.len(), &*told[0], &*told[MAX_FAULTS]), (MAX_FAULTS + 1, "/ratings/0/competency unknown_reference", " more_faults"));
        row["ratings"] = json!(vec![json!(1); 100]);
        let told = faults(&ndjson(&ann, "feedback", &[row]).await[0]);
        assert_eq!((told.len(), &*told[0], &*told[MAX_FAULTS]), (MAX_FAULTS + 1, "/ratings/0 wrong_type", " more_faults"));
        let path = format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap());
        let told = ann.post(&path, account).await.faults();
        assert_eq!((told.len(), &*told[MAX_FAULTS]), (MAX_FAULTS + 1, " more_faults"));
    }

    async fn results_with_much_to_tell_come_in_portions(app: TestApp) {
        let ann = app.recruiter().await;
        let row: Value = (0..60).map(|i| (format!("{i}_{}", "x".repeat(100)), json!(1))).collect::<serde_json::Map<_, _>>().into();
        let file: String = (0..30).map(|_| format!("{row}\n")).collect();
        let answer = send(&ann, "clients", "application/x-ndjson", &file).await;
        let path = answer.header("location");
        let results = lines(answer);
        assert!(results.iter().all(|result| faults(result).len() == MAX_FAULTS + 1));
        let page = ann.get(&format!("{path}/results?failed=true&limit=20")).await.expect(200);
        let next = ann.get(&format!("{path}/results?cursor={}", page["next_cursor"].as_str().unwrap())).await.expect(200);
        let shown: Vec<&Value> = [&page, &next].iter().flat_map(|page| page["data"].as_array().unwrap()).collect();
        assert_eq!(shown, results.iter().collect::<Vec<_>>());
        let (agency, import) = (app.agency(), path.rsplit('/').next().unwrap().parse().unwrap());
        let (_, portions) = app.context.read(move |conn| imports::progress(conn, agency, import, 0)).await.unwrap();
        assert!(portions.len() > 2 && portions.iter().all(|(_, content)| content.len() < 128 * 1024));
    }

    async fn an_id_that_cannot_be_kept_fails_its_row_alone(app: TestApp) {
        let ann = app.recruiter().await;
        let bad = ["a\u{0}b".to_owned(), "x".repeat(256), String::new(), "a\nb".to_owned()];
        let mut rows: Vec<Value> = bad.iter().map(|bad| json!({"external_id": bad, "name": "Nordwind"})).collect();
        rows.extend(bad.iter().map(|bad| json!({"external_refs": [{"system": "crm", "id": bad}], "name": "Nordwind"})));
        rows.push(json!({"external_id": "K1", "name": "Südwind"}));
        let results = ndjson(&ann, "clients&external_system=crm", &rows).await;
        for result in &results[..4] {
            assert_eq!(faults(result), ["/external_id invalid_reference"]);
        }
        assert_eq!(faults(&results[4]), ["/external_refs/0/id control_character", "/external_refs/0 invalid_reference"]);
        assert_eq!(faults(&results[5]), ["/external_refs/0/id too_long"]);
        assert_eq!(faults(&results[6]), ["/external_refs/0/id blank", "/external_refs/0 invalid_reference"]);
        assert_eq!(faults(&results[7]), ["/external_refs/0 invalid_reference"]);
        assert_eq!(results[8]["status"], "created");

        let mut rows: Vec<Value> = bad.iter().map(|bad| json!({"client_external_id": bad, "name": "Ines"})).collect();
        rows.push(json!({"client_external_id": "K1", "name": "Jens"}));
        let results = ndjson(&ann, "contacts&external_system=crm", &rows).await;
        for result in &results[..4] {
            assert_eq!(faults(result), ["/client_external_id invalid_reference"]);
        }
        assert_eq!(results[4]["status"], "created");
        let row = json!({"contact_external_ids": ["P1", "a\u{0}b", "x".repeat(256)], "candidate_external_id": "\u{0}"});
        assert_eq!(faults(&ndjson(&ann, "interviews&external_system=crm", &[row]).await[0]), [
            "/candidate_external_id invalid_reference", "/contact_external_ids/1 invalid_reference", "/contact_external_ids/2 invalid_reference", "/contact_external_ids/0 unknown_reference"
        ]);
        let results = csv(&ann, "clients&external_system=crm", "external_id,name\na\u{0}b,Nordwind\nK1,Südwind AG\n").await;
        assert_eq!(statuses(&results), ["failed", "updated"]);
        assert_eq!(id(&results[1]), id(&ann.get("/v1/clients").await.expect(200)["data"][0]));
    }

    async fn a_fault_is_told_at_the_column_that_the_file_has(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let elsewhere = id(&ann.made("/v1/clients", json!({"name": "Elsewhere"})).await);
        for (external, client) in [("k1", &scene.client), ("k2", &elsewhere)] {
            let path = format!("/v1/contacts/by-external-id/s/{external}");
            ann.put(&path, json!({"client_id": client, "name": external})).await.expect(201);
        }
        let row = |contacts: Value| json!({
            "candidate_id": scene.candidate, "job_order_id": scene.order, "contact_external_ids": contacts, "format": "video",
            "starts_at": "2026-11-20T10:00:00Z", "ends_at": "2026-11-20T11:00:00Z",
        });
        let results = ndjson(&ann, "interviews&external_system=s", &[row(json!("k1")), row(json!(["k1", "k2"]))]).await;
        assert_eq!(faults(&results[0]), ["/contact_external_ids wrong_type"]);
        assert_eq!(faults(&results[1]), ["/contact_external_ids/1 wrong_client"]);
        let unknown = send(&ann, "clients", "text/csv", "name,a/b,c~d\nx,1,2\n").await;
        assert_eq!(unknown.faults(), ["/a~1b unknown_column", "/c~0d unknown_column"]);
    }

    async fn no_record_gets_more_references_than_it_can_be_changed_with(app: TestApp) {
        let ann = app.recruiter().await;
        let refs: Vec<Value> = (0..20).map(|i| json!({"system": format!("s{i}"), "id": "1"})).collect();
        let body = json!({"name": "Nordwind", "external_refs": refs});
        let path = "/v1/clients/by-external-id/zz/1";
        assert_eq!(ann.put(path, body.clone()).await.faults(), ["/external_refs no_room"]);
        let mut row = body;
        row["external_id"] = json!("1");
        assert_eq!(faults(&ndjson(&ann, "clients&external_system=zz", &[row]).await[0]), ["/external_refs no_room"]);
    }
}
