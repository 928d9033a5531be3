//! `/v1/debriefs`: the aftermath of interviews.

mod activities;
mod call_sheet;
mod matches;
mod transitions;

use actix_web::{HttpRequest, get, web};

use super::access::{Access, Read};
use super::error::Answer;
use super::etag;
use super::input::{Listing, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use crate::app::Context;
use crate::app::debriefs::history::{self, HistoryEntry};
use crate::app::debriefs::view::{self, DebriefView};
use crate::app::debriefs::worklist::{self, DebriefQuery, Place, WorklistItem};
use crate::domain::comparison::Comparison;
use crate::domain::ids::DebriefId;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list).service(show).service(comparison).service(list_history);
    routes.configure(transitions::routes).configure(matches::routes).configure(activities::routes);
    routes.service(call_sheet::show_call_sheet);
}

/// The worklist: debriefs with the names that go with them, in the order that is wanted.
#[utoipa::path(tag = "debriefs", params(Access<Read>, DebriefQuery, Paging),
    responses((status = 200, body = Page<WorklistItem>)))]
#[get("/v1/debriefs")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    listing: Listing<DebriefQuery, Place>,
) -> Answer {
    let (caller, query) = (access.caller(), listing.filters.clone());
    let (after, limit, now) = (listing.after, listing.limit + 1, context.store.clock().now().into());
    let items = context.read(move |conn| worklist::list(conn, &caller, &query, after, limit, now)).await?;
    page::answer(&request, &context, &listing, items, |item| listing.filters.place(item))
}

/// Shows a debrief whole: with its interview, the people, every account, the requests to meet again,
/// the notes and the comparison. Its ETag changes with any of them.
#[utoipa::path(tag = "debriefs", params(Access<Read>, ("id" = DebriefId, Path)),
    responses((status = 200, body = DebriefView)))]
#[get("/v1/debriefs/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<DebriefId>,
) -> Answer {
    let (caller, now) = (access.caller(), context.store.clock().now().into());
    let shown = context.glimpse(move |conn| view::get(conn, &caller, *id, now)).await?;
    etag::fresh_whole(&request, shown.debrief.version, &shown)
}

/// Lays both sides of a debrief beside each other, competency by competency and point by point.
#[utoipa::path(tag = "debriefs", params(Access<Read>, ("id" = DebriefId, Path)),
    responses((status = 200, body = Comparison)))]
#[get("/v1/debriefs/{id}/comparison")]
async fn comparison(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<DebriefId>,
) -> Answer {
    let caller = access.caller();
    let (version, shown) = context.snapshot(move |conn| view::comparison(conn, &caller, *id)).await?;
    etag::fresh_whole(&request, version, &shown)
}

/// Lists what happened in a debrief, oldest first: every transition and edit, who, when and why.
#[utoipa::path(tag = "debriefs", params(Access<Read>, ("id" = DebriefId, Path), Paging),
    responses((status = 200, body = Page<HistoryEntry>)))]
#[get("/v1/debriefs/{id}/history")]
async fn list_history(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<DebriefId>,
    listing: Listing<NoFilters, i64>,
) -> Answer {
    let (caller, after, limit) = (access.caller(), listing.after, listing.limit + 1);
    let entries = context.read(move |conn| history::list(conn, &caller, *id, after, limit)).await?;
    page::answer(&request, &context, &listing, entries, |entry| entry.seq)
}
