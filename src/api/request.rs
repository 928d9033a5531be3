//! What every request has: an id that is taken or made, echoed and logged; a line in the log; a
//! place in the metrics.

use std::rc::Rc;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;

use super::metrics::{Metrics, label};

/// `X-Request-Id`, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

struct Request {
    id: String,
    path: String,
}

tokio::task_local! {
    static REQUEST: Rc<Request>;
}

/// The id of the request that is being answered; empty outside of one.
#[must_use]
pub fn id() -> String {
    REQUEST.try_with(|request| request.id.clone()).unwrap_or_default()
}

/// The path of the request that is being answered; empty outside of one.
#[must_use]
pub fn path() -> String {
    REQUEST.try_with(|request| request.path.clone()).unwrap_or_default()
}

/// The layer that gives a request its id and measures it. Only what brings its body in stands around it.
pub async fn layer(
    metrics: web::Data<Metrics>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let began = Instant::now();
    let id = given_id(&request).unwrap_or_else(new_id);
    let path = request.path().to_owned();
    let method = request.method().clone();
    let this = Rc::new(Request { id: id.clone(), path });
    let mut response = REQUEST.scope(this, next.call(request)).await?;

    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let status = response.status().as_u16();
    let seconds = began.elapsed().as_secs_f64();
    metrics.answered(&method, &route, status, seconds);
    // The pattern of the route and never the path: a path or a query can hold a name.
    tracing::info!(target: "debrief::access", method = label(&method), route, status, seconds, request_id = id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

/// The caller's id, if it is one that can be echoed and logged without harm.
fn given_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.:+/=".contains(c);
    ((1..=128).contains(&id.len()) && id.chars().all(harmless)).then(|| id.to_owned())
}

fn new_id() -> String {
    uuid::Uuid::from_bytes(rand::random()).simple().to_string()
}
