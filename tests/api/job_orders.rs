use debrief::domain::people::Role;
use serde_json::json;

use crate::support::{Scene, id, on_both};

on_both! {
    async fn a_job_order_is_made_shown_changed_and_deleted(app: TestApp) {
        let ann = app.recruiter().await;
        let client = id(&ann.made("/v1/clients", json!({"name": "Nordwind"})).await);
        let made = ann.post("/v1/job-orders", json!({"client_id": client, "title": "Shift lead"})).await;
        let path = made.header("location");
        let order = made.expect(201);
        assert_eq!(order["status"], "open");
        assert_eq!(ann.get(&path).await.expect(200), order);
        let changed = ann.patch(&path, json!({"status": "filled", "notes": "By Ana.\nSince May."})).await.expect(200);
        assert_eq!((&changed["status"], &changed["version"]), (&json!("filled"), &json!(2)));
        assert_eq!(ann.patch(&path, json!({"status": "taken"})).await.faults(), ["/status unknown_word"]);
        ann.delete(&path).await.expect(204);
        ann.get(&path).await.problem(404, "not_found");
    }

    async fn a_job_order_with_interviews_stays_with_its_client(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = format!("/v1/job-orders/{}", scene.order);
        let other = id(&ann.made("/v1/clients", json!({"name": "Südwind"})).await);
        ann.patch(&path, json!({"client_id": other})).await.expect(200);
        ann.patch(&path, json!({"client_id": scene.client})).await.expect(200);
        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        assert_eq!(ann.patch(&path, json!({"client_id": other})).await.faults(), ["/client_id immutable"]);
        ann.delete(&path).await.problem(409, "in_use");
        ann.delete(&format!("/v1/interviews/{}", id(&interview))).await.expect(204);
        ann.delete(&path).await.expect(204);
    }

    async fn job_orders_are_listed_by_client_and_status(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        app.clock.advance(chrono::TimeDelta::seconds(1));
        let filled = json!({"client_id": scene.client, "title": "Driver", "status": "filled"});
        let filled = id(&ann.made("/v1/job-orders", filled).await);
        let ids = async |query: &str| {
            let page = ann.get(&format!("/v1/job-orders?{query}")).await.expect(200);
            page["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
        };
        let (open, filled) = (scene.order.as_str(), filled.as_str());
        assert_eq!(ids("status=open").await, [open]);
        assert_eq!(ids(&format!("client_id={}&status=filled", scene.client)).await, [filled]);
        assert_eq!(ids("q=shift").await, [open]);
        assert_eq!(ids("limit=5").await, [filled, open]);
        assert!(ids("client_id=cli_01h2xcejqtf2nbrexx3vqjhp41").await.is_empty());
        assert_eq!(ann.get("/v1/job-orders?status=gone").await.faults(), ["status unknown_word"]);
    }

    async fn a_job_order_is_found_by_the_id_of_another_system(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = "/v1/job-orders/by-external-id/crm/9";
        let made = ann.put(path, json!({"client_id": scene.client, "title": "Driver", "status": "filled"})).await.expect(201);
        let same = ann.put(path, json!({"client_id": scene.client, "title": "Driver (night)"})).await.expect(200);
        assert_eq!((&same["id"], &same["status"], &same["title"]), (&made["id"], &json!("filled"), &json!("Driver (night)")));
    }

    async fn another_agency_sees_no_job_orders(app: TestApp) {
        let (ann, eve) = (app.recruiter().await, app.stranger(Role::Admin).await);
        let scene = Scene::set(&ann).await;
        let path = format!("/v1/job-orders/{}", scene.order);
        eve.get(&path).await.problem(404, "not_found");
        eve.patch(&path, json!({"title": "Mine"})).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        assert_eq!(eve.get("/v1/job-orders").await.expect(200)["data"], json!([]));
    }
}
