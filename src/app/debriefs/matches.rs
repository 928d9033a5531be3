//! What the recruiter says of pairs of points: that they are the same thing, or that they are not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lifecycle;
use crate::app::AppError;
use crate::app::error::checked;
use crate::app::events::Happening;
use crate::app::faults::Faults;
use crate::app::records::Expected;
use crate::auth::caller::Caller;
use crate::domain::feedback::PointKind;
use crate::domain::ids::{DebriefId, MatchId, PointId};
use crate::store::debriefs::{Debrief, PointMatch};
use crate::store::points::{self, PointRow};
use crate::store::pool::Tx;

/// The most matches in one debrief.
const MAX_MATCHES: usize = 1_000;

/// What says of two points that they are, or are not, the same thing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchInput {
    /// The two points, either way round; usually one of each side. Strengths are not matched.
    #[schema(min_items = 2, max_items = 2)]
    points: Vec<PointId>,
    /// Whether they are the same thing.
    same: bool,
}

/// Keeps what is said of two points, in place of what was said of them before. With the match comes
/// the debrief's version, and whether the match is a new one. To say the same again is no change.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    expected: Expected,
    input: &MatchInput,
) -> Result<(PointMatch, bool), AppError> {
    let mut debrief = lifecycle::hold(tx, caller, debrief, expected)?;
    let known = points::of_debrief(tx, caller.agency, debrief.id)?;
    let pair = check(input, &known)?;
    let swapped = (pair.1, pair.0);
    let former = debrief.matches.0.iter().position(|made| made.points == pair || made.points == swapped);
    if let Some(said) = former.map(|at| &debrief.matches.0[at]).filter(|made| made.same == input.same) {
        return Ok((said.clone(), false));
    }
    let is_new = former.is_none();
    if is_new && debrief.matches.0.len() >= MAX_MATCHES {
        let detail = format!("a debrief has at most {MAX_MATCHES} matches");
        return Err(AppError::fault("/points", "too_many", detail));
    }
    let made = PointMatch {
        id: former.map_or_else(|| tx.new_id(), |at| debrief.matches.0.swap_remove(at).id),
        points: pair,
        same: input.same,
        recorded_by: caller.actor,
        recorded_at: tx.now(),
    };
    debrief.matches.0.push(made.clone());
    happened(tx, caller, "debrief.points_matched", &debrief, &made);
    lifecycle::save(tx, &debrief)?;
    Ok((made, is_new))
}

/// Forgets what was said of two points: the rule decides again.
pub fn delete(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    id: MatchId,
    expected: Expected,
) -> Result<(), AppError> {
    let mut debrief = lifecycle::hold(tx, caller, debrief, expected)?;
    let at = debrief.matches.0.iter().position(|made| made.id == id).ok_or(AppError::NotFound)?;
    let gone = debrief.matches.0.swap_remove(at);
    happened(tx, caller, "debrief.match_removed", &debrief, &gone);
    lifecycle::save(tx, &debrief)
}

/// The two points, if they are the debrief's and can be matched.
fn check(input: &MatchInput, known: &[PointRow]) -> Result<(PointId, PointId), AppError> {
    let mut faults = Faults::default();
    for (i, id) in input.points.iter().enumerate() {
        let pointer = format!("/points/{i}");
        match known.iter().find(|point| point.id == *id) {
            None => faults.unknown(pointer, "point in this debrief"),
            Some(point) if point.kind == PointKind::Strength => {
                faults.add(pointer, "not_allowed", "strengths are listed, not matched");
            }
            Some(_) if input.points[..i].contains(id) => {
                faults.add(pointer, "duplicate", "a point is the same thing as itself");
            }
            Some(_) => {}
        }
    }
    checked(faults)?;
    match input.points[..] {
        [a, b] => Ok((a, b)),
        _ => Err(AppError::fault("/points", "invalid", "must be two points")),
    }
}

fn happened(tx: &mut Tx<'_>, caller: &Caller, event: &str, debrief: &Debrief, made: &PointMatch) {
    Happening::to(event, debrief.id)
        .of(debrief.id)
        .with("match_id", made.id)
        .with("points", made.points)
        .with("same", made.same)
        .with("version", debrief.version)
        .record(tx, caller);
}
