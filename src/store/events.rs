//! What happened, in the order in which it was written, and the feed of it.

use chrono::DateTime;
use diesel::dsl::{AsSelect, IntoBoxed, Select, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use serde_json::Value;

use super::connection::{Both, DbConn, Lock, Locked, MultiBackend};
use super::prepared::{Prepared, column, insert_rows};
use super::schema::{events, feed_horizons};
use super::types::{Document, Instant, Json, Uuid};
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
    match (&mut *conn, rows) {
        (_, []) => Ok(()),
        // One text for any number of them, which is read and planned once.
        (DbConn::Postgres(c), [_, _, ..]) => {
            const INSERT: &str = "INSERT INTO events \
                (id, agency_id, type, record_id, debrief_id, actor, reason, data, occurred_at) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            let insert = diesel::sql_query(INSERT)
                .bind::<Array<Uuid>, _>(column(rows, |row| row.id))
                .bind::<Array<Uuid>, _>(column(rows, |row| row.agency_id))
                .bind::<Array<Text>, _>(column(rows, |row| row.event_type.as_str()))
                .bind::<Array<Uuid>, _>(column(rows, |row| row.record_id))
                .bind::<Array<Nullable<Uuid>>, _>(column(rows, |row| row.debrief_id))
                .bind::<Array<Document>, _>(column(rows, |row| &row.actor))
                .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.reason.as_deref()))
                .bind::<Array<Document>, _>(column(rows, |row| &row.data))
                .bind::<Array<Instant>, _>(column(rows, |row| row.occurred_at));
            Prepared(insert).execute(c).map(drop)
        }
        _ => insert_rows!(conn, events::table, rows),
    }
}

/// The statement that writes events in their order, to be [kept](super::kept).
pub(super) fn insertion(rows: Vec<NewEvent>) -> impl QueryFragment<Pg> + 'static {
    diesel::insert_into(events::table).values(rows)
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

/// How far back an agency's feed goes.
#[derive(Debug, Clone, Copy, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = feed_horizons)]
pub struct Horizon {
    /// The transaction of the last event that is not shown any more.
    pub xact: i64,
    /// Its number.
    pub seq: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
}

impl Horizon {
    /// The place after which the feed begins.
    #[must_use]
    pub const fn place(self) -> Place {
        (self.xact, self.seq)
    }
}

/// Where the event stands in the agency's feed, and how far back that goes; no horizon if it goes back to the
/// beginning.
pub fn place_and_horizon(
    conn: &mut DbConn,
    agency: AgencyId,
    id: EventId,
) -> QueryResult<Option<(Place, Option<Horizon>)>> {
    events::table
        .left_join(feed_horizons::table.on(feed_horizons::agency_id.eq(events::agency_id)))
        .filter(events::id.eq(id))
        .filter(events::agency_id.eq(agency))
        .select(((events::xact, events::seq), Option::<Horizon>::as_select()))
        .first(conn)
        .optional()
}

/// How far back the agency's feed goes; none if it goes back to the beginning.
pub fn horizon(conn: &mut DbConn, agency: AgencyId) -> QueryResult<Option<Horizon>> {
    feed_horizons::table.find(agency).select(Horizon::as_select()).first(conn).optional()
}

/// The same for who is about to move it: nobody else does until the transaction ends.
pub fn lock_horizon(conn: &mut DbConn, agency: AgencyId) -> QueryResult<Horizon> {
    let first = (
        feed_horizons::agency_id.eq(agency),
        feed_horizons::xact.eq(0),
        feed_horizons::seq.eq(0),
        feed_horizons::occurred_at.eq(Timestamp::from(DateTime::UNIX_EPOCH)),
    );
    let insert = diesel::insert_into(feed_horizons::table).values(first);
    Both(insert.on_conflict(feed_horizons::agency_id).do_nothing()).execute(conn)?;
    let row = feed_horizons::table.find(agency).select(Horizon::as_select());
    Locked(row, Lock::Wait).get_result(conn)
}

/// Moves how far back the agency's feed goes.
pub fn move_horizon(conn: &mut DbConn, agency: AgencyId, horizon: Horizon) -> QueryResult<()> {
    diesel::update(feed_horizons::table.find(agency)).set(horizon).execute(conn).map(drop)
}

/// Deletes the events of a type that stand before a place, and in no debrief's history.
pub fn delete_before(
    conn: &mut DbConn,
    agency: AgencyId,
    event_type: &str,
    (xact, seq): Place,
) -> QueryResult<usize> {
    let passed = events::table
        .filter(events::agency_id.eq(agency))
        .filter(events::event_type.eq(event_type))
        .filter(events::xact.le(xact))
        .filter(events::xact.lt(xact).or(events::seq.lt(seq)))
        .filter(events::debrief_id.is_null());
    diesel::delete(passed).execute(conn)
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
    // Several statements have to agree about what is settled.
    let settled = match conn {
        DbConn::Postgres(_) if types.len() > 1 => Some(end(conn, agency)?.0),
        _ => None,
    };
    let page = Page { agency, after, settled, limit };
    match types {
        [] => page.read(conn, None),
        several => {
            let mut rows = Vec::new();
            // Each is read on its own, along its index: one that is rare would have the others read through for it.
            for event_type in several {
                rows.append(&mut page.read(conn, Some(event_type))?);
            }
            rows.sort_by_key(|row| (row.xact, row.seq));
            rows.dedup_by_key(|row| row.seq);
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(rows)
        }
    }
}

/// A page of the feed that is about to be read.
#[derive(Clone, Copy)]
struct Page {
    agency: AgencyId,
    after: Option<Place>,
    /// The last transaction that is settled, where that is known.
    settled: Option<i64>,
    limit: i64,
}

type FeedSelect = AsSelect<FeedRow, MultiBackend>;

impl Page {
    fn read(self, conn: &mut DbConn, event_type: Option<&str>) -> QueryResult<Vec<FeedRow>> {
        let mut query = self.query(conn);
        if let Some(event_type) = event_type {
            query = query.filter(events::event_type.eq(event_type.to_owned()));
        }
        Prepared(query).load(conn)
    }

    fn query(self, conn: &DbConn) -> IntoBoxed<'static, Select<events::table, FeedSelect>, MultiBackend> {
        let mut query = events::table
            .select(FeedRow::as_select())
            .into_boxed::<MultiBackend>()
            .filter(events::agency_id.eq(self.agency))
            .order((events::xact, events::seq))
            .limit(self.limit);
        if let Some((xact, seq)) = self.after {
            query = match conn {
                DbConn::Postgres(_) => {
                    let later = sql::<Bool>("(events.xact, events.seq) > (").bind::<BigInt, _>(xact);
                    query.filter(later.sql(", ").bind::<BigInt, _>(seq).sql(")"))
                }
                // All events are of one transaction; so nothing before the place is looked at.
                DbConn::Sqlite(_) => query.filter(events::xact.eq(xact)).filter(events::seq.gt(seq)),
            };
        }
        match (conn, self.settled) {
            (DbConn::Postgres(_), Some(last)) => query.filter(events::xact.le(last)),
            (DbConn::Postgres(_), None) => query.filter(sql::<Bool>(SETTLED)),
            (DbConn::Sqlite(_), _) => query,
        }
    }
}
