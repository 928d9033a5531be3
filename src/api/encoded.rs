//! Compressed representations have tags of their own (RFC 9110, section 8.8.3.3).

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;

use super::etag;

/// What a representation may be compressed with.
const CODINGS: [&str; 2] = ["gzip", "deflate"];

/// The tag of a representation once it is compressed.
fn coded(tag: &str, coding: &str) -> String {
    format!("{}-{coding}\"", tag.trim_end_matches('"'))
}

/// Whether `seen` is the tag of the representation that `tag` stands for, compressed or not.
pub(super) fn is_of(seen: &str, tag: &str) -> bool {
    seen == tag || CODINGS.iter().any(|coding| seen == coded(tag, coding))
}

/// Gives what was compressed the tag of what it is now. Where the caller has it already, the tag is the
/// one that the caller has.
pub async fn layer(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(tag) = text(header::ETAG) else { return Ok(response) };
    let told = if response.status() == StatusCode::NOT_MODIFIED {
        etag::seen(response.request()).find(|seen| is_of(seen, tag)).map(str::to_owned)
    } else {
        text(header::CONTENT_ENCODING).map(|coding| coded(tag, coding))
    };
    if let Some(value) = told.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}
