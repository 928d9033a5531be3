//! `/v1/deliveries`: every attempt of one, and the end of a doubt.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, get, post, web};

use super::access::{Access, Approve, Read};
use super::error::Answer;
use super::idempotency_keys::Once;
use super::input::{Body, Listing, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::Context;
use crate::app::deliveries::{self, AttemptView, DeliveryView, ResolutionInput};
use crate::domain::ids::DeliveryId;
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(attempts).service(resolve);
}

/// Lists the attempts of a delivery, the first one first.
#[utoipa::path(tag = "notes", params(Access<Read>, ("id" = DeliveryId, Path), Paging),
    responses((status = 200, body = Page<AttemptView>)))]
#[get("/v1/deliveries/{id}/attempts")]
async fn attempts(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<DeliveryId>,
    listing: Listing<NoFilters, i32>,
) -> Answer {
    let (agency, after, limit) = (access.agency, listing.after, listing.limit + 1);
    let work = move |conn: &mut _| deliveries::attempts(conn, agency, id.into_inner(), after, limit);
    let rows = context.read(work).await?;
    page::answer(&request, &context, &listing, rows, |row| row.number)
}

/// Decides what became of a delivery of which nobody knows whether it arrived.
#[utoipa::path(tag = "notes", params(Access<Approve>, ("id" = DeliveryId, Path)), request_body = ResolutionInput,
    responses((status = 200, body = DeliveryView)))]
#[post("/v1/deliveries/{id}/resolve")]
async fn resolve(
    context: web::Data<Context>,
    access: Access<Approve>,
    once: Once,
    id: web::Path<DeliveryId>,
    body: Body<ResolutionInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        Reply::json(StatusCode::OK, &deliveries::resolve(tx, &caller, id.into_inner(), &body.0)?)
    };
    let resolved = once.write(work).await?;
    context.relay_bell.notify_one();
    Ok(resolved)
}
