//! `/v1/agency` and `/v1/competencies`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};

use crate::api::access::{Access, Administer, Read};
use crate::api::etag::{self, IfMatch};
use crate::api::idempotency_keys::Once;
use crate::api::input::{Body, Listing, Merge, NoFilters};
use crate::api::page::{self, Page};
use crate::api::records::{Answer, Paging};
use crate::api::reply::Reply;
use crate::api::routes::Routes;
use crate::app::Context;
use crate::app::agencies::{self, AgencyInput};
use crate::app::competencies::{self, CompetencyInput, CompetencyView, NewCompetency};
use crate::store::agencies::Agency;
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(show).service(change);
    routes.service(list_competencies).service(add_competency).service(change_competency);
}

/// Shows the caller's agency.
#[utoipa::path(tag = "agency", params(Access<Read>), responses((status = 200, body = Agency)))]
#[get("/v1/agency")]
async fn show(request: HttpRequest, context: web::Data<Context>, access: Access<Read>) -> Answer {
    let id = access.agency;
    let agency = context.read(move |conn| agencies::get(conn, id)).await?;
    Ok(etag::fresh(&request, &etag::of(agency.version), &agency))
}

/// Changes the agency's settings by a merge patch.
#[utoipa::path(tag = "agency", params(Access<Administer>, IfMatch),
    request_body(content((AgencyInput = "application/merge-patch+json"), (AgencyInput = "application/json"))),
    responses((status = 200, body = Agency)))]
#[patch("/v1/agency")]
async fn change(
    context: web::Data<Context>,
    access: Access<Administer>,
    expected: IfMatch,
    body: Merge<AgencyInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| agencies::change(tx, &caller, expected.0, |present| edit.apply(&present)))
    };
    let agency = context.write(work).await?;
    Ok(etag::changed(agency.version, &agency)?.into())
}

/// Lists the agency's competencies in its order.
#[utoipa::path(tag = "competencies", params(Access<Read>, Paging),
    responses((status = 200, body = Page<CompetencyView>)))]
#[get("/v1/competencies")]
async fn list_competencies(
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
async fn add_competency(access: Access<Administer>, once: Once, body: Body<NewCompetency>) -> Answer {
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
async fn change_competency(
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
