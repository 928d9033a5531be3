//! What came back for deliveries: known again by a digest, so that the same message counts once.

use diesel::prelude::*;

use super::connection::{Both, DbConn, Lock, Locked};
use super::schema::{deliveries, inbound_messages};
use crate::domain::ids::{AgencyId, DebriefId, DeliveryId};
use crate::domain::inbound::InboundKind;
use crate::domain::timestamp::Timestamp;

/// A message that came back.
#[derive(Debug, Insertable)]
#[diesel(table_name = inbound_messages)]
pub struct InboundMessage {
    /// Of the delivery and of what stays the same when the message comes again.
    pub digest: Vec<u8>,
    /// The agency.
    pub agency_id: AgencyId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What it was.
    pub kind: InboundKind,
    /// When it came.
    pub received_at: Timestamp,
}

/// Whose delivery it is, and of which debrief. For a caller who has nothing but the delivery's id, and has shown
/// that we gave it out.
pub fn place_of(conn: &mut DbConn, delivery: DeliveryId) -> QueryResult<Option<(AgencyId, DebriefId)>> {
    let row = deliveries::table.find(delivery).select((deliveries::agency_id, deliveries::debrief_id));
    row.first(conn).optional()
}

/// Remembers the message; false if it was there before.
pub fn remember(conn: &mut DbConn, row: &InboundMessage) -> QueryResult<bool> {
    let insert = diesel::insert_into(inbound_messages::table).values(row).on_conflict_do_nothing();
    Both(insert).execute(conn).map(|rows| rows == 1)
}

/// Forgets at most `limit` messages that came at `until` or earlier. Answers how many there were.
pub fn forget(conn: &mut DbConn, until: Timestamp, limit: i64) -> QueryResult<usize> {
    let old = inbound_messages::table
        .filter(inbound_messages::received_at.le(until))
        .order(inbound_messages::received_at)
        .limit(limit)
        .select(inbound_messages::digest);
    let digests: Vec<Vec<u8>> = Locked(old, Lock::SkipLocked).load(conn)?;
    diesel::delete(inbound_messages::table.filter(inbound_messages::digest.eq_any(digests))).execute(conn)
}
