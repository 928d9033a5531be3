//! The pages of every list: how they are asked for, and their body.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::Answer;
use super::input::Listing;
use crate::app::Context;

/// The paging parameters of every list, for the document.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many rows at the most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before. It carries the filters on.
    pub cursor: Option<String>,
}

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
) -> Answer {
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
