use debrief::domain::people::Role;
use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn a_client_is_made_shown_changed_and_deleted(app: TestApp) {
        let ann = app.recruiter().await;
        let made = ann.post("/v1/clients", json!({"name": "Nordwind", "notes": "Ring before ten."})).await;
        let etag = made.header("etag");
        let location = made.header("location");
        let client = made.expect(201);
        assert_eq!((etag.as_str(), &client["version"]), ("\"1\"", &json!(1)));

        let shown = ann.get(&location).await.expect(200);
        assert_eq!(shown, client);
        let known = ann.with("If-None-Match", &etag).get(&location).await;
        assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));

        let changed = ann.with("If-Match", &etag).patch(&location, json!({"notes": null})).await.expect(200);
        assert_eq!((&changed["notes"], &changed["name"], &changed["version"]), (&json!(null), &json!("Nordwind"), &json!(2)));
        ann.with("If-Match", &etag).patch(&location, json!({"name": "x"})).await.problem(412, "stale_version");

        ann.delete(&location).await.expect(204);
        ann.get(&location).await.problem(404, "not_found");
        ann.delete(&location).await.problem(404, "not_found");
    }

    async fn of_many_who_put_one_record_one_makes_it_and_the_others_change_it(app: TestApp) {
        let ann = app.recruiter().await;
        let puts = (0..24).map(|i| {
            let ann = ann.clone();
            actix_web::rt::spawn(async move {
                let path = format!("/v1/clients/by-external-id/crm/{}", i / 8);
                ann.put(&path, json!({"name": format!("Client {i}")})).await.status.as_u16()
            })
        });
        let mut made = 0;
        for put in puts.collect::<Vec<_>>() {
            match put.await.unwrap() {
                201 => made += 1,
                status => assert_eq!(status, 200),
            }
        }
        assert_eq!(made, 3);
    }

    async fn every_fault_of_a_client_is_named_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"name": "", "notes": 7, "version": 3, "external_refs": [{"system": "crm"}]});
        let faults = ann.post("/v1/clients", body).await.faults();
        assert_eq!(faults, ["/external_refs/0/id required", "/name blank", "/notes wrong_type", "/version unknown_field"]);
        let faults = ann.post("/v1/clients", json!({"name": "Ann\r\nBcc: x", "notes": "a\u{202e}b"})).await.faults();
        assert_eq!(faults, ["/name control_character", "/notes bidi_character"]);

        let client = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        let path = format!("/v1/clients/{}", client["id"].as_str().unwrap());
        assert_eq!(ann.patch(&path, json!({"id": "x", "nmae": null})).await.faults(), ["/id unknown_field", "/nmae unknown_field"]);
        assert_eq!(ann.patch(&path, json!({"name": null})).await.faults(), ["/name required"]);

        ann.send(actix_web::http::Method::POST, "/v1/clients", "application/json", b"{".to_vec()).await.problem(400, "malformed_body");
        ann.send(actix_web::http::Method::POST, "/v1/clients", "text/plain", b"{}".to_vec()).await.problem(415, "unsupported_media_type");
        let large = vec![b' '; 2 << 20];
        ann.send(actix_web::http::Method::POST, "/v1/clients", "application/json", large).await.problem(413, "payload_too_large");
    }

    async fn another_agency_sees_what_never_was(app: TestApp) {
        let (ann, eve) = (app.recruiter().await, app.stranger(Role::Admin).await);
        let client = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        let path = format!("/v1/clients/{}", client["id"].as_str().unwrap());
        let without = |mut problem: serde_json::Value| { problem["instance"] = json!(null); problem["request_id"] = json!(null); problem };
        let never = without(eve.get("/v1/clients/cli_01h2xcejqtf2nbrexx3vqjhp41").await.problem(404, "not_found"));
        assert_eq!(without(eve.get(&path).await.problem(404, "not_found")), never);
        assert_eq!(without(eve.get("/v1/clients/nonsense").await.problem(404, "not_found")), never);
        eve.patch(&path, json!({"name": "Mine"})).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        assert_eq!(eve.get("/v1/clients").await.expect(200)["data"], json!([]));
    }

    async fn a_client_is_found_by_the_id_of_another_system(app: TestApp) {
        let ann = app.recruiter().await;
        let path = "/v1/clients/by-external-id/bullhorn/4%2F711";
        let made = ann.put(path, json!({"name": "Nordwind"})).await.expect(201);
        assert_eq!(made["external_refs"], json!([{"system": "bullhorn", "id": "4/711"}]));
        let same = ann.put(path, json!({"name": "Nordwind AG"})).await.expect(200);
        assert_eq!((&same["id"], &same["version"], &same["name"]), (&made["id"], &json!(2), &json!("Nordwind AG")));
        let clash = json!({"name": "Other", "external_refs": [{"system": "bullhorn", "id": "4/711"}]});
        assert_eq!(ann.post("/v1/clients", clash).await.faults(), ["/external_refs/0 already_exists"]);
    }

    async fn a_put_says_what_it_would_have_there(app: TestApp) {
        let ann = app.recruiter().await;
        let (path, nordwind) = ("/v1/clients/by-external-id/bullhorn/1", json!({"name": "Nordwind"}));
        for present in ["\"1\"", "*"] {
            ann.with("If-Match", present).put(path, nordwind.clone()).await.problem(412, "stale_version");
        }
        let only_new = ann.with("If-None-Match", "*");
        let made = only_new.put(path, nordwind.clone()).await.expect(201);
        only_new.put(path, json!({"name": "Other"})).await.problem(412, "stale_version");
        assert_eq!(ann.get(&format!("/v1/clients/{}", made["id"].as_str().unwrap())).await.expect(200), made);
        ann.with("If-None-Match", "\"1\"").put(path, json!({"name": "Other"})).await.problem(412, "stale_version");
        ann.with("If-None-Match", "\"7\", AAA").put(path, json!({"name": "Nordwind AG"})).await.expect(200);
        ann.with("If-Match", "*").put(path, json!({"name": "Nordwind AG"})).await.expect(200);
        ann.delete(&format!("/v1/clients/{}", made["id"].as_str().unwrap())).await.expect(204);
        ann.with("If-Match", "\"2\"").put(path, nordwind).await.problem(412, "stale_version");
    }

    async fn what_would_change_nothing_is_no_change(app: TestApp) {
        let ann = app.recruiter().await;
        let (path, nordwind) = ("/v1/clients/by-external-id/bullhorn/1", json!({"name": "Nordwind", "notes": "Big."}));
        let made = ann.put(path, nordwind.clone()).await.expect(201);
        assert_eq!(ann.put(path, nordwind).await.expect(200), made);
        let own = format!("/v1/clients/{}", made["id"].as_str().unwrap());
        for patch in [json!({}), json!({"notes": "Big."})] {
            assert_eq!(ann.at(&made["version"]).patch(&own, patch).await.expect(200), made);
        }
        let changed = ann.at(&made["version"]).patch(&own, json!({"notes": "Bigger."})).await.expect(200);
        assert_eq!(changed["version"], 2);
    }

    async fn the_faults_of_a_patch_and_of_a_query_are_told_together(app: TestApp) {
        let ann = app.recruiter().await;
        let made = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        let patch = json!({"zzz": 1, "name": 5, "notes": 7});
        let faults = ann.patch(&format!("/v1/clients/{}", made["id"].as_str().unwrap()), patch).await.faults();
        assert_eq!(faults, ["/name wrong_type", "/notes wrong_type", "/zzz unknown_field"]);
        let faults = ann.get("/v1/debriefs?limit=0&state=zz&client_id=x").await.faults();
        assert_eq!(faults, ["limit out_of_range", "client_id invalid_id", "state unknown_word"]);
    }

    async fn one_system_does_not_erase_what_another_calls_a_client(app: TestApp) {
        let ann = app.recruiter().await;
        let path = "/v1/clients/by-external-id/bullhorn/1";
        let (bullhorn, vincere) = (json!({"system": "bullhorn", "id": "1"}), json!({"system": "vincere", "id": "2"}));
        let both = json!([bullhorn, vincere]);
        ann.put(path, json!({"name": "Nordwind", "external_refs": [vincere]})).await.expect(201);
        for silent in [json!({"name": "Nordwind AG"}), json!({"name": "Nordwind", "external_refs": null})] {
            assert_eq!(ann.put(path, silent).await.expect(200)["external_refs"], both);
        }
        let found = ann.put("/v1/clients/by-external-id/vincere/2", json!({"name": "Nordwind"})).await.expect(200);
        assert_eq!(found["external_refs"], both);
        let alone = ann.put(path, json!({"name": "Nordwind", "external_refs": []})).await.expect(200);
        assert_eq!(alone["external_refs"], json!([bullhorn]));
        let client = format!("/v1/clients/{}", alone["id"].as_str().unwrap());
        assert_eq!(ann.patch(&client, json!({"external_refs": null})).await.expect(200)["external_refs"], json!([]));
    }

    async fn a_fault_of_a_reference_stands_where_it_was_sent(app: TestApp) {
        let ann = app.recruiter().await;
        ann.put("/v1/clients/by-external-id/bullhorn/1", json!({"name": "Nordwind"})).await.expect(201);
        let refs = json!([{"system": "vincere", "id": "2"}, {"system": "bullhorn", "id": "1"}]);
        let faults = ann.post("/v1/clients", json!({"name": "Other", "external_refs": refs})).await.faults();
        assert_eq!(faults, ["/external_refs/1 already_exists"]);
    }

    async fn an_external_reference_in_a_path_is_checked_like_one_in_a_body(app: TestApp) {
        let ann = app.recruiter().await;
        let own = json!({"name": "Nordwind", "external_refs": [{"system": "bullhorn", "id": "7"}]});
        ann.put("/v1/clients/by-external-id/bullhorn/7", own).await.expect(201);
        // The last one is Latin-1: read as UTF-8 it would be any such id.
        for bad in ["%00".to_owned(), "x".repeat(256), "M%FCller".to_owned()] {
            let path = format!("/v1/clients/by-external-id/bullhorn/{bad}");
            assert_eq!(ann.put(&path, json!({"name": "Nordwind"})).await.faults(), ["external_id invalid_reference"]);
        }
        for (body, fault) in [(json!({"name": "Nordwind", "nmae": 1}), "/nmae unknown_field"), (json!({}), "/name required")] {
            let faults = ann.put("/v1/clients/by-external-id/%00/%20", body).await.faults();
            assert_eq!(faults, ["system invalid_reference", "external_id invalid_reference", fault]);
        }
    }

    async fn a_list_is_read_page_by_page(app: TestApp) {
        let ann = app.recruiter().await;
        for name in ["Zoë & Söhne", "100% Pur", "Nord_wind", "Nordwind", "Back\\slash"] {
            ann.made("/v1/clients", json!({"name": name})).await;
            app.clock.advance(chrono::TimeDelta::seconds(1));
        }
        let first = ann.get("/v1/clients?limit=2").await;
        assert!(first.header("link").contains("rel=\"next\""));
        let mut page = first.expect(200);
        let mut names = vec![];
        loop {
            names.extend(page["data"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            page = ann.get(&format!("/v1/clients?limit=2&cursor={cursor}")).await.expect(200);
        }
        assert_eq!(names, ["Back\\slash", "Nordwind", "Nord_wind", "100% Pur", "Zoë & Söhne"]);

        for (typed, found) in [("zoe", 1), ("SOHNE", 1), ("0%25", 1), ("d_", 1), ("k%5C", 1), ("%25", 1), ("wind", 2), ("x", 0)] {
            let page = ann.get(&format!("/v1/clients?q={typed}")).await.expect(200);
            assert_eq!(page["data"].as_array().unwrap().len(), found, "{typed}");
        }
        assert_eq!(ann.get("/v1/clients?limit=0").await.faults(), ["limit out_of_range"]);
        assert_eq!(ann.get("/v1/clients?nmae=x&updated_since=now").await.faults(), ["nmae unknown_parameter", "updated_since invalid_format"]);
        assert_eq!(ann.get("/v1/clients?updated_since=now").await.faults(), ["updated_since invalid_format"]);
        ann.get("/v1/clients?cursor=AAAA").await.problem(400, "invalid_cursor");
    }

    async fn tombstones_show_to_those_who_sync(app: TestApp) {
        let ann = app.recruiter().await;
        let client = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        app.clock.advance(chrono::TimeDelta::minutes(5));
        ann.delete(&format!("/v1/clients/{}", client["id"].as_str().unwrap())).await.expect(204);
        let page = ann.get("/v1/clients?updated_since=2026-11-20T12:01:00Z&include_deleted=true").await.expect(200);
        assert_eq!(page["data"][0]["deleted_at"], "2026-11-20T12:05:00Z");
        assert_eq!(ann.get("/v1/clients?updated_since=2026-11-20T12:01:00Z").await.expect(200)["data"], json!([]));
    }

    async fn a_list_takes_one_statement_and_one_for_a_name(app: TestApp) {
        let ann = app.recruiter().await;
        ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        for (list, expected) in [("/v1/clients", 1), ("/v1/clients?q=nord", 2)] {
            let (statements, page) = app.statements(ann.get(list)).await;
            page.expect(200);
            assert_eq!(statements, expected, "{list}");
        }
    }

    async fn who_may_only_read_writes_nothing(app: TestApp) {
        let auditor = app.user(Role::Auditor).await;
        auditor.post("/v1/clients", json!({"name": "Nordwind"})).await.problem(403, "forbidden");
        let nobody = app.nobody().post("/v1/clients", json!({"name": "Nordwind"})).await;
        assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"debrief\"");
        nobody.problem(401, "unauthorized");
        assert_eq!(auditor.get("/v1/clients").await.expect(200)["data"], json!([]));
    }

    async fn a_name_is_found_with_any_apostrophe(app: TestApp) {
        let ann = app.recruiter().await;
        ann.made("/v1/clients", json!({"name": "O\u{2019}Brien & Söhne"})).await;
        for typed in ["o'brien", "O%E2%80%99Brien", "o%C2%B4brien"] {
            assert_eq!(ann.get(&format!("/v1/clients?q={typed}")).await.expect(200)["data"].as_array().unwrap().len(), 1, "{typed}");
        }
        for wrong in ["%ff", "a%80"] {
            assert_eq!(ann.get(&format!("/v1/clients?q={wrong}")).await.faults(), ["q malformed"]);
        }
    }
}
