//! Revisions: every account as it was submitted, kept whole.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::DbConn;
use super::pool::{StoreError, Tx};
use super::schema::feedback_revisions;
use super::types::Json;
use crate::domain::actor::Actor;
use crate::domain::feedback::{AgencyOnly, Channel, CompetencyRating, Overall, Point, Side};
use crate::domain::ids::{AgencyId, ContactId, FeedbackId};
use crate::domain::timestamp::Timestamp;

/// What was submitted, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionDocument {
    /// Whose account it is.
    pub side: Side,
    /// The contact who speaks; none for the candidate.
    pub contact_id: Option<ContactId>,
    /// Who said it, where that is not plain from the side and the contact.
    pub said_by: Option<String>,
    /// How it reached the agency.
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
    pub ratings: Vec<CompetencyRating>,
    /// The points.
    pub points: Vec<Point>,
    /// What the candidate told the agency alone.
    pub agency_only: Option<AgencyOnly>,
}

/// One submitted revision.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = feedback_revisions)]
pub struct RevisionRow {
    /// The account.
    pub feedback_id: FeedbackId,
    /// Its number, from 1.
    pub revision: i32,
    /// The agency.
    pub agency_id: AgencyId,
    /// What was submitted.
    pub document: Json<RevisionDocument>,
    /// Who typed it.
    pub recorded_by: Json<Actor>,
    /// When.
    pub recorded_at: Timestamp,
}

/// Inserts a row, once the work is done.
pub fn insert_at_end(tx: &mut Tx<'_>, row: RevisionRow) -> Result<(), StoreError> {
    tx.write_at_end(diesel::insert_into(feedback_revisions::table).values(row))
}

/// A page of an account's revisions, newest first, beginning before the revision `before`.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    feedback: FeedbackId,
    before: Option<i32>,
    limit: i64,
) -> QueryResult<Vec<RevisionRow>> {
    feedback_revisions::table
        .filter(feedback_revisions::feedback_id.eq(feedback))
        .filter(feedback_revisions::agency_id.eq(agency))
        .filter(feedback_revisions::revision.lt(before.unwrap_or(i32::MAX)))
        .order(feedback_revisions::revision.desc())
        .limit(limit)
        .select(RevisionRow::as_select())
        .load(conn)
}
