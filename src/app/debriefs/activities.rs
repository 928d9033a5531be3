//! The log of what is done around a debrief.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lifecycle;
use crate::app::AppError;
use crate::app::error::checked;
use crate::app::events::Happening;
use crate::app::faults::Faults;
use crate::auth::caller::Caller;
use crate::domain::activity::ActivityKind;
use crate::domain::ids::{ActivityId, AgencyId, ContactId, DebriefId};
use crate::domain::timestamp::Timestamp;
use crate::store::activities::{self, Activity};
use crate::store::connection::DbConn;
use crate::store::contacts;
use crate::store::debriefs::Debrief;
use crate::store::pool::Tx;
use crate::store::types::Json;

/// What logs an activity.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityInput {
    /// What kind of activity it was.
    kind: ActivityKind,
    /// What came of it.
    #[schema(
        min_length = 1,
        max_length = 500,
        format = "text-not-blank",
        example = "Will call back on Monday."
    )]
    outcome: String,
    /// What was said.
    #[schema(max_length = 10_000, format = "text")]
    summary: Option<String>,
    /// The contact at the other end, if it was one; one of the debrief's client.
    contact_id: Option<ContactId>,
    /// Whether somebody who took part had an interest of their own in it, as a friend inside has.
    #[serde(default)]
    conflict_of_interest: bool,
    /// When it took place; now, if nothing is said.
    occurred_at: Option<Timestamp>,
}

/// Logs an activity.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    input: ActivityInput,
) -> Result<Activity, AppError> {
    let mut debrief = lifecycle::lock(tx, caller, debrief)?;
    lifecycle::touch(tx, &mut debrief);
    let now = tx.now();
    let mut faults = Faults::default();
    if input.occurred_at.is_some_and(|at| at > now) {
        faults.add("/occurred_at", "in_the_future", "must not lie in the future");
    }
    if let Some(contact) = input.contact_id
        && !contacts::is_of_client(tx, caller.agency, debrief.client_id, contact)?
    {
        faults.unknown("/contact_id", "contact at the client");
    }
    checked(faults)?;
    let activity = Activity {
        id: tx.new_id(),
        agency_id: caller.agency,
        debrief_id: debrief.id,
        contact_id: input.contact_id,
        kind: input.kind,
        outcome: input.outcome,
        summary: input.summary,
        conflict_of_interest: input.conflict_of_interest,
        occurred_at: input.occurred_at.unwrap_or(now),
        recorded_by: Json(caller.actor),
        created_at: now,
        updated_at: now,
    };
    log(tx, caller, &mut debrief, &activity)?;
    Ok(activity)
}

/// Files what came by email in answer to a note.
pub fn file_reply(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    debrief: DebriefId,
    contact: ContactId,
    kind: ActivityKind,
    text: String,
) -> Result<ActivityId, AppError> {
    let system = Caller::system(agency);
    let mut debrief = lifecycle::lock(tx, &system, debrief)?;
    lifecycle::touch(tx, &mut debrief);
    let outcome = match kind {
        ActivityKind::AutoReply => "An automatic answer came by email.",
        _ => "An answer came by email.",
    };
    let activity = Activity {
        id: tx.new_id(),
        agency_id: agency,
        debrief_id: debrief.id,
        contact_id: Some(contact),
        kind,
        outcome: outcome.to_owned(),
        summary: Some(text).filter(|text| !text.is_empty()),
        conflict_of_interest: false,
        occurred_at: tx.now(),
        recorded_by: Json(system.actor),
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    log(tx, &system, &mut debrief, &activity)?;
    Ok(activity.id)
}

/// Writes an activity of a held debrief.
fn log(tx: &mut Tx<'_>, caller: &Caller, debrief: &mut Debrief, activity: &Activity) -> Result<(), AppError> {
    activities::insert(tx, activity)?;
    Happening::to("activity.logged", activity.id)
        .of(debrief.id)
        .with("kind", activity.kind)
        .with("contact_id", activity.contact_id)
        .record(tx, caller);
    lifecycle::settle(tx, caller, debrief)?;
    lifecycle::save(tx, debrief)
}

/// A page of a debrief's activities, the last one written first, beginning before `before`.
pub fn list(
    conn: &mut DbConn,
    caller: &Caller,
    debrief: DebriefId,
    before: Option<ActivityId>,
    limit: i64,
) -> Result<Vec<Activity>, AppError> {
    let rows = activities::list(conn, caller.agency, debrief, before, limit)?;
    if rows.is_empty() {
        lifecycle::expect_standing(conn, caller.agency, debrief)?;
    }
    Ok(rows)
}
