//! The log of what is done around a debrief.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, get, post, web};

use crate::api::access::{Access, Read, Write};
use crate::api::error::Answer;
use crate::api::idempotency_keys::Once;
use crate::api::input::{Given, Listing, NoFilters};
use crate::api::page::{self, Page, Paging};
use crate::api::registration::Routes;
use crate::api::reply::Reply;
use crate::app::Context;
use crate::app::debriefs::activities::{self, ActivityInput};
use crate::domain::ids::{ActivityId, DebriefId};
use crate::store::activities::Activity;
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list_activities).service(log_activity);
}

/// Lists the calls, voicemails and messages around a debrief, the last one written first.
#[utoipa::path(tag = "debriefs", params(Access<Read>, ("id" = DebriefId, Path), Paging),
    responses((status = 200, body = Page<Activity>)))]
#[get("/v1/debriefs/{id}/activities")]
async fn list_activities(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<DebriefId>,
    listing: Listing<NoFilters, ActivityId>,
) -> Answer {
    let (caller, before, limit) = (access.caller(), listing.after, listing.limit + 1);
    let rows = context.read(move |conn| activities::list(conn, &caller, *id, before, limit)).await?;
    page::answer(&request, &context, &listing, rows, |row| row.id)
}

/// Logs a call, a voicemail, a message, a word put in, or contact past the recruiter.
#[utoipa::path(tag = "debriefs", params(Access<Write>, ("id" = DebriefId, Path)), request_body = ActivityInput,
    responses((status = 201, body = Activity)))]
#[post("/v1/debriefs/{id}/activities")]
async fn log_activity(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    body: Given<ActivityInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let made = body.look_further(|input| activities::create(tx, &caller, *id, input))?;
        Reply::json(StatusCode::CREATED, &made)
    };
    once.write(work).await
}
