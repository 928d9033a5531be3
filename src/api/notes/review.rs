//! The wording review of a note.

use actix_web::{HttpRequest, get, web};

use crate::api::access::{Access, Read};
use crate::api::error::Answer;
use crate::api::etag;
use crate::app::Context;
use crate::app::notes::review::review;
use crate::domain::ids::NoteId;
use crate::domain::wording::WordingReview;

/// Reviews the wording of a note: its subject and its body, with the names of the agency's other
/// clients in view. The note stays as it is.
#[utoipa::path(tag = "notes", params(Access<Read>, ("id" = NoteId, Path)),
    responses((status = 200, body = WordingReview)))]
#[get("/v1/notes/{id}/review")]
pub(super) async fn show_review(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<NoteId>,
) -> Answer {
    let caller = access.caller();
    let (version, shown) = context.snapshot(move |conn| review(conn, &caller, id.into_inner())).await?;
    etag::fresh_whole(&request, version, &shown)
}
