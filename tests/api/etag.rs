//! What a caller has already, and what a caller would have changed: tags, and the conditions on them.

use actix_web::http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Caller, id, on_both};

/// A client, by its path.
async fn client(caller: &Caller) -> String {
    let made: Value = caller.made("/v1/clients", json!({"name": "Nordwind"})).await;
    format!("/v1/clients/{}", id(&made))
}

async fn head(caller: &Caller, path: &str) -> Answer {
    caller.send(Method::HEAD, path, "", Vec::new()).await
}

on_both! {
    async fn of_several_tags_any_one_may_fit(app: TestApp) {
        let ann = app.recruiter().await;
        let path = client(&ann).await;
        let again = |version: i64| json!({"notes": format!("seen at {version}")});
        for (version, lines) in [
            (1, vec!["\"7\", \"1\""]),
            (2, vec!["\"1\"", "\"2\""]),
            (3, vec!["\"another, server\",\"3\" ,"]),
            (4, vec!["\"4-gzip\""]),
            (5, vec!["*"]),
        ] {
            let caller = lines.iter().fold(ann.clone(), |caller, line| caller.with("If-Match", line));
            assert_eq!(caller.patch(&path, again(version)).await.expect(200)["version"], version + 1, "{lines:?}");
        }
        for lines in [vec!["\"1\", \"2\""], vec!["W/\"6\""], vec!["W/\"6\", \"1\""], vec!["6"], vec![""], vec!["\"6"], vec!["*", "\"1\""]] {
            let caller = lines.iter().fold(ann.clone(), |caller, line| caller.with("If-Match", line));
            caller.patch(&path, again(6)).await.problem(412, "stale_version");
        }
        ann.with("If-Match", "\"1\"").with("If-Match", "\"6\"").delete(&path).await.expect(204);
    }

    async fn head_is_answered_as_get_without_content(app: TestApp) {
        let ann = app.recruiter().await;
        let path = client(&ann).await;
        for path in [path.as_str(), "/v1/clients?limit=1", "/v1/me", "/v1/openapi.json", "/healthz", "/readyz", "/metrics", "/docs", "/docs/"] {
            let (got, answer) = (ann.get(path).await, head(&ann, path).await);
            assert_eq!((answer.status, answer.bytes.len()), (got.status, 0), "{path}");
            for name in ["etag", "content-type", "content-length", "location", "link", "vary"] {
                // The text of the metrics grows with every request.
                if (path, name) != ("/metrics", "content-length") {
                    assert_eq!(answer.header(name), got.header(name), "{path} {name}");
                }
            }
            assert!(!answer.header("content-length").is_empty(), "{path}");
        }
        let seen = ann.get(&path).await.header("etag");
        assert_eq!(head(&ann.with("If-None-Match", seen), &path).await.status.as_u16(), 304);
        for (path, status) in [("/v1/nowhere", 404), ("/v1/clients?nonsense=1", 400), ("/v1/auth/login", 405)] {
            let answer = head(&ann, path).await;
            assert_eq!((answer.status.as_u16(), answer.bytes.len()), (status, 0), "{path}");
        }
        assert_eq!(head(&app.nobody(), "/v1/clients").await.status.as_u16(), 401);
        assert_eq!(head(&ann, "/v1/auth/login").await.header("allow"), "POST");
        let metrics = String::from_utf8(ann.get("/metrics").await.bytes).unwrap();
        assert!(metrics.contains(r#"http_requests_total{method="HEAD",route="/v1/clients/{id}",status="304"} 1"#), "{metrics}");
    }

    async fn what_comes_after_head_on_a_connection_is_understood(app: TestApp) {
        let mut stream = app.connect().await.unwrap();
        let requests = "HEAD /healthz HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n\
                        GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(requests.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
        assert!(text.ends_with("\r\n\r\nok"), "{text}");
    }

    async fn what_is_compressed_has_a_tag_of_its_own(app: TestApp) {
        let ann = app.recruiter().await;
        let gzip = ann.with("Accept-Encoding", "gzip");
        let path = client(&ann).await;
        let (plain, compressed) = (ann.get(&path).await, gzip.get(&path).await);
        assert_eq!((plain.header("etag"), plain.header("content-encoding")), ("\"1\"".to_owned(), String::new()));
        assert_eq!((compressed.header("etag"), compressed.header("content-encoding")), ("\"1-gzip\"".to_owned(), "gzip".to_owned()));
        assert!(compressed.bytes.starts_with(&[0x1f, 0x8b]) && compressed.header("vary").eq_ignore_ascii_case("accept-encoding"));

        // Whoever has either has this version, and is told of the one that they have.
        for (seen, told) in [("\"1-gzip\"", "\"1-gzip\""), ("W/\"1-gzip\"", "\"1-gzip\""), ("\"9\", \"1\"", "\"1\""), ("*", "\"1\"")] {
            let answer = gzip.with("If-None-Match", seen).get(&path).await;
            assert_eq!((answer.status.as_u16(), answer.header("etag"), answer.bytes.len()), (304, told.to_owned(), 0), "{seen}");
        }
        ann.with("If-None-Match", "\"1-br\"").get(&path).await.expect(200);
        let changed = gzip.with("If-Match", "\"1-gzip\"").patch(&path, json!({"notes": "seen"})).await;
        assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2-gzip\"".to_owned()));
        gzip.with("If-None-Match", "\"1-gzip\"").get(&path).await.expect(200);
        gzip.with("If-Match", "\"1-gzip\"").delete(&path).await.expect(412);
    }

    async fn a_condition_is_never_passed_over(app: TestApp) {
        let ann = app.recruiter().await;
        let path = client(&ann).await;
        // Tags that no version has.
        for tag in ["\"+1\"", "\"01\"", "\"1-abc\"", "\"9\""] {
            ann.with("If-Match", tag).patch(&path, json!({"notes": "x"})).await.problem(412, "stale_version");
            ann.with("If-Match", tag).get(&path).await.problem(412, "stale_version");
        }
        ann.with("If-Match", "\"9\", \"1\"").get(&path).await.expect(200);
        let there = "/v1/clients/by-external-id/s/1";
        ann.put(there, json!({"name": "Nordwind"})).await.expect(201);
        for known in ["*", "\"1\""] {
            let both = ann.with("If-Match", "\"1\"").with("If-None-Match", known);
            both.put(there, json!({"name": "Südwind"})).await.problem(412, "stale_version");
        }
        let any = ann.with("If-Match", "*").with("If-None-Match", "\"1\"");
        any.patch(&path, json!({"notes": "x"})).await.problem(412, "stale_version");
        ann.with("If-Match", "\"1\"").with("If-None-Match", "\"2\"").put(there, json!({"name": "Südwind"})).await.expect(200);
    }

    async fn what_depends_on_what_is_accepted_says_so(app: TestApp) {
        let ann = app.recruiter().await;
        let path = client(&ann).await;
        assert_eq!(ann.get(&path).await.header("vary"), "accept-encoding");
        let known = ann.with("If-None-Match", "\"1\"").get(&path).await;
        assert_eq!((known.status.as_u16(), known.header("vary")), (304, "accept-encoding".to_owned()));
        let export = "/v1/exports/clients";
        for (accept, kind) in [("application/x-ndjson;q=0, */*", "text/csv"), ("text/csv;q=0, */*;q=0.1", "application/x-ndjson")] {
            let answer = ann.with("Accept", accept).get(export).await;
            assert_eq!((answer.header("vary"), answer.header("content-type")), ("Accept".to_owned(), format!("{kind}; charset=utf-8")));
        }
        ann.with("Accept", "*/*;q=0").get(export).await.problem(406, "not_acceptable");
    }
}
