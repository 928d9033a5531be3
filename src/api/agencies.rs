//! `/v1/agency`.

use actix_web::{HttpRequest, get, patch, web};

use super::access::{Access, Administer, Read};
use super::error::Answer;
use super::etag::{self, IfMatch};
use super::input::Merge;
use super::registration::Routes;
use crate::app::Context;
use crate::app::agencies::{self, AgencyInput};
use crate::store::agencies::Agency;
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(show).service(change);
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
