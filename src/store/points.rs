//! Points: the things that accounts are made of.

use diesel::prelude::*;

use super::connection::DbConn;
use super::pool::Tx;
use super::prepared::directly;
use super::schema::points;
use crate::domain::feedback::{Address, Point, PointKind, Severity};
use crate::domain::ids::{AgencyId, DebriefId, FeedbackId, PointId};

/// One thing in an account, in its place.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = points, treat_none_as_default_value = false)]
pub struct PointRow {
    /// The point's id.
    pub id: PointId,
    /// The agency.
    pub agency_id: AgencyId,
    /// The debrief.
    pub debrief_id: DebriefId,
    /// The account that it is in.
    pub feedback_id: FeedbackId,
    /// Its place in the account, from 0.
    pub position: i32,
    /// What it tells of.
    pub kind: PointKind,
    /// The key of the competency it is about.
    pub competency: Option<String>,
    /// What happened.
    pub what: String,
    /// Why it happened.
    pub why: Option<String>,
    /// What to do the next time.
    pub next_time: Option<String>,
    /// The question that was asked.
    pub question_asked: Option<String>,
    /// The answer one wishes one had given.
    pub wished_answer: Option<String>,
    /// How much it weighs.
    pub severity: Option<Severity>,
    /// The recruiter's decision whether to bring it up with the client.
    pub address: Option<Address>,
}

impl PointRow {
    /// The row of a point at its place in an account.
    #[must_use]
    pub fn new(
        agency: AgencyId,
        debrief: DebriefId,
        feedback: FeedbackId,
        place: usize,
        point: &Point,
    ) -> Self {
        let point = point.clone();
        Self {
            id: point.id,
            agency_id: agency,
            debrief_id: debrief,
            feedback_id: feedback,
            position: i32::try_from(place).unwrap_or(i32::MAX),
            kind: point.kind,
            competency: point.competency,
            what: point.what,
            why: point.why,
            next_time: point.next_time,
            question_asked: point.question_asked,
            wished_answer: point.wished_answer,
            severity: point.severity,
            address: point.address,
        }
    }
}

impl From<PointRow> for Point {
    fn from(row: PointRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            competency: row.competency,
            what: row.what,
            why: row.why,
            next_time: row.next_time,
            question_asked: row.question_asked,
            wished_answer: row.wished_answer,
            severity: row.severity,
            address: row.address,
        }
    }
}

/// Every point of a debrief, account by account, each account's in their order.
pub fn of_debrief(conn: &mut DbConn, agency: AgencyId, debrief: DebriefId) -> QueryResult<Vec<PointRow>> {
    directly!(conn => points::table
        .filter(points::debrief_id.eq(debrief))
        .filter(points::agency_id.eq(agency))
        .order((points::feedback_id, points::position))
        .select(PointRow::as_select())
        .load(conn))
}

/// The points of one account, in their order.
pub fn of_feedback(conn: &mut DbConn, agency: AgencyId, feedback: FeedbackId) -> QueryResult<Vec<PointRow>> {
    points::table
        .filter(points::feedback_id.eq(feedback))
        .filter(points::agency_id.eq(agency))
        .order(points::position)
        .select(PointRow::as_select())
        .load(conn)
}

/// The points of several accounts, each account's in their order.
pub fn of_several(
    conn: &mut DbConn,
    agency: AgencyId,
    accounts: &[FeedbackId],
) -> QueryResult<Vec<PointRow>> {
    points::table
        .filter(points::feedback_id.eq_any(accounts))
        .filter(points::agency_id.eq(agency))
        .order((points::feedback_id, points::position))
        .select(PointRow::as_select())
        .load(conn)
}

/// Inserts rows, all of them in one statement, once the work is done.
pub fn insert_at_end(tx: &mut Tx<'_>, rows: Vec<PointRow>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match &mut **tx {
        DbConn::Sqlite(conn) => diesel::insert_into(points::table).values(rows).execute(conn).map(drop),
        DbConn::Postgres(_) => {
            tx.keep(rows.len(), diesel::insert_into(points::table).values(rows));
            Ok(())
        }
    }
}

/// Deletes every point of an account.
pub fn delete_of(conn: &mut DbConn, agency: AgencyId, feedback: FeedbackId) -> QueryResult<()> {
    let rows = points::table.filter(points::feedback_id.eq(feedback)).filter(points::agency_id.eq(agency));
    diesel::delete(rows).execute(conn).map(drop)
}
