//! The transitions that somebody takes; the others follow by themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lifecycle;
use super::view::{self, DebriefView};
use crate::app::records::Expected;
use crate::app::retry_requests::end_with_interview;
use crate::app::{AppError, interviews};
use crate::auth::caller::Caller;
use crate::domain::debrief::{CancelReason, DebriefTransition, Outcome};
use crate::domain::ids::DebriefId;
use crate::store::debriefs::Debrief;
use crate::store::pool::Tx;

/// What closes a debrief.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseInput {
    /// What came of the interview.
    outcome: Outcome,
    /// Why, as it will stand in the history.
    #[schema(min_length = 1, max_length = 2_000, format = "text-not-blank")]
    reason: Option<String>,
}

/// What opens a closed debrief again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenInput {
    /// Why, as it will stand in the history.
    #[schema(
        min_length = 1,
        max_length = 2_000,
        format = "text-not-blank",
        example = "The client has changed its mind."
    )]
    reason: String,
}

/// What cancels a debrief, and the interview with it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelInput {
    /// Why the interview did not take place.
    reason: CancelReason,
    /// What else is to stand in the history.
    #[schema(min_length = 1, max_length = 2_000, format = "text-not-blank")]
    note: Option<String>,
}

/// The candidate was given the client's view.
pub fn release(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: DebriefId,
    expected: Expected,
) -> Result<DebriefView, AppError> {
    let mut debrief = hold(tx, caller, id, expected)?;
    lifecycle::take(tx, caller, &mut debrief, DebriefTransition::Release, None)?;
    debrief.released_at = Some(tx.now());
    save(tx, caller, &debrief)
}

/// The debrief is done, with an outcome.
pub fn close(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: DebriefId,
    expected: Expected,
    input: &CloseInput,
) -> Result<DebriefView, AppError> {
    let mut debrief = hold(tx, caller, id, expected)?;
    debrief.outcome = Some(input.outcome);
    lifecycle::take(tx, caller, &mut debrief, DebriefTransition::Close, input.reason.as_deref())?;
    debrief.closed_at = Some(tx.now());
    save(tx, caller, &debrief)
}

/// The debrief was not done after all. It is open, or ready at once if both sides are in.
pub fn reopen(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: DebriefId,
    expected: Expected,
    input: &ReopenInput,
) -> Result<DebriefView, AppError> {
    let mut debrief = hold(tx, caller, id, expected)?;
    lifecycle::take(tx, caller, &mut debrief, DebriefTransition::Reopen, Some(&input.reason))?;
    debrief.outcome = None;
    debrief.closed_at = None;
    lifecycle::settle(tx, caller, &mut debrief)?;
    save(tx, caller, &debrief)
}

/// The interview did not take place: it and its debrief are cancelled.
pub fn cancel(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: DebriefId,
    expected: Expected,
    input: &CancelInput,
) -> Result<DebriefView, AppError> {
    let mut debrief = hold(tx, caller, id, expected)?;
    let reason = input.note.as_deref().unwrap_or(input.reason.into());
    lifecycle::take(tx, caller, &mut debrief, DebriefTransition::Cancel, Some(reason))?;
    end_with_interview(tx, caller, &mut debrief)?;
    interviews::call_off(tx, caller, debrief.interview_id, debrief.id, input.reason)?;
    save(tx, caller, &debrief)
}

/// Holds a debrief that is to take a transition; what follows by itself comes first.
fn hold(tx: &mut Tx<'_>, caller: &Caller, id: DebriefId, expected: Expected) -> Result<Debrief, AppError> {
    let mut debrief = lifecycle::hold(tx, caller, id, expected)?;
    lifecycle::settle(tx, caller, &mut debrief)?;
    Ok(debrief)
}

fn save(tx: &mut Tx<'_>, caller: &Caller, debrief: &Debrief) -> Result<DebriefView, AppError> {
    lifecycle::save(tx, debrief)?;
    let now = tx.now();
    let shown = view::get(tx, caller, debrief.id, now)?;
    shown.ok_or_else(|| AppError::Internal("a debrief changed while it was held".to_owned()))
}
