//! The interview: one meeting of one candidate with one or more contacts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::Machine;
use super::words::words;

words! {
    /// How the people of an interview meet.
    pub enum Format {
        /// By telephone.
        Phone,
        /// By video call.
        Video,
        /// In one room.
        Onsite,
    }
}

words! {
    /// What became of an interview.
    pub enum InterviewStatus {
        /// Agreed; whether it took place has not been said.
        Scheduled,
        /// It took place.
        Held,
        /// It was called off.
        Cancelled,
        /// Somebody did not come.
        NoShow,
    }
}

words! {
    /// The ways from one status of an interview to another.
    pub enum InterviewTransition {
        /// It took place.
        MarkHeld,
        /// It was called off.
        Cancel,
        /// Somebody did not come.
        MarkNoShow,
    }
}

impl Machine for InterviewStatus {
    type Transition = InterviewTransition;

    const RECORD: &'static str = "interview";

    /// A meeting believed held may turn out not to have been: its debrief can be cancelled while
    /// it is open, and so the interview follows.
    fn next(self, transition: InterviewTransition) -> Option<Self> {
        use InterviewTransition as T;
        match (self, transition) {
            (Self::Scheduled, T::MarkHeld) => Some(Self::Held),
            (Self::Scheduled | Self::Held, T::Cancel) => Some(Self::Cancelled),
            (Self::Scheduled | Self::Held, T::MarkNoShow) => Some(Self::NoShow),
            _ => None,
        }
    }
}

impl InterviewStatus {
    /// The transition whose target this status is; none leads back to `scheduled`.
    #[must_use]
    pub const fn transition(self) -> Option<InterviewTransition> {
        match self {
            Self::Scheduled => None,
            Self::Held => Some(InterviewTransition::MarkHeld),
            Self::Cancelled => Some(InterviewTransition::Cancel),
            Self::NoShow => Some(InterviewTransition::MarkNoShow),
        }
    }

    /// Whether the interview took place: it is marked held, or its end has passed and nobody has
    /// said otherwise.
    #[must_use]
    pub fn has_ended(self, ends_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        match self {
            Self::Held => true,
            Self::Scheduled => ends_at <= now,
            Self::Cancelled | Self::NoShow => false,
        }
    }
}

/// One line of the preparation checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreparationItem {
    /// What to prepare, such as "mock interview with the recruiter".
    #[schema(min_length = 1, max_length = 300, format = "line-not-blank")]
    pub item: String,
    /// Whether it has been done.
    #[serde(default)]
    pub done: bool,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use strum::VariantArray;

    use super::*;
    use crate::domain::state;

    #[test]
    fn the_whole_table() {
        insta::assert_snapshot!(state::table::<InterviewStatus>(), @r"
        scheduled: mark_held -> held, cancel -> cancelled, mark_no_show -> no_show
        held: cancel -> cancelled, mark_no_show -> no_show
        cancelled: final
        no_show: final
        ");
    }

    #[test]
    fn a_status_is_reached_by_its_own_transition() {
        for status in InterviewStatus::VARIANTS {
            if let Some(transition) = status.transition() {
                assert_eq!(InterviewStatus::Scheduled.next(transition), Some(*status));
            }
        }
    }

    #[test]
    fn an_interview_ends_by_the_clock_or_by_word() {
        let end = DateTime::from_timestamp_micros(1_750_000_000_000_000).unwrap();
        let before = end - TimeDelta::microseconds(1);
        assert!(!InterviewStatus::Scheduled.has_ended(end, before));
        assert!(InterviewStatus::Scheduled.has_ended(end, end));
        assert!(InterviewStatus::Held.has_ended(end, before));
        assert!(!InterviewStatus::NoShow.has_ended(end, end));
    }
}
