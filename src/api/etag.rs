//! Versions as entity tags (RFC 9110, section 8.8.3), and the conditions of a request on them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use super::encoded;
use super::error::{ApiError, Code};
use super::reply::Reply;
use crate::app::AppError;
use crate::app::records::{Expected, Wanted};

/// The versions that the caller asks for with `If-Match`, where the route can do without.
pub struct IfMatch(pub Expected);

/// The versions that the caller asks for with `If-Match`, where the route insists on it.
pub struct RequiredIfMatch(pub Expected);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(|expected| Self(expected.flatten())))
    }
}

/// What the caller would have where they put a record: `If-Match`, or with `If-None-Match` would not.
pub struct Condition(pub Wanted);

impl FromRequest for Condition {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known: Vec<&str> = seen(request).collect();
        let wanted = |present: Option<Expected>| match present {
            Some(versions) => Wanted::Present(versions),
            None if known.contains(&"*") => Wanted::Absent(None),
            None if known.is_empty() => Wanted::Either,
            None => Wanted::Absent(Some(known.into_iter().filter_map(version).collect())),
        };
        ready(read(request).map(|present| Self(wanted(present))))
    }
}

impl FromRequest for RequiredIfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let required = || {
            ApiError::new(
                Code::PreconditionRequired,
                "say with If-Match which version you have seen: its ETag",
            )
        };
        ready(read(request).and_then(|expected| Ok(Self(expected.ok_or_else(required)?))))
    }
}

/// The header's name in the document.
pub const IF_MATCH: &str = "If-Match";

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![if_match(Required::False)]
    }
}

impl IntoParams for Condition {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let absent = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "`*`: only make a record, and change none; an ETag: change none at that version.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some("*".into()))
            .build();
        vec![if_match(Required::False), absent]
    }
}

impl IntoParams for RequiredIfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![if_match(Required::True)]
    }
}

fn if_match(required: Required) -> Parameter {
    ParameterBuilder::new()
        .name(IF_MATCH)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some("The ETag of the version that you have seen; of several any one will do, and `*` stands for whichever there is."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some("\"3\"".into()))
        .build()
}

/// What stands in `If-Match`: none if there is no such header, and inside it none for `*`.
fn read(request: &HttpRequest) -> Result<Option<Expected>, ApiError> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let tags: Vec<&str> = tags(request, &header::IF_MATCH).collect();
    // Which version is known besides, and must not be the present one.
    let known: Vec<&str> = seen(request).collect();
    if tags == ["*"] {
        if known.is_empty() {
            return Ok(Some(None));
        }
        let detail = "If-None-Match besides takes versions out: name in If-Match the one that you have seen";
        return Err(ApiError::new(Code::StaleVersion, detail));
    }
    let mut versions: Vec<i64> = tags.into_iter().filter_map(version).collect();
    versions.retain(|version| {
        !known.contains(&"*") && !known.iter().any(|tag| self::version(tag) == Some(*version))
    });
    // A tag that we never gave matches nothing.
    if versions.is_empty() {
        let detail = "If-Match leaves none of this record's ETags, such as \"3\"";
        return Err(ApiError::new(Code::StaleVersion, detail));
    }
    Ok(Some(Some(versions)))
}

/// The version that a strong tag of ours stands for. What follows a dash tells apart representations
/// of one version; where a version is expected it does not count.
fn version(tag: &str) -> Option<i64> {
    let mut parts = tag.strip_prefix('"')?.strip_suffix('"')?.split('-');
    let version: i64 = parts.next()?.parse().ok()?;
    let is_digest = |part: &str| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let is_ours = parts.all(|part| is_digest(part) || encoded::CODINGS.contains(&part));
    (is_ours && tag[1..].starts_with(&version.to_string())).then_some(version)
}

/// The tag of a version.
#[must_use]
pub fn of(version: i64) -> String {
    format!("\"{version}\"")
}

/// A record with its tag; 304 if the caller has it already.
pub fn fresh(request: &HttpRequest, tag: &str, record: &impl Serialize) -> HttpResponse {
    if let Some(refused) = unmatched(request, tag) {
        return refused;
    }
    if is_known(request, tag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    HttpResponse::Ok().insert_header((header::ETAG, tag)).json(record)
}

/// The answer to a caller who wants to read one of the versions in `If-Match`, if this is none of them.
fn unmatched(request: &HttpRequest, tag: &str) -> Option<HttpResponse> {
    let mut wanted = tags(request, &header::IF_MATCH).peekable();
    wanted.peek()?;
    let is_wanted = wanted.any(|wanted| wanted == "*" || encoded::is_of(wanted, tag));
    let refused = || ApiError::new(Code::StaleVersion, format!("the record is at {tag} now"));
    (!is_wanted).then(|| refused().error_response())
}

/// Whether the caller has what the tag stands for.
fn is_known(request: &HttpRequest, tag: &str) -> bool {
    seen(request).any(|seen| seen == "*" || encoded::is_of(seen, tag))
}

/// The tags that the caller has, weak ones as if they were strong (RFC 9110, section 13.1.2).
pub(super) fn seen(request: &HttpRequest) -> impl Iterator<Item = &str> {
    tags(request, &header::IF_NONE_MATCH).map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
}

/// The tags in a header.
fn tags<'a>(request: &'a HttpRequest, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
    lines.flat_map(|value| value.split(',')).map(str::trim)
}

/// A record that shows others beside itself, which change without it: its tag stands for its version
/// and for everything that is shown. With 304 if the caller has just that already.
pub fn fresh_whole(
    request: &HttpRequest,
    version: i64,
    record: &impl Serialize,
) -> Result<HttpResponse, ApiError> {
    let (tag, body) = whole(version, record)?;
    if let Some(refused) = unmatched(request, &tag) {
        return Ok(refused);
    }
    if is_known(request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(body))
}

/// A record that shows others beside itself and was just changed, with its tag.
pub fn changed_whole(version: i64, record: &impl Serialize) -> Result<Reply, AppError> {
    let (tag, body) = whole(version, record)?;
    Ok(Reply::document(StatusCode::OK, body).with(&header::ETAG, tag))
}

/// The tag of such a record, and the record as it is shown.
pub(super) fn whole(version: i64, record: &impl Serialize) -> Result<(String, String), AppError> {
    // Room for most of them from the start: a text that grows is copied again and again.
    let mut body = Vec::with_capacity(16 * 1024);
    serde_json::to_writer(&mut body, record).map_err(|e| AppError::Internal(e.to_string()))?;
    let body = String::from_utf8(body).map_err(|e| AppError::Internal(e.to_string()))?;
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(&body));
    let digest = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    Ok((format!("\"{version}-{digest:016x}\""), body))
}

/// A record that was just made, with its tag and where it is.
pub fn created(version: i64, location: String, record: &impl Serialize) -> Result<Reply, AppError> {
    let reply = Reply::json(StatusCode::CREATED, record)?;
    Ok(reply.with(&header::ETAG, of(version)).with(&header::LOCATION, location))
}

/// A record that was just changed, with its tag.
pub fn changed(version: i64, record: &impl Serialize) -> Result<Reply, AppError> {
    tagged(&of(version), record)
}

/// The same with a tag that tells more than the version.
pub fn tagged(tag: &str, record: &impl Serialize) -> Result<Reply, AppError> {
    Ok(Reply::json(StatusCode::OK, record)?.with(&header::ETAG, tag))
}
