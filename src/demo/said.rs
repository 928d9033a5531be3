//! What one person says: on the whole, by competency, and point by point.

use super::dice::Dice;
use super::telling::Telling;
use super::texts::accounts as say;
use super::texts::points::{CIRCUMSTANCES, CONDUCT, Slip, THEMES, Theme};
use super::texts::{Gaps, paragraph};
use crate::domain::feedback::{
    Address, AgencyOnly, Channel, CompetencyRating, InterestLevel, Overall, Point, PointKind, Rating,
    Severity, Side,
};
use crate::store::feedback::FeedbackRow;
use crate::store::types::Json;

/// A mistake that both sides may speak of, each in its own way.
#[derive(Clone, Copy)]
pub struct Topic {
    theme: &'static Theme,
    slip: &'static Slip,
}

impl Topic {
    /// Any mistake.
    pub fn any(dice: &mut Dice) -> Self {
        let theme = dice.pick(&THEMES);
        Self { theme, slip: dice.pick(theme.slips) }
    }
}

/// Writes what a person says on the whole.
pub fn write(telling: &mut Telling<'_>, row: &mut FeedbackRow, gaps: &Gaps<'_>, topic: Topic) {
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
        // Two sentences of one list are of its two halves, so that nobody says a thing twice.
        let (early, late) = say::GOOD_MIDDLES.split_at(4);
        let early = if fine { early } else { &say::BAD_MIDDLES };
        row.first_impression = Some(paragraph(dice, &[&say::FIRST_IMPRESSIONS], gaps));
        row.narrative = Some(paragraph(dice, &[&say::BEGINNINGS, early, late, &say::ENDINGS], gaps));
        row.agency_only = dice.chance(60).then(|| Json(agency_only(dice, mood, ends.date_naive())));
    } else {
        let (early, late) = say::CLIENT_PRO.split_at(4);
        let late = if fine { late } else { &say::CLIENT_CON };
        row.narrative = Some(paragraph(dice, &[&say::CLIENT_BEGINNINGS, early, late], gaps));
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
pub fn points(telling: &mut Telling<'_>, side: Side, topic: Topic) -> Vec<Point> {
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
