//! How often anybody may ask.

use debrief::config::{RateLimit, Settings};
use serde_json::json;

use crate::support::{Database, TestApp};

/// Long enough that nothing is given back while a test runs.
const LONG: u32 = 86_400;

async fn limited(adjust: impl FnOnce(&mut Settings)) -> TestApp {
    TestApp::start_with(Database::sqlite(), adjust).await
}

#[actix_web::test]
async fn each_credential_has_a_limit_of_its_own() {
    let app =
        limited(|settings| settings.rate_limits.credential = RateLimit { requests: 2, seconds: LONG }).await;
    let (ann, bob) = (app.recruiter().await, app.recruiter().await);
    let first = ann.get("/v1/me").await;
    assert_eq!(first.header("ratelimit-policy"), "\"credential\";q=2;w=86400");
    assert_eq!(first.header("ratelimit"), "\"credential\";r=1;t=43200");
    // What is refused counts as well, and says what is left.
    let second = ann.post("/v1/clients", json!({})).await;
    assert_eq!(second.header("ratelimit"), "\"credential\";r=0;t=86400");
    second.expect(400);
    let third = ann.get("/v1/me").await;
    let wait: u64 = third.header("retry-after").parse().unwrap();
    assert!((43_100..=43_200).contains(&wait), "{wait}");
    assert_eq!(third.header("ratelimit"), format!("\"credential\";r=0;t={wait}"));
    third.problem(429, "too_many_requests");
    bob.get("/v1/me").await.expect(200);
    // Another token of the same user is the same credential.
    ann.get("/v1/clients").await.problem(429, "too_many_requests");
    // What takes no credential goes on.
    ann.get("/healthz").await.expect(200);
    assert_eq!(ann.get("/v1/openapi.json").await.header("ratelimit"), "");
}

#[actix_web::test]
async fn each_address_may_sign_in_so_often() {
    let app = limited(|settings| {
        settings.rate_limits.sign_in = RateLimit { requests: 2, seconds: LONG };
        settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let wrong = json!({"email": "nobody@agency.example", "password": "not at all right"});
    let near = app.nobody().with("X-Forwarded-For", "192.0.2.1, 198.51.100.7");
    let same = app.nobody().with("X-Forwarded-For", "192.0.2.2, 198.51.100.7");
    let far = app.nobody().with("X-Forwarded-For", "192.0.2.1, 198.51.100.8");
    let refused = near.post("/v1/auth/login", wrong.clone()).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"sign-in\";q=2;w=86400");
    refused.problem(401, "unauthorized");
    same.post("/v1/auth/refresh", json!({"refresh_token": "rt_no"})).await.problem(401, "unauthorized");
    for path in ["/v1/auth/login", "/v1/auth/refresh", "/v1/setup", "/oauth/token"] {
        near.post(path, wrong.clone()).await.problem(429, "too_many_requests");
    }
    far.post("/v1/auth/login", wrong).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn each_account_has_so_many_tries_from_wherever_they_come() {
    let app = limited(|settings| {
        settings.rate_limits.account = RateLimit { requests: 2, seconds: LONG };
        settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let from = |host: u8| app.nobody().with("X-Forwarded-For", format!("198.51.100.{host}"));
    let tried = |email: &str| json!({"email": email, "password": "not at all right"});
    for (host, email) in [(1, "ada@agency.example"), (2, " ADA@agency.example")] {
        from(host).post("/v1/auth/login", tried(email)).await.problem(401, "unauthorized");
    }
    let refused = from(3).post("/v1/auth/login", tried("ada@agency.example")).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"account\";q=2;w=86400");
    refused.problem(429, "too_many_requests");
    from(3).post("/v1/auth/login", tried("ben@agency.example")).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn without_a_limit_nothing_is_said_of_one() {
    let app =
        limited(|settings| settings.rate_limits.credential = RateLimit { requests: 0, seconds: 1 }).await;
    let answer = app.recruiter().await.get("/v1/me").await;
    assert!(!answer.headers.contains_key("ratelimit") && !answer.headers.contains_key("ratelimit-policy"));
    answer.expect(200);
}
