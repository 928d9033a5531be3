//! Debriefs: the rows that everything inside a debrief hangs on, and is locked by.

use diesel::dsl::not;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked};
use super::pool::{StoreError, Tx};
use super::prepared::{Prepared, directly};
use super::record::present;
use super::schema::{activities, agencies, debriefs, feedback, notes, retry_requests};
use super::types::Json;
use crate::domain::actor::Actor;
use crate::domain::debrief::{DebriefState, Outcome, SideStatus};
use crate::domain::feedback::{FeedbackState, Overall};
use crate::domain::ids::{
    AgencyId, CandidateId, ClientId, DebriefId, FeedbackId, InterviewId, JobOrderId, MatchId, PointId, UserId,
};
use crate::domain::note::NoteState;
use crate::domain::retry_request::RetryState;
use crate::domain::timestamp::Timestamp;
use crate::store::agencies::Competency;

/// The record of one interview's aftermath.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = debriefs, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Debrief {
    /// The debrief's id.
    pub id: DebriefId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The interview; each has exactly one debrief.
    pub interview_id: InterviewId,
    /// Who was interviewed.
    pub candidate_id: CandidateId,
    /// The hiring company.
    pub client_id: ClientId,
    /// The vacancy.
    pub job_order_id: JobOrderId,
    /// Whose debrief it is at the agency; nobody's, if an integration made it.
    pub recruiter_id: Option<UserId>,
    /// Where it stands.
    pub state: DebriefState,
    /// What came of the interview; there once the debrief is closed.
    pub outcome: Option<Outcome>,
    /// When the interview begins.
    pub interviewed_at: Timestamp,
    /// When the interview ends.
    pub interview_ends_at: Timestamp,
    /// When the accounts and the note are due: at the end of the candidate's day.
    pub due_at: Timestamp,
    /// Whether the candidate has spoken.
    pub candidate_side: SideStatus,
    /// Whether somebody at the client has spoken.
    pub client_side: SideStatus,
    /// The candidate's own judgement on the whole.
    pub candidate_overall: Option<Overall>,
    /// The client's judgement on the whole: of several contacts the middle one, of two middle ones
    /// the lower.
    pub client_overall: Option<Overall>,
    /// Where the newest retry request stands.
    pub retry_state: Option<RetryState>,
    /// Where the newest live thank-you note stands; where none is live, the newest.
    pub note_state: Option<NoteState>,
    /// What the recruiter says of pairs of points.
    #[schema(value_type = Vec<PointMatch>)]
    pub matches: Json<Vec<PointMatch>>,
    /// When the candidate was given the client's view.
    pub released_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Rises by one with every change of the debrief or of anything inside it.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted; only tombstones have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub deleted_at: Option<Timestamp>,
}

/// The recruiter's word that two points are, or are not, the same thing; kept in the debrief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PointMatch {
    /// Names the match.
    pub id: MatchId,
    /// The two points; which comes first means nothing.
    #[schema(value_type = Vec<PointId>, min_items = 2, max_items = 2)]
    pub points: (PointId, PointId),
    /// Whether they are the same thing.
    pub same: bool,
    /// Who said so.
    pub recorded_by: Actor,
    /// When.
    pub recorded_at: Timestamp,
}

/// Inserts a row.
pub fn insert(conn: &mut DbConn, row: &Debrief) -> QueryResult<()> {
    directly!(conn => Prepared(diesel::insert_into(debriefs::table).values(row)).execute(conn)).map(drop)
}

/// The row, a tombstone too.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: DebriefId) -> QueryResult<Option<Debrief>> {
    debriefs::table
        .filter(debriefs::id.eq(id))
        .filter(debriefs::agency_id.eq(agency))
        .select(Debrief::as_select())
        .first(conn)
        .optional()
}

/// Whether the debrief stands, as a condition of a query for what is inside it.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn stands(agency: AgencyId, id: DebriefId) -> _ {
    exists(
        debriefs::table
            .filter(debriefs::id.eq(id))
            .filter(debriefs::agency_id.eq(agency))
            .filter(debriefs::deleted_at.is_null()),
    )
}

/// The row, a tombstone too, with everybody else who wants to change the debrief kept waiting until
/// the transaction ends.
pub fn lock(conn: &mut DbConn, agency: AgencyId, id: DebriefId) -> QueryResult<Option<Debrief>> {
    let row = debriefs::table
        .filter(debriefs::id.eq(id))
        .filter(debriefs::agency_id.eq(agency))
        .select(Debrief::as_select());
    Locked(row, Lock::Wait).get_result(conn).optional()
}

/// The row as [`lock`] finds it, with the competencies of its agency.
pub fn lock_with_competencies(
    conn: &mut DbConn,
    agency: AgencyId,
    id: DebriefId,
) -> QueryResult<Option<(Debrief, Vec<Competency>)>> {
    let row = debriefs::table.filter(debriefs::id.eq(id)).filter(debriefs::agency_id.eq(agency));
    directly!(conn => Locked(row.select((Debrief::as_select(), competencies(agency))), Lock::Wait).get_result(conn))
        .optional()
        .map(with_list)
}

/// The debrief that an account belongs to, as [`lock_with_competencies`] finds it.
pub fn lock_of_feedback(
    conn: &mut DbConn,
    agency: AgencyId,
    account: FeedbackId,
) -> QueryResult<Option<(Debrief, Vec<Competency>)>> {
    let its_debrief = feedback::table.filter(feedback::id.eq(account)).select(feedback::debrief_id);
    let row = debriefs::table
        .filter(debriefs::id.nullable().eq(its_debrief.single_value()))
        .filter(debriefs::agency_id.eq(agency))
        .select((Debrief::as_select(), competencies(agency)));
    Locked(row, Lock::Wait).get_result(conn).optional().map(with_list)
}

/// An agency's competencies as a value within another query: in a join the agency's row would be
/// locked too, and with it all that anybody writes at the agency.
#[diesel::dsl::auto_type(no_type_alias)]
fn competencies(agency: AgencyId) -> _ {
    agencies::table.filter(agencies::id.eq(agency)).select(agencies::competencies).single_value()
}

fn with_list(found: Option<(Debrief, Option<Json<Vec<Competency>>>)>) -> Option<(Debrief, Vec<Competency>)> {
    found.map(|(debrief, list)| (debrief, list.unwrap_or_default().0))
}

/// The debrief of an interview, locked as [`lock`] does.
pub fn lock_of_interview(
    conn: &mut DbConn,
    agency: AgencyId,
    interview: InterviewId,
) -> QueryResult<Option<Debrief>> {
    let row = debriefs::table
        .filter(debriefs::interview_id.eq(interview))
        .filter(debriefs::agency_id.eq(agency))
        .select(Debrief::as_select());
    Locked(row, Lock::Wait).get_result(conn).optional()
}

/// Writes the row over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, row: &Debrief, version: i64) -> QueryResult<bool> {
    let present = present!(debriefs, row, version);
    directly!(conn => Prepared(diesel::update(present).set(row)).execute(conn)).map(|rows| rows == 1)
}

/// Writes the row, which the transaction holds, over the one of `version`, once the work is done.
pub fn update_at_end(tx: &mut Tx<'_>, row: Debrief, version: i64) -> Result<(), StoreError> {
    let present = present!(debriefs, row, version);
    tx.write_at_end(diesel::update(present).set(row))
}

/// What tells that nobody works on a debrief any more.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_done() -> _ {
    let closed: DebriefState = DebriefState::Closed;
    let cancelled: DebriefState = DebriefState::Cancelled;
    debriefs::state.eq(closed).or(debriefs::state.eq(cancelled))
}

/// Takes those of a candidate's debriefs that a change of the candidate may write to, until the transaction
/// ends: somebody still works on them, or they have notes, which name the candidate.
pub fn lock_bound_to(conn: &mut DbConn, agency: AgencyId, candidate: CandidateId) -> QueryResult<()> {
    let rows = debriefs::table
        .filter(debriefs::candidate_id.eq(candidate))
        .filter(debriefs::agency_id.eq(agency))
        .filter(not(is_done()).or(debriefs::note_state.is_not_null()))
        .filter(debriefs::deleted_at.is_null())
        // One order for everybody, so that nobody waits in a circle.
        .order(debriefs::id)
        .select(debriefs::id);
    Locked(rows, Lock::Wait).get_results::<DebriefId>(conn).map(drop)
}

/// A candidate's debriefs that somebody still works on, locked as [`lock`] does.
pub fn lock_undone_of(
    conn: &mut DbConn,
    agency: AgencyId,
    candidate: CandidateId,
) -> QueryResult<Vec<Debrief>> {
    let rows = debriefs::table
        .filter(debriefs::candidate_id.eq(candidate))
        .filter(debriefs::agency_id.eq(agency))
        .filter(not(is_done()))
        .filter(debriefs::deleted_at.is_null())
        // One order for everybody, so that nobody waits in a circle.
        .order(debriefs::id)
        .select(Debrief::as_select());
    Locked(rows, Lock::Wait).get_results(conn)
}

/// Scheduled debriefs of every agency whose interview ended at `now` or earlier, longest ended
/// first, locked; those that somebody else holds are left out.
pub fn lock_ended(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<Vec<Debrief>> {
    let rows = debriefs::table
        // The word stands in the statement, so that the partial index is of use.
        .filter(sql::<Bool>("debriefs.state = 'scheduled'"))
        .filter(debriefs::interview_ends_at.le(now))
        .filter(debriefs::deleted_at.is_null())
        .order(debriefs::interview_ends_at)
        .limit(limit)
        .select(Debrief::as_select());
    Locked(rows, Lock::SkipLocked).get_results(conn)
}

/// Whether there is more in a debrief than requests for accounts.
pub fn has_content(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<bool> {
    let accounts = feedback::table
        .filter(feedback::debrief_id.eq(debrief))
        .filter(feedback::state.ne(FeedbackState::Requested));
    let calls = activities::table.filter(activities::debrief_id.eq(debrief));
    let requests = retry_requests::table.filter(retry_requests::debrief_id.eq(debrief));
    let notes = notes::table.filter(notes::debrief_id.eq(debrief));
    diesel::select(exists(accounts).or(exists(calls)).or(exists(requests)).or(exists(notes))).get_result(conn)
}

/// Whether a retry request after the interview `original` led to the interview `retry`.
pub fn has_request_leading_to(
    conn: &mut DbConn,
    original: InterviewId,
    retry: InterviewId,
) -> QueryResult<bool> {
    // By the debrief, because requests have an index on it.
    let of_original = debriefs::table.filter(debriefs::interview_id.eq(original)).select(debriefs::id);
    let requests = retry_requests::table
        .filter(retry_requests::debrief_id.eq_any(of_original))
        .filter(retry_requests::scheduled_interview_id.eq(retry));
    diesel::select(exists(requests)).get_result(conn)
}

/// The debrief of an interview, if it stands.
pub fn of_interview(
    conn: &mut DbConn,
    agency: AgencyId,
    interview: InterviewId,
) -> QueryResult<Option<DebriefId>> {
    debriefs::table
        .filter(debriefs::interview_id.eq(interview))
        .filter(debriefs::agency_id.eq(agency))
        .filter(debriefs::deleted_at.is_null())
        .select(debriefs::id)
        .first(conn)
        .optional()
}
