//! Bodies that do not arrive as they should.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Database, TestApp, on_both};

/// What a service that waits a second answers to a request whose body never ends, though a byte of
/// it keeps coming: the head of the answer, and its body.
async fn dribble(head: &str, piece: &'static [u8]) -> (String, Value) {
    let app =
        TestApp::start_with(Database::sqlite(), |settings| settings.server.request_timeout_seconds = 1).await;
    let token = app.admin().await.token();
    let (mut answer, mut request) = app.connect().await.unwrap().into_split();
    let head = head.replace("{token}", &token);
    request.write_all(head.as_bytes()).await.unwrap();
    let dribbling = actix_web::rt::spawn(async move {
        while request.write_all(piece).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut text = String::new();
    answer.read_to_string(&mut text).await.unwrap();
    dribbling.abort();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), serde_json::from_str(body).unwrap())
}

#[track_caller]
fn assert_timed_out(head: &str, problem: &Value) {
    assert!(head.starts_with("http/1.1 408 ") && head.contains("connection: close"), "{head}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    assert_eq!((&problem["code"], &problem["status"]), (&json!("request_timeout"), &json!(408)));
}

#[actix_web::test]
async fn a_body_that_never_ends_is_cut_off() {
    let head = "POST /v1/clients HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
                Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"name\":\"";
    let (head, problem) = dribble(head, b"x").await;
    assert_timed_out(&head, &problem);
    assert_eq!(problem["instance"], "/v1/clients");
}

#[actix_web::test]
async fn a_body_in_chunks_that_never_ends_is_cut_off() {
    let head = "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (head, problem) = dribble(head, b"1\r\nx\r\n").await;
    assert_timed_out(&head, &problem);
}

#[actix_web::test]
async fn a_body_that_no_route_asked_for_is_cut_off() {
    let head = "POST /v1/debriefs/x/release HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    let (head, problem) = dribble(head, b" ").await;
    assert_timed_out(&head, &problem);
}

#[actix_web::test]
async fn nobody_holds_a_connection_with_a_body_that_nobody_reads() {
    let head = "POST /v1/clients HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (head, problem) = dribble(head, b"1\r\nx\r\n").await;
    assert!(head.starts_with("http/1.1 401 ") && head.contains("connection: close"), "{head}");
    assert_eq!(problem["code"], "unauthorized");
}

#[actix_web::test]
async fn a_form_that_never_ends_is_cut_off_in_its_own_words() {
    let head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n";
    let (head, problem) = dribble(head, b"x").await;
    assert!(head.starts_with("http/1.1 408 ") && head.contains("content-type: application/json"), "{head}");
    assert_eq!(problem["error"], "invalid_request");
}

on_both! {
    async fn a_form_that_is_too_large_is_refused_in_its_own_words(app: TestApp) {
        let form = vec![b'x'; 2 << 20];
        let answer = app.nobody().send(Method::POST, "/oauth/token", "application/x-www-form-urlencoded", form).await;
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json".to_owned(), "no-store".to_owned()));
        let problem = answer.expect(413);
        assert_eq!(problem["error"], "invalid_request");
        assert!(!problem["error_description"].as_str().unwrap().is_empty());
    }
}
