//! Working an import off, a part at a time, by whoever gets to it first.
//!
//! An attempt is counted before it is begun, in a transaction of its own: of a row that takes the whole
//! process with it nobody is left to count. So it is passed over after some attempts, like one that merely
//! breaks. What a database brings on that is busy or away says nothing about the row, and is taken back from
//! the count, unless it is away for longer than that is tried.

use std::time::Duration;

use chrono::TimeDelta;

use super::{RowError, RowResult, clear, finish, rows};
use crate::app::{AppError, Context};
use crate::auth::caller::{Actor, Caller};
use crate::domain::exchange::{ImportState, RowStatus};
use crate::domain::ids::{AgencyId, ImportId};
use crate::domain::people::Scope;
use crate::domain::timestamp::Timestamp;
use crate::store::imports::{self as store, Chunk, Import, Results};
use crate::store::pool::Tx;
use crate::store::{api_clients, users};

/// How often in a row an import may break before the row is passed over.
const MAX_FAILURES: i32 = 5;

/// How long an attempt that was counted is waited for. It only has to reach the transaction of its work,
/// which holds the import by itself; so this is also how soon the part of a dead process is taken up.
const BEGUN_FOR: TimeDelta = TimeDelta::seconds(10);

/// How long an import rests that had to give way or broke, for the first time and at the most.
const RESTS: (TimeDelta, TimeDelta) = (TimeDelta::milliseconds(100), TimeDelta::seconds(30));

/// How long it is waited, each time twice as long, to write down how an attempt ended while the database is
/// away, and how often.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const PAUSES: u32 = 6;

/// How many imports take turns.
const TAKEN_AT_ONCE: i64 = 10;

const ROWS_LOST: &str = "its rows are lost";

/// The size from which on a portion of results takes no more of them, in bytes.
const PORTION_BYTES: usize = 64 * 1024;

/// Works off some rows of an import, if there are any and nobody else is at it. Answers whether there were.
/// What breaks is tried again, more carefully, and passed over in the end.
pub async fn advance(context: &Context, agency: AgencyId, id: ImportId) -> Result<bool, AppError> {
    let attempt = match context.write(move |tx| begin(tx, agency, id)).await {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return Ok(false),
        Err(error) if error.is_passing() => {
            tracing::warn!(import = %id, %error, "an import has to wait");
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    match context.write(move |tx| work_off(tx, agency, id, attempt)).await {
        Ok(ImportState::Failed) => clear(context, agency, id).await.map(|()| true),
        Ok(_) => Ok(true),
        Err(error) => {
            tracing::warn!(import = %id, %error, "rows of an import could not be worked off");
            let gave_way = error.is_passing();
            let mut pause = FIRST_PAUSE;
            for _ in 0..PAUSES {
                match context.write(move |tx| settle(tx, agency, id, attempt, gave_way)).await {
                    Err(error) if error.is_passing() => tokio::time::sleep(pause).await,
                    settled => return settled.map(|()| false),
                }
                pause *= 2;
            }
            Ok(false)
        }
    }
}

/// Works off some rows of every import that has any left. Answers whether there were any.
pub async fn advance_all(context: &Context) -> Result<bool, AppError> {
    let now = context.store.clock().now().into();
    let mut worked = false;
    for (agency, id) in context.read(move |conn| Ok(store::at_work(conn, now, TAKEN_AT_ONCE)?)).await? {
        match advance(context, agency, id).await {
            Ok(has_worked) => worked |= has_worked,
            // The others are not to wait for it.
            Err(error) => tracing::error!(import = %id, %error, "an import cannot be worked off"),
        }
    }
    Ok(worked)
}

/// Counts an attempt to work off some rows, which is to be begun at once: until the time that is answered
/// nobody else begins one. None if nothing is to be done now, or nothing more at all.
pub fn begin(tx: &mut Tx<'_>, agency: AgencyId, id: ImportId) -> Result<Option<Timestamp>, AppError> {
    let now = tx.now();
    let due = |import: &Import| import.not_before.is_none_or(|time| time <= now);
    let Some(mut import) = store::claim(tx, agency, id)?.filter(due) else { return Ok(None) };
    if import.failures >= MAX_FAILURES {
        pass_over(tx, &mut import)?;
        return Ok(None);
    }
    let until = later(now, BEGUN_FOR);
    import.failures += 1;
    import.not_before = Some(until);
    store::update(tx, &import)?;
    Ok(Some(until))
}

/// Answers how the import stands then.
fn work_off(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    id: ImportId,
    attempt: Timestamp,
) -> Result<ImportState, AppError> {
    let Some(mut import) = held(tx, agency, id, attempt)? else { return Ok(ImportState::Running) };
    let Some(caller) = caller(tx, &import)? else {
        return give_up(tx, &mut import, "whoever imports may not write any more");
    };
    let Some(chunk) = store::next_chunk(tx, id)? else {
        return give_up(tx, &mut import, ROWS_LOST);
    };
    // Where something broke, one row at a time: it holds less that others may want, and what is whole
    // is not undone with it.
    let has_broken = import.failures > 1;
    let at_once = if has_broken || import.postponed > 0 { 1 } else { usize::MAX };
    let taken: Vec<&str> = rows_left(&import, &chunk).take(at_once).collect();
    let results = rows::work_off(tx, &caller, &import, &taken)?;
    write_down(tx, &mut import, &chunk, &results)
}

/// The rows of a chunk that are not done.
fn rows_left<'a>(import: &Import, chunk: &'a Chunk) -> impl Iterator<Item = &'a str> {
    let done = usize::try_from(import.rows_done + 1 - chunk.first_row).unwrap_or_default();
    chunk.content.lines().skip(done)
}

/// Writes down what came of the next rows of a chunk.
fn write_down(
    tx: &mut Tx<'_>,
    import: &mut Import,
    chunk: &Chunk,
    results: &[RowResult],
) -> Result<ImportState, AppError> {
    for result in results {
        *match result.status {
            RowStatus::Created | RowStatus::WouldCreate => &mut import.rows_created,
            RowStatus::Updated | RowStatus::WouldUpdate => &mut import.rows_updated,
            RowStatus::Unchanged => &mut import.rows_unchanged,
            RowStatus::Failed => &mut import.rows_failed,
        } += 1;
        import.rows_done += 1;
    }
    store::add_results(tx, &portions(import, results)?)?;
    let is_chunk_done = rows_left(import, chunk).next().is_none();
    if is_chunk_done {
        store::drop_chunk(tx, import.id, chunk.first_row)?;
    }
    // Care is taken to the end of the chunk: the row that broke it may be any of the others.
    import.failures = i32::from(import.failures > 1 && !is_chunk_done);
    import.postponed = 0;
    import.not_before = None;
    import.state = ImportState::Running;
    import.started_at.get_or_insert(tx.now());
    import.updated_at = tx.now();
    if import.rows_done >= import.rows_total {
        finish(tx, import, ImportState::Done);
    }
    store::update(tx, import)?;
    Ok(import.state)
}

/// Goes on behind a row that breaks whatever is tried.
fn pass_over(tx: &mut Tx<'_>, import: &mut Import) -> Result<ImportState, AppError> {
    let Some(chunk) = store::next_chunk(tx, import.id)? else {
        return give_up(tx, import, ROWS_LOST);
    };
    let (row, status) = (import.rows_done + 1, RowStatus::Failed);
    write_down(tx, import, &chunk, &[RowResult { row, status, id: None, errors: vec![RowError::ours()] }])
}

/// The import, taken until the transaction ends, if the attempt is still the one that it is waited for.
fn held(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    id: ImportId,
    attempt: Timestamp,
) -> Result<Option<Import>, AppError> {
    let import = store::lock(tx, agency, id)?;
    Ok(import.filter(|import| !import.state.is_over() && import.not_before == Some(attempt)))
}

/// As whom the rows are written: the caller as they are now. None if they may not write any more.
fn caller(tx: &mut Tx<'_>, import: &Import) -> Result<Option<Caller>, AppError> {
    let (agency, actor) = (import.agency_id, import.actor.0);
    let caller = match actor {
        Actor::User(id) => users::find(tx, agency, id)?
            .filter(|user| user.disabled_at.is_none())
            .map(|user| Caller { agency, actor, scopes: user.role.scopes(), role: Some(user.role) }),
        Actor::ApiClient(id) => api_clients::find(tx, agency, id)?
            .filter(|client| client.disabled_at.is_none())
            .map(|client| Caller { agency, actor, scopes: client.scopes, role: None }),
        Actor::System => Some(Caller::system(agency)),
    };
    Ok(caller.filter(|caller| caller.scopes.contains(Scope::RecordsWrite)))
}

/// What came of the rows up to the last one that is done, in portions of which several can be read at once.
fn portions(import: &Import, results: &[RowResult]) -> Result<Vec<Results>, AppError> {
    let mut portions: Vec<Results> = Vec::new();
    for result in results {
        let line = serde_json::to_string(result).map_err(|e| AppError::Internal(e.to_string()))?;
        let failed = result.status == RowStatus::Failed;
        match portions.last_mut().filter(|portion| portion.content.len() < PORTION_BYTES) {
            Some(portion) => {
                portion.content.push('\n');
                portion.content.push_str(&line);
                portion.last_row = result.row;
                portion.failed |= failed;
            }
            None => portions.push(Results {
                import_id: import.id,
                last_row: result.row,
                agency_id: import.agency_id,
                failed,
                content: line,
            }),
        }
    }
    Ok(portions)
}

/// Writes down that nothing came of an attempt: the import had to give way, or broke.
fn settle(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    id: ImportId,
    attempt: Timestamp,
    gave_way: bool,
) -> Result<(), AppError> {
    let Some(mut import) = held(tx, agency, id, attempt)? else { return Ok(()) };
    if gave_way {
        import.failures -= 1;
        import.not_before = Some(later(tx.now(), rest(import.postponed)));
        import.postponed = import.postponed.saturating_add(1);
    } else if import.failures >= MAX_FAILURES {
        return pass_over(tx, &mut import).map(drop);
    } else {
        import.not_before = Some(later(tx.now(), rest(import.failures)));
    }
    Ok(store::update(tx, &import)?)
}

/// How long an import rests that gave way, or broke, so often in a row before.
fn rest(times: i32) -> TimeDelta {
    let (first, most) = RESTS;
    2_i32
        .checked_pow(times.unsigned_abs())
        .and_then(|factor| first.checked_mul(factor))
        .map_or(most, |rest| rest.min(most))
}

fn later(now: Timestamp, by: TimeDelta) -> Timestamp {
    now.checked_add_signed(by).map_or(now, Timestamp::from)
}

/// Ends an import of which nothing more can come. Its rows are forgotten afterwards.
fn give_up(tx: &mut Tx<'_>, import: &mut Import, reason: &str) -> Result<ImportState, AppError> {
    finish(tx, import, ImportState::Failed);
    import.reason = Some(reason.to_owned());
    store::update(tx, import)?;
    Ok(import.state)
}
