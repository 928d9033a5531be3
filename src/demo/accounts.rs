//! The accounts of both sides.

use serde_json::json;

use super::dice::Dice;
use super::fate::Voice;
use super::plan::ContactPlan;
use super::telling::Telling;
use super::texts::accounts as say;
use super::texts::points::{CIRCUMSTANCES, CONDUCT, Slip, THEMES, Theme};
use super::texts::{Gaps, paragraph};
use crate::domain::debrief::SideStatus;
use crate::domain::feedback::{
    Address, AgencyOnly, Channel, CompetencyRating, FeedbackState, InterestLevel, Overall, Point, PointKind,
    Rating, Severity, Side,
};
use crate::domain::timestamp::Timestamp;
use crate::store::debriefs::PointMatch;
use crate::store::feedback::FeedbackRow;
use crate::store::points::PointRow;
use crate::store::revisions::{RevisionDocument, RevisionRow};
use crate::store::types::Json;

/// What both sides speak of, each in its own way.
#[derive(Clone, Copy)]
struct Topic {
    theme: &'static Theme,
    slip: &'static Slip,
}

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
    let (own, theirs) = (topic(&mut telling.dice), topic(&mut telling.dice));
    let shared = if telling.dice.chance(50) { own } else { theirs };
    let mut slips = [None, None];
    for (place, account) in accounts.iter_mut().enumerate() {
        let side = usize::from(account.side == Side::Client);
        let voice = match (place, fate.client) {
            (0, _) => fate.candidate,
            (1, voice) | (_, voice @ (Voice::Waived | Voice::Silent)) => voice,
            (_, Voice::Draft) => Voice::Silent,
            (_, Voice::Given) => {
                telling.dice.weigh(&[(45, Voice::Given), (45, Voice::Silent), (10, Voice::Waived)])
            }
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

fn topic(dice: &mut Dice) -> Topic {
    let theme = dice.pick(&THEMES);
    Topic { theme, slip: dice.pick(theme.slips) }
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
fn account_of(
    telling: &mut Telling<'_>,
    row: &mut FeedbackRow,
    voice: Voice,
    contact: &ContactPlan,
    topic: Topic,
) -> Option<crate::domain::ids::PointId> {
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
    let gaps = Gaps {
        client: &telling.client.name,
        contact: &contact.person.name,
        candidate: &telling.journey.person.name,
        title: telling.client.jobs[telling.leg.job].title,
    };
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

/// Writes what a person says on the whole.
fn write(telling: &mut Telling<'_>, row: &mut FeedbackRow, gaps: &Gaps<'_>, topic: Topic) {
    let (mood, ends) = (telling.fate.mood, telling.leg.ends);
    let world = telling.world;
    let dice = &mut telling.dice;
    // One sees one's own interview a little differently from everybody else.
    let mood = if row.side == Side::Candidate { (mood + dice.between(-1, 1)).clamp(-2, 2) } else { mood };
    row.channel = Some(dice.weigh(&[
        (5, Channel::Phone),
        (3, Channel::Email),
        (2, Channel::Form),
        (1, Channel::Meeting),
    ]));
    row.verbatim = matches!(row.channel, Some(Channel::Email | Channel::Form));
    row.overall = Some(match mood {
        ..=-2 => Overall::StrongNo,
        -1 => Overall::No,
        0 => Overall::NoDecision,
        1 => Overall::Yes,
        2.. => Overall::StrongYes,
    });
    let fine = mood > 0 || (mood == 0 && dice.chance(50));
    if row.side == Side::Candidate {
        let middle = if fine { &say::GOOD_MIDDLES } else { &say::BAD_MIDDLES };
        row.first_impression = Some(paragraph(dice, &[&say::FIRST_IMPRESSIONS], gaps));
        row.narrative =
            Some(paragraph(dice, &[&say::BEGINNINGS, middle, &say::GOOD_MIDDLES, &say::ENDINGS], gaps));
        row.agency_only = dice.chance(60).then(|| Json(agency_only(dice, mood, ends.date_naive())));
    } else {
        let verdict = if fine { &say::CLIENT_PRO } else { &say::CLIENT_CON };
        row.narrative = Some(paragraph(dice, &[&say::CLIENT_BEGINNINGS, &say::CLIENT_PRO, verdict], gaps));
        row.said_by = dice.chance(6).then(|| format!("{}, for the panel", gaps.contact));
    }
    let first = dice.index(THEMES.len());
    let themes =
        THEMES.iter().cycle().skip(first).take(3).filter(|theme| theme.competency != topic.theme.competency);
    let ratings = themes.chain([topic.theme]).filter_map(|theme| {
        let scale =
            if theme.competency == topic.theme.competency { mood - 1 } else { mood + dice.between(-1, 1) };
        let rating = match scale {
            ..=-2 => Rating::StrongNo,
            -1 => Rating::No,
            0 => Rating::Mixed,
            1 => Rating::Yes,
            2.. => Rating::StrongYes,
        };
        let note = dice.chance(35).then(|| (*dice.pick(theme.remarks)).to_owned());
        Some(CompetencyRating { competency: world.competency(theme.competency)?, rating, note })
    });
    row.ratings = Json(ratings.collect());
}

fn agency_only(dice: &mut Dice, mood: i64, day: chrono::NaiveDate) -> AgencyOnly {
    let level = match mood {
        ..=-2 => InterestLevel::None,
        -1 => InterestLevel::Low,
        0 => InterestLevel::Medium,
        1.. => InterestLevel::High,
    };
    let mut one_of = |list: &[&str]| dice.chance(55).then(|| (*dice.pick(list)).to_owned());
    AgencyOnly {
        interest_level: Some(level),
        concerns: one_of(&say::CONCERNS),
        other_processes: one_of(&say::OTHER_PROCESSES),
        salary: one_of(&say::SALARIES),
        start_date: dice.chance(40).then(|| day + chrono::Days::new(30 + dice.below(60))),
    }
}

/// The things that a person speaks of: a strength, a slip, and sometimes more.
fn points(telling: &mut Telling<'_>, side: Side, topic: Topic) -> Vec<Point> {
    let (world, at) = (telling.world, telling.at);
    let dice = &mut telling.dice;
    let bare = |dice: &mut Dice, kind, competency: Option<&str>, what: &str| Point {
        id: dice.id(at),
        kind,
        competency: competency.and_then(|key| world.competency(key)),
        what: what.to_owned(),
        why: None,
        next_time: None,
        question_asked: None,
        wished_answer: None,
        severity: None,
        address: None,
    };
    let good = dice.pick(&THEMES);
    let praise = dice.pick(if side == Side::Candidate { good.own_strengths } else { good.seen_strengths });
    let mut points = vec![bare(dice, PointKind::Strength, Some(good.competency), praise)];
    let (theme, slip) = (topic.theme, topic.slip);
    let what = if side == Side::Candidate { slip.what } else { slip.seen };
    let mut mistake = bare(dice, PointKind::Slip, Some(theme.competency), what);
    mistake.severity =
        Some(dice.weigh(&[(5, Severity::Minor), (4, Severity::Noticeable), (2, Severity::Serious)]));
    mistake.question_asked = dice.chance(70).then(|| slip.question.to_owned());
    if side == Side::Candidate {
        mistake.why = Some(slip.why.to_owned());
        mistake.next_time = Some(slip.next_time.to_owned());
        mistake.wished_answer = mistake.question_asked.as_ref().map(|_| slip.wished.to_owned());
        mistake.address = dice.weigh(&[(2, None), (1, Some(Address::Leave)), (1, Some(Address::Address))]);
        if dice.chance(25) {
            let what = *dice.pick(&CONDUCT);
            points.push(bare(dice, PointKind::Conduct, None, what));
        }
        if dice.chance(25) {
            let what = *dice.pick(&CIRCUMSTANCES);
            points.push(bare(dice, PointKind::Circumstance, None, what));
        }
    }
    points.insert(1, mistake);
    points
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
fn match_points(telling: &mut Telling<'_>, slips: [Option<crate::domain::ids::PointId>; 2]) {
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
