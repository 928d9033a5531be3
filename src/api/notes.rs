//! `/v1/notes`: thank-you notes, from the first draft to the message that carries them.

mod preview;
mod review;

use actix_web::{HttpRequest, get, patch, post, web};

use super::access::{Access, Approve, Read, Write};
use super::error::Answer;
use super::etag::{self, RequiredIfMatch};
use super::idempotency_keys::Once;
use super::input::{Body, Given, Listing, Merge};
use super::page::{self, Page, Paging};
use super::records::Key;
use super::registration::Routes;
use super::reply::Reply;
use crate::app::notes::decisions::{self, Approval, Reason};
use crate::app::notes::{self, NoteInput, NoteQuery, NoteView};
use crate::app::{AppError, Context};
use crate::domain::ids::{DebriefId, NoteId, kinds};
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes
        .service(create)
        .service(list)
        .service(show)
        .service(change)
        .service(submit)
        .service(approve)
        .service(request_changes)
        .service(reject)
        .service(recall)
        .service(preview::show_preview)
        .service(review::show_review);
}

/// The tag of a note. What its emails do makes no new version of the note, but another
/// representation.
fn tag(view: &NoteView) -> Result<String, AppError> {
    if view.deliveries.is_empty() {
        return Ok(etag::of(view.note.version));
    }
    etag::whole(view.note.version, view).map(|(tag, _)| tag)
}

fn changed(view: &NoteView) -> Result<Reply, AppError> {
    etag::tagged(&tag(view)?, view)
}

/// Writes the first draft of a note.
#[utoipa::path(tag = "notes", params(Access<Write>, ("id" = DebriefId, Path)), request_body = NoteInput,
    responses((status = 201, body = NoteView)))]
#[post("/v1/debriefs/{id}/notes")]
async fn create(
    access: Access<Write>,
    once: Once,
    debrief: web::Path<DebriefId>,
    body: Given<NoteInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let made = body.look_further(|input| notes::create(tx, &caller, debrief.into_inner(), input))?;
        etag::created(made.note.version, format!("/v1/notes/{}", made.note.id), &made)
    };
    once.write(work).await
}

/// Lists notes: newest first, or with `updated_since` in the order of their changes.
#[utoipa::path(tag = "notes", params(Access<Read>, NoteQuery, Paging),
    responses((status = 200, body = Page<NoteView>)))]
#[get("/v1/notes")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    listing: Listing<NoteQuery, Key<kinds::Note>>,
) -> Answer {
    let (agency, query, after, limit) =
        (access.agency, listing.filters.clone(), listing.after, listing.limit + 1);
    let now = context.store.clock().now().into();
    let rows = context.snapshot(move |conn| notes::list(conn, agency, &query, after, limit, now)).await?;
    page::answer(&request, &context, &listing, rows, |row| (row.note.updated_at, row.note.id))
}

/// Shows a note.
#[utoipa::path(tag = "notes", params(Access<Read>, ("id" = NoteId, Path)), responses((status = 200, body = NoteView)))]
#[get("/v1/notes/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<NoteId>,
) -> Answer {
    let (agency, now) = (access.agency, context.store.clock().now().into());
    let found = context.snapshot(move |conn| notes::get(conn, agency, id.into_inner(), now)).await?;
    Ok(etag::fresh(&request, &tag(&found)?, &found))
}

/// Changes a note by a merge patch. What was approved, and has not left, comes back to `submitted`.
#[utoipa::path(tag = "notes", params(Access<Write>, ("id" = NoteId, Path), RequiredIfMatch),
    request_body(content((NoteInput = "application/merge-patch+json"), (NoteInput = "application/json"))),
    responses((status = 200, body = NoteView)))]
#[patch("/v1/notes/{id}")]
async fn change(
    context: web::Data<Context>,
    access: Access<Write>,
    id: web::Path<NoteId>,
    expected: RequiredIfMatch,
    body: Merge<NoteInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| {
            notes::change(tx, &caller, id.into_inner(), expected.0, |present| edit.apply(&present))
        })
    };
    Ok(changed(&context.write(work).await?)?.into())
}

/// Hands a note to the recruiter.
#[utoipa::path(tag = "notes", params(Access<Write>, ("id" = NoteId, Path), RequiredIfMatch),
    responses((status = 200, body = NoteView)))]
#[post("/v1/notes/{id}/submit")]
async fn submit(
    access: Access<Write>,
    once: Once,
    id: web::Path<NoteId>,
    expected: RequiredIfMatch,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&decisions::submit(tx, &caller, id.into_inner(), expected.0)?)).await
}

/// Finds exactly one text fit to send, and queues a message for each contact.
#[utoipa::path(tag = "notes", params(Access<Approve>, ("id" = NoteId, Path), RequiredIfMatch), request_body = Approval,
    responses((status = 200, body = NoteView)))]
#[post("/v1/notes/{id}/approve")]
async fn approve(
    context: web::Data<Context>,
    access: Access<Approve>,
    once: Once,
    id: web::Path<NoteId>,
    expected: RequiredIfMatch,
    body: Body<Approval>,
) -> Answer {
    let (caller, mail) = (access.caller(), context.mail.clone());
    let work = move |tx: &mut Tx<'_>| {
        changed(&decisions::approve(tx, &caller, &mail, id.into_inner(), expected.0, &body.0)?)
    };
    let approved = once.write(work).await?;
    context.relay_bell.notify_one();
    Ok(approved)
}

/// Sends a note back to be mended.
#[utoipa::path(tag = "notes", params(Access<Approve>, ("id" = NoteId, Path), RequiredIfMatch), request_body = Reason,
    responses((status = 200, body = NoteView)))]
#[post("/v1/notes/{id}/request-changes")]
async fn request_changes(
    access: Access<Approve>,
    once: Once,
    id: web::Path<NoteId>,
    expected: RequiredIfMatch,
    body: Body<Reason>,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| {
        changed(&decisions::request_changes(tx, &caller, id.into_inner(), expected.0, &body.0)?)
    })
    .await
}

/// Refuses a note for good.
#[utoipa::path(tag = "notes", params(Access<Approve>, ("id" = NoteId, Path), RequiredIfMatch), request_body = Reason,
    responses((status = 200, body = NoteView)))]
#[post("/v1/notes/{id}/reject")]
async fn reject(
    access: Access<Approve>,
    once: Once,
    id: web::Path<NoteId>,
    expected: RequiredIfMatch,
    body: Body<Reason>,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&decisions::reject(tx, &caller, id.into_inner(), expected.0, &body.0)?))
        .await
}

/// Calls a note back. What has not left is never sent; the deliveries say what had left.
#[utoipa::path(tag = "notes", params(Access<Write>, ("id" = NoteId, Path), RequiredIfMatch),
    responses((status = 200, body = NoteView)))]
#[post("/v1/notes/{id}/recall")]
async fn recall(
    access: Access<Write>,
    once: Once,
    id: web::Path<NoteId>,
    expected: RequiredIfMatch,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&decisions::recall(tx, &caller, id.into_inner(), expected.0)?)).await
}
