//! The transitions of a debrief.

use actix_web::{post, web};

use crate::api::access::{Access, Write};
use crate::api::error::Answer;
use crate::api::etag::{self, RequiredIfMatch};
use crate::api::idempotency_keys::Once;
use crate::api::input::Body;
use crate::api::registration::Routes;
use crate::api::reply::Reply;
use crate::app::AppError;
use crate::app::debriefs::transitions::{self, CancelInput, CloseInput, ReopenInput};
use crate::app::debriefs::view::DebriefView;
use crate::domain::ids::DebriefId;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(release).service(close).service(reopen).service(cancel);
}

fn changed(shown: &DebriefView) -> Result<Reply, AppError> {
    etag::changed_whole(shown.debrief.version, shown)
}

/// Says that the candidate was given the client's view.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path), RequiredIfMatch),
    responses((status = 200, body = DebriefView)))]
#[post("/v1/debriefs/{id}/release")]
async fn release(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    expected: RequiredIfMatch,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&transitions::release(tx, &caller, *id, expected.0)?)).await
}

/// Closes a debrief with an outcome.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path), RequiredIfMatch),
    request_body = CloseInput,
    responses((status = 200, body = DebriefView)))]
#[post("/v1/debriefs/{id}/close")]
async fn close(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    expected: RequiredIfMatch,
    body: Body<CloseInput>,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&transitions::close(tx, &caller, *id, expected.0, &body.0)?)).await
}

/// Opens a closed debrief again, for a reason. It is ready at once if both sides are in.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path), RequiredIfMatch),
    request_body = ReopenInput,
    responses((status = 200, body = DebriefView)))]
#[post("/v1/debriefs/{id}/reopen")]
async fn reopen(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    expected: RequiredIfMatch,
    body: Body<ReopenInput>,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&transitions::reopen(tx, &caller, *id, expected.0, &body.0)?)).await
}

/// Cancels a debrief, and with it the interview, which did not take place.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path), RequiredIfMatch),
    request_body = CancelInput,
    responses((status = 200, body = DebriefView)))]
#[post("/v1/debriefs/{id}/cancel")]
async fn cancel(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    expected: RequiredIfMatch,
    body: Body<CancelInput>,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&transitions::cancel(tx, &caller, *id, expected.0, &body.0)?)).await
}
