//! `/v1/competencies`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};

use super::access::{Access, Administer, Read};
use super::error::Answer;
use super::idempotency_keys::Once;
use super::input::{Body, Listing, Merge, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::Context;
use crate::app::competencies::{self, CompetencyInput, CompetencyView, NewCompetency};
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list).service(create).service(change);
}

/// Lists the agency's competencies in its order.
#[utoipa::path(tag = "competencies", params(Access<Read>, Paging),
    responses((status = 200, body = Page<CompetencyView>)))]
#[get("/v1/competencies")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    listing: Listing<NoFilters, String>,
) -> Answer {
    let (agency, after, limit) = (access.agency, listing.after.clone(), listing.limit + 1);
    let rows = context.read(move |conn| competencies::list(conn, agency, after.as_deref(), limit)).await?;
    page::answer(&request, &context, &listing, rows, |row| row.key.clone())
}

/// Adds a competency.
#[utoipa::path(tag = "competencies", params(Access<Administer>), request_body = NewCompetency,
    responses((status = 201, body = CompetencyView)))]
#[post("/v1/competencies")]
async fn create(access: Access<Administer>, once: Once, body: Body<NewCompetency>) -> Answer {
    let caller = access.caller();
    let work =
        move |tx: &mut Tx<'_>| Reply::json(StatusCode::CREATED, &competencies::create(tx, &caller, body.0)?);
    once.write(work).await
}

/// Changes a competency by a merge patch: its name, its place, or whether it is archived.
#[utoipa::path(tag = "competencies", params(Access<Administer>, ("key" = String, Path)),
    request_body(content((CompetencyInput = "application/merge-patch+json"), (CompetencyInput = "application/json"))),
    responses((status = 200, body = CompetencyView)))]
#[patch("/v1/competencies/{key}")]
async fn change(
    context: web::Data<Context>,
    access: Access<Administer>,
    key: web::Path<String>,
    body: Merge<CompetencyInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| competencies::change(tx, &caller, &key, |present| edit.apply(&present)))
    };
    let changed = context.write(work).await?;
    Ok(HttpResponse::Ok().json(changed))
}
