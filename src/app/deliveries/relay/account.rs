//! How an attempt ended, in words: for the attempt, and for the delivery's last reply.

use super::Ending;
use crate::domain::delivery::{DeliveryState, Reply};
use crate::domain::timestamp::Timestamp;
use crate::mail::{Outcome, Step};
use crate::store::deliveries::Delivery;
use crate::store::deliveries::relay::AttemptEnd;

/// How an attempt ended, in words.
#[derive(Default)]
pub(super) struct Account {
    step: Option<Step>,
    code: Option<i32>,
    enhanced_code: Option<String>,
    text: Option<String>,
}

impl Account {
    pub fn of(ending: &Ending) -> Self {
        let outcome = match ending {
            Ending::Outcome(outcome) => outcome,
            Ending::Released => return Self::default(),
            Ending::LeaseRanOut | Ending::WorkerDied => return Self::wrong("the worker stopped half-way"),
        };
        match outcome {
            Outcome::Accepted(reply) => Self::said(Step::Content, reply),
            Outcome::Refused { step, reply } => Self::said(*step, reply),
            Outcome::Lost { step, error } => Self { step: Some(*step), ..Self::wrong(error) },
            Outcome::Unknown { error } => Self { step: Some(Step::Content), ..Self::wrong(error) },
            Outcome::Revoked => Self::wrong("the commit point could not be written down"),
            Outcome::Fault(fault) => Self::wrong(fault),
            Outcome::Unsendable(why) => Self::wrong(why),
        }
    }

    pub fn said(step: Step, reply: &Reply) -> Self {
        Self {
            step: Some(step),
            code: Some(i32::from(reply.code)),
            enhanced_code: reply.enhanced_code.clone(),
            text: Some(reply.text.clone()),
        }
    }

    pub fn wrong(what: impl ToString) -> Self {
        Self { text: Some(what.to_string()), ..Self::default() }
    }

    /// Leaves the words on the delivery, if there are any.
    pub fn show(&self, row: &mut Delivery) {
        if let Some(text) = &self.text {
            row.last_code = self.code;
            row.last_enhanced_code.clone_from(&self.enhanced_code);
            row.last_text = Some(text.clone());
        }
    }

    /// The end of the attempt, after which the delivery is in this state.
    pub fn attempt_end(self, outcome: DeliveryState, now: Timestamp) -> AttemptEnd {
        AttemptEnd {
            finished_at: Some(now),
            outcome: Some(outcome),
            step: self.step.map(|step| step.to_string()),
            code: self.code,
            enhanced_code: self.enhanced_code,
            text: self.text,
        }
    }
}
