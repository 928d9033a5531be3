//! What the recruiter says of pairs of points.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, post, web};

use crate::api::access::{Access, Write};
use crate::api::error::Answer;
use crate::api::etag::IfMatch;
use crate::api::idempotency_keys::Once;
use crate::api::input::Given;
use crate::api::registration::Routes;
use crate::api::reply::Reply;
use crate::app::Context;
use crate::app::debriefs::matches::{self, MatchInput};
use crate::domain::ids::{DebriefId, MatchId};
use crate::store::debriefs::PointMatch;
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(match_points).service(unmatch_points);
}

/// Says that two points are the same thing, or that they are not. Said again of the same two, it
/// takes the place of what was said before.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path), IfMatch), request_body = MatchInput,
    responses((status = 201, body = PointMatch), (status = 200, body = PointMatch)))]
#[post("/v1/debriefs/{id}/matches")]
async fn match_points(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    expected: IfMatch,
    body: Given<MatchInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let (made, is_new) =
            body.look_further(|input| matches::create(tx, &caller, *id, expected.0, &input))?;
        Reply::json(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &made)
    };
    once.write(work).await
}

/// Takes back what was said of two points: the rule decides again.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path), ("match_id" = MatchId, Path), IfMatch),
    responses((status = 204)))]
#[delete("/v1/debriefs/{id}/matches/{match_id}")]
async fn unmatch_points(
    context: web::Data<Context>,
    access: Access<Write>,
    path: web::Path<(DebriefId, MatchId)>,
    expected: IfMatch,
) -> Answer {
    let (caller, (debrief, id)) = (access.caller(), path.into_inner());
    context.write(move |tx| matches::delete(tx, &caller, debrief, id, expected.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}
