//! The change feed: everything that happened in an agency, for other systems to follow.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use crate::auth::caller::Caller;
use crate::domain::event;
use crate::domain::ids::{AgencyId, EventId};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::events::{self, FeedRow, Horizon, Place};
use crate::store::pool::Tx;

/// Which events are wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Only those after this one: the last that was seen. Without it, from the first on.
    pub after: Option<EventId>,
    /// Only those of these types, with commas between: the words of `EventType`.
    #[schema(format = "event-types")]
    #[param(format = "event-types", example = "debrief.released,note.sent")]
    pub types: Option<String>,
}

impl FeedQuery {
    /// The types that are wanted, none for all. That there are such types, the schema has seen to.
    pub fn types(&self) -> Result<Vec<String>, AppError> {
        self.types.as_deref().map_or(Ok(Vec::new()), event::listed).map_err(AppError::Internal)
    }
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FeedEvent {
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub place: Place,
    /// The event's id.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "debrief.released")]
    pub event_type: String,
    /// When.
    pub occurred_at: Timestamp,
    /// Ids, states and versions of what it happened to.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<FeedRow> for FeedEvent {
    fn from(row: FeedRow) -> Self {
        Self {
            place: (row.xact, row.seq),
            id: row.id,
            event_type: row.event_type,
            occurred_at: row.occurred_at,
            data: row.data.0,
        }
    }
}

/// A page of the feed from after a place, or else from after an event: two statements, and a few more for
/// several types, or for a place from which something may have been forgotten. None if there is no such event.
///
/// # Errors
/// [`AppError::Expired`] if some of it may have been forgotten.
pub fn list(
    conn: &mut DbConn,
    caller: &Caller,
    after: Option<EventId>,
    place: Option<Place>,
    types: &[String],
    limit: i64,
) -> Result<Option<Vec<FeedEvent>>, AppError> {
    let found = match (place, after) {
        (None, Some(event)) => events::place_and_horizon(conn, caller.agency, event)?,
        _ => None,
    };
    let (from, horizon) = match found {
        Some((place, horizon)) => (Some(place), horizon),
        None => (place, events::horizon(conn, caller.agency)?),
    };
    if let (None, Some(event)) = (from, after) {
        return if is_forgotten(event, horizon) { Err(expired()) } else { Ok(None) };
    }
    if let Some((from, horizon)) = from.zip(horizon) {
        expect_whole(conn, caller.agency, from, horizon, types)?;
    }
    let rows = events::feed(conn, caller.agency, from.or(horizon.map(Horizon::place)), types, limit)?;
    Ok(Some(rows.into_iter().map(FeedEvent::from).collect()))
}

/// Where an event stands in the feed, for who goes on from it with some types, or with all. None if there is
/// no such event.
///
/// # Errors
/// [`AppError::Expired`] if some of what comes after it may have been forgotten.
pub fn place(
    conn: &mut DbConn,
    agency: AgencyId,
    event: EventId,
    types: &[String],
) -> Result<Option<Place>, AppError> {
    let Some((place, horizon)) = events::place_and_horizon(conn, agency, event)? else {
        let horizon = events::horizon(conn, agency)?;
        return if is_forgotten(event, horizon) { Err(expired()) } else { Ok(None) };
    };
    if let Some(horizon) = horizon {
        expect_whole(conn, agency, place, horizon, types)?;
    }
    Ok(Some(place))
}

/// Fails if an event of these types may have been forgotten that came after a place. The last one of each type
/// is kept, so there was none after the place if there is none.
fn expect_whole(
    conn: &mut DbConn,
    agency: AgencyId,
    from: Place,
    horizon: Horizon,
    types: &[String],
) -> Result<(), AppError> {
    if from >= horizon.place() {
        return Ok(());
    }
    for name in passing_types().filter(|name| types.is_empty() || types.iter().any(|wanted| wanted == name)) {
        let next = events::feed(conn, agency, Some(from), &[name.to_owned()], 1)?;
        if next.iter().any(|event| (event.xact, event.seq) <= horizon.place()) {
            return Err(expired());
        }
    }
    Ok(())
}

fn passing_types() -> impl Iterator<Item = &'static str> {
    event::TYPES.iter().copied().filter(|name| event::is_passing(name))
}

/// Whether an event that is not there was forgotten, and is not one that never was: its id tells when it was
/// made.
fn is_forgotten(event: EventId, horizon: Option<Horizon>) -> bool {
    event.made_at().zip(horizon).is_some_and(|(made_at, horizon)| made_at <= *horizon.occurred_at)
}

fn expired() -> AppError {
    AppError::Expired(
        "the feed does not go back so far any more: read the lists as they are now, and then follow the feed \
         without `after`",
    )
}

/// Lets an agency's feed begin later, if its first events are older than they are kept: at most `limit` of
/// them at a time. They are forgotten unless they are somebody's history. Answers how many it passed.
pub fn expire(tx: &mut Tx<'_>, agency: AgencyId, kept_for: TimeDelta, limit: i64) -> Result<usize, AppError> {
    let Some(cutoff) = tx.now().checked_sub_signed(kept_for) else { return Ok(0) };
    let horizon = events::lock_horizon(tx, agency)?;
    let mut old = events::feed(tx, agency, Some(horizon.place()), &[], limit)?;
    let count = old.iter().take_while(|row| *row.occurred_at < cutoff).count();
    old.truncate(count);
    let Some(last) = old.last() else { return Ok(0) };
    // Events come in the order of their transactions, which is not quite that of their times.
    let latest = old.iter().map(|row| row.occurred_at).fold(horizon.occurred_at, Timestamp::max);
    let end = Horizon { xact: last.xact, seq: last.seq, occurred_at: latest };
    // The last of each type stays until the next one is passed: whoever follows the type goes on from it, and
    // it tells that there was none since.
    for name in passing_types() {
        if let Some(last) = old.iter().rfind(|row| row.event_type == name) {
            events::delete_before(tx, agency, name, (last.xact, last.seq))?;
        }
    }
    events::move_horizon(tx, agency, end)?;
    Ok(count)
}
