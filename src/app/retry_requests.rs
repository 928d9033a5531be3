//! Retry requests: the candidate asks to meet the client again.

pub mod expiry;
mod held;
pub mod schedule;
pub mod transitions;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use super::debriefs::lifecycle;
use super::events::Happening;
use crate::auth::caller::Caller;
use crate::domain::debrief::DebriefState;
use crate::domain::ids::{AgencyId, CandidateId, ClientId, DebriefId, Id, RetryRequestId, kinds};
use crate::domain::retry_request::{Grounds, RetryState};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::record::ListOptions;
use crate::store::retry_requests::{self, RetryFilters, RetryRequest};

pub(super) use held::end_with_interview;

/// The candidate's wish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryInput {
    /// Why the candidate asks.
    grounds: Grounds,
    /// What would be different this time.
    #[schema(min_length = 1, max_length = 10_000, format = "text-not-blank")]
    what_would_differ: String,
    /// What the candidate says, word for word.
    #[schema(min_length = 1, max_length = 10_000, format = "text-not-blank")]
    candidate_words: String,
}

/// Which retry requests are wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RetryQuery {
    /// Only those in this state.
    state: Option<RetryState>,
    /// Only those of this debrief.
    debrief_id: Option<DebriefId>,
    /// Only those about interviews with this client.
    client_id: Option<ClientId>,
    /// Only those of this candidate.
    candidate_id: Option<CandidateId>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
}

/// Writes the candidate's wish down.
///
/// # Errors
/// A conflict while something may still come of another request about the same interview.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    input: RetryInput,
) -> Result<RetryRequest, AppError> {
    let mut debrief = lifecycle::lock(tx, caller, debrief)?;
    lifecycle::touch(tx, &mut debrief);
    lifecycle::settle(tx, caller, &mut debrief)?;
    lifecycle::refuse_in(&debrief, &[DebriefState::Scheduled, DebriefState::Cancelled], "request_retry")?;
    if let Some(open) = retry_requests::open_of(tx, debrief.interview_id)? {
        let detail = "something may still come of another request about this interview";
        return Err(AppError::already_exists(detail, open));
    }
    let state = RetryState::Requested;
    let request = RetryRequest {
        id: tx.new_id(),
        agency_id: caller.agency,
        debrief_id: debrief.id,
        interview_id: debrief.interview_id,
        client_id: debrief.client_id,
        state,
        is_open: state.is_open(),
        grounds: input.grounds,
        what_would_differ: input.what_would_differ,
        candidate_words: input.candidate_words,
        contact_id: None,
        channel: None,
        note: None,
        reason: None,
        proposal: None,
        scheduled_interview_id: None,
        put_to_client_at: None,
        decided_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    retry_requests::insert(tx, &request)?;
    debrief.retry_state = Some(state);
    let created = Happening::to("retry_request.created", request.id).of(debrief.id);
    created.with("state", state).with("version", request.version).record(tx, caller);
    lifecycle::save(tx, &debrief)?;
    Ok(request)
}

/// The request.
pub fn get(conn: &mut DbConn, agency: AgencyId, id: RetryRequestId) -> Result<RetryRequest, AppError> {
    retry_requests::find(conn, agency, id)?.ok_or(AppError::NotFound)
}

/// A page of requests.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    query: &RetryQuery,
    after: Option<(Timestamp, Id<kinds::RetryRequest>)>,
    limit: i64,
) -> Result<Vec<RetryRequest>, AppError> {
    let filters = RetryFilters {
        state: query.state,
        debrief_id: query.debrief_id,
        client_id: query.client_id,
        candidate_id: query.candidate_id,
    };
    let options = ListOptions {
        updated_since: query.updated_since,
        include_deleted: false,
        named: None,
        oldest_first: false,
        after,
        limit,
    };
    Ok(retry_requests::list(conn, agency, &filters, &options)?)
}
