//! An interview at the moment when it is agreed, with its debrief.

use super::companies::ContactPlan;
use super::dice::Dice;
use super::plan::{Journey, Leg};
use super::telling::Telling;
use super::texts;
use super::world::World;
use crate::domain::debrief::{DebriefState, SideStatus};
use crate::domain::due::due_at;
use crate::domain::ids::{ClientId, InterviewId, UserId};
use crate::domain::interview::{Format, InterviewStatus, PreparationItem};
use crate::domain::record::RecordKind;
use crate::store::debriefs::Debrief;
use crate::store::interviews::InterviewRow;
use crate::store::interviews::PanelRow;
use crate::store::record::RefRow;
use crate::store::types::Json;

/// One to three of a client's people, who decides among them.
pub fn panel<'a>(dice: &mut Dice, contacts: &'a [ContactPlan]) -> Vec<&'a ContactPlan> {
    let size = dice.weigh(&[(45, 1), (40, 2), (15, 3)]).min(contacts.len());
    let skip = dice.index(contacts.len() - size + 1);
    // Whoever comes first may always be written to.
    let others = contacts.iter().skip(1 + skip.min(contacts.len() - size));
    contacts.iter().take(1).chain(others).take(size).collect()
}

/// Most debriefs of a client are one recruiter's; a few are nobody's.
pub fn recruiter(world: &World, dice: &mut Dice, leg: &Leg) -> Option<UserId> {
    let number = match dice.below(100) {
        0..4 => return None,
        4..16 => dice.index(world.recruiters.len()),
        _ => leg.client,
    };
    Some(world.recruiter(number).id)
}

/// The debrief as it is when the interview is agreed.
pub fn blank(
    world: &World,
    journey: &Journey,
    leg: &Leg,
    client_id: ClientId,
    recruiter_id: Option<UserId>,
) -> Debrief {
    let zone = journey.person.zone.parse().unwrap_or(chrono_tz::Tz::UTC);
    Debrief {
        id: leg.debrief,
        agency_id: world.agency,
        interview_id: leg.id,
        candidate_id: journey.id,
        client_id,
        job_order_id: world.plan.clients[leg.client].jobs[leg.job].id,
        recruiter_id,
        state: DebriefState::Scheduled,
        outcome: None,
        interviewed_at: leg.starts.into(),
        interview_ends_at: leg.ends.into(),
        due_at: due_at(leg.ends, zone).into(),
        candidate_side: SideStatus::Missing,
        client_side: SideStatus::Missing,
        candidate_overall: None,
        client_overall: None,
        retry_state: None,
        note_state: None,
        matches: Json(Vec::new()),
        released_at: None,
        closed_at: None,
        version: 1,
        created_at: leg.created.into(),
        updated_at: leg.created.into(),
        deleted_at: None,
    }
}

/// The interview as it is when it is agreed, with its panel.
pub fn interview(
    telling: &mut Telling<'_>,
    retry_of_interview_id: Option<InterviewId>,
    number: u64,
) -> InterviewRow {
    let (leg, world) = (telling.leg, telling.world);
    let dice = &mut telling.dice;
    let first = dice.index(texts::PREPARATION.len());
    let items = texts::PREPARATION.iter().cycle().skip(first).take(2 + dice.index(4));
    let preparation =
        items.map(|item| PreparationItem { item: (*item).to_owned(), done: dice.chance(65) }).collect();
    let external_refs = if dice.chance(15) { world.external("calendar", number) } else { Json(Vec::new()) };
    let external =
        external_refs.0.iter().map(|r| RefRow::new(world.agency, RecordKind::Interview, leg.id, r));
    telling.rows.external_refs.extend(external);
    let panel = telling.panel.iter().zip(0..);
    let seat = |(contact, position): (&&ContactPlan, i32)| PanelRow {
        interview_id: leg.id,
        contact_id: contact.id,
        position,
    };
    telling.rows.interview_contacts.extend(panel.map(seat));
    InterviewRow {
        id: leg.id,
        agency_id: world.agency,
        candidate_id: telling.journey.id,
        job_order_id: telling.debrief.job_order_id,
        round: leg.round,
        format: dice.weigh(&[(2, Format::Phone), (5, Format::Video), (4, Format::Onsite)]),
        starts_at: leg.starts.into(),
        ends_at: leg.ends.into(),
        time_zone: telling.journey.person.zone.to_owned(),
        status: InterviewStatus::Scheduled,
        retry_of_interview_id,
        preparation: Json(preparation),
        external_refs,
        version: 1,
        created_at: leg.created.into(),
        updated_at: leg.created.into(),
        deleted_at: None,
    }
}
