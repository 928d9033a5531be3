//! Who did what in a debrief, when and why.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::lifecycle;
use crate::app::AppError;
use crate::auth::caller::{Actor, Caller};
use crate::domain::ids::{DebriefId, EventId};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::history;

/// Something that happened in a debrief.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryEntry {
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub seq: i64,
    /// The event's id.
    pub id: EventId,
    /// What happened, such as `debrief.released`.
    #[serde(rename = "type")]
    #[schema(example = "debrief.released")]
    pub event_type: String,
    /// Who did it.
    pub actor: NamedActor,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
    /// Ids, states and versions of what it happened to.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Who did something, by name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamedActor {
    #[expect(missing_docs, reason = "its fields are shown as the actor's own")]
    #[serde(flatten)]
    pub actor: Actor,
    /// The name of the user or the integration, as it is now; none for the service itself.
    pub name: Option<String>,
}

/// A page of a debrief's history, oldest first, beginning after the entry at `after`: three
/// statements at the most.
pub fn list(
    conn: &mut DbConn,
    caller: &Caller,
    debrief: DebriefId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<HistoryEntry>, AppError> {
    let rows = history::of_debrief(conn, caller.agency, debrief, after.unwrap_or_default(), limit)?;
    if rows.is_empty() {
        lifecycle::expect_standing(conn, caller.agency, debrief)?;
        return Ok(Vec::new());
    }
    let names = names_of(conn, caller, rows.iter().map(|row| row.actor.0))?;
    let entries = rows.into_iter().map(|row| HistoryEntry {
        seq: row.seq,
        id: row.id,
        event_type: row.event_type,
        actor: NamedActor { actor: row.actor.0, name: names.get(&row.actor.0).cloned() },
        reason: row.reason,
        occurred_at: row.occurred_at,
        data: row.data.0,
    });
    Ok(entries.collect())
}

fn names_of(
    conn: &mut DbConn,
    caller: &Caller,
    actors: impl Iterator<Item = Actor>,
) -> Result<HashMap<Actor, String>, AppError> {
    let (mut users, mut integrations) = (Vec::new(), Vec::new());
    for actor in actors {
        match actor {
            Actor::User(id) if !users.contains(&id) => users.push(id),
            Actor::ApiClient(id) if !integrations.contains(&id) => integrations.push(id),
            _ => {}
        }
    }
    let mut names = HashMap::new();
    if !users.is_empty() {
        let found = history::user_names(conn, caller.agency, &users)?;
        names.extend(found.into_iter().map(|(id, name)| (Actor::User(id), name)));
    }
    if !integrations.is_empty() {
        let found = history::api_client_names(conn, caller.agency, &integrations)?;
        names.extend(found.into_iter().map(|(id, name)| (Actor::ApiClient(id), name)));
    }
    Ok(names)
}
