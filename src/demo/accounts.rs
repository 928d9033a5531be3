//! The accounts of both sides.

use serde_json::json;

use super::companies::ContactPlan;
use super::fate::Voice;
use super::said::{Topic, points, write};
use super::telling::Telling;
use super::texts::accounts as say;
use crate::domain::debrief::SideStatus;
use crate::domain::feedback::{FeedbackState, Overall, Point, PointKind, Side};
use crate::domain::ids::PointId;
use crate::domain::timestamp::Timestamp;
use crate::store::debriefs::PointMatch;
use crate::store::feedback::FeedbackRow;
use crate::store::points::PointRow;
use crate::store::revisions::{RevisionDocument, RevisionRow};
use crate::store::types::Json;

/// Asks everybody for an account; nobody has spoken yet.
pub fn ask(telling: &mut Telling<'_>) {
    for row in requests(telling) {
        telling.rows.feedback.push(row);
    }
}

/// Tells what each side says.
pub fn tell(telling: &mut Telling<'_>) {
    let mut accounts = requests(telling);
    let fate = telling.fate;
    let (own, theirs) = (Topic::any(&mut telling.dice), Topic::any(&mut telling.dice));
    let shared = if telling.dice.chance(50) { own } else { theirs };
    let mut slips = [None, None];
    for (place, account) in accounts.iter_mut().enumerate() {
        let side = usize::from(account.side == Side::Client);
        let voice = match (place, fate.client) {
            (0, _) => fate.candidate,
            (1, voice) | (_, voice @ (Voice::Waived | Voice::Silent)) => voice,
            (_, Voice::Draft) => Voice::Silent,
            (_, Voice::Given) => telling.dice.weigh(&[
                (45, Voice::Given),
                (38, Voice::Silent),
                (10, Voice::Waived),
                (7, Voice::Draft),
            ]),
        };
        let contact = telling.panel[place.saturating_sub(1)];
        let topic = if side == 0 { own } else { shared };
        let slip = account_of(telling, account, voice, contact, topic);
        slips[side] = slips[side].or(slip);
    }
    sum_up(telling, &accounts);
    match_points(telling, slips);
    telling.rows.feedback.append(&mut accounts);
}

/// The candidate's row, then one for each contact.
fn requests(telling: &mut Telling<'_>) -> Vec<FeedbackRow> {
    let (agency, debrief, created) = (telling.world.agency, telling.debrief.id, telling.leg.created);
    let contacts: Vec<_> = telling.panel.iter().map(|contact| Some(contact.id)).collect();
    let whose = [None].into_iter().chain(contacts);
    let mut row =
        |contact| FeedbackRow::requested(telling.dice.id(created), agency, debrief, contact, created.into());
    whose.map(&mut row).collect()
}

/// Lets one person speak, and answers the slip that is spoken of.
fn account_of<'a>(
    telling: &mut Telling<'a>,
    row: &mut FeedbackRow,
    voice: Voice,
    contact: &'a ContactPlan,
    topic: Topic,
) -> Option<PointId> {
    match voice {
        Voice::Silent => return None,
        Voice::Waived => {
            let reason = *telling.dice.pick(&say::WAIVERS);
            step(telling, row, FeedbackState::Waived);
            row.waived_reason = Some(reason.to_owned());
            note(telling, row, "feedback.waived", Some(reason));
            return None;
        }
        Voice::Draft | Voice::Given => {}
    }
    let gaps = telling.gaps(contact);
    telling.pass(1, if row.side == Side::Candidate { 9 } else { 30 });
    write(telling, row, &gaps, topic);
    let points = points(telling, row.side, topic);
    row.version += 1;
    row.updated_at = telling.now();
    telling.touch();
    row.state = FeedbackState::Draft;
    note(telling, row, "feedback.created", None);
    if voice == Voice::Given {
        submit(telling, row, &points, "feedback.submitted");
        if telling.dice.chance(if row.side == Side::Candidate { 14 } else { 4 }) {
            let later = *telling.dice.pick(&say::CONSIDERED);
            row.narrative = row.narrative.take().map(|told| format!("{told}\n\n{later}"));
            step(telling, row, FeedbackState::Submitted);
            submit(telling, row, &points, "feedback.revised");
        }
    }
    let rows = points
        .iter()
        .enumerate()
        .map(|(place, point)| PointRow::new(row.agency_id, row.debrief_id, row.id, place, point));
    telling.rows.points.extend(rows);
    points.iter().find(|point| point.kind == PointKind::Slip && voice == Voice::Given).map(|point| point.id)
}

fn step(telling: &mut Telling<'_>, row: &mut FeedbackRow, state: FeedbackState) {
    row.updated_at = telling.pass(1, 20);
    row.version += 1;
    row.state = state;
    telling.touch();
}

fn note(telling: &mut Telling<'_>, row: &FeedbackRow, event: &str, reason: Option<&str>) {
    let data = json!({
        "side": row.side, "contact_id": row.contact_id, "state": row.state, "revision": row.revision, "version": row.version,
    });
    telling.happened(event, row.id, reason, data);
}

fn submit(telling: &mut Telling<'_>, row: &mut FeedbackRow, points: &[Point], event: &str) {
    let now: Timestamp = telling.now();
    row.state = FeedbackState::Submitted;
    row.revision += 1;
    row.submitted_at = Some(now);
    let document = RevisionDocument {
        side: row.side,
        contact_id: row.contact_id,
        said_by: row.said_by.clone(),
        channel: row.channel,
        verbatim: row.verbatim,
        first_impression: row.first_impression.clone(),
        narrative: row.narrative.clone(),
        overall: row.overall,
        ratings: row.ratings.0.clone(),
        points: points.to_vec(),
        agency_only: row.agency_only.as_ref().map(|told| told.0.clone()),
    };
    telling.rows.feedback_revisions.push(RevisionRow {
        feedback_id: row.id,
        revision: row.revision,
        agency_id: row.agency_id,
        document: Json(document),
        recorded_by: Json(telling.actor),
        recorded_at: now,
    });
    note(telling, row, event, None);
}

/// Writes into the debrief what its accounts add up to.
fn sum_up(telling: &mut Telling<'_>, accounts: &[FeedbackRow]) {
    let of = |side: Side| accounts.iter().filter(move |account| account.side == side);
    let states = |side| SideStatus::of(&of(side).map(|account| account.state).collect::<Vec<_>>());
    let overall = |side| {
        let given = of(side).filter(|account| account.state == FeedbackState::Submitted);
        Overall::of_panel(&given.filter_map(|account| account.overall).collect::<Vec<_>>())
    };
    let debrief = &mut telling.debrief;
    (debrief.candidate_side, debrief.client_side) = (states(Side::Candidate), states(Side::Client));
    (debrief.candidate_overall, debrief.client_overall) = (overall(Side::Candidate), overall(Side::Client));
}

/// Now and then the recruiter says whether both speak of the same thing.
fn match_points(telling: &mut Telling<'_>, slips: [Option<PointId>; 2]) {
    let [Some(own), Some(theirs)] = slips else { return };
    if telling.dice.chance(8) {
        let made = PointMatch {
            id: telling.id(),
            points: (own, theirs),
            same: telling.dice.chance(75),
            recorded_by: telling.actor,
            recorded_at: telling.now(),
        };
        telling.debrief.matches = Json(vec![made]);
    }
}
