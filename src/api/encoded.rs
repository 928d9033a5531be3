//! What is compressed: representations with tags of their own (RFC 9110, section 8.8.3.3), and bodies.

use actix_web::ResponseError;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;

use super::error::{ApiError, Code};
use super::etag;

/// What a representation may be compressed with.
pub(super) const CODINGS: [&str; 2] = ["gzip", "deflate"];

/// The tag of a representation once it is compressed.
fn coded(tag: &str, coding: &str) -> String {
    format!("{}-{coding}\"", tag.trim_end_matches('"'))
}

/// Whether `seen` is the tag of the representation that `tag` stands for, compressed or not.
pub(super) fn is_of(seen: &str, tag: &str) -> bool {
    seen == tag || CODINGS.iter().any(|coding| seen == coded(tag, coding))
}

/// Fails if a body is compressed in a way that is not read.
pub(super) fn expect_readable(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else { return Ok(()) };
    let is_read = |coding: &str| {
        coding.eq_ignore_ascii_case("identity") || CODINGS.iter().any(|c| coding.eq_ignore_ascii_case(c))
    };
    if coding.to_str().is_ok_and(|coding| is_read(coding.trim())) {
        return Ok(());
    }
    let codings = CODINGS.join(", ");
    let error = ApiError::new(Code::UnsupportedMediaType, format!("the codings that are read are {codings}"));
    Err(match HeaderValue::try_from(codings) {
        Ok(value) => error.with_header(header::ACCEPT_ENCODING, value),
        Err(_) => error,
    })
}

/// The answer where nothing that the caller takes can be made.
fn not_acceptable(response: ServiceResponse<impl MessageBody>) -> ServiceResponse {
    let detail = "an answer is plain, or coded as gzip or deflate: Accept-Encoding takes none of these";
    let error = ApiError::new(Code::NotAcceptable, detail).error_response();
    response.into_response(error)
}

/// Tells caches that the representation depends on `Accept-Encoding`, plain ones too (RFC 9110, section 12.5.5).
fn tell_that_it_varies(response: &mut ServiceResponse<impl MessageBody>) {
    if !matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
        return;
    }
    let is_told = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"accept-encoding");
    if !response.headers().get_all(header::VARY).any(is_told) {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// Gives what was compressed the tag of what it is now. Where the caller has it already, the tag is the
/// one that the caller has.
pub async fn layer(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    let mut response = next.call(request).await?;
    // The one that says so by itself is who compresses, in plain text.
    let is_problem = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/problem+json");
    if response.status() == StatusCode::NOT_ACCEPTABLE
        && !response.headers().get(header::CONTENT_TYPE).is_some_and(is_problem)
    {
        return Ok(not_acceptable(response).map_into_right_body());
    }
    tell_that_it_varies(&mut response);
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(tag) = text(header::ETAG) else { return Ok(response.map_into_left_body()) };
    let told = if response.status() == StatusCode::NOT_MODIFIED {
        etag::seen(response.request()).find(|seen| is_of(seen, tag)).map(str::to_owned)
    } else {
        text(header::CONTENT_ENCODING).map(|coding| coded(tag, coding))
    };
    if let Some(value) = told.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response.map_into_left_body())
}
