//! What the relay asks of the store: work to claim, leases, the commit point, attempts.
//!
//! Every one of these is safe beside any number of other workers. What is claimed is locked
//! without waiting for anybody, so that no order of locks can end in a deadlock; the mark of the
//! commit point and the sign of life touch one row each, or leave out what somebody holds.

mod backlog;
mod commit;
mod endings;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Attempt, Delivery, Message};
use crate::domain::delivery::{Among, DeliveryState, Room};
use crate::domain::ids::{AgencyId, DebriefId, DeliveryId};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{DbConn, Later, Lock, Locked};
use crate::store::prepared::{MOST_ROWS, Prepared, directly, insert_rows, pad};
use crate::store::record::next_version;
use crate::store::schema::{contacts, debriefs, deliveries, delivery_attempts, notes};
use crate::store::types::Instant;

pub use backlog::{unconfirmed, waiting};
pub use commit::{Standing, mark_all_transmitting, mark_transmitting, standings};
pub use endings::{AttemptEnd, AttemptKey, end_attempt, end_attempts, lock_at_hand, save_all};

/// What waits for its next attempt. The words stand in the statement, so that the partial index is of
/// use.
const WAITING: &str = "deliveries.state IN ('queued', 'deferred')";

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
    /// The domain of its recipient, in small letters.
    #[diesel(select_expression = deliveries::destination)]
    pub destination: String,
    /// What may stand against it.
    #[diesel(embed)]
    pub standing: Standing,
}

/// A delivery whose time has come, as far as it matters whether it is taken up.
#[derive(Queryable)]
pub struct Waiting {
    /// The delivery.
    pub id: DeliveryId,
    /// Its agency.
    pub agency_id: AgencyId,
    /// The domain of its recipient, in small letters.
    pub destination: String,
}

/// Deliveries of every agency whose time has come, longest due first; but none to the destinations and of
/// the agencies that `room` is shut to, and none of those that were `passed_by`.
pub fn due(
    conn: &mut DbConn,
    now: Timestamp,
    room: &Room,
    passed_by: &[DeliveryId],
    limit: i64,
) -> QueryResult<Vec<Waiting>> {
    let (destinations, agencies) = (room.destinations(), room.shut_agencies());
    if destinations == Among::Only(Vec::new()) {
        return Ok(Vec::new());
    }
    // Planned with its values: nobody knows beforehand how many rows that lie behind are due.
    directly!(conn => {
        let waiting = deliveries::table
            .filter(sql::<Bool>(WAITING))
            .filter(deliveries::next_attempt_at.le(now))
            .filter(deliveries::agency_id.ne_all(&agencies))
            .filter(deliveries::id.ne_all(passed_by))
            .order(deliveries::next_attempt_at)
            .limit(limit)
            .select((deliveries::id, deliveries::agency_id, deliveries::destination))
            .into_boxed();
        let waiting = match &destinations {
            Among::Only(open) => waiting.filter(deliveries::destination.eq_any(open)),
            Among::AllBut(shut) => waiting.filter(deliveries::destination.ne_all(shut)),
        };
        waiting.load(conn)
    })
}

/// Those of the deliveries whose time has come, longest due first, locked together with their debriefs.
/// Those that somebody else holds are left out.
pub fn lock_due(conn: &mut DbConn, now: Timestamp, ids: Vec<DeliveryId>) -> QueryResult<Vec<Due>> {
    let ids = pad(ids);
    directly!(conn => {
        let rows = deliveries::table
            .inner_join(debriefs::table)
            .inner_join(notes::table)
            .inner_join(contacts::table)
            .filter(deliveries::id.eq_any(&ids))
            .filter(sql::<Bool>(WAITING))
            .filter(deliveries::next_attempt_at.le(now))
            .order(deliveries::next_attempt_at)
            .select(Due::as_select());
        Prepared(Locked(rows, Lock::SkipLockedOf("deliveries, debriefs"))).load(conn)
    })
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
        .filter(sql::<Bool>(WAITING))
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
        .filter(sql::<Bool>(WAITING))
        .filter(deliveries::next_attempt_at.is_not_null())
        .order(deliveries::next_attempt_at)
        .select(deliveries::next_attempt_at)
        .first(conn)
        .optional()
        .map(Option::flatten)
}

/// Where the newest deliveries of all agencies go and how they stand, newest first.
pub fn newest(conn: &mut DbConn, limit: i64) -> QueryResult<Vec<(String, DeliveryState)>> {
    deliveries::table
        .order(deliveries::id.desc())
        .limit(limit)
        .select((deliveries::destination, deliveries::state))
        .load(conn)
}

/// Keeps everybody else who wants to change the debrief waiting until the transaction ends.
pub fn hold_debrief(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<()> {
    let row = debriefs::table.filter(debriefs::id.eq(debrief)).select(debriefs::id);
    Locked(row, Lock::Wait).execute(conn).map(drop)
}

/// The debriefs show deliveries that have moved on, so they have changed too. Holds them until the
/// transaction ends.
pub fn bump_debriefs(conn: &mut DbConn, ids: Vec<DebriefId>, now: Timestamp) -> QueryResult<()> {
    let rows = debriefs::table.filter(debriefs::id.eq_any(pad(ids)));
    Prepared(diesel::update(rows).set(next_version!(debriefs, now))).execute(conn).map(drop)
}

/// Makes locked deliveries those of a worker, until `until`. Answers how many there were.
pub fn take(conn: &mut DbConn, ids: Vec<DeliveryId>, until: Timestamp, now: Timestamp) -> QueryResult<usize> {
    let waiting = deliveries::table.filter(deliveries::id.eq_any(pad(ids))).filter(sql::<Bool>(WAITING));
    let taken = diesel::update(waiting).set((
        deliveries::state.eq(DeliveryState::Sending),
        deliveries::transmitting.eq(false),
        deliveries::attempts.eq(deliveries::attempts + 1),
        deliveries::lease_token.eq(deliveries::lease_token + 1),
        deliveries::lease_until.eq(until),
        deliveries::next_attempt_at.eq(None::<Timestamp>),
        deliveries::updated_at.eq(Later(deliveries::updated_at, now.into_sql::<Instant>())),
    ));
    Prepared(taken).execute(conn)
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

/// Inserts attempts that have begun.
pub fn begin_attempts(conn: &mut DbConn, attempts: &[Attempt]) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(_) => {
            attempts.chunks(MOST_ROWS).try_for_each(|some| insert_rows!(conn, delivery_attempts::table, some))
        }
        DbConn::Sqlite(c) => attempts.iter().try_for_each(|attempt| {
            diesel::insert_into(delivery_attempts::table).values(attempt).execute(c).map(drop)
        }),
    }
}

/// What an attempt came to, as far as that is known.
pub fn attempt_outcome(conn: &mut DbConn, id: DeliveryId, number: i32) -> QueryResult<Option<DeliveryState>> {
    let row = delivery_attempts::table.find((id, number));
    row.select(delivery_attempts::outcome).first(conn).optional().map(Option::flatten)
}

/// Whether nobody knows of an attempt of the delivery if it got through.
pub fn was_doubted(conn: &mut DbConn, id: DeliveryId) -> QueryResult<bool> {
    let doubted = delivery_attempts::table
        .filter(delivery_attempts::delivery_id.eq(id))
        .filter(delivery_attempts::outcome.eq(DeliveryState::Unconfirmed));
    diesel::select(exists(doubted)).get_result(conn)
}

/// When the delivery was first tried, not counting what was before `since`.
pub fn first_tried(conn: &mut DbConn, id: DeliveryId, since: Timestamp) -> QueryResult<Option<Timestamp>> {
    let attempts = delivery_attempts::table
        .filter(delivery_attempts::delivery_id.eq(id))
        .filter(delivery_attempts::started_at.ge(since))
        .order(delivery_attempts::number)
        .select(delivery_attempts::started_at);
    attempts.first(conn).optional()
}

/// The attempt was none: nothing was tried.
pub fn forget_attempt(conn: &mut DbConn, id: DeliveryId, number: i32) -> QueryResult<()> {
    diesel::delete(delivery_attempts::table.find((id, number))).execute(conn).map(drop)
}
