//! What happened, in the order in which it was written, and the feed of it.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use serde_json::Value;

use super::connection::{DbConn, MultiBackend};
use super::prepared::{Prepared, insert_rows};
use super::schema::events;
use super::types::Json;
use crate::domain::actor::Actor;
use crate::domain::ids::{AgencyId, AnyRecordId, DebriefId, EventId};
use crate::domain::timestamp::Timestamp;

/// Only what nobody can come before any more: a transaction that is under way on PostgreSQL may
/// commit events with lower numbers than those that are seen already.
pub(super) const SETTLED: &str = "events.xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

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

/// Where an event stands in the feed: its transaction, and its number.
pub type Place = (i64, i64);

/// An event as the feed shows it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct FeedRow {
    /// The transaction that wrote it.
    pub xact: i64,
    /// Its number.
    pub seq: i64,
    /// The event's own id.
    pub id: EventId,
    /// What happened, such as `debrief.released`.
    pub event_type: String,
    /// Ids, state, version.
    pub data: Json<Value>,
    /// When.
    pub occurred_at: Timestamp,
}

/// Where the event stands in the agency's feed.
pub fn place(conn: &mut DbConn, agency: AgencyId, id: EventId) -> QueryResult<Option<Place>> {
    let row = events::table.filter(events::id.eq(id)).filter(events::agency_id.eq(agency));
    row.select((events::xact, events::seq)).first(conn).optional()
}

/// The place after which everything stands that is not committed yet. On PostgreSQL some of what was
/// committed just now may stand there too.
pub fn end(conn: &mut DbConn, agency: AgencyId) -> QueryResult<Place> {
    match conn {
        DbConn::Postgres(conn) => {
            let oldest = sql::<BigInt>("pg_snapshot_xmin(pg_current_snapshot())::text::bigint");
            let oldest: i64 = diesel::select(oldest).get_result(conn)?;
            Ok((oldest - 1, i64::MAX))
        }
        DbConn::Sqlite(_) => {
            let last = events::table.filter(events::agency_id.eq(agency));
            let last = last.order((events::xact.desc(), events::seq.desc()));
            Ok(last.select((events::xact, events::seq)).first(conn).optional()?.unwrap_or_default())
        }
    }
}

/// A page of the agency's feed, from after a place. No event ever appears before one that was shown.
pub fn feed(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<Place>,
    types: &[String],
    limit: i64,
) -> QueryResult<Vec<FeedRow>> {
    let mut query = events::table
        .filter(events::agency_id.eq(agency))
        .order((events::xact, events::seq))
        .limit(limit)
        .select(FeedRow::as_select())
        .into_boxed::<MultiBackend>();
    if let Some((xact, seq)) = after {
        query = match conn {
            DbConn::Postgres(_) => {
                let later = sql::<Bool>("(events.xact, events.seq) > (").bind::<BigInt, _>(xact);
                query.filter(later.sql(", ").bind::<BigInt, _>(seq).sql(")"))
            }
            // All events are of one transaction; so nothing before the place is looked at.
            DbConn::Sqlite(_) => query.filter(events::xact.eq(xact)).filter(events::seq.gt(seq)),
        };
    }
    if matches!(conn, DbConn::Postgres(_)) {
        query = query.filter(sql::<Bool>(SETTLED));
    }
    if types.is_empty() {
        return Prepared(query).load(conn);
    }
    query.filter(events::event_type.eq_any(types)).load(conn)
}
