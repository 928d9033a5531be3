//! What happened, in the order in which it was written.

use diesel::prelude::*;
use serde_json::Value;

use super::connection::DbConn;
use super::prepared::insert_rows;
use super::schema::events;
use super::types::Json;
use crate::domain::actor::Actor;
use crate::domain::ids::{AgencyId, AnyRecordId, DebriefId, EventId};
use crate::domain::timestamp::Timestamp;

/// An event that is about to be written.
#[derive(Debug, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct NewEvent {
    /// The event's own id.
    pub id: EventId,
    /// The agency.
    pub agency_id: AgencyId,
    /// What happened, such as `debrief.released`.
    pub event_type: String,
    /// The record that it happened to.
    pub record_id: AnyRecordId,
    /// The debrief whose history it belongs to.
    pub debrief_id: Option<DebriefId>,
    /// Who did it.
    pub actor: Json<Actor>,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// Ids, state, version.
    pub data: Json<Value>,
    /// When.
    pub occurred_at: Timestamp,
}

/// Writes events in their order, all of them in one statement.
pub fn insert_all(conn: &mut DbConn, rows: &[NewEvent]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    insert_rows!(conn, events::table, rows)
}
