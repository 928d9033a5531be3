//! The body of a request.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::error::{ApiError, Code};
use crate::api::idempotency_keys::IDEMPOTENCY_KEY;
use crate::app::error::checked;
use crate::app::faults::Faults;
use crate::app::{AppError, schema};

/// A JSON body that was checked against the schema of `T`.
pub struct Body<T>(pub T);

/// The same where no body at all means an empty object.
pub struct OptionalBody<T>(pub T);

/// No body at all, or an empty object: what a request brings that has nothing to say.
pub struct NoBody;

/// The bytes of a body of any type.
pub struct Whole(pub web::Bytes);

/// What a request with an idempotency key brought, for whoever has to tell it from another one.
pub struct Brought(pub web::Bytes);

/// A merge patch (RFC 7396) of a `T`; as plain `application/json` it means the same.
pub struct Merge<T> {
    /// The patch as it came.
    pub patch: Value,
    read: Reader<T>,
}

/// Makes an input of a document, refusing what its schema does not allow.
pub type Reader<T> = fn(Value) -> Result<T, AppError>;

impl<T> Merge<T> {
    /// What `present` becomes by the patch.
    pub fn apply(&self, present: &impl Serialize) -> Result<T, AppError> {
        let mut document = serde_json::to_value(present).map_err(|e| AppError::Internal(e.to_string()))?;
        json_patch::merge(&mut document, &self.patch);
        (self.read)(document)
    }

    /// The patch, and the function that makes a `T` of the patched document.
    pub fn into_parts(self) -> (Value, Reader<T>) {
        (self.patch, self.read)
    }
}

/// What a merge patch may be sent as.
const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// What it means when there is no body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    IsAFault,
    IsEmpty,
}

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = document(request, payload, &["application/json"], Absence::IsAFault);
        Box::pin(async move { Ok(Self(schema::read(reading.await?)?)) })
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = document(request, payload, &["application/json"], Absence::IsEmpty);
        Box::pin(async move { Ok(Self(schema::read(reading.await?)?)) })
    }
}

impl FromRequest for NoBody {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = whole(request, payload);
        Box::pin(async move {
            let bytes = reading.await?;
            if bytes.is_empty() {
                return Ok(Self);
            }
            match json(&bytes)? {
                Value::Object(fields) => refuse_unknown(&fields, |_| false).map(|()| Self),
                _ => Err(malformed("there is nothing to say here but an empty object")),
            }
        })
    }
}

impl FromRequest for Whole {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = whole(request, payload);
        Box::pin(async move { reading.await.map(Self) })
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Merge<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = document(request, payload, MERGE_PATCH, Absence::IsAFault);
        Box::pin(async move {
            let patch = reading.await?;
            let Value::Object(fields) = &patch else {
                return Err(malformed("a merge patch of a record must be a JSON object"));
            };
            // A patch can clear a field, but not one that the record does not have. Any other unknown field stays
            // in the patched document, and is found there with all other faults.
            let schema = schema::of::<T>()?;
            if fields.iter().any(|(name, value)| value.is_null() && !schema.has(name)) {
                refuse_unknown(fields, |name| schema.has(name))?;
            }
            Ok(Self { patch, read: schema::read })
        })
    }
}

/// The body as a JSON document of one of `types`.
fn document(
    request: &HttpRequest,
    payload: &mut Payload,
    types: &'static [&'static str],
    absence: Absence,
) -> impl Future<Output = Result<Value, ApiError>> + 'static {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let given =
        given.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let reading = whole(request, payload);
    async move {
        let wrong_type = !types.contains(&given.as_str());
        let unsupported = || {
            let detail = format!("the body must be {}", types.join(" or "));
            Err(ApiError::new(Code::UnsupportedMediaType, detail))
        };
        if wrong_type && absence == Absence::IsAFault {
            return unsupported();
        }
        let bytes = reading.await?;
        if bytes.is_empty() && absence == Absence::IsEmpty {
            return Ok(Value::Object(Map::new()));
        }
        if wrong_type {
            return unsupported();
        }
        json(&bytes)
    }
}

/// The bytes of the body, if it is not too large and arrives in time.
fn whole(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<web::Bytes, ApiError>> + 'static {
    let bytes = web::Bytes::from_request(request, payload);
    let keyed = request.headers().contains_key(IDEMPOTENCY_KEY).then(|| request.clone());
    async move {
        let bytes = bytes.await.map_err(|error| match error.as_error::<PayloadError>() {
            Some(PayloadError::Overflow) => {
                ApiError::new(Code::PayloadTooLarge, "the body is larger than the server takes")
            }
            Some(PayloadError::Io(cause)) if cause.kind() == ErrorKind::TimedOut => {
                ApiError::new(Code::RequestTimeout, "the body took too long to arrive")
            }
            _ => malformed("the body ended early"),
        })?;
        if let Some(request) = keyed {
            request.extensions_mut().insert(Brought(bytes.clone()));
        }
        Ok(bytes)
    }
}

/// Refuses the fields that are not known.
fn refuse_unknown(fields: &Map<String, Value>, is_known: impl Fn(&str) -> bool) -> Result<(), ApiError> {
    let mut faults = Faults::default();
    for name in fields.keys().filter(|name| !is_known(name)) {
        faults.add(format!("/{}", schema::escape(name)), "unknown_field", "is not a field here");
    }
    Ok(checked(faults)?)
}

fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    let document = serde_json::from_slice(bytes).map_err(|e| malformed(&e.to_string()))?;
    schema::check_size(&document)?;
    Ok(document)
}

fn malformed(detail: &str) -> ApiError {
    ApiError::new(Code::MalformedBody, detail)
}
