//! What the relay asks of the store: work to claim, leases, the commit point, attempts.
//!
//! Every one of these is safe beside any number of other workers. What is claimed is locked
//! without waiting for anybody, so that no order of locks can end in a deadlock; the mark of the
//! commit point and the sign of life touch one row each.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Attempt, Delivery, Message};
use crate::domain::debrief::DebriefState;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{AgencyId, DebriefId, DeliveryId};
use crate::domain::note::NoteState;
use crate::domain::people::EmailStatus;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{DbConn, Later, Lock, Locked};
use crate::store::prepared::Prepared;
use crate::store::schema::{contacts, debriefs, deliveries, delivery_attempts, notes};
use crate::store::types::Instant;

/// A delivery whose time has come, with what is needed to send it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub struct Due {
    /// The delivery.
    #[diesel(embed)]
    pub delivery: Delivery,
    /// Its message.
    #[diesel(embed)]
    pub message: Message,
    /// Whether its contact may not be written to.
    #[diesel(select_expression = contacts::off_limits)]
    pub off_limits: bool,
    /// Whether mail to its contact arrives.
    #[diesel(select_expression = contacts::email_status)]
    pub email_status: EmailStatus,
    /// Where its debrief stands.
    #[diesel(select_expression = debriefs::state)]
    pub debrief_state: DebriefState,
    /// Where its note stands.
    #[diesel(select_expression = notes::state)]
    pub note_state: NoteState,
    /// When its contact was deleted.
    #[diesel(select_expression = contacts::deleted_at)]
    pub contact_deleted_at: Option<Timestamp>,
}

/// Deliveries of every agency whose time has come, longest due first, locked together with their
/// debriefs, notes and contacts. Those that somebody else holds are left out.
pub fn lock_due(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<Vec<Due>> {
    let rows = deliveries::table
        .inner_join(debriefs::table)
        .inner_join(notes::table)
        .inner_join(contacts::table)
        // The words stand in the statement, so that the partial index is of use.
        .filter(sql::<Bool>("deliveries.state IN ('queued', 'deferred')"))
        .filter(deliveries::next_attempt_at.le(now))
        .order(deliveries::next_attempt_at)
        .limit(limit)
        .select(Due::as_select());
    Locked(rows, Lock::SkipLocked).get_results(conn)
}

/// Deliveries of every agency that wait for their next attempt, which was due already, although
/// they were to leave at `due_by` or earlier; locked together with their debriefs. Those that
/// somebody else holds are left out.
pub fn lock_overdue(
    conn: &mut DbConn,
    now: Timestamp,
    due_by: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Delivery>> {
    let rows = deliveries::table
        .inner_join(debriefs::table)
        .filter(sql::<Bool>("deliveries.state IN ('queued', 'deferred')"))
        .filter(deliveries::next_attempt_at.le(now))
        .filter(deliveries::due_at.le(due_by))
        .order(deliveries::next_attempt_at)
        .limit(limit)
        .select(Delivery::as_select());
    Locked(rows, Lock::SkipLocked).get_results(conn)
}

/// When the next delivery of any agency is due; none if nothing waits.
pub fn next_due(conn: &mut DbConn) -> QueryResult<Option<Timestamp>> {
    deliveries::table
        .filter(sql::<Bool>("deliveries.state IN ('queued', 'deferred')"))
        .filter(deliveries::next_attempt_at.is_not_null())
        .order(deliveries::next_attempt_at)
        .select(deliveries::next_attempt_at)
        .first(conn)
        .optional()
        .map(Option::flatten)
}

/// Keeps everybody else who wants to change the debrief waiting until the transaction ends.
pub fn hold_debrief(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<()> {
    let row = debriefs::table.filter(debriefs::id.eq(debrief)).select(debriefs::id);
    Locked(row, Lock::Wait).execute(conn).map(drop)
}

/// The debrief shows a delivery that has moved on, so it has changed too. Holds the debrief until
/// the transaction ends.
pub fn bump_debrief(conn: &mut DbConn, debrief: DebriefId, now: Timestamp) -> QueryResult<()> {
    let changed = diesel::update(debriefs::table.filter(debriefs::id.eq(debrief))).set((
        debriefs::version.eq(debriefs::version + 1),
        debriefs::updated_at.eq(Later(debriefs::updated_at, now.into_sql::<Instant>())),
    ));
    Prepared(changed).execute(conn).map(drop)
}

/// The commit point: from here on the message may arrive. False, and nothing is changed, unless
/// the worker still holds the delivery under this token.
pub fn mark_transmitting(conn: &mut DbConn, id: DeliveryId, token: i64, now: Timestamp) -> QueryResult<bool> {
    let held = deliveries::table
        .filter(deliveries::id.eq(id))
        .filter(deliveries::lease_token.eq(token))
        .filter(deliveries::state.eq(DeliveryState::Sending))
        .filter(deliveries::transmitting.eq(false))
        .filter(deliveries::lease_until.gt(now));
    Prepared(diesel::update(held).set(deliveries::transmitting.eq(true))).execute(conn).map(|rows| rows == 1)
}

/// A sign of life: the lease lasts until `until`. False if the delivery is no longer held under
/// this token.
pub fn renew(conn: &mut DbConn, id: DeliveryId, token: i64, until: Timestamp) -> QueryResult<bool> {
    let held = deliveries::table
        .filter(deliveries::id.eq(id))
        .filter(deliveries::lease_token.eq(token))
        .filter(deliveries::state.eq(DeliveryState::Sending));
    Prepared(diesel::update(held).set(deliveries::lease_until.eq(until))).execute(conn).map(|rows| rows == 1)
}

/// A delivery whose worker gave no sign of life in time.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct Orphan {
    /// The delivery.
    pub id: DeliveryId,
    /// Its agency.
    pub agency_id: AgencyId,
    /// Its debrief.
    pub debrief_id: DebriefId,
    /// The claim that was lost.
    pub lease_token: i64,
    /// The number of the attempt that it began.
    pub attempts: i32,
}

/// Deliveries of every agency whose lease ended at `now` or earlier; without a time, all that are
/// being sent, whatever their lease says. The oldest lease comes first.
pub fn orphans(
    conn: &mut DbConn,
    now: Option<Timestamp>,
    skipped: i64,
    limit: i64,
) -> QueryResult<Vec<Orphan>> {
    let columns = (
        deliveries::id,
        deliveries::agency_id,
        deliveries::debrief_id,
        deliveries::lease_token,
        deliveries::attempts,
    );
    let sending = deliveries::table
        .filter(sql::<Bool>("deliveries.state = 'sending'"))
        .order((deliveries::lease_until, deliveries::id))
        .offset(skipped)
        .limit(limit)
        .select(columns);
    match now {
        Some(now) => sending.filter(deliveries::lease_until.le(now)).load(conn),
        None => sending.load(conn),
    }
}

/// Inserts an attempt.
pub fn begin_attempt(conn: &mut DbConn, attempt: &Attempt) -> QueryResult<()> {
    diesel::insert_into(delivery_attempts::table).values(attempt).execute(conn).map(drop)
}

/// Writes down how an attempt ended.
pub fn end_attempt(conn: &mut DbConn, ended: &AttemptEnd, id: DeliveryId, number: i32) -> QueryResult<()> {
    Prepared(diesel::update(delivery_attempts::table.find((id, number))).set(ended)).execute(conn).map(drop)
}

/// What an attempt came to, as far as that is known.
pub fn attempt_outcome(conn: &mut DbConn, id: DeliveryId, number: i32) -> QueryResult<Option<DeliveryState>> {
    let row = delivery_attempts::table.find((id, number));
    row.select(delivery_attempts::outcome).first(conn).optional().map(Option::flatten)
}

/// How an attempt ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = delivery_attempts, treat_none_as_null = true)]
pub struct AttemptEnd {
    /// When.
    pub finished_at: Option<Timestamp>,
    /// The delivery's state afterwards.
    pub outcome: Option<DeliveryState>,
    /// The step that was reached.
    pub step: Option<String>,
    /// The code of the reply.
    pub code: Option<i32>,
    /// Its enhanced code.
    pub enhanced_code: Option<String>,
    /// Its text, or what went wrong.
    pub text: Option<String>,
}

/// The attempt was none: nothing was tried.
pub fn forget_attempt(conn: &mut DbConn, id: DeliveryId, number: i32) -> QueryResult<()> {
    diesel::delete(delivery_attempts::table.find((id, number))).execute(conn).map(drop)
}
