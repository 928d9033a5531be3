//! The query of a request: filters, and the pages of a list.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::cursor::{self, Cursor};
use crate::api::error::{ApiError, Code, FieldError};
use crate::app::faults::Fault;
use crate::app::{Context, schema};

/// How many rows a page has when the caller does not say.
const DEFAULT_LIMIT: i64 = 50;
/// How many rows a page can have.
const MAX_LIMIT: i64 = 200;

/// Query parameters that were checked against the schema of `T`.
pub struct Filters<T>(pub T);

/// What a list is asked for that has no filters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoFilters {}

/// The filters of a list, and which page of it is wanted. `K` is where the page before ended.
pub struct Listing<T, K> {
    /// The filters: of this request, or of the first one that the cursor carries on.
    pub filters: T,
    /// Where the page before ended.
    pub after: Option<K>,
    /// How many rows at the most.
    pub limit: i64,
    /// The filters as they were written, for the next cursor.
    raw: Map<String, Value>,
}

impl<T, K: Serialize> Listing<T, K> {
    /// The cursor of the page that begins after `key`, in the list at `path`.
    pub fn next_cursor(&self, path: &str, context: &Context, key: &K) -> Result<String, ApiError> {
        let cursor = Cursor { filters: self.raw.clone(), after: key };
        cursor::seal(&cursor, path, context.tokens.keys().derived())
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Filters<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parameters::<T>(request).and_then(|raw| read(raw).map_err(ApiError::invalid)).map(Self))
    }
}

impl<T: DeserializeOwned + ToSchema + 'static, K: DeserializeOwned> FromRequest for Listing<T, K> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(listing(request))
    }
}

fn listing<T, K>(request: &HttpRequest) -> Result<Listing<T, K>, ApiError>
where
    T: DeserializeOwned + ToSchema + 'static,
    K: DeserializeOwned,
{
    let mut raw = parameters::<T>(request)?;
    let limit = raw.remove("limit").map_or(Ok(DEFAULT_LIMIT), |text| limit(&text));
    let Some(Value::String(sealed)) = raw.remove("cursor") else {
        let (limit, filters) = both(limit, read(raw.clone()))?;
        return Ok(Listing { filters, after: None, limit, raw });
    };
    let context = request
        .app_data::<web::Data<Context>>()
        .ok_or_else(|| ApiError::new(Code::Internal, "the service is not set up"))?;
    let cursor: Cursor<K> = cursor::open(&sealed, request.path(), context.tokens.keys().derived())?;
    // A cursor carries its filters on. They may be repeated beside it, but not changed.
    if raw.iter().any(|(name, value)| cursor.filters.get(name) != Some(value)) {
        return Err(ApiError::new(
            Code::InvalidCursor,
            "the filters are not those that the cursor was made for",
        ));
    }
    let (limit, filters) = both(limit, read(cursor.filters.clone()))?;
    Ok(Listing { filters, after: Some(cursor.after), limit, raw: cursor.filters })
}

/// Two things, or the faults of both.
fn both<A, B>(a: Result<A, Vec<FieldError>>, b: Result<B, Vec<FieldError>>) -> Result<(A, B), ApiError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err(ApiError::invalid([a.err(), b.err()].into_iter().flatten().flatten().collect())),
    }
}

fn limit(text: &Value) -> Result<i64, Vec<FieldError>> {
    let limit = text.as_str().and_then(|text| text.parse().ok());
    limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
        let detail = format!("must be a number from 1 to {MAX_LIMIT}");
        vec![parameter("limit", "out_of_range", detail)]
    })
}

/// The parameters by name, typed as the schema of `T` asks. That the route knows each of them was
/// seen to before.
fn parameters<T: ToSchema + 'static>(request: &HttpRequest) -> Result<Map<String, Value>, ApiError> {
    let schema = schema::of::<T>()?;
    let typed = |(name, text): (String, String)| {
        let value = schema.typed(&name, &text);
        (name, value)
    };
    Ok(pairs(request.query_string())?.into_iter().map(typed).collect())
}

/// The names and values of a query, in their order.
pub(in crate::api) fn pairs(query: &str) -> Result<Vec<(String, String)>, ApiError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|e| ApiError::invalid(vec![parameter("", "malformed", e.to_string())]))?;
    // It stands for what was not UTF-8.
    if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains(char::REPLACEMENT_CHARACTER)) {
        let detail = "is not UTF-8 once it is decoded".to_owned();
        return Err(ApiError::invalid(vec![parameter(name, "malformed", detail)]));
    }
    Ok(pairs)
}

fn read<T: DeserializeOwned + ToSchema + 'static>(
    parameters: Map<String, Value>,
) -> Result<T, Vec<FieldError>> {
    let document = Value::Object(parameters);
    let invalid = |cause: String| vec![parameter("", "invalid", cause)];
    let faults = schema::of::<T>().map_err(|e| invalid(e.to_string()))?.faults(&document);
    if !faults.is_empty() {
        let named =
            |fault: Fault| parameter(fault.pointer.trim_start_matches('/'), &fault.code, fault.detail);
        return Err(faults.into_iter().map(named).collect());
    }
    serde_json::from_value(document).map_err(|e| invalid(e.to_string()))
}

/// A fault of one parameter.
pub(in crate::api) fn parameter(name: &str, code: &str, detail: String) -> FieldError {
    FieldError { pointer: None, parameter: Some(name.to_owned()), code: code.to_owned(), detail }
}
