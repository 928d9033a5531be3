//! `/v1/webhook-endpoints`: where other systems want to be told of what happens.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::access::{Access, ManageWebhooks};
use super::error::Answer;
use super::etag::{self, IfMatch};
use super::idempotency_keys::Once;
use super::input::{Given, Listing, Merge, NoBody, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::webhook_endpoints::{self, WebhookEndpointInput, WebhookEndpointWithSecret};
use crate::app::{AppError, Context};
use crate::domain::ids::WebhookEndpointId;
use crate::store::pool::Tx;
use crate::store::webhook_endpoints::{self as store, WebhookEndpoint};

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list).service(create).service(show).service(change).service(remove).service(rotate_secret);
}

/// Lists the agency's endpoints, newest first.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, Paging),
    responses((status = 200, body = Page<WebhookEndpoint>)))]
#[get("/v1/webhook-endpoints")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    listing: Listing<NoFilters, WebhookEndpointId>,
) -> Answer {
    let (agency, after, limit) = (access.agency, listing.after, listing.limit + 1);
    let rows = context.read(move |conn| Ok(store::list(conn, agency, after, limit)?)).await?;
    page::answer(&request, &context, &listing, rows, |endpoint| endpoint.id)
}

/// Makes an endpoint, which is sent what happens from then on. Its secret is shown this once.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>), request_body = WebhookEndpointInput,
    responses((status = 201, body = WebhookEndpointWithSecret)))]
#[post("/v1/webhook-endpoints")]
async fn create(
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    once: Once,
    body: Given<WebhookEndpointInput>,
) -> Answer {
    let (caller, policy, tokens) = (access.caller(), context.webhooks, context.tokens.clone());
    let work = move |tx: &mut Tx<'_>| {
        let made = body.look_further(|input| {
            webhook_endpoints::create(tx, &caller, policy, tokens.keys().seals(), input)
        })?;
        let location = format!("/v1/webhook-endpoints/{}", made.endpoint.id);
        Ok(shown_once(StatusCode::CREATED, &made)?.with(&header::LOCATION, location))
    };
    once.write(work).await
}

/// Shows an endpoint.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path)),
    responses((status = 200, body = WebhookEndpoint)))]
#[get("/v1/webhook-endpoints/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
) -> Answer {
    let agency = access.agency;
    let endpoint = context.read(move |conn| webhook_endpoints::get(conn, agency, *id)).await?;
    // Whether it is failing changes without a new version.
    etag::fresh_whole(&request, endpoint.version, &endpoint)
}

/// Changes an endpoint by a merge patch. One that is enabled again is sent what happens from then on;
/// what it missed can be replayed.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path), IfMatch),
    request_body(content((WebhookEndpointInput = "application/merge-patch+json"),
        (WebhookEndpointInput = "application/json"))),
    responses((status = 200, body = WebhookEndpoint)))]
#[patch("/v1/webhook-endpoints/{id}")]
async fn change(
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
    expected: IfMatch,
    body: Merge<WebhookEndpointInput>,
) -> Answer {
    let (caller, policy) = (access.caller(), context.webhooks);
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| {
            webhook_endpoints::change(tx, &caller, policy, *id, expected.0, |present| edit.apply(&present))
        })
    };
    let endpoint = context.write(work).await?;
    Ok(etag::changed_whole(endpoint.version, &endpoint)?.into())
}

/// Deletes an endpoint. What waits to be sent there is cancelled.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path), IfMatch),
    responses((status = 204)))]
#[delete("/v1/webhook-endpoints/{id}")]
async fn remove(
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
    expected: IfMatch,
) -> Answer {
    let caller = access.caller();
    context.write(move |tx| webhook_endpoints::delete(tx, &caller, *id, expected.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives an endpoint a new secret, shown this once. For 24 hours what it is sent is signed with the
/// former one too.
#[utoipa::path(tag = "webhook-endpoints", params(Access<ManageWebhooks>, ("id" = WebhookEndpointId, Path)),
    responses((status = 200, body = WebhookEndpointWithSecret)))]
#[post("/v1/webhook-endpoints/{id}/rotate-secret")]
async fn rotate_secret(
    context: web::Data<Context>,
    access: Access<ManageWebhooks>,
    id: web::Path<WebhookEndpointId>,
    once: Once,
    _: NoBody,
) -> Answer {
    let (caller, tokens) = (access.caller(), context.tokens.clone());
    let work = move |tx: &mut Tx<'_>| {
        let rotated = webhook_endpoints::rotate_secret(tx, &caller, tokens.keys().seals(), *id)?;
        shown_once(StatusCode::OK, &rotated)
    };
    once.write(work).await
}

/// An endpoint with its secret, which nobody on the way should keep.
fn shown_once(status: StatusCode, shown: &WebhookEndpointWithSecret) -> Result<Reply, AppError> {
    let reply = Reply::json(status, shown)?.with(&header::ETAG, etag::of(shown.endpoint.version));
    Ok(reply.with(&header::CACHE_CONTROL, "no-store"))
}
