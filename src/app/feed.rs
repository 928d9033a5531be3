//! The change feed: everything that happened in an agency, for other systems to follow.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use crate::auth::caller::Caller;
use crate::domain::event;
use crate::domain::ids::EventId;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::events::{self, FeedRow, Place};

/// Which events are wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Only those after this one: the last that was seen. Without it, from the first on.
    pub after: Option<EventId>,
    /// Only those of these types, with commas between.
    #[param(example = "debrief.released,note.sent")]
    pub types: Option<String>,
}

impl FeedQuery {
    /// The types that are wanted, none for all; or one that there is not.
    pub fn types(&self) -> Result<Vec<String>, String> {
        let Some(types) = &self.types else { return Ok(Vec::new()) };
        let known = |name: &str| {
            if event::TYPES.contains(&name) { Ok(name.to_owned()) } else { Err(name.to_owned()) }
        };
        types.split(',').map(str::trim).map(known).collect()
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

/// A page of the feed from after a place, or else from after an event: two statements at the most.
/// None if there is no such event.
pub fn list(
    conn: &mut DbConn,
    caller: &Caller,
    after: Option<EventId>,
    place: Option<Place>,
    types: &[String],
    limit: i64,
) -> Result<Option<Vec<FeedEvent>>, AppError> {
    let from = match (place, after) {
        (None, Some(event)) => match events::place(conn, caller.agency, event)? {
            Some(place) => Some(place),
            None => return Ok(None),
        },
        (place, _) => place,
    };
    let rows = events::feed(conn, caller.agency, from, types, limit)?;
    Ok(Some(rows.into_iter().map(FeedEvent::from).collect()))
}
