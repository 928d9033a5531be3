//! What callers send about interviews.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::faults::Faults;
use crate::app::records::{HasRefs, Input, Query};
use crate::domain::ids::{CandidateId, ClientId, ContactId, InterviewId, JobOrderId, UserId};
use crate::domain::interview::{Format, InterviewStatus, PreparationItem};
use crate::domain::record::ExternalRef;
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::interviews::{Interview, InterviewFilters};

/// The longest interview.
const MAX_LENGTH: TimeDelta = TimeDelta::hours(24);

/// What makes or changes an interview.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterviewInput {
    /// Who is interviewed; fixed once the interview is made.
    pub candidate_id: CandidateId,
    /// The vacancy that it is about; fixed once the interview is made.
    pub job_order_id: JobOrderId,
    /// The panel: contacts at the job order's client.
    #[schema(min_items = 1, max_items = 20)]
    pub contact_ids: Vec<ContactId>,
    /// Whose interview it is at the agency: as before if absent, at first the calling user's. Only a
    /// manager gives one to somebody else.
    pub recruiter_id: Option<UserId>,
    /// Which meeting about the vacancy it is, counted from 1; as before if absent.
    #[schema(minimum = 1, maximum = 100)]
    pub round: Option<i32>,
    /// How the people meet.
    pub format: Format,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends: after its beginning, and at most 24 hours later.
    pub ends_at: Timestamp,
    /// The time zone of the IANA database in which it is agreed: as before if absent, at first the
    /// candidate's.
    #[schema(max_length = 64, format = "time-zone", example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// What became of it: as before if absent, at first `scheduled`.
    pub status: Option<InterviewStatus>,
    /// The interview that this one is a second chance for, of the same candidate about the same job
    /// order: as before if absent.
    pub retry_of_interview_id: Option<InterviewId>,
    /// What the candidate prepares, and what of it is done. With an id of another system it stays as it was if
    /// this is absent.
    #[schema(max_items = 50)]
    pub preparation: Option<Vec<PreparationItem>>,
    /// What other systems call it. With an id of another system, what it is called stays as it was if
    /// this is absent.
    #[schema(max_items = 20)]
    pub external_refs: Option<Vec<ExternalRef>>,
}

impl InterviewInput {
    /// The input that would make this interview.
    pub(super) fn of(interview: &Interview) -> Self {
        let row = &interview.row;
        Self {
            candidate_id: row.candidate_id,
            job_order_id: row.job_order_id,
            contact_ids: interview.contact_ids.clone(),
            recruiter_id: interview.recruiter_id,
            round: Some(row.round),
            format: row.format,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            time_zone: Some(row.time_zone.clone()),
            status: Some(row.status),
            retry_of_interview_id: row.retry_of_interview_id,
            preparation: Some(row.preparation.0.clone()),
            external_refs: Some(row.external_refs.0.clone()),
        }
    }
}

impl Input for InterviewInput {
    fn keep(&mut self, present: Self) {
        self.recruiter_id = self.recruiter_id.or(present.recruiter_id);
        self.round = self.round.or(present.round);
        self.time_zone = self.time_zone.take().or(present.time_zone);
        self.status = self.status.or(present.status);
        self.preparation = self.preparation.take().or(present.preparation);
        self.retry_of_interview_id = self.retry_of_interview_id.or(present.retry_of_interview_id);
    }

    fn check(&self, faults: &mut Faults) {
        if self.ends_at <= self.starts_at {
            faults.add("/ends_at", "not_after_start", "must be after starts_at");
        } else if *self.ends_at - *self.starts_at > MAX_LENGTH {
            faults.add("/ends_at", "too_long", "must be at most 24 hours after starts_at");
        }
        for (i, contact) in self.contact_ids.iter().enumerate() {
            if self.contact_ids[..i].contains(contact) {
                faults.add(format!("/contact_ids/{i}"), "duplicate", "is in the list already");
            }
        }
    }
}

impl HasRefs for InterviewInput {
    fn refs_mut(&mut self) -> &mut Option<Vec<ExternalRef>> {
        &mut self.external_refs
    }
}

/// Which interviews are wanted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InterviewQuery {
    /// Only those of this candidate.
    candidate_id: Option<CandidateId>,
    /// Only those about this job order.
    job_order_id: Option<JobOrderId>,
    /// Only those at this client.
    client_id: Option<ClientId>,
    /// Only those in which this contact takes part.
    contact_id: Option<ContactId>,
    /// Only those of which this became.
    status: Option<InterviewStatus>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
    /// Tombstones too.
    include_deleted: Option<bool>,
}

impl InterviewQuery {
    /// The filters that interviews have of their own.
    pub(super) const fn filters(&self) -> InterviewFilters {
        InterviewFilters {
            candidate_id: self.candidate_id,
            job_order_id: self.job_order_id,
            client_id: self.client_id,
            contact_id: self.contact_id,
            status: self.status,
        }
    }
}

impl Query for InterviewQuery {
    fn common(&self) -> (Option<&NamePart>, Option<Timestamp>, bool) {
        (None, self.updated_since, self.include_deleted.unwrap_or_default())
    }
}
