//! Where other systems want to be told of what happens.

use chrono::TimeDelta;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::receiver::Reaction;
use crate::support::webhooks::{Hooks, with_hooks};
use crate::support::{id, on_both};

on_both! {
    async fn an_endpoint_is_made_shown_changed_and_deleted(app: TestApp) {
        let admin = app.admin().await;
        let new = json!({"url": "https://crm.example/hook", "description": "The CRM", "event_types": ["note.sent"]});
        let answer = admin.post("/v1/webhook-endpoints", new).await;
        assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store".into(), "\"1\"".into()));
        let location = answer.header("location");
        let made = answer.expect(201);
        assert_eq!(location, format!("/v1/webhook-endpoints/{}", id(&made)));
        assert!(id(&made).starts_with("whk_"));
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_") && secret.len() == 6 + 44, "32 bytes in base64");

        let shown = admin.get(&location).await.expect(200);
        assert!(shown.get("secret").is_none() && shown.get("secrets").is_none());
        let fields: Vec<&String> = shown.as_object().unwrap().keys().collect();
        let expected = ["created_at", "description", "disabled_at", "disabled_because", "event_types", "failing_since", "id", "updated_at", "url", "version"];
        assert_eq!(fields, expected);

        let patched = admin.at(&json!(1)).patch(&location, json!({"description": null, "event_types": []})).await.expect(200);
        assert_eq!((&patched["description"], &patched["event_types"], &patched["version"]), (&json!(null), &json!([]), &json!(2)));
        admin.at(&json!(1)).patch(&location, json!({"url": "https://crm.example/"})).await.problem(412, "stale_version");

        let disabled = admin.patch(&location, json!({"disabled": true})).await.expect(200);
        assert_eq!((&disabled["disabled_because"], &disabled["disabled_at"]), (&json!("asked"), &json!("2026-11-20T12:00:00Z")));
        admin.post(&format!("{location}/test"), json!({})).await.problem(409, "endpoint_disabled");
        let enabled = admin.patch(&location, json!({"disabled": false})).await.expect(200);
        assert_eq!((&enabled["disabled_because"], &enabled["disabled_at"]), (&json!(null), &json!(null)));

        assert_eq!(admin.delete(&location).await.status.as_u16(), 204);
        for gone in [admin.get(&location).await, admin.delete(&location).await, admin.get(&format!("{location}/deliveries")).await] {
            gone.problem(404, "not_found");
        }
        assert_eq!(admin.get("/v1/webhook-endpoints").await.expect(200)["data"], json!([]));
    }

    async fn every_fault_is_named(app: TestApp) {
        let admin = app.admin().await;
        let bad = json!({"url": "http://crm.example/", "event_types": ["note.sent", "note.eaten"], "description": "a\u{7}"});
        assert_eq!(admin.post("/v1/webhook-endpoints", bad).await.faults(), ["/description control_character", "/event_types/1 unknown_word", "/url not_https"]);
        for (url, code) in [
            ("https://127.0.0.1/", "address_not_allowed"),
            ("https://0x7f.1/", "address_not_allowed"),
            ("https://[::ffff:169.254.169.254]/", "address_not_allowed"),
            ("https://169.254.169.254/latest/meta-data", "address_not_allowed"),
            ("https://user:pw@crm.example/", "invalid_url"),
            ("crm.example", "invalid_url"),
            ("", "blank"),
        ] {
            assert_eq!(admin.post("/v1/webhook-endpoints", json!({"url": url})).await.faults(), [format!("/url {code}")], "{url}");
        }
        let faults = admin.post("/v1/webhook-endpoints", json!({"secret": "x"})).await.faults();
        assert_eq!(faults, ["/secret unknown_field", "/url required"]);
        let made = admin.made("/v1/webhook-endpoints", json!({"url": "https://crm.example"})).await;
        let path = format!("/v1/webhook-endpoints/{}", id(&made));
        assert_eq!(admin.patch(&path, json!({"url": "https://10.0.0.1/"})).await.faults(), ["/url address_not_allowed"]);
        admin.get(&format!("{path}/deliveries?state=eaten")).await.problem(400, "validation_failed");
    }

    async fn only_those_who_may_keep_endpoints(app: TestApp) {
        let admin = app.admin().await;
        let made = admin.made("/v1/webhook-endpoints", json!({"url": "https://crm.example"})).await;
        let path = format!("/v1/webhook-endpoints/{}", id(&made));
        for role in [Role::Manager, Role::Recruiter, Role::Auditor] {
            let caller = app.user(role).await;
            caller.get(&path).await.problem(403, "forbidden");
            caller.post(&format!("{path}/test"), json!({})).await.problem(403, "forbidden");
        }
        let stranger = app.stranger(Role::Admin).await;
        let event = admin.first_event("").await["id"].clone();
        for answer in [
            stranger.get(&path).await,
            stranger.patch(&path, json!({"description": "mine"})).await,
            stranger.delete(&path).await,
            stranger.get(&format!("{path}/deliveries")).await,
            stranger.post(&format!("{path}/test"), json!({})).await,
            stranger.post(&format!("{path}/rotate-secret"), json!({})).await,
            stranger.post(&format!("{path}/replay"), json!({"after": event})).await,
        ] {
            answer.problem(404, "not_found");
        }
        assert_eq!(stranger.get("/v1/webhook-endpoints").await.expect(200)["data"], json!([]));
        let client = json!({"name": "CRM", "scopes": ["webhooks:manage"]});
        let client = admin.made("/v1/api-clients", client).await;
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", id(&client), client["secret"].as_str().unwrap());
        let token = app.nobody().send(actix_web::http::Method::POST, "/oauth/token", "application/x-www-form-urlencoded", form.into_bytes()).await.expect(200);
        let machine = app.nobody().with_token(token["access_token"].as_str().unwrap());
        machine.get(&path).await.expect(200);
        machine.get("/v1/clients").await.problem(403, "forbidden");
    }

    async fn a_secret_is_not_in_the_database_as_it_is(app: TestApp) {
        use debrief::app::AppError;
        use debrief::store::schema::webhook_endpoints;
        use debrief::store::types::Json;
        use diesel::prelude::*;

        let admin = app.admin().await;
        let made = admin.made("/v1/webhook-endpoints", json!({"url": "https://crm.example"})).await;
        let secrets: Json<Value> = app.context.store
            .read(|conn| Ok::<_, AppError>(webhook_endpoints::table.select(webhook_endpoints::secrets).first(conn)?))
            .unwrap();
        let kept = secrets.0.to_string();
        let secret = made["secret"].as_str().unwrap().trim_start_matches("whsec_");
        assert!(kept.contains("sealed") && !kept.contains(secret), "{kept}");
    }

    async fn an_endpoint_that_is_not_allowed_any_more_can_be_disabled(app: TestApp) {
        use debrief::app::AppError;
        use debrief::store::schema::webhook_endpoints;
        use diesel::prelude::*;

        let admin = app.admin().await;
        let made = admin.made("/v1/webhook-endpoints", json!({"url": "https://crm.example"})).await;
        let path = format!("/v1/webhook-endpoints/{}", id(&made));
        let set = diesel::update(webhook_endpoints::table).set(webhook_endpoints::url.eq("http://127.0.0.1:9/"));
        app.context.store.write(|tx| Ok::<_, AppError>(set.execute(&mut **tx).map(drop)?)).unwrap();
        admin.patch(&path, json!({"description": "The old one."})).await.expect(200);
        admin.patch(&path, json!({"disabled": true})).await.expect(200);
        assert_eq!(admin.patch(&path, json!({"disabled": false})).await.faults(), ["/url not_https"]);
        assert_eq!(admin.patch(&path, json!({"url": "http://127.0.0.1:8/"})).await.faults(), ["/url not_https"]);
    }
}

with_hooks! {
    async fn a_rotated_secret_signs_beside_the_new_one_for_a_day(mut hooks, []) {
        let first = hooks.endpoint["secret"].as_str().unwrap().to_owned();
        let answer = hooks.admin.post(&format!("{}/rotate-secret", hooks.path()), json!({})).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let second = answer.expect(200)["secret"].as_str().unwrap().to_owned();
        assert_ne!(first, second);
        hooks.client().await;
        let hook = hooks.only();
        assert!(hook.is_signed_with(&first) && hook.is_signed_with(&second));
        assert_eq!(hook.header("webhook-signature").split(' ').count(), 2);

        hooks.later(TimeDelta::hours(24)).await;
        hooks.client().await;
        let hook = hooks.receiver.hooks().pop().unwrap();
        assert!(hook.is_signed_with(&second) && !hook.is_signed_with(&first));
    }

    async fn a_new_signing_key_loses_no_secret(hooks, []) {
        use std::sync::Arc;
        use debrief::app::{Context, webhook_endpoints};
        use debrief::auth::keys::Keys;
        use debrief::auth::token::{TokenSettings, Tokens};
        use crate::support::webhooks::sender;

        let context = |keys: Keys| {
            let settings = TokenSettings { issuer: "debrief".into(), audience: "debrief-api".into(), lifetime: chrono::TimeDelta::minutes(15) };
            Context { tokens: Arc::new(Tokens::new(settings, keys)), ..hooks.app.context.clone() }
        };
        let folder = hooks.app.settings.server.data_dir.clone();
        let (old, new) = (hooks.app.settings.signing_key_file(), folder.join("new-key.pem"));
        let both = context(Keys::load(&new, &[old]).unwrap());
        let reseal = |tx: &mut debrief::store::pool::Tx<'_>| webhook_endpoints::reseal(tx, both.tokens.keys().seals(), None);
        hooks.app.context.store.write(reseal).unwrap();
        // The old key is forgotten.
        let alone = context(Keys::load(&new, &[]).unwrap());
        hooks.admin.post(&format!("{}/test", hooks.path()), json!({})).await.expect(202);
        sender(&alone).run_once().await.unwrap();
        assert!(hooks.only().is_signed_with(hooks.endpoint["secret"].as_str().unwrap()));
    }

    async fn an_endpoint_that_is_gone_is_disabled(hooks, [Reaction::Answer(410, "", "")]) {
        let etag = hooks.admin.get(&hooks.path()).await.header("etag");
        hooks.client().await;
        let answer = hooks.admin.with("If-None-Match", &etag).get(&hooks.path()).await;
        let shown = answer.expect(200);
        assert_eq!((&shown["disabled_because"], &shown["version"]), (&json!("gone"), &json!(2)));
        let log = hooks.log().await;
        assert_eq!((&log[0]["state"], &log[0]["last_status"]), (&json!("failed"), &json!(410)));
        let event = told(&hooks, "webhook_endpoint.disabled").await;
        assert_eq!(event["data"], json!({"id": hooks.endpoint["id"], "version": 2, "because": "gone"}));

        // It collects nothing while it is disabled, and goes on from now once it is enabled.
        hooks.admin.made("/v1/clients", json!({"name": "Missed"})).await;
        hooks.sender.run_once().await.unwrap();
        assert_eq!(hooks.log().await.len(), 1);
        hooks.admin.patch(&hooks.path(), json!({"disabled": false})).await.expect(200);
        hooks.client().await;
    }

    async fn an_endpoint_that_fails_for_days_is_disabled(mut hooks, [FAILS, FAILS, FAILS, FAILS, FAILS, FAILS]) {
        hooks.client().await;
        let since = hooks.shown().await["failing_since"].clone();
        assert_eq!(since, "2026-11-20T12:00:00Z");
        for _ in 0..4 {
            hooks.later(TimeDelta::hours(27)).await;
        }
        assert_eq!(hooks.log().await[0]["attempts"], 5);
        assert_eq!(hooks.shown().await["disabled_at"], json!(null), "108 hours");
        hooks.later(TimeDelta::hours(27)).await;
        let shown = hooks.shown().await;
        assert_eq!((&shown["disabled_because"], &shown["failing_since"]), (&json!("failing"), &since));
        let log = hooks.log().await;
        assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&json!("cancelled"), &json!(6)));
        let event = told(&hooks, "webhook_endpoint.disabled").await;
        assert_eq!(event["data"]["because"], "failing");
        hooks.later(TimeDelta::hours(27)).await;
        assert_eq!(hooks.receiver.hooks().len(), 6);
    }

    async fn one_success_makes_an_endpoint_well(mut hooks, [FAILS]) {
        hooks.client().await;
        assert_eq!(hooks.shown().await["failing_since"], "2026-11-20T12:00:00Z");
        hooks.later(TimeDelta::hours(1)).await;
        assert_eq!(hooks.log().await[0]["state"], "delivered");
        assert_eq!(hooks.shown().await["failing_since"], json!(null));
    }
}

const FAILS: Reaction = Reaction::Answer(500, "", "");

/// The event of this type, once the feed shows it.
async fn told(hooks: &Hooks, event_type: &str) -> Value {
    loop {
        let page = hooks.admin.get(&format!("/v1/events?types={event_type}")).await.expect(200);
        if let Some(event) = page["data"].as_array().unwrap().last() {
            return event.clone();
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
