use actix_web::http::Method;
use chrono::TimeDelta;
use debrief::jobs::RelaySettings;

use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, on_both, relay_settings, relay_with};

on_both! {
    async fn a_migrated_service_is_ready(app: TestApp) {
        assert_eq!(app.nobody().get("/healthz").await.bytes, b"ok");
        let ready = app.nobody().get("/readyz").await.expect(200);
        assert_eq!(ready["status"], "ready");
    }

    async fn the_document_is_served(app: TestApp) {
        let document = app.nobody().get("/v1/openapi.json").await.expect(200);
        assert_eq!(document["openapi"], "3.1.0");
        let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let mut ids: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(ids.contains(&"clients_list"), "{ids:?}");
    }

    async fn every_change_has_a_schema_of_which_nothing_is_required(app: TestApp) {
        let document = app.nobody().get("/v1/openapi.json").await.expect(200);
        let changes = document["paths"].as_object().unwrap().iter().filter_map(|(path, item)| Some((path, item.get("patch")?)));
        for (path, change) in changes {
            for content in change["requestBody"]["content"].as_object().unwrap().values() {
                let name = content["schema"]["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/"));
                let name = name.unwrap_or_else(|| panic!("{path}: {content:#}"));
                let schema = &document["components"]["schemas"][name];
                assert!(name.ends_with("Patch") && schema["properties"].is_object() && schema.get("required").is_none(), "{path}: {schema:#}");
            }
        }
    }

    async fn metrics_count_requests_by_route(app: TestApp) {
        app.nobody().get("/v1/clients/cli_01h2xcejqtf2nbrexx3vqjhp41").await.expect(401);
        let metrics = String::from_utf8(app.nobody().get("/metrics").await.bytes).unwrap();
        let line = r#"debrief_http_requests_total{method="GET",route="/v1/clients/{id}",status="401"} 1"#;
        assert!(metrics.contains(line), "{metrics}");
    }

    async fn metrics_tell_how_the_relay_stands(app: TestApp) {
        let desk = Desk::set(&app).await;
        let gauges = async || {
            let metrics = String::from_utf8(app.nobody().get("/metrics").await.bytes).unwrap();
            let gauges = metrics.lines().filter_map(|line| line.strip_prefix("debrief_relay_"));
            gauges.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(gauges().await, ["behind_seconds 0", "paused 0", "unconfirmed 0", "waiting 0"]);
        desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        assert_eq!(gauges().await, ["behind_seconds 0", "paused 0", "unconfirmed 0", "waiting 2"]);
        app.clock.advance(TimeDelta::seconds(90));
        let script = [(At::Dot, Act::TakeAndDrop), (At::Mail, Act::Reply("530 5.7.0 sign in first"))];
        let peer = SmtpPeer::start(script).await;
        let relay = relay_with(&app, &peer, RelaySettings { workers: 1, ..relay_settings() });
        relay.run_once().await.unwrap();
        assert_eq!(gauges().await, ["behind_seconds 30", "paused 1", "unconfirmed 1", "waiting 1"]);
        app.clock.advance(TimeDelta::seconds(5));
        assert_eq!(gauges().await[0], "behind_seconds 35");
    }

    async fn methods_that_callers_make_up_are_one_label(app: TestApp) {
        for made_up in [&b"BREW"[..], b"WHEN"] {
            let method = Method::from_bytes(made_up).unwrap();
            app.nobody().send(method, "/v1/clients", "text/plain", Vec::new()).await.expect(405);
        }
        let metrics = String::from_utf8(app.nobody().get("/metrics").await.bytes).unwrap();
        let line = r#"debrief_http_requests_total{method="other",route="/v1/clients",status="405"} 2"#;
        assert!(metrics.contains(line) && !metrics.contains("BREW"), "{metrics}");
    }

    async fn a_request_id_is_taken_or_made(app: TestApp) {
        let given = app.nobody().with("X-Request-Id", "crm-4711").get("/v1/nowhere").await;
        assert_eq!(given.header("x-request-id"), "crm-4711");
        assert_eq!(given.problem(404, "not_found")["request_id"], "crm-4711");
        let made = app.nobody().with("X-Request-Id", "a b\"c").get("/healthz").await;
        assert_eq!(made.header("x-request-id").len(), 32);
    }

    async fn a_wrong_method_is_told_the_right_ones(app: TestApp) {
        let answer = app.nobody().delete("/v1/clients").await;
        assert_eq!(answer.header("allow"), "GET, HEAD, POST");
        answer.problem(405, "method_not_allowed");
    }
}
