use debrief::domain::people::Role;
use serde_json::json;

use crate::support::{Scene, id, on_both};

on_both! {
    async fn a_candidate_is_made_shown_changed_and_deleted(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"name": "Tomás Herrera", "email": "tomas@home.example", "locale": "es-ES", "time_zone": "Europe/Madrid"});
        let made = ann.post("/v1/candidates", body).await;
        let path = made.header("location");
        let candidate = made.expect(201);
        assert_eq!(ann.get(&path).await.expect(200), candidate);
        let changed = ann.patch(&path, json!({"locale": null, "phone": "+34 600"})).await.expect(200);
        assert_eq!((&changed["locale"], &changed["time_zone"], &changed["version"]), (&json!(null), &json!("Europe/Madrid"), &json!(2)));
        ann.delete(&path).await.expect(204);
        ann.get(&path).await.problem(404, "not_found");
    }

    async fn a_candidate_lives_where_the_agency_is_until_somebody_knows_better(app: TestApp) {
        let ann = app.recruiter().await;
        let path = "/v1/candidates/by-external-id/crm/1";
        let made = ann.put(path, json!({"name": "Tomás"})).await.expect(201);
        assert_eq!(made["time_zone"], "Etc/UTC");
        ann.put(path, json!({"name": "Tomás", "time_zone": "America/Lima"})).await.expect(200);
        let same = ann.put(path, json!({"name": "Tomás H."})).await.expect(200);
        assert_eq!(same["time_zone"], "America/Lima");
    }

    async fn every_fault_of_a_candidate_is_named_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"name": " ", "email": "tomas@", "phone": "1\n2", "locale": "es_ES", "time_zone": "Madrid"});
        let faults = ann.post("/v1/candidates", body).await.faults();
        assert_eq!(faults, [
            "/email invalid_email", "/locale invalid_language", "/name blank", "/phone control_character", "/time_zone invalid_time_zone",
        ]);
    }

    async fn a_candidate_with_interviews_is_in_use(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        let path = format!("/v1/candidates/{}", scene.candidate);
        ann.delete(&path).await.problem(409, "in_use");
        ann.delete(&format!("/v1/interviews/{}", id(&interview))).await.expect(204);
        ann.delete(&path).await.expect(204);
    }

    async fn another_agency_sees_no_candidates(app: TestApp) {
        let (ann, eve) = (app.recruiter().await, app.stranger(Role::Admin).await);
        let scene = Scene::set(&ann).await;
        let path = format!("/v1/candidates/{}", scene.candidate);
        eve.get(&path).await.problem(404, "not_found");
        eve.patch(&path, json!({"name": "Mine"})).await.problem(404, "not_found");
        assert_eq!(eve.get("/v1/candidates?q=tomas").await.expect(200)["data"], json!([]));
        assert_eq!(ann.get("/v1/candidates?q=tomas").await.expect(200)["data"][0]["id"], scene.candidate);
        assert_eq!(ann.get("/v1/candidates?client_id=x").await.faults(), ["client_id unknown_parameter"]);
    }
}
