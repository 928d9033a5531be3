//! Imports: files that came, how far they are worked off, and what came of their rows.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked, MultiBackend};
use super::prepared::{Prepared, insert_rows};
use super::record::newest_first;
use super::schema::{import_chunks, import_results, imports};
use super::types::Json;
use crate::domain::actor::Actor;
use crate::domain::exchange::{Collection, FileFormat, ImportState};
use crate::domain::ids::{AgencyId, ImportId};
use crate::domain::timestamp::Timestamp;

/// A file that is imported.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = imports, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Import {
    /// The import's id.
    pub id: ImportId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// What the file holds.
    pub kind: Collection,
    /// How it is written.
    pub format: FileFormat,
    /// Whether nothing is to be written, and only told what would be.
    pub dry_run: bool,
    /// The system whose ids stand in the columns for ids of another system.
    pub external_system: Option<String>,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub header: Json<Vec<String>>,
    /// Where it stands.
    pub state: ImportState,
    /// Why it came to nothing.
    pub reason: Option<String>,
    /// Who imports.
    #[schema(value_type = Actor)]
    pub actor: Json<Actor>,
    /// How many rows the file has; the header of a CSV file is none.
    pub rows_total: i64,
    /// How many of them were worked off.
    pub rows_done: i64,
    /// How many records were made, or would be.
    pub rows_created: i64,
    /// How many records were changed, or would be.
    pub rows_updated: i64,
    /// How many rows said what the records said already.
    pub rows_unchanged: i64,
    /// Of how many rows nothing was done.
    pub rows_failed: i64,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub failures: i32,
    /// When the file began to arrive.
    pub created_at: Timestamp,
    /// When its first row was worked off.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub postponed: i32,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub not_before: Option<Timestamp>,
}

/// Rows that wait to be worked off, a line of JSON each.
#[derive(Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = import_chunks)]
pub struct Chunk {
    /// The import.
    pub import_id: ImportId,
    /// The number of its first row, from 1.
    pub first_row: i64,
    /// The agency.
    pub agency_id: AgencyId,
    /// The rows.
    pub content: String,
}

/// What came of some rows, a line of JSON each.
#[derive(Debug, Insertable)]
#[diesel(table_name = import_results)]
pub struct Results {
    /// The import.
    pub import_id: ImportId,
    /// The number of their last row, from 1.
    pub last_row: i64,
    /// The agency.
    pub agency_id: AgencyId,
    /// Whether any of them failed.
    pub failed: bool,
    /// The results.
    pub content: String,
}

/// Inserts an import.
pub fn insert(conn: &mut DbConn, import: &Import) -> QueryResult<()> {
    diesel::insert_into(imports::table).values(import).execute(conn).map(drop)
}

/// Writes an import over what it was.
pub fn update(conn: &mut DbConn, import: &Import) -> QueryResult<()> {
    let present = imports::table.filter(imports::id.eq(import.id));
    Prepared(diesel::update(present).set(import)).execute(conn).map(drop)
}

/// An import whose file has arrived.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: ImportId) -> QueryResult<Option<Import>> {
    imports::table
        .filter(imports::id.eq(id))
        .filter(imports::agency_id.eq(agency))
        .filter(imports::state.ne(ImportState::Receiving))
        .select(Import::as_select())
        .first(conn)
        .optional()
}

/// An import, taken until the transaction ends.
pub fn lock(conn: &mut DbConn, agency: AgencyId, id: ImportId) -> QueryResult<Option<Import>> {
    let row = imports::table
        .filter(imports::id.eq(id))
        .filter(imports::agency_id.eq(agency))
        .select(Import::as_select());
    Locked(row, Lock::Wait).get_result(conn).optional()
}

/// An import that has rows left to work off, taken until the transaction ends, unless somebody has it.
pub fn claim(conn: &mut DbConn, agency: AgencyId, id: ImportId) -> QueryResult<Option<Import>> {
    let row = imports::table
        .filter(imports::id.eq(id))
        .filter(imports::agency_id.eq(agency))
        .filter(imports::state.eq_any(ImportState::AT_WORK))
        .select(Import::as_select());
    Locked(row, Lock::SkipLocked).get_result(conn).optional()
}

/// Some imports that have rows left to work off and need not wait, of whichever agency: first those that have waited
/// longest.
pub fn at_work(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<Vec<(AgencyId, ImportId)>> {
    imports::table
        .filter(imports::finished_at.is_null())
        .filter(imports::state.eq_any(ImportState::AT_WORK))
        .filter(imports::not_before.is_null().or(imports::not_before.le(now)))
        .order((imports::updated_at, imports::id))
        .limit(limit)
        .select((imports::agency_id, imports::id))
        .load(conn)
}

/// A page of the imports whose files have arrived, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<ImportId>,
    limit: i64,
) -> QueryResult<Vec<Import>> {
    let rows = imports::table
        .filter(imports::agency_id.eq(agency))
        .filter(imports::state.ne(ImportState::Receiving))
        .select(Import::as_select())
        .into_boxed::<MultiBackend>();
    newest_first!(rows, imports, after, limit).load(conn)
}

/// Keeps rows until they are worked off.
pub fn add_chunks(conn: &mut DbConn, chunks: &[Chunk]) -> QueryResult<()> {
    if chunks.is_empty() {
        return Ok(());
    }
    insert_rows!(conn, import_chunks::table, chunks)
}

/// The first rows that are left.
pub fn next_chunk(conn: &mut DbConn, import: ImportId) -> QueryResult<Option<Chunk>> {
    import_chunks::table
        .filter(import_chunks::import_id.eq(import))
        .order(import_chunks::first_row)
        .select(Chunk::as_select())
        .first(conn)
        .optional()
}

/// Forgets rows that were worked off.
pub fn drop_chunk(conn: &mut DbConn, import: ImportId, first_row: i64) -> QueryResult<()> {
    diesel::delete(import_chunks::table.find((import, first_row))).execute(conn).map(drop)
}

/// Writes down what came of some rows.
pub fn add_results(conn: &mut DbConn, results: &[Results]) -> QueryResult<()> {
    insert_rows!(conn, import_results::table, results)
}

/// What came of the rows after one, in their order: at most `limit` portions of them, each with the number
/// of its last row. `failed` leaves out those in which none failed.
pub fn results(
    conn: &mut DbConn,
    agency: AgencyId,
    import: ImportId,
    after: i64,
    failed: bool,
    limit: i64,
) -> QueryResult<Vec<(i64, String)>> {
    let mut query = import_results::table
        .filter(import_results::import_id.eq(import))
        .filter(import_results::agency_id.eq(agency))
        .filter(import_results::last_row.gt(after))
        .order(import_results::last_row)
        .limit(limit)
        .select((import_results::last_row, import_results::content))
        .into_boxed::<MultiBackend>();
    if failed {
        query = query.filter(import_results::failed);
    }
    query.load(conn)
}

/// The imports whose end, or for one that never arrived whole its beginning, lies before a time; taken
/// until the transaction ends.
pub fn lock_old(
    conn: &mut DbConn,
    finished: Timestamp,
    abandoned: Timestamp,
    limit: i64,
) -> QueryResult<Vec<ImportId>> {
    let old = imports::table.filter(imports::finished_at.lt(finished)).order(imports::finished_at);
    let old = Locked(old.limit(limit).select(imports::id), Lock::SkipLocked);
    let mut found: Vec<ImportId> = old.load(conn)?;
    let lost = imports::table
        .filter(imports::finished_at.is_null())
        .filter(imports::state.eq(ImportState::Receiving))
        .filter(imports::updated_at.lt(abandoned))
        .order(imports::id);
    let lost = Locked(lost.limit(limit).select(imports::id), Lock::SkipLocked);
    found.extend(lost.load::<ImportId>(conn)?);
    Ok(found)
}

/// Forgets at most `limit` chunks of an import. Answers whether there were any.
pub fn drop_chunks(conn: &mut DbConn, import: ImportId, limit: i64) -> QueryResult<bool> {
    let rows: Vec<i64> = import_chunks::table
        .filter(import_chunks::import_id.eq(import))
        .limit(limit)
        .select(import_chunks::first_row)
        .load(conn)?;
    let chunks = import_chunks::table
        .filter(import_chunks::import_id.eq(import))
        .filter(import_chunks::first_row.eq_any(&rows));
    diesel::delete(chunks).execute(conn).map(|_| !rows.is_empty())
}

/// Forgets at most `limit` chunks of an import, or else portions of its results, or else the import. Answers
/// whether the import is gone.
pub fn forget_part(conn: &mut DbConn, import: ImportId, limit: i64) -> QueryResult<bool> {
    if drop_chunks(conn, import, limit)? {
        return Ok(false);
    }
    let rows: Vec<i64> = import_results::table
        .filter(import_results::import_id.eq(import))
        .limit(limit)
        .select(import_results::last_row)
        .load(conn)?;
    if !rows.is_empty() {
        let results = import_results::table
            .filter(import_results::import_id.eq(import))
            .filter(import_results::last_row.eq_any(rows));
        return diesel::delete(results).execute(conn).map(|_| false);
    }
    forget(conn, import).map(|()| true)
}

/// Forgets an import of which nothing else is left.
pub fn forget(conn: &mut DbConn, import: ImportId) -> QueryResult<()> {
    diesel::delete(imports::table.find(import)).execute(conn).map(drop)
}
