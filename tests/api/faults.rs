//! Everything that is wrong with a request is told at once, whoever finds it: the schema, the use case, or the database.

use serde_json::json;

use crate::support::{Desk, Scene, id, on_both};

on_both! {
    async fn a_value_of_the_wrong_type_is_told_once(app: TestApp) {
        let admin = app.admin().await;
        let account = json!({"name": "CRM", "scopes": ["x", 1, null]});
        assert_eq!(admin.post("/v1/api-clients", account).await.faults(), [
            "/scopes/0 unknown_word", "/scopes/1 wrong_type", "/scopes/2 required",
        ]);
    }

    async fn what_the_schema_forbids_hides_nothing_that_the_work_finds(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let mut interview = scene.to_come(json!({}));
        interview["candidate_id"] = json!("cnd_01h2xcejqtf2nbrexx3vqjhp41");
        interview["contact_ids"] = json!([scene.manager, scene.manager]);
        interview["preparation"] = json!([{"item": " ", "done": "no"}]);
        interview["round"] = json!(0);
        interview["colour"] = json!("blue");
        let faults = ann.post("/v1/interviews", interview).await.faults();
        assert_eq!(faults, [
            "/colour unknown_field", "/preparation/0/done wrong_type", "/preparation/0/item blank", "/round too_small",
            "/contact_ids/1 duplicate", "/candidate_id unknown_reference",
        ]);
    }

    async fn what_cannot_be_read_at_all_is_told_with_every_fault_of_its_fields(app: TestApp) {
        let ann = app.recruiter().await;
        let faults = ann.post("/v1/contacts", json!({"name": " ", "email": "ada@", "role": "king", "phone": "1\n2", "fax": 1})).await.faults();
        assert_eq!(faults, [
            "/client_id required", "/email invalid_email", "/fax unknown_field", "/name blank", "/phone control_character", "/role unknown_word",
        ]);
    }

    async fn an_account_is_looked_at_as_a_whole(app: TestApp) {
        let desk = Desk::set(&app).await;
        let account = json!({
            "side": "candidate", "channel": "phone", "narrative": "a\u{0}b", "mood": "low", "contact_id": desk.scene.manager,
            "points": [{"kind": "slip", "what": " ", "competency": "juggling"}, {"kind": "slip", "what": "Late", "why": 7}],
        });
        let path = format!("/v1/debriefs/{}/feedback", desk.debrief);
        assert_eq!(desk.ann.post(&path, account).await.faults(), [
            "/mood unknown_field", "/narrative control_character", "/points/0/what blank", "/points/1/why wrong_type",
            "/contact_id not_allowed", "/points/0/competency unknown_reference",
        ]);
    }

    async fn of_more_than_fifty_faults_fifty_are_told_and_that_there_are_more(app: TestApp) {
        let desk = Desk::set(&app).await;
        // Two keywords find that a text is blank.
        let points = |count| vec![json!({"kind": "slip", "what": ""}); count];
        for (count, told) in [(50, 50), (51, 51), (100, 51)] {
            let account = json!({"side": "candidate", "channel": "phone", "narrative": "So it went.", "points": points(count)});
            let faults = desk.ann.post(&format!("/v1/debriefs/{}/feedback", desk.debrief), account).await.faults();
            assert_eq!((faults.len(), faults.last().unwrap() == " more_faults"), (told, told == 51), "{count}: {faults:?}");
        }
    }

    async fn a_patch_with_faults_of_both_kinds_changes_nothing(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        let path = format!("/v1/interviews/{}", id(&interview));
        let patch = json!({"ends_at": interview["starts_at"], "round": 0, "color": null, "colour": 1});
        assert_eq!(ann.patch(&path, patch).await.faults(), [
            "/color unknown_field", "/colour unknown_field", "/round too_small", "/ends_at not_after_start",
        ]);
        let sound = json!({"round": 0, "format": "phone"});
        assert_eq!(ann.patch(&path, sound).await.faults(), ["/round too_small"]);
        assert_eq!(ann.get(&path).await.expect(200), interview, "a faulty patch is not applied in part");
    }

    async fn what_is_far_too_long_is_not_worked_with(app: TestApp) {
        let ann = app.recruiter().await;
        let long = "x".repeat(500_000);
        let (statements, answer) = app.statements(ann.post("/v1/clients", json!({"name": long, "notes": 7}))).await;
        assert_eq!((statements, answer.faults()), (0, vec!["/name too_long".to_owned(), "/notes wrong_type".to_owned()]));
        let faults = ann.post("/v1/clients", json!({"name": "Nordwind", "notes": long, "external_refs": [{"system": "crm", "id": "1"}, {"system": "crm", "id": "1"}]})).await.faults();
        assert_eq!(faults, ["/notes too_long", "/external_refs duplicate"]);
    }

    async fn a_body_with_faults_makes_nothing(app: TestApp) {
        let admin = app.admin().await;
        assert_eq!(admin.post("/v1/clients", json!({"name": "Nordwind", "nmae": 1})).await.faults(), ["/nmae unknown_field"]);
        assert_eq!(admin.get("/v1/clients").await.expect(200)["data"], json!([]));
        let user = json!({"name": " ", "email": "ben@agency.example", "role": "recruiter", "password": "password1", "x": 1});
        assert_eq!(admin.post("/v1/users", user).await.faults(), ["/name blank", "/x unknown_field", "/password weak_password"]);
    }
}
