//! Imports: a file of records arrives, is kept, and is worked off a few rows at a time, by whoever asks
//! for it or by a job. The rows, what came of them, and how far the work has got are written in one
//! transaction, so whoever takes over from a process that died goes on where it was.

mod attempts;
mod csv;
mod rows;
mod upload;

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ConflictCode;
use super::{AppError, Context};
use crate::auth::caller::Caller;
use crate::domain::exchange::{Collection, FileFormat, ImportState, RowStatus};
use crate::domain::ids::{AgencyId, ImportId};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::imports::{self as store, Chunk, Import};
use crate::store::pool::Tx;
use crate::store::types::Json;

pub use attempts::{advance, advance_all, begin};
pub use upload::Upload;

/// After how long without news a file that did not arrive whole is forgotten.
const ABANDONED_AFTER: TimeDelta = TimeDelta::hours(2);

/// How many chunks of rows are forgotten in one transaction: some ten megabytes.
const CHUNKS: i64 = 40;

/// How many portions of results are read at once. Each has an end in bytes.
const PORTIONS: i64 = 10;

/// What a file is, and what is to be done with it.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// What the file holds.
    pub kind: Collection,
    /// Write nothing, and tell what would be written. Rows are rehearsed a hundred at a time: what a row builds
    /// on must stand already, or come before it in its own hundred.
    pub dry_run: Option<bool>,
    /// The system whose ids stand in `external_id`, `client_external_id` and the like.
    #[param(min_length = 1, max_length = 64, example = "bullhorn")]
    #[schema(min_length = 1, max_length = 64)]
    pub external_system: Option<String>,
}

/// What came of a row.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RowResult {
    /// The row's number, from 1. The header of a CSV file is not counted.
    pub row: i64,
    /// What came of it.
    pub status: RowStatus,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "cnd_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: Option<String>,
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<RowError>,
}

/// One thing that is wrong with a row.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RowError {
    /// Where: a JSON pointer (RFC 6901) that begins with the name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/email")]
    pub pointer: Option<String>,
    /// A stable code, as in the answers to single requests: of a problem, or of a fault in the input.
    #[schema(example = "invalid_email")]
    pub code: String,
    /// What is wrong, for a person.
    pub detail: String,
}

/// Keeps what has arrived of a file so far. `id` is the import, once something of it was kept.
pub fn keep(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Option<ImportId>,
    query: &ImportQuery,
    format: FileFormat,
    columns: Vec<String>,
    chunks: Vec<(i64, String)>,
) -> Result<Import, AppError> {
    let mut import = match id {
        Some(id) => store::lock(tx, caller.agency, id)?.ok_or(AppError::NotFound)?,
        None => receive(tx, caller, query, format, columns)?,
    };
    let chunk =
        |(first_row, content)| Chunk { import_id: import.id, first_row, agency_id: caller.agency, content };
    let chunks: Vec<Chunk> = chunks.into_iter().map(chunk).collect();
    store::add_chunks(tx, &chunks)?;
    import.updated_at = tx.now();
    store::update(tx, &import)?;
    Ok(import)
}

fn receive(
    tx: &mut Tx<'_>,
    caller: &Caller,
    query: &ImportQuery,
    format: FileFormat,
    columns: Vec<String>,
) -> Result<Import, AppError> {
    let import = Import {
        id: tx.new_id(),
        agency_id: caller.agency,
        kind: query.kind,
        format,
        dry_run: query.dry_run.unwrap_or_default(),
        external_system: query.external_system.clone(),
        header: Json(columns),
        state: ImportState::Receiving,
        reason: None,
        actor: Json(caller.actor),
        rows_total: 0,
        rows_done: 0,
        rows_created: 0,
        rows_updated: 0,
        rows_unchanged: 0,
        rows_failed: 0,
        failures: 0,
        postponed: 0,
        not_before: None,
        created_at: tx.now(),
        started_at: None,
        finished_at: None,
        updated_at: tx.now(),
    };
    store::insert(tx, &import)?;
    Ok(import)
}

/// Keeps the rest of a file, and lets its rows be worked off.
pub fn queue(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Option<ImportId>,
    query: &ImportQuery,
    upload: &mut Upload,
) -> Result<Import, AppError> {
    let (format, columns, rest) = (upload.format(), upload.columns().to_vec(), upload.take());
    let mut import = keep(tx, caller, id, query, format, columns, rest)?;
    import.state = ImportState::Queued;
    import.rows_total = upload.rows();
    if import.rows_total == 0 {
        finish(tx, &mut import, ImportState::Done);
    }
    store::update(tx, &import)?;
    Ok(import)
}

/// Forgets the rows of an import that nobody will work off: it is over, or its file did not become one. A
/// part at a time, as they may be a gigabyte; what a process leaves that dies here goes when the import is forgotten.
pub async fn clear(context: &Context, agency: AgencyId, id: ImportId) -> Result<(), AppError> {
    while context.write(move |tx| clear_part(tx, agency, id)).await? {}
    Ok(())
}

/// Answers whether there may be more.
fn clear_part(tx: &mut Tx<'_>, agency: AgencyId, id: ImportId) -> Result<bool, AppError> {
    let is_at_rest = |import: &Import| import.state == ImportState::Receiving || import.state.is_over();
    let Some(import) = store::lock(tx, agency, id)?.filter(is_at_rest) else { return Ok(false) };
    if store::drop_chunks(tx, id, CHUNKS)? {
        return Ok(true);
    }
    if import.state == ImportState::Receiving {
        store::forget(tx, id)?;
    }
    Ok(false)
}

/// An import.
pub fn get(conn: &mut DbConn, agency: AgencyId, id: ImportId) -> Result<Import, AppError> {
    store::find(conn, agency, id)?.ok_or(AppError::NotFound)
}

/// A page of imports, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<ImportId>,
    limit: i64,
) -> Result<Vec<Import>, AppError> {
    Ok(store::list(conn, agency, after, limit)?)
}

/// Stops an import. What was worked off stands, the other rows are to be forgotten: see [`clear`].
///
/// # Errors
/// A conflict if nothing more will come of it anyway.
pub fn cancel(tx: &mut Tx<'_>, agency: AgencyId, id: ImportId) -> Result<Import, AppError> {
    let mut import = store::lock(tx, agency, id)?.ok_or(AppError::NotFound)?;
    if import.state == ImportState::Receiving {
        return Err(AppError::NotFound);
    }
    if import.state.is_over() {
        return Err(AppError::conflict(ConflictCode::ImportOver, format!("the import is {}", import.state)));
    }
    finish(tx, &mut import, ImportState::Cancelled);
    store::update(tx, &import)?;
    Ok(import)
}

/// A page of what came of the rows after `after`.
pub fn results(
    conn: &mut DbConn,
    agency: AgencyId,
    id: ImportId,
    after: i64,
    failed: bool,
    limit: usize,
) -> Result<Vec<RowResult>, AppError> {
    get(conn, agency, id)?;
    let mut found: Vec<RowResult> = Vec::new();
    let mut place = after;
    while found.len() < limit {
        let portions = store::results(conn, agency, id, place, failed, PORTIONS)?;
        let Some((last, _)) = portions.last() else { break };
        place = *last;
        for line in portions.iter().flat_map(|(_, content)| content.lines()) {
            let result: RowResult = read(line)?;
            if result.row > after && (!failed || result.status == RowStatus::Failed) {
                found.push(result);
            }
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// What came of some rows after `after`, a line of JSON each, with the number of the last of them; and how
/// the import stands. `after` is the last row of such a portion, or 0.
pub fn progress(
    conn: &mut DbConn,
    agency: AgencyId,
    id: ImportId,
    after: i64,
) -> Result<(Import, Vec<(i64, String)>), AppError> {
    let import = get(conn, agency, id)?;
    Ok((import, store::results(conn, agency, id, after, false, PORTIONS)?))
}

impl RowError {
    /// A row breaks whatever is tried, and it is not its fault.
    fn ours() -> Self {
        let detail = "could not be worked off, for a reason on our side".to_owned();
        Self { pointer: None, code: "internal".to_owned(), detail }
    }
}

fn finish(tx: &Tx<'_>, import: &mut Import, state: ImportState) {
    import.state = state;
    import.finished_at = Some(tx.now());
    import.updated_at = tx.now();
}

/// Forgets a part of the imports that ended long enough ago, and of files that never arrived whole.
/// Answers how many imports it was at.
pub fn forget(tx: &mut Tx<'_>, kept_for: Duration, limit: i64) -> Result<usize, AppError> {
    let now = tx.now();
    let before = |age: TimeDelta| now.checked_sub_signed(age).map_or(now, Timestamp::from);
    let kept_for = TimeDelta::from_std(kept_for).unwrap_or(TimeDelta::MAX);
    let old = store::lock_old(tx, before(kept_for), before(ABANDONED_AFTER), 1)?;
    for import in &old {
        store::forget_part(tx, *import, limit)?;
    }
    Ok(old.len())
}

fn read(line: &str) -> Result<RowResult, AppError> {
    serde_json::from_str(line).map_err(|e| AppError::Internal(e.to_string()))
}
