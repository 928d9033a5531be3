//! Somebody who calls the service.

use actix_web::http::{Method, StatusCode, header};
use serde_json::Value;

/// A caller, with or without a token.
#[derive(Clone)]
pub struct Caller {
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

/// What the service answered.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    /// The body as JSON; null if it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Caller {
    pub fn new(base: String, token: Option<String>) -> Self {
        Self { base, token, headers: Vec::new() }
    }

    /// The same caller, sending one more header.
    #[must_use]
    pub fn with(&self, name: &str, value: impl ToString) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_string()));
        other
    }

    /// The same caller, sending `If-Match` with this version.
    #[must_use]
    pub fn at(&self, version: &Value) -> Self {
        self.with("If-Match", format!("\"{version}\""))
    }

    /// The same caller with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The token; empty if there is none.
    pub fn token(&self) -> String {
        self.token.clone().unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "application/json", Vec::new()).await
    }

    /// The first event of the feed, or of one type, once it shows: on PostgreSQL it waits for every transaction of the
    /// whole server that began before, and other tests have theirs.
    pub async fn first_event(&self, filter: &str) -> Value {
        loop {
            let mut page = self.get(&format!("/v1/events?limit=1{filter}")).await.expect(200);
            if let Some(event) = page["data"].get_mut(0) {
                return event.take();
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, "application/json", body.to_string().into_bytes()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, "application/json", body.to_string().into_bytes()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, "application/merge-patch+json", body.to_string().into_bytes()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "application/json", Vec::new()).await
    }

    /// Posts, and insists on 201.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        self.post(path, body).await.expect(201)
    }

    pub async fn send(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let mut request = awc::Client::builder()
            .disable_redirects()
            .no_default_headers()
            .finish()
            .request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        if !body.is_empty() {
            request = request.content_type(content_type);
        }
        let mut response = request.send_body(body).await.unwrap();
        let bytes = response.body().limit(64 << 20).await.unwrap().to_vec();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
        }
    }
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The problem of an answer that must have this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{:#}", self.body);
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status);
        problem
    }

    /// Where the faults of an input stand, with their codes.
    #[track_caller]
    pub fn faults(self) -> Vec<String> {
        let problem = self.problem(400, "validation_failed");
        let place =
            |fault: &Value| fault.get("pointer").or(fault.get("parameter")).cloned().unwrap_or_default();
        let line =
            |fault: &Value| format!("{} {}", place(fault).as_str().unwrap(), fault["code"].as_str().unwrap());
        problem["errors"].as_array().unwrap().iter().map(line).collect()
    }

    /// A header as text; empty if it is not there.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}
