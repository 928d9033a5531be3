//! The second chance itself: the new interview, linked both ways.

use serde::Deserialize;
use utoipa::ToSchema;

use super::held::Held;
use crate::app::AppError;
use crate::app::faults::Fault;
use crate::app::interviews::{self, InterviewInput};
use crate::app::records::{self, Expected};
use crate::auth::caller::Caller;
use crate::domain::ids::{CandidateId, ContactId, InterviewId, JobOrderId, RetryRequestId, UserId};
use crate::domain::interview::{Format, InterviewStatus, PreparationItem};
use crate::domain::record::ExternalRef;
use crate::domain::retry_request::{RetryState, RetryTransition};
use crate::domain::state::{InvalidTransition, Machine};
use crate::domain::timestamp::Timestamp;
use crate::store::interviews::Interview;
use crate::store::pool::Tx;
use crate::store::retry_requests::RetryRequest;

/// The new interview, to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    interview: RetryInterview,
}

/// What makes the new interview. What is left out is as it was in the first one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryInterview {
    /// Who is interviewed: the same candidate.
    candidate_id: Option<CandidateId>,
    /// The vacancy that it is about: the same one.
    job_order_id: Option<JobOrderId>,
    /// The panel: contacts at the job order's client.
    #[schema(min_items = 1, max_items = 20)]
    contact_ids: Option<Vec<ContactId>>,
    /// Whose interview it is at the agency.
    recruiter_id: Option<UserId>,
    /// Which meeting about the vacancy it is, counted from 1.
    #[schema(minimum = 1, maximum = 100)]
    round: Option<i32>,
    /// How the people meet.
    format: Option<Format>,
    /// When it begins.
    starts_at: Timestamp,
    /// When it ends: after its beginning, and at most 24 hours later.
    ends_at: Timestamp,
    /// The time zone of the IANA database in which it is agreed.
    #[schema(max_length = 64, format = "time-zone", example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// The interview that it is a second chance for: the request's.
    retry_of_interview_id: Option<InterviewId>,
    /// What the candidate prepares, and what of it is done; nothing, if left out.
    #[serde(default)]
    #[schema(max_items = 50)]
    preparation: Vec<PreparationItem>,
    /// What other systems call it.
    #[serde(default)]
    #[schema(max_items = 20)]
    external_refs: Vec<ExternalRef>,
}

impl RetryInterview {
    fn after(self, first: Interview) -> InterviewInput {
        InterviewInput {
            candidate_id: self.candidate_id.unwrap_or(first.row.candidate_id),
            job_order_id: self.job_order_id.unwrap_or(first.row.job_order_id),
            contact_ids: self.contact_ids.unwrap_or(first.contact_ids),
            recruiter_id: self.recruiter_id.or(first.recruiter_id),
            round: self.round.or(Some(first.row.round)),
            format: self.format.unwrap_or(first.row.format),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            time_zone: self.time_zone.or(Some(first.row.time_zone)),
            status: None,
            retry_of_interview_id: self.retry_of_interview_id.or(Some(first.row.id)),
            preparation: Some(self.preparation),
            external_refs: Some(self.external_refs),
        }
    }
}

/// Makes the new interview, with its debrief, and links the two.
pub fn schedule(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
    input: Scheduled,
) -> Result<RetryRequest, AppError> {
    let mut held = Held::hold(tx, caller, id, expected, RetryTransition::Schedule)?;
    let mut first: Interview = records::get(tx, caller.agency, held.request.interview_id)?;
    if let Some(recruiter) = first.recruiter_id
        && !interviews::keeps_debriefs(tx, caller.agency, recruiter)?
    {
        first.recruiter_id = None;
    }
    let input = input.interview.after(first);
    if input.retry_of_interview_id != Some(held.request.interview_id) {
        let detail = "is not the interview that the request is about";
        return Err(AppError::fault("/interview/retry_of_interview_id", "wrong_interview", detail));
    }
    let made = interviews::create(tx, caller, input, None).map_err(within_interview)?;
    held.request.scheduled_interview_id = Some(made.row.id);
    held.save(tx, caller, None)
}

/// The new interview took place.
pub fn mark_held(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
) -> Result<RetryRequest, AppError> {
    let held = Held::hold(tx, caller, id, expected, RetryTransition::MarkHeld)?;
    let interview = held.request.scheduled_interview_id.ok_or_else(|| {
        AppError::Internal(format!("the retry request {id} was scheduled without an interview"))
    })?;
    let present: Interview = records::get(tx, caller.agency, interview)?;
    if present.row.status != InterviewStatus::Held {
        let held = |present| Ok(InterviewInput { status: Some(InterviewStatus::Held), ..present });
        records::change::<Interview>(tx, caller, interview, None, held).map_err(still_possible)?;
    }
    held.save(tx, caller, None)
}

/// An interview that cannot have been held leaves its request where it is.
fn still_possible(error: AppError) -> AppError {
    match error {
        AppError::Transition(refused) => {
            let allowed = RetryState::Scheduled.allowed();
            let held: &str = RetryTransition::MarkHeld.into();
            AppError::Transition(InvalidTransition {
                record: "request's interview",
                transition: held,
                allowed: allowed.into_iter().filter(|way| *way != held).collect(),
                ..refused
            })
        }
        other => other,
    }
}

/// The faults of the interview, where they stand in the request's body.
fn within_interview(error: AppError) -> AppError {
    match error {
        AppError::Invalid(faults) => {
            let moved = |fault: Fault| Fault { pointer: format!("/interview{}", fault.pointer), ..fault };
            AppError::Invalid(faults.into_iter().map(moved).collect())
        }
        other => other,
    }
}
