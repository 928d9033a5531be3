//! The query of a request: filters, and the pages of a list.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::ToSchema;

use crate::api::cursor::{self, Cursor};
use crate::api::error::{ApiError, Code, FieldError};
use crate::app::Context;
use crate::app::faults::Fault;
use crate::app::schema::{self, Schema};

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
        ready(filters(request.query_string()).map(Self))
    }
}

impl<T: DeserializeOwned + ToSchema + 'static, K: DeserializeOwned> FromRequest for Listing<T, K> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(listing(request))
    }
}

fn filters<T: DeserializeOwned + ToSchema + 'static>(query: &str) -> Result<T, ApiError> {
    let schema = schema::of::<T>()?;
    let (asked, faults) = known(query, |name| schema.has(name));
    sound(faults, read(&schema, typed(&schema, asked)))
}

fn listing<T, K>(request: &HttpRequest) -> Result<Listing<T, K>, ApiError>
where
    T: DeserializeOwned + ToSchema + 'static,
    K: DeserializeOwned,
{
    let schema = schema::of::<T>()?;
    let is_known = |name: &str| ["limit", "cursor"].contains(&name) || schema.has(name);
    let (mut asked, mut faults) = known(request.query_string(), is_known);
    let limit = asked.remove("limit").map_or(Ok(DEFAULT_LIMIT), |text| limit(&text));
    let limit = limit.unwrap_or_else(|fault| {
        faults.push(fault);
        DEFAULT_LIMIT
    });
    let Some(sealed) = asked.remove("cursor") else {
        let raw = typed(&schema, asked);
        let filters = sound(faults, read(&schema, raw.clone()))?;
        return Ok(Listing { filters, after: None, limit, raw });
    };
    sound(faults, Ok(()))?;
    let context = request
        .app_data::<web::Data<Context>>()
        .ok_or_else(|| ApiError::new(Code::Internal, "the service is not set up"))?;
    let cursor: Cursor<K> = cursor::open(&sealed, request.path(), context.tokens.keys().derived())?;
    // A cursor carries its filters on. They may be repeated beside it, but not changed.
    if typed(&schema, asked).iter().any(|(name, value)| cursor.filters.get(name) != Some(value)) {
        return Err(ApiError::new(
            Code::InvalidCursor,
            "the filters are not those that the cursor was made for",
        ));
    }
    let filters = sound(Vec::new(), read(&schema, cursor.filters.clone()))?;
    Ok(Listing { filters, after: Some(cursor.after), limit, raw: cursor.filters })
}

fn limit(text: &str) -> Result<i64, Fault> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| fault("limit", "out_of_range", format!("must be a number from 1 to {MAX_LIMIT}")))
}

/// What was read, if there are no other faults; or all the faults. Of a parameter that is known to be wrong
/// whoever read the others knows nothing.
fn sound<T>(mut faults: Vec<Fault>, read: Result<T, Vec<Fault>>) -> Result<T, ApiError> {
    match read {
        Ok(value) if faults.is_empty() => Ok(value),
        read => {
            let mut found = read.err().unwrap_or_default();
            found.retain(|fault| !faults.iter().any(|known| known.pointer == fault.pointer));
            faults.append(&mut found);
            Err(refused(faults))
        }
    }
}

/// The error for faults of parameters.
fn refused(faults: Vec<Fault>) -> ApiError {
    let named = |fault: Fault| parameter(&fault.pointer, &fault.code, fault.detail);
    ApiError::invalid(faults.into_iter().map(named).collect())
}

/// Refuses whatever a query asks for.
pub(in crate::api) fn expect_no_parameters(query: &str) -> Result<(), ApiError> {
    let (_, faults) = known(query, |_| false);
    sound(faults, Ok(()))
}

/// The parameters of a query that are known and stand once; and the faults of the others.
fn known(query: &str, is_known: impl Fn(&str) -> bool) -> (BTreeMap<String, String>, Vec<Fault>) {
    let (mut asked, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !is_known(&name) {
            faults.push(fault(&name, "unknown_parameter", "is not a parameter here"));
        } else if value.contains(char::REPLACEMENT_CHARACTER) {
            // It stands for what was not UTF-8.
            faults.push(fault(&name, "malformed", "is not UTF-8 once it is decoded, or has U+FFFD"));
        } else if asked.contains_key(&*name) {
            faults.push(fault(&name, "repeated", "stands more than once"));
        } else {
            asked.insert(name.into_owned(), value.into_owned());
        }
    }
    (asked, faults)
}

/// The parameters as JSON, of the types that the schema asks for.
fn typed(schema: &Schema, asked: BTreeMap<String, String>) -> Map<String, Value> {
    let typed = |(name, text): (String, String)| {
        let value = schema.typed(&name, &text);
        (name, value)
    };
    asked.into_iter().map(typed).collect()
}

fn read<T: DeserializeOwned>(schema: &Schema, parameters: Map<String, Value>) -> Result<T, Vec<Fault>> {
    let document = Value::Object(parameters);
    let mut faults = schema.faults(&document);
    if faults.is_empty() {
        return serde_json::from_value(document).map_err(|e| vec![fault("", "invalid", e.to_string())]);
    }
    for fault in &mut faults {
        fault.pointer = fault.pointer.trim_start_matches('/').to_owned();
    }
    Err(faults)
}

/// A fault of a parameter; here the name takes the place of the pointer.
fn fault(name: &str, code: &'static str, detail: impl Into<String>) -> Fault {
    Fault { pointer: name.to_owned(), code: code.into(), detail: detail.into() }
}

/// A fault of one parameter, as it is told.
pub(in crate::api) fn parameter(name: &str, code: &str, detail: String) -> FieldError {
    FieldError { pointer: None, parameter: Some(name.to_owned()), code: code.to_owned(), detail }
}
