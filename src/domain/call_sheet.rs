//! The call sheet: what a recruiter has before them when they ring the client. What may be raised,
//! what is better left, what to ask, and what is not to be passed on, which is named and not told.
//!
//! It is calculated from the submitted accounts whenever it is asked for, and never stored.

use serde::Serialize;
use utoipa::ToSchema;

use super::comparison::{ComparedPoint, Comparison, NoticedBy, PointGroup, Suggestion};
use super::feedback::{Address, AgencyOnly, Point, PointKind, Severity};
use super::ids::{ContactId, FeedbackId, PointId, RetryRequestId};
use super::retry_request::{Grounds, RetryState};
use super::wording::tells_of_health;
use super::words::words;

mod asking;
mod withheld;

/// What is known when the sheet is made.
#[derive(Debug)]
pub struct Known<'a> {
    /// Both sides beside each other.
    pub comparison: &'a Comparison,
    /// The candidate's account, once it is submitted.
    pub candidate: Option<Told<'a>>,
    /// The contacts of the panel who have not been heard, and are not off-limits, by their names.
    pub unheard: Vec<(ContactId, &'a str)>,
    /// Whether the client has judged the whole.
    pub is_judged: bool,
    /// The newest request to meet again.
    pub retry: Option<Wish<'a>>,
}

/// The candidate's account, as far as a call is about it.
#[derive(Debug)]
pub struct Told<'a> {
    /// Names the account.
    pub feedback_id: FeedbackId,
    /// What it felt like right after.
    pub first_impression: Option<&'a str>,
    /// The considered view.
    pub narrative: Option<&'a str>,
    /// The points, whole.
    pub points: &'a [Point],
    /// What is for the agency alone.
    pub agency_only: Option<&'a AgencyOnly>,
}

/// A request to meet again, as far as a call is about it.
#[derive(Debug)]
pub struct Wish<'a> {
    /// Names the request.
    pub id: RetryRequestId,
    /// Where it stands.
    pub state: RetryState,
    /// Why the candidate asks.
    pub grounds: Grounds,
    /// What would be different.
    pub what_would_differ: &'a str,
}

/// What a call to the client goes through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallNotes {
    /// What the candidate said that may be raised: slips to be addressed, and circumstances.
    pub raise: Vec<CallPoint>,
    /// What the candidate said that is better left alone, unless the client brings it up.
    pub leave: Vec<CallPoint>,
    /// What went well, as the candidate tells it: worth a word.
    pub strengths: Vec<ComparedPoint>,
    /// What to ask, in the order of the talk.
    pub ask: Vec<Question>,
    /// What is not to be passed on. It says where each thing stands, and not what it is.
    pub do_not_pass_on: Vec<Withheld>,
}

/// A point of the candidate's with the advice on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallPoint {
    /// Names the point.
    pub point_id: PointId,
    /// What it tells of: a slip or a circumstance.
    pub kind: PointKind,
    /// What it is about: the key of a competency, or the kind.
    #[schema(example = "preparation")]
    pub topic: String,
    /// What happened.
    #[schema(example = "I did not know that they had closed the second plant.")]
    pub what: String,
    /// The answer that the candidate wishes they had given.
    pub wished_answer: Option<String>,
    /// How much it weighs.
    pub severity: Option<Severity>,
    /// Which side tells of it.
    pub noticed_by: NoticedBy,
    /// The recruiter's decision; it goes before the suggestion.
    pub decision: Option<Address>,
    /// The advice; `null` for a circumstance.
    pub suggestion: Option<Suggestion>,
}

/// One thing to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Question {
    /// What it is about.
    pub about: QuestionTopic,
    /// The question.
    #[schema(example = "What impression did the candidate make on Ines Okafor?")]
    pub question: String,
    /// Why to ask it.
    pub why: String,
    /// The contact whom to ask, if it is one in particular.
    pub contact_id: Option<ContactId>,
    /// The competency that it is about, by its key.
    pub competency: Option<String>,
    /// The point that it is about.
    pub point_id: Option<PointId>,
    /// The request to meet again that it is about.
    pub retry_request_id: Option<RetryRequestId>,
}

words! {
    /// What a question is about.
    pub enum QuestionTopic {
        /// The account of a contact who has not been heard.
        Account,
        /// The judgement on the whole.
        Overall,
        /// A competency that both sides see very differently, or that the client said nothing of.
        Competency,
        /// Something that only the client noticed.
        BlindSpot,
        /// Another meeting.
        Retry,
        /// What happens next, and when.
        NextStep,
    }
}

/// One thing that is not to be passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Withheld {
    /// What kind of thing it is.
    pub kind: WithheldKind,
    /// The candidate's account that it is in.
    pub feedback_id: Option<FeedbackId>,
    /// The point that it is in.
    pub point_id: Option<PointId>,
    /// The request to meet again that it is in.
    pub retry_request_id: Option<RetryRequestId>,
    /// The field that it stands in.
    #[schema(example = "agency_only/salary")]
    pub field: String,
    /// Why not.
    #[schema(example = "What the candidate said about pay is for the agency alone.")]
    pub why: String,
}

words! {
    /// Why a thing is not passed on.
    pub enum WithheldKind {
        /// It was told to the agency alone.
        AgencyOnly,
        /// It tells of somebody's health.
        Health,
        /// It tells how the interviewer behaved.
        Conduct,
        /// It was said right after, and may be seen differently by now.
        FirstImpression,
    }
}

/// Makes the sheet.
#[must_use]
pub fn call_notes(known: &Known) -> CallNotes {
    let (mut raise, mut leave) = (Vec::new(), Vec::new());
    for group in &known.comparison.points {
        for point in &group.candidate {
            let Some(shown) = shown(point, group, known) else { continue };
            let advice = shown.decision.or(shown.suggestion.map(|suggestion| suggestion.address));
            match advice {
                Some(Address::Leave) => leave.push(shown),
                Some(Address::Address) | None => raise.push(shown),
            }
        }
    }
    let own = known.comparison.strengths.iter().filter(|point| is_own(point, known));
    CallNotes {
        raise,
        leave,
        strengths: own.filter(|point| !tells_of_health(&point.what)).cloned().collect(),
        ask: asking::questions(known),
        do_not_pass_on: withheld::all(known),
    }
}

fn is_own(point: &ComparedPoint, known: &Known) -> bool {
    known.candidate.as_ref().is_some_and(|told| told.feedback_id == point.feedback_id)
}

/// A point as the sheet shows it; none if it is of a kind, or has words, that are not passed on.
fn shown(point: &ComparedPoint, group: &PointGroup, known: &Known) -> Option<CallPoint> {
    if !matches!(point.kind, PointKind::Slip | PointKind::Circumstance) || tells_of_health(&point.what) {
        return None;
    }
    let told = known.candidate.as_ref()?.points.iter().find(|told| told.id == point.id);
    let wished = told.and_then(|told| told.wished_answer.clone());
    Some(CallPoint {
        point_id: point.id,
        kind: point.kind,
        topic: group.topic.clone(),
        what: point.what.clone(),
        wished_answer: wished.filter(|wished| !tells_of_health(wished)),
        severity: point.severity,
        noticed_by: group.noticed_by,
        decision: point.decision,
        suggestion: group.suggestion.filter(|_| point.kind == PointKind::Slip),
    })
}
