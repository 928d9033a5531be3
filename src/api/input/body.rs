//! The body of a request.

use std::cell::RefCell;
use std::future::Future;
use std::io::ErrorKind;
use std::marker::PhantomData;
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
use crate::app::AppError;
use crate::app::faults::{self, Fault, UNKNOWN_FIELD};
use crate::app::schema::{self, Given};

/// A JSON body that was checked against the schema of `T`, which knows all of its faults. Where the work with it
/// may find more, it is taken as [`Given`].
pub struct Body<T>(pub T);

/// What is given where no body at all means an empty object.
pub struct OptionalBody<T>(Given<T>);

impl<T> From<OptionalBody<T>> for Given<T> {
    fn from(body: OptionalBody<T>) -> Self {
        body.0
    }
}

/// No body at all, or an empty object: what a request brings that has nothing to say.
pub struct NoBody;

/// The bytes of a body of any type.
pub struct Whole(pub web::Bytes);

/// What a request with an idempotency key brought, for whoever has to tell it from another one.
pub struct Brought(pub web::Bytes);

/// A merge patch (RFC 7396) of a `T`; as plain `application/json` it means the same.
#[derive(Clone)]
pub struct Merge<T> {
    patch: Value,
    input: PhantomData<fn() -> T>,
}

/// A patch while it is being applied.
pub struct Edit<T> {
    patch: Value,
    faults: RefCell<Vec<Fault>>,
    input: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned + ToSchema + 'static> Merge<T> {
    /// Does `work` that applies the patch. With faults it comes to nothing, and those that it finds are told beside
    /// them.
    pub fn look_further<R>(self, work: impl FnOnce(&Edit<T>) -> Result<R, AppError>) -> Result<R, AppError> {
        let edit = Edit { patch: self.patch, faults: RefCell::default(), input: self.input };
        let outcome = work(&edit);
        schema::beside(edit.faults.into_inner(), outcome)
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> Edit<T> {
    /// What `present` becomes by the patch, as far as it can be read.
    pub fn apply(&self, present: &impl Serialize) -> Result<T, AppError> {
        let present = serde_json::to_value(present).map_err(|e| AppError::Internal(e.to_string()))?;
        let (input, faults) = schema::given(schema::patched(present, &self.patch))?.into_parts();
        self.faults.replace(faults);
        Ok(input)
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

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Given<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = document(request, payload, &["application/json"], Absence::IsAFault);
        Box::pin(async move { Ok(schema::given(reading.await?)?) })
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = document(request, payload, &["application/json"], Absence::IsEmpty);
        Box::pin(async move { Ok(Self(schema::given(reading.await?)?)) })
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
                Value::Object(fields) if fields.is_empty() => Ok(Self),
                Value::Object(fields) => Err(AppError::Invalid(unknown(&fields)).into()),
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
            if !patch.is_object() {
                return Err(malformed("a merge patch of a record must be a JSON object"));
            }
            Ok(Self { patch, input: PhantomData })
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

/// The faults of fields where none is known.
fn unknown(fields: &Map<String, Value>) -> Vec<Fault> {
    let fault = |name: &String| Fault {
        pointer: format!("/{}", schema::escape(name)),
        code: UNKNOWN_FIELD.into(),
        detail: "is not a field here".to_owned(),
    };
    faults::first(fields.keys().map(fault).collect())
}

fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    let document = schema::parse(bytes).map_err(|e| malformed(&e.to_string()))?;
    schema::check_size(&document)?;
    Ok(document)
}

fn malformed(detail: &str) -> ApiError {
    ApiError::new(Code::MalformedBody, detail)
}
