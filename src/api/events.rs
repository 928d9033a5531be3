//! `/v1/events`: the change feed.

use actix_web::{HttpRequest, get, web};

use super::access::{Access, ReadEvents};
use super::error::{Answer, ApiError};
use super::input::{Listing, parameter};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use crate::app::Context;
use crate::app::feed::{self, FeedEvent, FeedQuery};
use crate::store::events::Place;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list);
}

/// Lists what happened in the agency, oldest first. Nothing is ever taken out or put in between: keep
/// the id of the last event that you have dealt with, and ask for what comes `after` it. The feed goes back
/// as far as the operator has set; who asks for what comes after an older event is answered with 410 if an
/// event of the `types` may be missing, and reads the lists as they are now before going on without `after`.
#[utoipa::path(tag = "events", params(Access<ReadEvents>, FeedQuery, Paging), responses(
    (status = 200, body = Page<FeedEvent>),
    (status = 410, description = "The feed does not go back so far.", content_type = "application/problem+json", body = super::error::Problem)))]
#[get("/v1/events")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<ReadEvents>,
    listing: Listing<FeedQuery, Place>,
) -> Answer {
    let types = listing.filters.types()?;
    let (caller, after, place) = (access.caller(), listing.filters.after, listing.after);
    let limit = listing.limit + 1;
    let found = context.snapshot(move |conn| feed::list(conn, &caller, after, place, &types, limit)).await?;
    let events = found.ok_or_else(|| {
        let detail = "there is no such event".to_owned();
        ApiError::invalid(vec![parameter("after", "unknown_reference", detail)])
    })?;
    page::answer(&request, &context, &listing, events, |event| event.place)
}
