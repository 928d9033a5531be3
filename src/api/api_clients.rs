//! `/v1/api-clients`: the machine accounts of integrations.

use actix_web::http::header;
use actix_web::{HttpRequest, get, patch, post, web};

use super::access::{Access, Administer};
use super::error::Answer;
use super::etag::{self, IfMatch};
use super::idempotency_keys::Once;
use super::input::{Body, Listing, Merge, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use crate::app::Context;
use crate::app::api_clients::{self, ApiClientInput, ApiClientWithSecret};
use crate::domain::ids::ApiClientId;
use crate::store::api_clients::{self as store, ApiClient};
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list).service(create).service(show).service(change).service(rotate_secret);
}

/// Lists the agency's API clients, newest first.
#[utoipa::path(tag = "api-clients", params(Access<Administer>, Paging),
    responses((status = 200, body = Page<ApiClient>)))]
#[get("/v1/api-clients")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Administer>,
    listing: Listing<NoFilters, ApiClientId>,
) -> Answer {
    let (agency, after, limit) = (access.agency, listing.after, listing.limit + 1);
    let rows = context.read(move |conn| Ok(store::list(conn, agency, after, limit)?)).await?;
    page::answer(&request, &context, &listing, rows, |client| client.id)
}

/// Makes an API client. Its secret is shown this once.
#[utoipa::path(tag = "api-clients", params(Access<Administer>), request_body = ApiClientInput,
    responses((status = 201, body = ApiClientWithSecret)))]
#[post("/v1/api-clients")]
async fn create(access: Access<Administer>, once: Once, body: Body<ApiClientInput>) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let made = api_clients::create(tx, &caller, body.0)?;
        let location = format!("/v1/api-clients/{}", made.client.id);
        Ok(etag::created(made.client.version, location, &made)?.with(&header::CACHE_CONTROL, "no-store"))
    };
    once.write(work).await
}

/// Shows an API client.
#[utoipa::path(tag = "api-clients", params(Access<Administer>, ("id" = ApiClientId, Path)),
    responses((status = 200, body = ApiClient)))]
#[get("/v1/api-clients/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Administer>,
    id: web::Path<ApiClientId>,
) -> Answer {
    let agency = access.agency;
    let client = context.read(move |conn| api_clients::get(conn, agency, *id)).await?;
    Ok(etag::fresh(&request, &etag::of(client.version), &client))
}

/// Changes an API client by a merge patch.
#[utoipa::path(tag = "api-clients", params(Access<Administer>, ("id" = ApiClientId, Path), IfMatch),
    request_body(content((ApiClientInput = "application/merge-patch+json"), (ApiClientInput = "application/json"))),
    responses((status = 200, body = ApiClient)))]
#[patch("/v1/api-clients/{id}")]
async fn change(
    context: web::Data<Context>,
    access: Access<Administer>,
    id: web::Path<ApiClientId>,
    expected: IfMatch,
    body: Merge<ApiClientInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| {
            api_clients::change(tx, &caller, *id, expected.0, |present| edit.apply(&present))
        })
    };
    let client = context.write(work).await?;
    Ok(etag::changed(client.version, &client)?.into())
}

/// Gives an API client a new secret, shown this once. The former one is no longer good.
#[utoipa::path(tag = "api-clients", params(Access<Administer>, ("id" = ApiClientId, Path)),
    responses((status = 200, body = ApiClientWithSecret)))]
#[post("/v1/api-clients/{id}/rotate-secret")]
async fn rotate_secret(access: Access<Administer>, once: Once, id: web::Path<ApiClientId>) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let rotated = api_clients::rotate_secret(tx, &caller, *id)?;
        Ok(etag::changed(rotated.client.version, &rotated)?.with(&header::CACHE_CONTROL, "no-store"))
    };
    once.write(work).await
}
