use actix_web::http::Method;
use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn an_integration_signs_in_with_its_secret(app: TestApp) {
        let admin = app.admin().await;
        let made = admin.made("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read", "records:write"]})).await;
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        let ask = |form: String, basic: Option<String>| {
            let mut caller = app.nobody();
            if let Some(basic) = basic {
                use base64::Engine;
                let encoded = base64::engine::general_purpose::STANDARD.encode(basic);
                caller = caller.with("Authorization", format!("Basic {encoded}"));
            }
            async move { caller.send(Method::POST, "/oauth/token", "application/x-www-form-urlencoded", form.into_bytes()).await }
        };
        let post = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=records:read");
        let token = ask(post, None).await.expect(200);
        assert_eq!((&token["scope"], &token["token_type"]), (&json!("records:read"), &json!("Bearer")));
        let reader = app.nobody().with_token(token["access_token"].as_str().unwrap());
        assert_eq!(reader.get("/v1/me").await.expect(200)["kind"], "api_client");
        reader.post("/v1/clients", json!({"name": "Nordwind"})).await.problem(403, "forbidden");

        let token = ask("grant_type=client_credentials".to_owned(), Some(format!("{id}:{secret}"))).await.expect(200);
        let writer = app.nobody().with_token(token["access_token"].as_str().unwrap());
        writer.made("/v1/clients", json!({"name": "Nordwind"})).await;
        writer.get("/v1/users").await.problem(403, "forbidden");

        let all = "grant_type=client_credentials&scope=admin".to_owned();
        assert_eq!(ask(all, Some(format!("{id}:{secret}"))).await.expect(400)["error"], "invalid_scope");
        assert_eq!(ask("grant_type=password".to_owned(), None).await.expect(400)["error"], "unsupported_grant_type");
        assert_eq!(ask("grant_type=client_credentials".to_owned(), Some(format!("{id}:wrong"))).await.expect(401)["error"], "invalid_client");

        let both = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        assert_eq!(ask(both.clone(), Some(format!("{id}:{secret}"))).await.expect(400)["error"], "invalid_request");
        assert_eq!(ask(both, Some("nonsense".to_owned())).await.expect(400)["error"], "invalid_request");
        let named = format!("grant_type=client_credentials&client_id={id}");
        ask(named, Some(format!("{id}:{secret}"))).await.expect(200);

        let rotated = admin.post(&format!("/v1/api-clients/{id}/rotate-secret"), json!({})).await;
        assert_eq!((rotated.header("etag"), rotated.header("cache-control")), ("\"2\"".to_owned(), "no-store".to_owned()));
        let rotated = rotated.expect(200);
        assert_ne!(rotated["secret"], made["secret"]);
        assert_eq!(ask("grant_type=client_credentials".to_owned(), Some(format!("{id}:{secret}"))).await.expect(401)["error"], "invalid_client");
    }

    async fn a_client_has_one_name(app: TestApp) {
        use base64::Engine;
        let client = app.admin().await.made("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read"]})).await;
        let pair = format!("{}:{}", client["id"].as_str().unwrap(), client["secret"].as_str().unwrap());
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        for (client_id, status) in [(client["id"].as_str().unwrap(), 200), ("app_01h2xcejqtf2nbrexx3vqjhp41", 400)] {
            let form = format!("grant_type=client_credentials&client_id={client_id}").into_bytes();
            let caller = app.nobody().with("Authorization", &basic);
            caller.send(Method::POST, "/oauth/token", "application/x-www-form-urlencoded", form).await.expect(status);
        }
    }
}
