//! `/v1/retry-requests`: the candidate's wish to meet the client again, and what becomes of it.

use actix_web::{HttpRequest, get, post, web};

use super::access::{Access, Read, Write};
use super::error::Answer;
use super::etag::{self, RequiredIfMatch};
use super::idempotency_keys::Once;
use super::input::{Body, Given, Listing, OptionalBody};
use super::page::{self, Page, Paging};
use super::records::Key;
use super::registration::Routes;
use super::reply::Reply;
use crate::app::retry_requests::schedule::{self, Scheduled};
use crate::app::retry_requests::transitions::{
    self, Answered, Asked, Offered, OptionalReason, RequiredReason,
};
use crate::app::retry_requests::{self, RetryInput, RetryQuery};
use crate::app::{AppError, Context};
use crate::domain::ids::{DebriefId, RetryRequestId, kinds};
use crate::domain::retry_request::RetryTransition;
use crate::store::pool::Tx;
use crate::store::retry_requests::RetryRequest;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes
        .service(create)
        .service(list)
        .service(show)
        .service(put_to_client)
        .service(decline_by_agency)
        .service(accept)
        .service(decline)
        .service(counter_propose)
        .service(set_date)
        .service(mark_held)
        .service(withdraw)
        .service(mark_moot);
}

fn changed(request: &RetryRequest) -> Result<Reply, AppError> {
    etag::changed(request.version, request)
}

/// Writes the candidate's wish down.
#[utoipa::path(tag = "retry-requests", params(Access<Write>, ("id" = DebriefId, Path)), request_body = RetryInput,
    responses((status = 201, body = RetryRequest)))]
#[post("/v1/debriefs/{id}/retry-requests")]
async fn create(
    access: Access<Write>,
    once: Once,
    debrief: web::Path<DebriefId>,
    body: Body<RetryInput>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let made = retry_requests::create(tx, &caller, debrief.into_inner(), body.0)?;
        etag::created(made.version, format!("/v1/retry-requests/{}", made.id), &made)
    };
    once.write(work).await
}

/// Lists requests: newest first, or with `updated_since` in the order of their changes.
#[utoipa::path(tag = "retry-requests", params(Access<Read>, RetryQuery, Paging),
    responses((status = 200, body = Page<RetryRequest>)))]
#[get("/v1/retry-requests")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    listing: Listing<RetryQuery, Key<kinds::RetryRequest>>,
) -> Answer {
    let (agency, query, after, limit) =
        (access.agency, listing.filters.clone(), listing.after, listing.limit + 1);
    let rows = context.read(move |conn| retry_requests::list(conn, agency, &query, after, limit)).await?;
    page::answer(&request, &context, &listing, rows, |row| (row.updated_at, row.id))
}

/// Shows a request.
#[utoipa::path(tag = "retry-requests", params(Access<Read>, ("id" = RetryRequestId, Path)),
    responses((status = 200, body = RetryRequest)))]
#[get("/v1/retry-requests/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<RetryRequestId>,
) -> Answer {
    let agency = access.agency;
    let found = context.read(move |conn| retry_requests::get(conn, agency, id.into_inner())).await?;
    Ok(etag::fresh(&request, &etag::of(found.version), &found))
}

/// The route of one transition: its path, its body, and the use case that takes it.
macro_rules! transition {
    ($(#[$doc:meta])* $name:ident, $path:literal, $extractor:ident<$input:ty>,
        |$tx:ident, $caller:ident, $id:ident, $expected:ident, $body:ident| $work:expr) => {
        $(#[$doc])*
        #[utoipa::path(tag = "retry-requests", params(Access<Write>, ("id" = RetryRequestId, Path), RequiredIfMatch),
            request_body = $input,
            responses((status = 200, body = RetryRequest)))]
        #[post($path)]
        async fn $name(
            access: Access<Write>,
            once: Once,
            id: web::Path<RetryRequestId>,
            expected: RequiredIfMatch,
            body: $extractor<$input>,
        ) -> Answer {
            let ($caller, $id, $expected) = (access.caller(), id.into_inner(), expected.0);
            let given: Given<$input> = body.into();
            once.write(move |$tx: &mut Tx<'_>| changed(&given.look_further(|$body| $work)?)).await
        }
    };
}

transition!(
    /// The recruiter asks the client.
    put_to_client, "/v1/retry-requests/{id}/put-to-client", Given<Asked>,
    |tx, caller, id, expected, body| transitions::put_to_client(tx, &caller, id, expected, body)
);
transition!(
    /// The agency refuses to ask the client.
    decline_by_agency, "/v1/retry-requests/{id}/decline-by-agency", Given<RequiredReason>,
    |tx, caller, id, expected, body| transitions::decline_by_agency(tx, &caller, id, expected, body)
);
transition!(
    /// The client agrees to meet again, or the candidate to what the client offered instead.
    accept, "/v1/retry-requests/{id}/accept", Given<Answered>,
    |tx, caller, id, expected, body| {
        transitions::answer(tx, &caller, id, expected, RetryTransition::Accept, body)
    }
);
transition!(
    /// The client says no, or the candidate to what the client offered instead.
    decline, "/v1/retry-requests/{id}/decline", Given<Answered>,
    |tx, caller, id, expected, body| {
        transitions::answer(tx, &caller, id, expected, RetryTransition::Decline, body)
    }
);
transition!(
    /// The client offers something else.
    counter_propose, "/v1/retry-requests/{id}/counter-propose", Given<Offered>,
    |tx, caller, id, expected, body| transitions::counter_propose(tx, &caller, id, expected, body)
);
transition!(
    /// Makes the new interview, and links the two.
    set_date, "/v1/retry-requests/{id}/schedule", Given<Scheduled>,
    |tx, caller, id, expected, body| schedule::schedule(tx, &caller, id, expected, body)
);
transition!(
    /// The candidate takes the wish back.
    withdraw, "/v1/retry-requests/{id}/withdraw", OptionalBody<OptionalReason>,
    |tx, caller, id, expected, body| {
        transitions::end(tx, &caller, id, expected, RetryTransition::Withdraw, body)
    }
);
transition!(
    /// There is nothing left to meet about.
    mark_moot, "/v1/retry-requests/{id}/mark-moot", OptionalBody<OptionalReason>,
    |tx, caller, id, expected, body| {
        transitions::end(tx, &caller, id, expected, RetryTransition::MarkMoot, body)
    }
);

/// The new interview took place.
#[utoipa::path(tag = "retry-requests", params(Access<Write>, ("id" = RetryRequestId, Path), RequiredIfMatch),
    responses((status = 200, body = RetryRequest)))]
#[post("/v1/retry-requests/{id}/mark-held")]
async fn mark_held(
    access: Access<Write>,
    once: Once,
    id: web::Path<RetryRequestId>,
    expected: RequiredIfMatch,
) -> Answer {
    let caller = access.caller();
    once.write(move |tx| changed(&schedule::mark_held(tx, &caller, id.into_inner(), expected.0)?)).await
}
