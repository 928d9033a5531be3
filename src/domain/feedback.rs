//! Feedback: one person's account of an interview, in the person's own words or as it was told.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::PointId;
use super::state::Machine;
use super::words::words;

words! {
    /// Whose account it is.
    pub enum Side {
        /// The candidate's own.
        Candidate,
        /// That of one contact at the client.
        Client,
    }
}

words! {
    /// How the account reached the agency.
    pub enum Channel {
        /// By telephone.
        Phone,
        /// By email.
        Email,
        /// Through a form.
        Form,
        /// Face to face.
        Meeting,
    }
}

words! {
    /// What a point tells of.
    pub enum PointKind {
        /// Something that went well.
        Strength,
        /// A mistake of the candidate's.
        Slip,
        /// How the interviewer behaved.
        Conduct,
        /// What the day brought: a late train, a broken video link.
        Circumstance,
    }
}

words! {
    /// How much a slip weighs.
    pub enum Severity {
        /// Hardly worth a thought.
        Minor,
        /// One would notice it.
        Noticeable,
        /// It may decide the matter.
        Serious,
    }
}

words! {
    /// Whether a slip is to be brought up with the client.
    pub enum Address {
        /// Let it rest.
        Leave,
        /// Speak of it.
        Address,
    }
}

words! {
    /// A judgement on one competency.
    pub enum Rating {
        /// Firmly against.
        StrongNo,
        /// Against.
        No,
        /// Something for and something against.
        Mixed,
        /// In favour.
        Yes,
        /// Firmly in favour.
        StrongYes,
    }
}

words! {
    /// A judgement on the whole.
    pub enum Overall {
        /// Firmly against.
        StrongNo,
        /// Against.
        No,
        /// None was made.
        NoDecision,
        /// In favour.
        Yes,
        /// Firmly in favour.
        StrongYes,
    }
}

words! {
    /// Where an account stands.
    pub enum FeedbackState {
        /// Asked for; nothing is written yet.
        Requested,
        /// Being written.
        Draft,
        /// Given. Its newest revision counts; the earlier ones are kept.
        Submitted,
        /// There will be none, for a reason that is kept.
        Waived,
    }
}

words! {
    /// The ways from one state of an account to another.
    pub enum FeedbackTransition {
        /// The first words are written.
        StartDraft,
        /// The account is given.
        Submit,
        /// A given account is changed: its next revision.
        Revise,
        /// Nothing more is expected.
        Waive,
        /// Something is to be written after all.
        TakeBack,
    }
}

words! {
    /// Where one revision of a submitted account stands.
    pub enum RevisionState {
        /// It is the account as it now is.
        Submitted,
        /// A later revision took its place.
        Superseded,
    }
}

words! {
    /// How keen the candidate still is.
    pub enum InterestLevel {
        /// Wants no more of it.
        None,
        /// Would rather have something else.
        Low,
        /// Open to it.
        Medium,
        /// Wants the role.
        High,
    }
}

impl Rating {
    /// The rating as a number from −2 (firmly against) to +2 (firmly in favour).
    #[must_use]
    pub const fn scale(self) -> i8 {
        match self {
            Self::StrongNo => -2,
            Self::No => -1,
            Self::Mixed => 0,
            Self::Yes => 1,
            Self::StrongYes => 2,
        }
    }
}

impl Overall {
    /// What the judgements of several people come to: the middle one of those who made one, of two
    /// middle ones the lower, so that it is always a judgement which somebody gave. Where nobody
    /// made one, it is that none was made.
    #[must_use]
    pub fn of_panel(given: &[Self]) -> Option<Self> {
        let mut made: Vec<Self> = given.iter().copied().filter(|one| *one != Self::NoDecision).collect();
        made.sort_unstable();
        made.get(made.len().saturating_sub(1) / 2).or_else(|| given.first()).copied()
    }
}

impl Machine for FeedbackState {
    type Transition = FeedbackTransition;

    const RECORD: &'static str = "feedback";

    fn next(self, transition: FeedbackTransition) -> Option<Self> {
        use FeedbackTransition as T;
        match (self, transition) {
            (Self::Requested, T::StartDraft) | (Self::Waived, T::TakeBack) => Some(Self::Draft),
            (Self::Draft, T::Submit) | (Self::Submitted, T::Revise) => Some(Self::Submitted),
            (Self::Requested | Self::Draft, T::Waive) => Some(Self::Waived),
            _ => None,
        }
    }
}

/// One thing in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// Names the point, so that it can be matched with one of the other side.
    pub id: PointId,
    /// What it tells of.
    pub kind: PointKind,
    /// The key of the competency it is about.
    pub competency: Option<String>,
    /// What happened.
    pub what: String,
    /// Why it happened.
    pub why: Option<String>,
    /// What to do the next time.
    pub next_time: Option<String>,
    /// The question that was asked.
    pub question_asked: Option<String>,
    /// The answer one wishes one had given.
    pub wished_answer: Option<String>,
    /// How much it weighs.
    pub severity: Option<Severity>,
    /// The recruiter's decision whether to bring it up with the client.
    pub address: Option<Address>,
}

/// A judgement on one competency, within an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompetencyRating {
    /// The key of the competency.
    pub competency: String,
    /// The judgement.
    pub rating: Rating,
    /// What it rests on.
    #[schema(max_length = 2_000, format = "text")]
    pub note: Option<String>,
}

/// What the candidate tells the agency alone. It is never shown or sent to the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyOnly {
    /// How keen the candidate still is.
    pub interest_level: Option<InterestLevel>,
    /// What speaks against the role.
    #[schema(max_length = 2_000, format = "text")]
    pub concerns: Option<String>,
    /// Where else the candidate is in talks.
    #[schema(max_length = 2_000, format = "text")]
    pub other_processes: Option<String>,
    /// What was said about pay.
    #[schema(max_length = 2_000, format = "text")]
    pub salary: Option<String>,
    /// The start date that was raised.
    pub start_date: Option<NaiveDate>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strum::VariantArray;

    use super::*;
    use crate::domain::state;

    #[test]
    fn the_whole_table() {
        insta::assert_snapshot!(state::table::<FeedbackState>(), @r"
        requested: start_draft -> draft, waive -> waived
        draft: submit -> submitted, waive -> waived
        submitted: revise -> submitted
        waived: take_back -> draft
        ");
    }

    #[test]
    fn ratings_rise_step_by_step() {
        let scale: Vec<i8> = Rating::VARIANTS.iter().map(|rating| rating.scale()).collect();
        assert_eq!(scale, [-2, -1, 0, 1, 2]);
    }

    #[test]
    fn a_panel_comes_to_its_middle() {
        use Overall::{No, NoDecision, StrongNo, StrongYes, Yes};
        assert_eq!(Overall::of_panel(&[]), None);
        assert_eq!(Overall::of_panel(&[NoDecision, NoDecision]), Some(NoDecision));
        assert_eq!(Overall::of_panel(&[NoDecision, Yes]), Some(Yes));
        assert_eq!(Overall::of_panel(&[StrongYes, No]), Some(No));
        assert_eq!(Overall::of_panel(&[StrongYes, StrongNo, NoDecision, Yes]), Some(Yes));
    }

    #[test]
    fn absent_and_null_mean_the_same() {
        let bare: AgencyOnly = serde_json::from_value(json!({})).unwrap();
        let nulls: AgencyOnly = serde_json::from_value(json!({"salary": null, "start_date": null})).unwrap();
        assert_eq!((&bare, &bare), (&nulls, &AgencyOnly::default()));
        let typo = serde_json::from_value::<AgencyOnly>(json!({"sallary": "60k"})).unwrap_err();
        assert!(typo.to_string().contains("sallary"), "{typo}");
    }
}
