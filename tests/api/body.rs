//! Bodies that do not arrive as they should.

use std::time::Duration;

use actix_web::http::Method;
use debrief::app::schema::MAX_ENTRIES;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Database, TestApp, id, on_both};

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

    async fn a_body_that_can_only_be_wrong_is_not_gone_through(app: TestApp) {
        let ann = app.recruiter().await;
        let refs = vec![json!({"system": "crm"}); 201];
        let answer = ann.post("/v1/clients", json!({"name": "Nordwind", "external_refs": refs})).await;
        assert_eq!(answer.faults(), ["/external_refs too_many"]);
        let wide: Value = (0..201).map(|i| (format!("field_{i}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(ann.post("/v1/clients", wide.clone()).await.faults(), [" too_many"]);
        let client = ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        assert_eq!(ann.patch(&format!("/v1/clients/{}", id(&client)), wide).await.faults(), [" too_many"]);
    }

    async fn a_body_is_read_as_it_is_coded_or_refused(app: TestApp) {
        // What gzip makes of {"name": "Nordwind"} and a line feed.
        const CODED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaK\xccMU\xb2RP\xf2\xcb/J)\xcf\xccKQ\xaa\xe5\x02\x00\x1a\x163\xd7\x15\x00\x00\x00";
        let ann = app.recruiter().await;
        let gzip = ann.with("Content-Encoding", "gzip");
        let made = gzip.send(Method::POST, "/v1/clients", "application/json", CODED.to_vec()).await.expect(201);
        assert_eq!(made["name"], "Nordwind");
        let path = "/v1/imports?kind=clients";
        let answer = gzip.send(Method::POST, path, "application/x-ndjson", CODED.to_vec()).await;
        assert!(String::from_utf8_lossy(&answer.bytes).contains("\"status\":\"created\""), "{answer:?}");
        for (path, content_type) in [("/v1/clients", "application/json"), (path, "application/x-ndjson")] {
            let refused = ann.with("Content-Encoding", "br").send(Method::POST, path, content_type, CODED.to_vec()).await;
            assert_eq!(refused.header("accept-encoding"), "gzip, deflate");
            refused.problem(415, "unsupported_media_type");
        }
    }

    async fn who_takes_no_coding_that_there_is_is_told_so(app: TestApp) {
        let answer = app.recruiter().await.with("Accept-Encoding", "br, identity;q=0").get("/v1/clients").await;
        answer.problem(406, "not_acceptable");
    }

    async fn what_the_contract_allows_is_never_too_large(app: TestApp) {
        let document = app.nobody().get("/v1/openapi.json").await.expect(200);
        let mut left = vec![&document["components"]["schemas"]];
        while let Some(value) = left.pop() {
            let limit = value.get("maxItems").and_then(Value::as_u64).unwrap_or_default();
            let fields = value.get("properties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
            assert!(limit <= MAX_ENTRIES as u64 && fields < MAX_ENTRIES, "{value:#}");
            left.extend(value.as_object().into_iter().flat_map(serde_json::Map::values));
            left.extend(value.as_array().into_iter().flatten());
        }
    }

    async fn a_name_that_stands_twice_loses_nothing(app: TestApp) {
        let ann = app.recruiter().await;
        for body in [r#"{"name": "Nordwind", "name": "Südwind"}"#, r#"{"name": "Nordwind", "external_refs": [{"system": "a", "id": "1", "id": "2"}]}"#] {
            let answer = ann.send(Method::POST, "/v1/clients", "application/json", body.as_bytes().to_vec()).await;
            assert!(answer.problem(400, "malformed_body")["detail"].as_str().unwrap().contains("stands twice in one object"));
        }
        assert_eq!(ann.get("/v1/clients").await.expect(200)["data"], json!([]));
    }
}
