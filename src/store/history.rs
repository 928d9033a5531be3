//! The history of a debrief, and who made it.

use diesel::prelude::*;
use serde_json::Value;

use super::connection::DbConn;
use super::debriefs::stands;
use super::schema::{api_clients, events, users};
use super::types::Json;
use crate::domain::actor::Actor;
use crate::domain::ids::{AgencyId, ApiClientId, DebriefId, EventId, UserId};
use crate::domain::timestamp::Timestamp;

/// Something that happened.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct EventRow {
    /// Its place among all events.
    pub seq: i64,
    /// The event's id.
    pub id: EventId,
    /// What happened, such as `debrief.released`.
    pub event_type: String,
    /// Who did it.
    pub actor: Json<Actor>,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// Ids, state, version.
    pub data: Json<Value>,
    /// When.
    pub occurred_at: Timestamp,
}

/// A page of what happened in a debrief that stands, oldest first, beginning after the event at
/// `after`.
pub fn of_debrief(
    conn: &mut DbConn,
    agency: AgencyId,
    debrief: DebriefId,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<EventRow>> {
    events::table
        .filter(events::debrief_id.eq(debrief))
        .filter(events::agency_id.eq(agency))
        .filter(events::seq.gt(after))
        .filter(stands(agency, debrief))
        .order(events::seq)
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)
}

/// The names of some users.
pub fn user_names(conn: &mut DbConn, agency: AgencyId, ids: &[UserId]) -> QueryResult<Vec<(UserId, String)>> {
    let some = users::table.filter(users::agency_id.eq(agency)).filter(users::id.eq_any(ids));
    some.select((users::id, users::name)).load(conn)
}

/// The names of some integrations.
pub fn api_client_names(
    conn: &mut DbConn,
    agency: AgencyId,
    ids: &[ApiClientId],
) -> QueryResult<Vec<(ApiClientId, String)>> {
    let some =
        api_clients::table.filter(api_clients::agency_id.eq(agency)).filter(api_clients::id.eq_any(ids));
    some.select((api_clients::id, api_clients::name)).load(conn)
}
