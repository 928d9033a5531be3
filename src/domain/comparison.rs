//! The comparison: both sides of a debrief laid beside each other, competency by competency and
//! point by point. It shows what both saw, what the candidate worries about alone, and what only
//! the client saw.
//!
//! It is calculated from the submitted accounts whenever it is asked for, and never stored. The
//! order in which the accounts are given makes no difference.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::feedback::{Address, CompetencyRating, Point, PointKind, Rating, Severity, Side};
use super::ids::{ContactId, FeedbackId, PointId};
use super::words::words;

mod grouping;
mod suggestion;

use suggestion::suggest;

/// A submitted account, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Names the account.
    pub feedback_id: FeedbackId,
    /// Whose account it is.
    pub side: Side,
    /// The contact who speaks, on the client's side.
    pub contact_id: Option<ContactId>,
    /// Who said it, where that is not plain from the side and the contact.
    pub said_by: Option<String>,
    /// The points, in the order in which they were made.
    pub points: Vec<Point>,
    /// The ratings, one per competency.
    pub ratings: Vec<CompetencyRating>,
}

/// The recruiter's word that two points are, or are not, the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManualMatch {
    /// The two points, either way round.
    pub points: (PointId, PointId),
    /// Whether they are the same thing.
    pub same: bool,
}

/// Both sides of a debrief beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Comparison {
    /// Every competency that somebody rated, in the agency's order.
    pub competencies: Vec<CompetencyRow>,
    /// Slips, conduct and circumstances; what is the same thing stands together. Every such point
    /// is in exactly one group.
    pub points: Vec<PointGroup>,
    /// What went well, as either side tells it.
    pub strengths: Vec<ComparedPoint>,
    /// Slips that only the client noticed; empty until the candidate's account is in.
    pub blind_spots: Vec<ComparedPoint>,
    /// Slips that only the candidate noticed; empty until the client has been heard, because
    /// until then nobody knows.
    pub overthinking: Vec<ComparedPoint>,
}

/// One competency as both sides rate it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CompetencyRow {
    /// The key of the competency.
    pub competency: String,
    /// The candidate's rating.
    pub candidate: Option<Rating>,
    /// The client's rating. For a panel it is the middle one of its ratings, of two middle ones
    /// the lower: always a rating that somebody gave.
    pub client: Option<Rating>,
    /// The rating of each contact.
    pub client_ratings: Vec<ContactRating>,
    /// The client's rating less the candidate's, in steps from −4 to +4: below zero the client saw
    /// less than the candidate did. `null` while one side has no rating.
    pub gap: Option<i8>,
}

/// One contact's rating of a competency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactRating {
    /// The account that it is in.
    pub feedback_id: FeedbackId,
    /// The contact who gave it.
    pub contact_id: Option<ContactId>,
    /// The rating.
    pub rating: Rating,
}

/// Points that are the same thing, told by one side or by both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PointGroup {
    /// What it is about: the key of a competency or, where no point names one, the kind of the
    /// first point (`slip`, `conduct`, `circumstance`).
    pub topic: String,
    /// The candidate's points.
    pub candidate: Vec<ComparedPoint>,
    /// The client's points.
    pub client: Vec<ComparedPoint>,
    /// Which side tells of it.
    pub noticed_by: NoticedBy,
    /// Whether to bring it up with the client; `null` where there is no slip in it.
    pub suggestion: Option<Suggestion>,
}

words! {
    /// Which side tells of a thing.
    pub enum NoticedBy {
        /// The candidate and the client.
        Both,
        /// The candidate alone.
        CandidateOnly,
        /// The client alone.
        ClientOnly,
    }
}

/// One point of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComparedPoint {
    /// Names the point.
    pub id: PointId,
    /// The account that it is in.
    pub feedback_id: FeedbackId,
    /// Whose account that is.
    pub side: Side,
    /// The contact who speaks, on the client's side.
    pub contact_id: Option<ContactId>,
    /// Who said it, where that is not plain from the side and the contact.
    pub said_by: Option<String>,
    /// What it tells of.
    pub kind: PointKind,
    /// The key of the competency that it is about.
    pub competency: Option<String>,
    /// What happened.
    pub what: String,
    /// How much it weighs.
    pub severity: Option<Severity>,
    /// The recruiter's decision whether to bring it up with the client.
    pub decision: Option<Address>,
}

/// Advice whether to bring a slip up with the client. The recruiter decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// The advice.
    pub address: Address,
    /// Why, in plain words.
    #[schema(value_type = String)]
    pub reason: &'static str,
}

/// Lays the submitted accounts of a debrief beside each other.
///
/// `competencies` are the agency's keys in the agency's order; one that is not among them comes
/// after them. Points that are the same thing are found like this:
///
/// 1. What the recruiter matched by hand as the same stands together.
/// 2. Then the rule joins points of one kind and one competency from different accounts (without a
///    competency: points in the same words), but never two points that the recruiter holds apart,
///    nor the groups they stand in. Where it can join a point with one of several that are held
///    apart, a point of the other side comes first, then the order of the points decides.
///
/// So a match by hand changes what it speaks of, and the rule goes on for all the rest. Two points
/// of one account are never joined for themselves: whoever made them meant two things. Matches
/// that name a strength, or a point that is not in the accounts, are passed over.
#[must_use]
pub fn compare(accounts: &[Account], competencies: &[String], matches: &[ManualMatch]) -> Comparison {
    let (strengths, others): (Vec<Placed>, Vec<Placed>) =
        in_order(accounts, competencies).into_iter().partition(|p| p.point.kind == PointKind::Strength);
    let heard = |side| accounts.iter().any(|account| account.side == side);
    let both_heard = heard(Side::Candidate) && heard(Side::Client);
    let points: Vec<PointGroup> =
        grouping::group(&others, matches).iter().map(|members| lay_out(members, both_heard)).collect();
    let slips_of = |noticed_by| {
        let noticed = points.iter().filter(move |group| both_heard && group.noticed_by == noticed_by);
        noticed.flat_map(PointGroup::members).filter(|point| point.kind == PointKind::Slip).cloned().collect()
    };
    Comparison {
        competencies: rows(accounts, competencies),
        strengths: strengths.iter().map(Placed::shown).collect(),
        blind_spots: slips_of(NoticedBy::ClientOnly),
        overthinking: slips_of(NoticedBy::CandidateOnly),
        points,
    }
}

/// A point in its place among all accounts.
#[derive(Clone, Copy)]
struct Placed<'a> {
    account: &'a Account,
    point: &'a Point,
}

impl Placed<'_> {
    fn shown(&self) -> ComparedPoint {
        let Self { account, point } = self;
        ComparedPoint {
            id: point.id,
            feedback_id: account.feedback_id,
            side: account.side,
            contact_id: account.contact_id,
            said_by: account.said_by.clone(),
            kind: point.kind,
            competency: point.competency.clone(),
            what: point.what.clone(),
            severity: point.severity,
            decision: point.address,
        }
    }
}

impl PointGroup {
    /// The points of both sides, the candidate's first.
    pub fn members(&self) -> impl Iterator<Item = &ComparedPoint> {
        self.candidate.iter().chain(&self.client)
    }
}

/// Where a competency stands in the agency's order; those that are not in it follow by their keys.
fn rank<'a>(competency: &'a str, competencies: &[String]) -> (usize, &'a str) {
    let known = competencies.iter().position(|key| key == competency);
    (known.unwrap_or(competencies.len()), competency)
}

/// All points: by competency, by kind, then as they were made, the candidate's before the client's.
fn in_order<'a>(accounts: &'a [Account], competencies: &[String]) -> Vec<Placed<'a>> {
    let mut points = Vec::new();
    for account in accounts {
        for (position, point) in account.points.iter().enumerate() {
            let rank = point.competency.as_deref().map_or((usize::MAX, ""), |key| rank(key, competencies));
            let place = (rank, point.kind, position, account.side, account.feedback_id);
            points.push((place, Placed { account, point }));
        }
    }
    points.sort_by_key(|(place, _)| *place);
    points.into_iter().map(|(_, placed)| placed).collect()
}

fn lay_out(members: &[Placed], both_heard: bool) -> PointGroup {
    let (candidate, client): (Vec<_>, Vec<_>) =
        members.iter().map(Placed::shown).partition(|point| point.side == Side::Candidate);
    let noticed_by = match (candidate.is_empty(), client.is_empty()) {
        (false, false) => NoticedBy::Both,
        (_, true) => NoticedBy::CandidateOnly,
        (true, false) => NoticedBy::ClientOnly,
    };
    let topic = members.iter().find_map(|placed| placed.point.competency.clone());
    let kind = members.iter().map(|placed| placed.point.kind).next();
    let slips = members.iter().filter(|placed| placed.point.kind == PointKind::Slip);
    let severities: Vec<Option<Severity>> = slips.map(|placed| placed.point.severity).collect();
    PointGroup {
        topic: topic.or_else(|| kind.map(|kind| kind.to_string())).unwrap_or_default(),
        suggestion: suggest(noticed_by, &severities, both_heard),
        candidate,
        client,
        noticed_by,
    }
}

fn rows(accounts: &[Account], competencies: &[String]) -> Vec<CompetencyRow> {
    let rated = accounts.iter().flat_map(|account| &account.ratings);
    let keys: BTreeSet<_> = rated.map(|rating| rank(&rating.competency, competencies)).collect();
    keys.into_iter().map(|(_, key)| row(key, accounts)).collect()
}

fn row(competency: &str, accounts: &[Account]) -> CompetencyRow {
    let given = |side| {
        let mut ratings = Vec::new();
        for account in accounts.iter().filter(|account| account.side == side) {
            for given in account.ratings.iter().filter(|given| given.competency == competency) {
                let (feedback_id, contact_id) = (account.feedback_id, account.contact_id);
                ratings.push(ContactRating { feedback_id, contact_id, rating: given.rating });
            }
        }
        ratings.sort_by_key(|given| given.feedback_id);
        ratings
    };
    let client_ratings = given(Side::Client);
    let candidate = middle(&given(Side::Candidate));
    let client = middle(&client_ratings);
    let gap = candidate.zip(client).map(|(candidate, client)| client.scale() - candidate.scale());
    CompetencyRow { competency: competency.to_owned(), candidate, client, client_ratings, gap }
}

/// The middle rating, of two middle ones the lower.
fn middle(given: &[ContactRating]) -> Option<Rating> {
    let mut ratings: Vec<Rating> = given.iter().map(|given| given.rating).collect();
    ratings.sort_unstable();
    ratings.get(ratings.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests;
