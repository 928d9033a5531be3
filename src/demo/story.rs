//! From an interview that was agreed to the end of its debrief.

use std::collections::HashSet;

use chrono::TimeDelta;
use serde_json::json;

use super::dice::{Dice, Stream};
use super::fate::{Fate, Sequel, Voice};
use super::meeting::{blank, interview, panel, recruiter};
use super::plan::{Follows, Journey, Leg};
use super::telling::Telling;
use super::texts::around as say;
use super::world::World;
use super::{accounts, notes, retries};
use crate::domain::activity::ActivityKind;
use crate::domain::actor::Actor;
use crate::domain::debrief::{DebriefState, SideStatus};
use crate::domain::ids::{ActivityId, ContactId};
use crate::domain::interview::InterviewStatus;
use crate::domain::timestamp::Timestamp;
use crate::store::activities::Activity;
use crate::store::bulk::Rows;
use crate::store::interviews::InterviewRow;
use crate::store::types::Json;

/// What the earlier debriefs leave to the later ones.
#[derive(Debug, Default)]
pub struct Memory {
    /// The contacts from whom mail came back: no more is written to them.
    pub bounced: HashSet<ContactId>,
}

/// Tells the debrief of one of a candidate's interviews, which is the `number`-th of all.
pub fn tell(
    world: &World,
    memory: &mut Memory,
    rows: &mut Rows,
    journey: &Journey,
    place: usize,
    number: u64,
) {
    let mut dice = Dice::new(world.plan.seed, Stream::Debrief, number);
    let leg = &journey.legs[place];
    let next = journey.legs.get(place + 1).filter(|next| next.follows != Follows::Nothing);
    let as_of = world.plan.calendar.as_of();
    let sequel = match next {
        None => Sequel::Open,
        Some(next) if next.follows == Follows::Round => Sequel::Round,
        Some(next) if next.ends > as_of => Sequel::RetryAhead,
        Some(_) => Sequel::RetryHeld,
    };
    let hours = (as_of - leg.ends).num_seconds().div_euclid(3600);
    let fate = Fate::of(&mut dice, hours, sequel, leg.follows == Follows::Retry);
    let client = &world.plan.clients[leg.client];
    let panel = panel(&mut dice, &client.contacts);
    let recruiter = recruiter(world, &mut dice, leg);
    let debrief = blank(world, journey, leg, client.id, recruiter);
    let actor = world.actor(recruiter);
    let until = next.map_or(as_of, |next| next.created);
    let at = leg.created;
    let mut telling =
        Telling { world, rows, dice, journey, leg, client, panel, fate, debrief, actor, at, until };
    let retry_of = (leg.follows == Follows::Retry).then(|| journey.legs[place - 1].id);
    let mut interview = interview(&mut telling, retry_of, number);
    agree(&mut telling);
    match fate.state {
        DebriefState::Scheduled => accounts::ask(&mut telling),
        DebriefState::Cancelled => {
            accounts::ask(&mut telling);
            cancel(&mut telling, &mut interview);
        }
        _ => {
            open(&mut telling, &mut interview);
            follow(&mut telling, memory, next);
        }
    }
    let Telling { rows, debrief, .. } = telling;
    rows.interviews.push(interview);
    rows.debriefs.push(debrief);
}

/// What follows once the interview is over.
fn follow(telling: &mut Telling<'_>, memory: &mut Memory, next: Option<&Leg>) {
    let fate = telling.fate;
    accounts::tell(telling);
    if telling.dice.chance(50) {
        talk(telling);
    }
    notes::thank(telling, memory);
    if fate.candidate != Voice::Draft
        && telling.debrief.client_side != SideStatus::Missing
        && fate.candidate != Voice::Silent
    {
        become_state(telling, DebriefState::Ready, "debrief.made_ready", Actor::System);
    }
    if fate.released {
        telling.pass(1, 30);
        telling.touch();
        telling.debrief.released_at = Some(telling.now());
        become_state(telling, DebriefState::Released, "debrief.released", telling.actor);
    }
    if let Some(state) = fate.retry {
        retries::ask(telling, state, next);
    }
    if fate.state == DebriefState::Closed {
        telling.pass(4, 72);
        telling.touch();
        telling.debrief.closed_at = Some(telling.now());
        telling.debrief.outcome = fate.outcome;
        become_state(telling, DebriefState::Closed, "debrief.closed", telling.actor);
    }
    retries::meet_again(telling, next);
}

fn become_state(telling: &mut Telling<'_>, state: DebriefState, event: &str, actor: Actor) {
    let from = std::mem::replace(&mut telling.debrief.state, state);
    let debrief = telling.debrief.id;
    let mut data = json!({ "from": from, "state": state, "version": telling.debrief.version });
    if state == DebriefState::Closed {
        data["outcome"] = json!(telling.debrief.outcome);
    }
    telling.happened_by(actor, event, debrief, None, data);
}

fn agree(telling: &mut Telling<'_>) {
    let (leg, debrief) = (telling.leg, telling.debrief.id);
    telling.happened("interview.created", leg.id, None, json!({ "version": 1 }));
    let data = json!({ "interview_id": leg.id, "state": DebriefState::Scheduled, "version": 1 });
    telling.happened("debrief.created", debrief, None, data);
}

/// The interview is called off, or somebody does not come.
fn cancel(telling: &mut Telling<'_>, interview: &mut InterviewRow) {
    let came_to_date = telling.leg.ends < telling.until;
    let status = if came_to_date && telling.dice.chance(35) {
        InterviewStatus::NoShow
    } else {
        InterviewStatus::Cancelled
    };
    let reason = match status {
        InterviewStatus::NoShow => say::CANCELLED[4],
        _ => *telling.dice.pick(&say::CANCELLED[..4]),
    };
    if status == InterviewStatus::NoShow {
        telling.at = telling.leg.ends;
    } else {
        telling.pass(1, 40);
    }
    telling.touch();
    let from = telling.debrief.state;
    telling.debrief.state = DebriefState::Cancelled;
    let data = json!({ "from": from, "state": DebriefState::Cancelled, "version": telling.debrief.version });
    let debrief = telling.debrief.id;
    telling.happened("debrief.cancelled", debrief, Some(reason), data);
    change(telling, interview, status);
}

/// The interview is over.
fn open(telling: &mut Telling<'_>, interview: &mut InterviewRow) {
    telling.at = telling.leg.ends;
    telling.touch();
    // Whoever marks the second chance as held marks its interview with it.
    let marked = telling.dice.chance(60) || telling.leg.follows == Follows::Retry;
    let actor = if marked { telling.actor } else { Actor::System };
    if marked {
        change(telling, interview, InterviewStatus::Held);
    }
    become_state(telling, DebriefState::Open, "debrief.opened", actor);
}

fn change(telling: &mut Telling<'_>, interview: &mut InterviewRow, status: InterviewStatus) {
    interview.status = status;
    interview.version += 1;
    interview.updated_at = telling.now();
    telling.happened(
        "interview.updated",
        interview.id,
        None,
        json!({ "status": status, "version": interview.version }),
    );
}

/// A call or a message in between.
fn talk(telling: &mut Telling<'_>) {
    let now: Timestamp = (telling.at + TimeDelta::seconds(1)).min(telling.until).into();
    let (kind, outcome, summary) = *telling.dice.pick(&say::ACTIVITIES);
    let contact = telling.panel.first().map(|contact| contact.id).filter(|_| telling.dice.chance(70));
    let id: ActivityId = telling.id();
    let activity = Activity {
        id,
        agency_id: telling.world.agency,
        debrief_id: telling.debrief.id,
        contact_id: contact,
        kind,
        outcome: outcome.to_owned(),
        summary: Some(summary.to_owned()),
        conflict_of_interest: kind == ActivityKind::Advocate && telling.dice.chance(50),
        occurred_at: now,
        recorded_by: Json(telling.actor),
        created_at: now,
        updated_at: now,
    };
    telling.rows.activities.push(activity);
    telling.touch();
    telling.happened("activity.logged", id, None, json!({ "kind": kind, "contact_id": contact }));
}
