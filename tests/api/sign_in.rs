use actix_web::http::Method;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Database, TestApp, both, on_both};

async fn set_up(app: &TestApp) -> Value {
    let body = json!({
        "token": app.setup_token, "agency_name": "Hanse Personal", "name": "Ada Admin",
        "email": "Ada@Hanse.example", "password": "correct horse"
    });
    app.nobody().made("/v1/setup", body).await
}

async fn log_in(app: &TestApp) -> Value {
    let body = json!({"email": "ada@hanse.example", "password": "correct horse"});
    app.nobody().post("/v1/auth/login", body).await.expect(200)
}

mod setting_up {
    use super::*;

    async fn body(database: Database) {
        let app = TestApp::start_empty(database).await;
        let mut wrong = json!({
            "token": "setup_wrong", "agency_name": "Hanse", "name": "Ada", "email": "ada@hanse.example",
            "password": "correct horse"
        });
        app.nobody().post("/v1/setup", wrong.clone()).await.problem(404, "not_found");
        wrong["token"] = json!(app.setup_token);
        wrong["password"] = json!("password1");
        wrong["email"] = json!("ada");
        wrong["name"] = json!("Ada\n");
        let faults = app.nobody().post("/v1/setup", wrong).await.faults();
        assert_eq!(faults, ["/email invalid_email", "/name control_character"]);

        let pair = set_up(&app).await;
        let me =
            app.nobody().with_token(pair["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
        assert_eq!(
            (&me["email"], &me["role"], &me["agency_name"]),
            (&json!("ada@hanse.example"), &json!("admin"), &json!("Hanse Personal"))
        );
        let again = json!({
            "token": app.setup_token, "agency_name": "Two", "name": "Eve", "email": "eve@two.example",
            "password": "correct horse"
        });
        app.nobody().post("/v1/setup", again).await.problem(404, "not_found");
        app.nobody().post("/v1/setup", json!({"token": 1, "nonsense": 2})).await.problem(404, "not_found");
        for (content_type, body) in
            [("application/json", "{"), ("text/plain", "hello"), ("application/json", "")]
        {
            let answer =
                app.nobody().send(Method::POST, "/v1/setup", content_type, body.as_bytes().to_vec()).await;
            answer.problem(404, "not_found");
        }
    }

    both!(|database| {
        body(database).await;
    });
}

on_both! {
    async fn a_user_signs_in_and_a_wrong_password_looks_like_an_unknown_user(app: TestApp) {
        let admin = app.admin().await;
        admin.made("/v1/users", json!({"name": "Ada", "email": "ada@hanse.example", "role": "recruiter", "password": "correct horse"})).await;
        let pair = log_in(&app).await;
        assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("Bearer"), &json!(900)));
        let me = app.nobody().with_token(pair["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
        assert_eq!(me["scope"], "records:read records:write notes:approve");

        let refused = |email: &str, password: &str| {
            let body = json!({"email": email, "password": password});
            let nobody = app.nobody();
            async move { nobody.post("/v1/auth/login", body).await.problem(401, "unauthorized")["detail"].clone() }
        };
        let wrong = refused("ada@hanse.example", "wrong horse").await;
        assert_eq!(refused("nobody@hanse.example", "correct horse").await, wrong);
    }

    async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_family(app: TestApp) {
        let admin = app.admin().await;
        admin.made("/v1/users", json!({"name": "Ada", "email": "ada@hanse.example", "role": "recruiter", "password": "correct horse"})).await;
        let first = log_in(&app).await;
        let other = log_in(&app).await;
        let refresh = |pair: &Value| {
            let body = json!({"refresh_token": pair["refresh_token"]});
            let nobody = app.nobody();
            async move { nobody.post("/v1/auth/refresh", body).await }
        };
        let second = refresh(&first).await.expect(200);
        let third = refresh(&second).await.expect(200);
        refresh(&second).await.problem(401, "unauthorized");
        refresh(&third).await.problem(401, "unauthorized");
        let fresh = refresh(&other).await.expect(200);
        app.nobody().post("/v1/auth/logout", json!({"refresh_token": fresh["refresh_token"]})).await.expect(204);
        refresh(&fresh).await.problem(401, "unauthorized");
        app.nobody().post("/v1/auth/logout", json!({"refresh_token": "rft_unknown"})).await.expect(204);
    }

    async fn of_many_refreshes_at_once_one_wins(app: TestApp) {
        let admin = app.admin().await;
        admin.made("/v1/users", json!({"name": "Ada", "email": "ada@hanse.example", "role": "recruiter", "password": "correct horse"})).await;
        let pair = log_in(&app).await;
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (nobody, body) = (app.nobody(), json!({"refresh_token": pair["refresh_token"]}));
                actix_web::rt::spawn(async move { nobody.post("/v1/auth/refresh", body).await.status.as_u16() })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            won += usize::from(one.await.unwrap() == 200);
        }
        assert_eq!(won, 1);
    }

    async fn a_disabled_user_and_an_expired_token_are_out(app: TestApp) {
        let admin = app.admin().await;
        let user = admin.made("/v1/users", json!({"name": "Ada", "email": "ada@hanse.example", "role": "recruiter", "password": "correct horse"})).await;
        let pair = log_in(&app).await;
        let path = format!("/v1/users/{}", user["id"].as_str().unwrap());
        let disabled = admin.patch(&path, json!({"disabled": true})).await.expect(200);
        assert_eq!(disabled["disabled_at"], "2026-11-20T12:00:00Z");
        app.nobody().post("/v1/auth/refresh", json!({"refresh_token": pair["refresh_token"]})).await.problem(401, "unauthorized");
        app.nobody().post("/v1/auth/login", json!({"email": "ada@hanse.example", "password": "correct horse"})).await.problem(401, "unauthorized");

        let holder = app.nobody().with_token(pair["access_token"].as_str().unwrap());
        holder.get("/v1/me").await.expect(200);
        app.clock.advance(chrono::TimeDelta::minutes(15));
        let late = holder.get("/v1/me").await;
        assert!(late.header("www-authenticate").contains("invalid_token"));
        late.problem(401, "unauthorized");
    }

    async fn the_public_keys_are_served(app: TestApp) {
        let keys = app.nobody().get("/.well-known/jwks.json").await.expect(200);
        let key = &keys["keys"][0];
        assert_eq!((&key["kty"], &key["crv"], &key["alg"], &key["use"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig")));
        assert!(key.get("d").is_none());
    }

    async fn administration_is_for_administrators(app: TestApp) {
        for role in [Role::Manager, Role::Recruiter, Role::Auditor] {
            let user = app.user(role).await;
            user.get("/v1/users").await.problem(403, "forbidden");
            user.get("/v1/api-clients").await.problem(403, "forbidden");
            user.patch("/v1/agency", json!({"name": "Mine"})).await.problem(403, "forbidden");
            user.get("/v1/agency").await.expect(200);
        }
    }
}
