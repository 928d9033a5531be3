//! Retry requests: the candidate's wish to meet the client again, and what became of it.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked, MultiBackend, NotFoundBy};
use super::debriefs::Debrief;
use super::prepared::{Prepared, directly};
use super::record::{ListOptions, in_order, present};
use super::schema::{debriefs, retry_requests};
use crate::domain::feedback::Channel;
use crate::domain::ids::{
    AgencyId, CandidateId, ClientId, ContactId, DebriefId, InterviewId, RetryRequestId, kinds,
};
use crate::domain::retry_request::{Grounds, RetryState};
use crate::domain::timestamp::Timestamp;

/// The candidate's wish to meet the client again.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = retry_requests, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct RetryRequest {
    /// The request's id.
    pub id: RetryRequestId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The debrief that it belongs to.
    pub debrief_id: DebriefId,
    /// The interview that went wrong.
    pub interview_id: InterviewId,
    /// The hiring company.
    pub client_id: ClientId,
    /// Where it stands.
    pub state: RetryState,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub is_open: bool,
    /// Why the candidate asks.
    pub grounds: Grounds,
    /// What would be different this time.
    pub what_would_differ: String,
    /// What the candidate says, word for word.
    pub candidate_words: String,
    /// The contact who was asked, or who answered last.
    pub contact_id: Option<ContactId>,
    /// How the contact was asked.
    pub channel: Option<Channel>,
    /// What the recruiter noted when asking.
    pub note: Option<String>,
    /// The reason that was given for where it stands.
    pub reason: Option<String>,
    /// What the client offered instead.
    pub proposal: Option<String>,
    /// The new interview.
    pub scheduled_interview_id: Option<InterviewId>,
    /// When the client was asked.
    pub put_to_client_at: Option<Timestamp>,
    /// When the last answer came: the client's, or the agency's own.
    pub decided_at: Option<Timestamp>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which requests a list shows.
#[derive(Debug, Clone, Default)]
pub struct RetryFilters {
    /// Only those in this state.
    pub state: Option<RetryState>,
    /// Only those of this debrief.
    pub debrief_id: Option<DebriefId>,
    /// Only those about interviews with this client.
    pub client_id: Option<ClientId>,
    /// Only those of this candidate.
    pub candidate_id: Option<CandidateId>,
}

impl RetryFilters {
    /// Whether all that is left belongs to a few debriefs, by which it is found.
    const fn leave_few_debriefs(&self) -> bool {
        self.debrief_id.is_some() || self.candidate_id.is_some()
    }
}

/// Inserts a row.
pub fn insert(conn: &mut DbConn, row: &RetryRequest) -> QueryResult<()> {
    diesel::insert_into(retry_requests::table).values(row).execute(conn).map(drop)
}

/// The debrief that the request belongs to.
pub fn debrief_of(conn: &mut DbConn, agency: AgencyId, id: RetryRequestId) -> QueryResult<Option<DebriefId>> {
    let row =
        retry_requests::table.filter(retry_requests::id.eq(id)).filter(retry_requests::agency_id.eq(agency));
    row.select(retry_requests::debrief_id).first(conn).optional()
}

/// The row.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: RetryRequestId) -> QueryResult<Option<RetryRequest>> {
    let row =
        retry_requests::table.filter(retry_requests::id.eq(id)).filter(retry_requests::agency_id.eq(agency));
    row.select(RetryRequest::as_select()).first(conn).optional()
}

/// Writes the row over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, row: &RetryRequest, version: i64) -> QueryResult<bool> {
    Prepared(diesel::update(present!(retry_requests, row, version)).set(row))
        .execute(conn)
        .map(|rows| rows == 1)
}

/// The requests of a debrief, oldest first.
pub fn of_debrief(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<Vec<RetryRequest>> {
    let rows = retry_requests::table.filter(retry_requests::debrief_id.eq(debrief)).order(retry_requests::id);
    directly!(conn => rows.select(RetryRequest::as_select()).load(conn))
}

/// The one request about the interview that something may still come of.
pub fn open_of(conn: &mut DbConn, interview: InterviewId) -> QueryResult<Option<RetryRequestId>> {
    retry_requests::table
        .filter(retry_requests::interview_id.eq(interview))
        .filter(retry_requests::is_open)
        .select(retry_requests::id)
        .first(conn)
        .optional()
}

/// The requests of every agency that were put to the client at `asked_by` or earlier, without an
/// answer so far.
#[diesel::dsl::auto_type(no_type_alias)]
fn unanswered(asked_by: Timestamp) -> _ {
    let waiting: RetryState = RetryState::PutToClient;
    retry_requests::table
        .filter(retry_requests::is_open)
        .filter(retry_requests::state.eq(waiting))
        .filter(retry_requests::put_to_client_at.le(asked_by))
}

/// Debriefs of every agency with a request that the client has not answered since `asked_by` or
/// earlier, locked; those that somebody else holds are left out.
pub fn lock_debriefs_unanswered(
    conn: &mut DbConn,
    asked_by: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Debrief>> {
    let rows = debriefs::table
        .filter(debriefs::id.eq_any(unanswered(asked_by).select(retry_requests::debrief_id)))
        .limit(limit)
        .select(Debrief::as_select());
    Locked(rows, Lock::SkipLocked).get_results(conn)
}

/// The request of a debrief that the client has not answered since `asked_by` or earlier.
pub fn unanswered_of(
    conn: &mut DbConn,
    debrief: DebriefId,
    asked_by: Timestamp,
) -> QueryResult<Option<RetryRequest>> {
    let row = unanswered(asked_by).filter(retry_requests::debrief_id.eq(debrief));
    row.select(RetryRequest::as_select()).first(conn).optional()
}

/// A page of requests: newest first, or with `updated_since` in the order of their changes.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    filters: &RetryFilters,
    options: &ListOptions<kinds::RetryRequest>,
) -> QueryResult<Vec<RetryRequest>> {
    let mut query = retry_requests::table.select(RetryRequest::as_select()).into_boxed::<MultiBackend>();
    query = if filters.leave_few_debriefs() {
        query.filter(NotFoundBy(retry_requests::agency_id).eq(agency))
    } else {
        query.filter(retry_requests::agency_id.eq(agency))
    };
    if let Some(state) = filters.state {
        query = query.filter(retry_requests::state.eq(state));
    }
    if let Some(debrief) = filters.debrief_id {
        query = query.filter(retry_requests::debrief_id.eq(debrief));
    }
    if let Some(client) = filters.client_id {
        query = query.filter(retry_requests::client_id.eq(client));
    }
    if let Some(candidate) = filters.candidate_id {
        let of = debriefs::table.filter(debriefs::candidate_id.eq(candidate)).select(debriefs::id);
        query = query.filter(retry_requests::debrief_id.eq_any(of));
    }
    in_order!(query, retry_requests, options).load(conn)
}
