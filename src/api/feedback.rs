//! `/v1/feedback`: the accounts in a debrief.

use actix_web::{HttpRequest, get, patch, post, web};

use super::access::{Access, Read, Write};
use super::error::Answer;
use super::etag::{self, RequiredIfMatch};
use super::idempotency_keys::Once;
use super::input::{Body, Given, Listing, Merge, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::feedback::{self, Feedback, FeedbackInput, Revision, WaiveInput};
use crate::app::{AppError, Context};
use crate::domain::ids::{DebriefId, FeedbackId};
use crate::store::pool::Tx;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(create).service(show).service(change).service(submit).service(waive).service(revisions);
}

fn changed(account: &Feedback) -> Result<Reply, AppError> {
    etag::changed(account.row.version, account)
}

/// Writes one person's account. Whoever was asked for one already has a `requested` account, which
/// this fills; a second account of the same person is refused with the id of the first.
#[utoipa::path(tag = "feedback", params(Access<Write>, ("id" = DebriefId, Path)), request_body = FeedbackInput,
    responses((status = 201, body = Feedback)))]
#[post("/v1/debriefs/{id}/feedback")]
async fn create(
    access: Access<Write>,
    once: Once,
    id: web::Path<DebriefId>,
    body: Given<FeedbackInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let account = body.look_further(|input| feedback::create(tx, &caller, *id, input))?;
        etag::created(account.row.version, format!("/v1/feedback/{}", account.row.id), &account)
    };
    once.write(work).await
}

/// Shows an account as it now stands.
#[utoipa::path(tag = "feedback", params(Access<Read>, ("id" = FeedbackId, Path)),
    responses((status = 200, body = Feedback)))]
#[get("/v1/feedback/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<FeedbackId>,
) -> Answer {
    let caller = access.caller();
    let account = context.snapshot(move |conn| feedback::get(conn, &caller, *id)).await?;
    Ok(etag::fresh(&request, &etag::of(account.row.version), &account))
}

/// Changes an account by a merge patch. A draft is edited; a submitted account gets its next revision,
/// and the former one is kept; a waived one becomes a draft again. Points that keep their `id` keep
/// what they were matched with.
#[utoipa::path(tag = "feedback", params(Access<Write>, ("id" = FeedbackId, Path), RequiredIfMatch),
    request_body(content((FeedbackInput = "application/merge-patch+json"), (FeedbackInput = "application/json"))),
    responses((status = 200, body = Feedback)))]
#[patch("/v1/feedback/{id}")]
async fn change(
    context: web::Data<Context>,
    access: Access<Write>,
    id: web::Path<FeedbackId>,
    expected: RequiredIfMatch,
    body: Merge<FeedbackInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| feedback::patch(tx, &caller, *id, expected.0, |present| edit.apply(present)))
    };
    let account = context.write(work).await?;
    Ok(changed(&account)?.into())
}

/// Submits a draft.
#[utoipa::path(tag = "feedback", params(Access<Write>, ("id" = FeedbackId, Path), RequiredIfMatch),
    responses((status = 200, body = Feedback)))]
#[post("/v1/feedback/{id}/submit")]
async fn submit(
    access: Access<Write>,
    once: Once,
    id: web::Path<FeedbackId>,
    expected: RequiredIfMatch,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&feedback::submit(tx, &caller, *id, expected.0)?)).await
}

/// Gives up on an account that was asked for or drafted, for a reason.
#[utoipa::path(tag = "feedback", params(Access<Write>, ("id" = FeedbackId, Path), RequiredIfMatch),
    request_body = WaiveInput,
    responses((status = 200, body = Feedback)))]
#[post("/v1/feedback/{id}/waive")]
async fn waive(
    access: Access<Write>,
    once: Once,
    id: web::Path<FeedbackId>,
    expected: RequiredIfMatch,
    body: Body<WaiveInput>,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&feedback::waive(tx, &caller, *id, expected.0, &body.0)?)).await
}

/// Lists every submitted revision of an account, newest first: who said it, and who typed it.
#[utoipa::path(tag = "feedback", params(Access<Read>, ("id" = FeedbackId, Path), Paging),
    responses((status = 200, body = Page<Revision>)))]
#[get("/v1/feedback/{id}/revisions")]
async fn revisions(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<FeedbackId>,
    listing: Listing<NoFilters, i32>,
) -> Answer {
    let (caller, before, limit) = (access.caller(), listing.after, listing.limit + 1);
    let rows = context.snapshot(move |conn| feedback::revisions(conn, &caller, *id, before, limit)).await?;
    page::answer(&request, &context, &listing, rows, |row| row.revision)
}
