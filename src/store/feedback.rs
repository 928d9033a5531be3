//! Feedback: one row per person who speaks in a debrief, with the account as it stands now.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, MultiBackend};
use super::pool::{StoreError, Tx};
use super::prepared::{Prepared, directly, insert_rows};
use super::record::{ListOptions, in_order, present};
use super::schema::{debriefs, feedback};
use super::types::Json;
use crate::domain::feedback::{AgencyOnly, Channel, CompetencyRating, FeedbackState, Overall, Side};
use crate::domain::ids::{AgencyId, ContactId, DebriefId, FeedbackId, InterviewId, kinds};
use crate::domain::timestamp::Timestamp;

/// One person's account, without its points.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = feedback, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct FeedbackRow {
    /// The feedback's id.
    pub id: FeedbackId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The debrief that it belongs to.
    pub debrief_id: DebriefId,
    /// Whose account it is.
    pub side: Side,
    /// The contact who speaks; none for the candidate.
    pub contact_id: Option<ContactId>,
    /// Where it stands.
    pub state: FeedbackState,
    /// How often it was submitted.
    pub revision: i32,
    /// Who said it, where that is not plain from the side and the contact.
    pub said_by: Option<String>,
    /// How it reached the agency; none before it did.
    pub channel: Option<Channel>,
    /// Whether these are the person's own words.
    pub verbatim: bool,
    /// What it felt like right after.
    pub first_impression: Option<String>,
    /// The considered view, start to end.
    pub narrative: Option<String>,
    /// The judgement on the whole.
    pub overall: Option<Overall>,
    /// The judgement on each competency.
    #[schema(value_type = Vec<CompetencyRating>)]
    pub ratings: Json<Vec<CompetencyRating>>,
    /// What the candidate told the agency alone.
    #[schema(value_type = Option<AgencyOnly>)]
    pub agency_only: Option<Json<AgencyOnly>>,
    /// Why there will be no account.
    pub waived_reason: Option<String>,
    /// When the newest revision was submitted.
    pub submitted_at: Option<Timestamp>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl FeedbackRow {
    /// An account that is asked for: the candidate's own, or a contact's.
    #[must_use]
    pub fn requested(
        id: FeedbackId,
        agency_id: AgencyId,
        debrief_id: DebriefId,
        contact_id: Option<ContactId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            agency_id,
            debrief_id,
            side: if contact_id.is_some() { Side::Client } else { Side::Candidate },
            contact_id,
            state: FeedbackState::Requested,
            revision: 0,
            said_by: None,
            channel: None,
            verbatim: false,
            first_impression: None,
            narrative: None,
            overall: None,
            ratings: Json(Vec::new()),
            agency_only: None,
            waived_reason: None,
            submitted_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Inserts a row.
pub fn insert(conn: &mut DbConn, row: &FeedbackRow) -> QueryResult<()> {
    directly!(conn => Prepared(diesel::insert_into(feedback::table).values(row)).execute(conn)).map(drop)
}

/// Inserts rows, all of them in one statement.
pub fn insert_all(conn: &mut DbConn, rows: &[FeedbackRow]) -> QueryResult<()> {
    insert_rows!(conn, feedback::table, rows)
}

/// The row, if its debrief stands.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: FeedbackId) -> QueryResult<Option<FeedbackRow>> {
    feedback::table
        .inner_join(debriefs::table)
        .filter(feedback::id.eq(id))
        .filter(feedback::agency_id.eq(agency))
        .filter(debriefs::deleted_at.is_null())
        .select(FeedbackRow::as_select())
        .first(conn)
        .optional()
}

/// Every account of a debrief, the candidate's first.
pub fn of_debrief(conn: &mut DbConn, agency: AgencyId, debrief: DebriefId) -> QueryResult<Vec<FeedbackRow>> {
    directly!(conn => feedback::table
        .filter(feedback::debrief_id.eq(debrief))
        .filter(feedback::agency_id.eq(agency))
        .order((feedback::side, feedback::id))
        .select(FeedbackRow::as_select())
        .load(conn))
}

/// A page of the accounts that were begun or given, each with its interview.
pub fn list_told(
    conn: &mut DbConn,
    agency: AgencyId,
    options: &ListOptions<kinds::Feedback>,
) -> QueryResult<Vec<(FeedbackRow, InterviewId)>> {
    let query = feedback::table
        .inner_join(debriefs::table)
        .filter(feedback::agency_id.eq(agency))
        .filter(feedback::state.eq_any([FeedbackState::Draft, FeedbackState::Submitted]))
        .filter(debriefs::deleted_at.is_null())
        .select((FeedbackRow::as_select(), debriefs::interview_id))
        .into_boxed::<MultiBackend>();
    in_order!(query, feedback, options).load(conn)
}

/// Writes the row, which the transaction holds, over the one of `version`, once the work is done.
pub fn update_at_end(tx: &mut Tx<'_>, row: FeedbackRow, version: i64) -> Result<(), StoreError> {
    tx.write_at_end(diesel::update(present!(feedback, row, version)).set(row))
}

/// Deletes an account that was only asked for.
pub fn delete(conn: &mut DbConn, id: FeedbackId) -> QueryResult<()> {
    diesel::delete(feedback::table.filter(feedback::id.eq(id))).execute(conn).map(drop)
}
