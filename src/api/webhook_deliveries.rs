//! The deliveries of `/v1/webhook-endpoints/{id}`: their log, a test, and events sent again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, get, post, web};

use super::access::{Access, ManageWebhooks};
use super::error::Answer;
use super::idempotency_keys::Once;
use super::input::{Body, Listing, NoBody};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::Context;
use crate::app::webhook_deliveries::{self, Replay, Replayed, WebhookDeliveryQuery};
use crate::domain::ids::{WebhookDeliveryId, WebhookEndpointId};
use crate::store::pool::Tx;
use crate::store::webhook_deliveries::WebhookDelivery;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(deliveries).service(test).service(replay);
}

/// Lists the deliveries to an endpoint, newest first. They are kept for 30 days.
#[utoipa::path(tag = "webhook-endpoints",
    params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path), WebhookDeliveryQuery, Paging),
    responses((status = 200, body = Page<WebhookDelivery>)))]
#[get("/v1/webhook-endpoints/{id}/deliveries")]
async fn deliveries(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
    listing: Listing<WebhookDeliveryQuery, WebhookDeliveryId>,
) -> Answer {
    let (agency, query, after, limit) =
        (access.agency, listing.filters.clone(), listing.after, listing.limit + 1);
    let work = move |conn: &mut _| webhook_deliveries::list(conn, agency, *id, &query, after, limit);
    let rows = context.read(work).await?;
    page::answer(&request, &context, &listing, rows, |delivery| delivery.id)
}

/// Queues a `webhook.test` event. The list of deliveries says what came of it.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path)),
    responses((status = 202, body = WebhookDelivery)))]
#[post("/v1/webhook-endpoints/{id}/test")]
async fn test(
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
    once: Once,
    _: NoBody,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        Reply::json(StatusCode::ACCEPTED, &webhook_deliveries::test(tx, &caller, *id)?)
    };
    let answer = once.write(work).await?;
    context.store.news().notify_one();
    Ok(answer)
}

/// Queues a part of the change feed again, a thousand events at the most: those that the endpoint takes,
/// delivered before or not, each under its `webhook-id`. As in the feed, it is answered with 410 if some of
/// them may be kept no longer.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path)),
    request_body = Replay,
    responses(
        (status = 202, body = Replayed),
        (status = 410, description = "The feed does not go back so far.", content_type = "application/problem+json", body = super::error::Problem)))]
#[post("/v1/webhook-endpoints/{id}/replay")]
async fn replay(
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
    once: Once,
    body: Body<Replay>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        Reply::json(StatusCode::ACCEPTED, &webhook_deliveries::replay(tx, &caller, *id, body.0)?)
    };
    let answer = once.write(work).await?;
    context.store.news().notify_one();
    Ok(answer)
}
