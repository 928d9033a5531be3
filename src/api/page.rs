//! The body of every list.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::input::Listing;
use crate::app::Context;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// The page that `rows` makes, where one row more than the limit was asked for to see whether
/// there is another page. `key` is where a row stands in the list's order.
pub fn answer<T: Serialize, F, K: Serialize>(
    request: &HttpRequest,
    context: &Context,
    listing: &Listing<F, K>,
    mut rows: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<HttpResponse, ApiError> {
    let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = match rows.last() {
        Some(last) if more => Some(listing.next_cursor(request.path(), context, &key(last))?),
        _ => None,
    };
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        // The cursor carries the filters on, so the link needs nothing else (RFC 8288).
        let link = format!("<{}?limit={}&cursor={cursor}>; rel=\"next\"", request.path(), listing.limit);
        response.insert_header((header::LINK, link));
    }
    Ok(response.json(Page { data: rows, next_cursor }))
}
