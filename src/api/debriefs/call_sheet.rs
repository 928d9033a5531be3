//! What a recruiter has before them when they ring the client.

use actix_web::{HttpRequest, get, web};

use crate::api::access::{Access, Read};
use crate::api::error::Answer;
use crate::api::etag;
use crate::app::Context;
use crate::app::debriefs::call_sheet::{self, CallSheet};
use crate::domain::ids::DebriefId;

/// The sheet for the call to the client: what of the candidate's account may be raised, what to ask,
/// and what not to pass on, which is named without its words.
#[utoipa::path(tag = "debriefs", params(Access<Read>, ("id" = DebriefId, Path)),
    responses((status = 200, body = CallSheet)))]
#[get("/v1/debriefs/{id}/call-sheet")]
pub(super) async fn show_call_sheet(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<DebriefId>,
) -> Answer {
    let (caller, now) = (access.caller(), context.store.clock().now().into());
    let (version, sheet) = context.glimpse(move |conn| call_sheet::get(conn, &caller, *id, now)).await?;
    etag::fresh_whole(&request, version, &sheet)
}
