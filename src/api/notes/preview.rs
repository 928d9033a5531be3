//! The message that would go out, in the form that the caller prefers.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::accept::preferred;
use crate::api::access::{Access, Read};
use crate::api::error::Answer;
use crate::api::input::Filters;
use crate::app::notes::preview::{Parts, parts, preview};
use crate::app::{AppError, Context};
use crate::domain::ids::{ContactId, NoteId};

const MESSAGE: &str = "message/rfc822";
const JSON: &str = "application/json";

/// Whose message is wanted.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// One of the note's contacts; the first one if left out.
    contact_id: Option<ContactId>,
}

/// Shows the exact message that carries a note to one contact: as it goes out, or its parts in
/// JSON. Once the note is approved these are the bytes that are sent.
#[utoipa::path(tag = "notes", params(Access<Read>, ("id" = NoteId, Path), PreviewQuery),
    responses((status = 200, content((String = "message/rfc822"), (Parts = "application/json"))),
        (status = 409, description = "Nothing may be written to the contact.")))]
#[get("/v1/notes/{id}/preview")]
pub(super) async fn show_preview(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<NoteId>,
    query: Filters<PreviewQuery>,
) -> Answer {
    let forms = [MESSAGE, JSON].map(|form| (form, form));
    let form = preferred(&request, &forms, "there are message/rfc822 and application/json")?;
    let (caller, mail) = (access.caller(), context.mail.clone());
    let (contact, now) = (query.0.contact_id, context.store.clock().now().into());
    let work = move |conn: &mut _| preview(conn, &caller, &mail, id.into_inner(), contact, now);
    let message = context.snapshot(work).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept"));
    if form == MESSAGE {
        return Ok(response.content_type(MESSAGE).body(message));
    }
    let parts =
        parts(&message).ok_or_else(|| AppError::Internal("a message of ours is not readable".to_owned()))?;
    Ok(response.json(parts))
}
