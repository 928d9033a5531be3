//! Interviews: the meetings. Each has one debrief, which is made, moved and ended along with it.

mod input;
mod references;

pub use input::{InterviewInput, InterviewQuery};
pub(super) use references::keeps_debriefs;

use super::AppError;
use super::debriefs::meeting;
use super::error::checked;
use super::events::Happening;
use super::faults::Faults;
use super::records::{self, Common, Company, Record, expect_written};
use crate::auth::caller::Caller;
use crate::domain::debrief::CancelReason;
use crate::domain::ids::{AgencyId, DebriefId, Id, InterviewId, kinds};
use crate::domain::interview::{InterviewStatus, InterviewTransition};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::state::{InvalidTransition, Machine};
use crate::store::connection::DbConn;
use crate::store::debriefs;
use crate::store::interviews::{self, Interview, InterviewRow};
use crate::store::pool::Tx;
use crate::store::record::ListOptions;
use crate::store::types::Json;

/// Makes an interview with its debrief, in the caller's transaction. `adopt` is one more external
/// reference.
///
/// # Errors
/// [`AppError::Invalid`] with every fault of the input, [`AppError::Forbidden`] if the caller gives
/// it to another recruiter without being a manager.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    input: InterviewInput,
    adopt: Option<ExternalRef>,
) -> Result<Interview, AppError> {
    records::create(tx, caller, input, adopt)
}

/// Says of an interview what its debrief was just cancelled for. The debrief is the caller's to
/// save.
pub fn call_off(
    tx: &mut Tx<'_>,
    caller: &Caller,
    interview: InterviewId,
    debrief: DebriefId,
    reason: CancelReason,
) -> Result<(), AppError> {
    let transition = match reason {
        CancelReason::Cancelled => InterviewTransition::Cancel,
        CancelReason::NoShow => InterviewTransition::MarkNoShow,
    };
    let mut row = interviews::lock(tx, caller.agency, interview)?.ok_or(AppError::NotFound)?;
    row.status = row.status.apply(transition)?;
    let former = tx.renew(&mut row.version, &mut row.updated_at);
    expect_written(interviews::update(tx, &row, former)?, row.version)?;
    Happening::to("interview.updated", interview)
        .of(debrief)
        .with("status", row.status)
        .with("version", row.version)
        .with("changed", ["status"])
        .record(tx, caller);
    Ok(())
}

impl Record for Interview {
    type Kind = kinds::Interview;
    type Input = InterviewInput;
    type Query = InterviewQuery;
    const KIND: RecordKind = Self::KIND;
    const NOUN: &'static str = "interview";

    fn build(
        tx: &mut Tx<'_>,
        common: Common<kinds::Interview>,
        input: InterviewInput,
        former: Option<&Self>,
        faults: &mut Faults,
    ) -> Result<Self, AppError> {
        let Some(place) = references::resolve(tx, &common, &input, former, faults)? else {
            // A reference that is not there was noted; without it there is nothing to build.
            checked(std::mem::take(faults))?;
            return Err(AppError::Internal("an interview without a place, and no fault noted".to_owned()));
        };
        let before = former.map(|former| &former.row);
        Ok(Self {
            row: InterviewRow {
                id: common.id,
                agency_id: common.agency_id,
                candidate_id: input.candidate_id,
                job_order_id: input.job_order_id,
                round: input.round.unwrap_or(1),
                format: input.format,
                starts_at: input.starts_at,
                ends_at: input.ends_at,
                time_zone: input.time_zone.unwrap_or(place.time_zone),
                status: next_status(
                    before,
                    input.status.unwrap_or(InterviewStatus::Scheduled),
                    input.starts_at <= tx.now(),
                )?,
                retry_of_interview_id: input.retry_of_interview_id,
                preparation: Json(input.preparation.unwrap_or_default()),
                external_refs: Json(input.external_refs.unwrap_or_default()),
                version: common.version,
                created_at: common.created_at,
                updated_at: common.updated_at,
                deleted_at: common.deleted_at,
            },
            contact_ids: input.contact_ids,
            client_id: place.client_id,
            recruiter_id: input.recruiter_id,
            debrief_id: former.map_or_else(|| tx.new_id(), |former| former.debrief_id),
        })
    }

    fn input(&self) -> InterviewInput {
        InterviewInput::of(self)
    }

    fn known_as(&self) -> Option<&str> {
        None
    }

    fn expect_changeable_by(&self, caller: &Caller) -> Result<(), AppError> {
        if caller.may_change_debriefs_of(self.recruiter_id) {
            Ok(())
        } else {
            Err(AppError::Forbidden("the interview is another recruiter's"))
        }
    }

    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError> {
        if debriefs::has_content(conn, self.debrief_id)? {
            return Ok(Some("the interview's debrief has accounts, calls, requests or notes already"));
        }
        if interviews::has_retry(conn, self.row.candidate_id, self.row.id)? {
            return Ok(Some("another interview is the second chance for this one"));
        }
        let agreed = references::was_agreed(conn, &self.row)?;
        Ok(agreed.then_some("a retry request led to the interview"))
    }

    fn debrief(&self) -> Option<DebriefId> {
        Some(self.debrief_id)
    }

    fn follow(&mut self, tx: &mut Tx<'_>, caller: &Caller, former: Option<&Self>) -> Result<(), AppError> {
        let Some(former) = former else {
            self.recruiter_id = self.recruiter_id.or(caller.user());
            may_give(caller, self)?;
            return meeting::create_for(tx, caller, self);
        };
        if self.row.deleted_at.is_some() {
            return meeting::remove(tx, caller, self);
        }
        if self.recruiter_id != former.recruiter_id {
            may_give(caller, self)?;
        }
        if self.contact_ids != former.contact_ids {
            interviews::replace_panel(tx, self.row.id, &self.contact_ids)?;
        }
        meeting::follow(tx, caller, self, former)
    }

    fn common(&self) -> Common<kinds::Interview> {
        Common {
            id: self.row.id,
            agency_id: self.row.agency_id,
            version: self.row.version,
            created_at: self.row.created_at,
            updated_at: self.row.updated_at,
            deleted_at: self.row.deleted_at,
        }
    }

    fn set_common(&mut self, common: &Common<kinds::Interview>) {
        self.row.version = common.version;
        self.row.updated_at = common.updated_at;
        self.row.deleted_at = common.deleted_at;
    }

    fn external_refs(&self) -> &[ExternalRef] {
        &self.row.external_refs.0
    }

    fn insert(&self, conn: &mut DbConn) -> Result<(), AppError> {
        interviews::insert(conn, &self.row)?;
        Ok(interviews::insert_panel(conn, self.row.id, &self.contact_ids)?)
    }

    fn find(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError> {
        Ok(interviews::find_whole(conn, agency, id)?)
    }

    /// Its debrief: whatever changes inside it waits there.
    fn lock_before(conn: &mut DbConn, agency: AgencyId, id: InterviewId, _: Company) -> Result<(), AppError> {
        debriefs::lock_of_interview(conn, agency, id)?;
        Ok(())
    }

    fn lock(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError> {
        interviews::lock(conn, agency, id)?;
        Ok(interviews::find_whole(conn, agency, id)?)
    }

    fn update(&self, conn: &mut DbConn, version: i64) -> Result<bool, AppError> {
        Ok(interviews::update(conn, &self.row, version)?)
    }

    fn list(
        conn: &mut DbConn,
        agency: AgencyId,
        query: &InterviewQuery,
        options: &ListOptions<kinds::Interview>,
    ) -> Result<Vec<Self>, AppError> {
        Ok(interviews::list(conn, agency, &query.filters(), options)?)
    }
}

/// A recruiter's interviews are the recruiter's own; a manager hands them out.
fn may_give(caller: &Caller, interview: &Interview) -> Result<(), AppError> {
    if caller.may_change_debriefs_of(interview.recruiter_id) {
        Ok(())
    } else {
        Err(AppError::Forbidden("only a manager gives an interview to another recruiter"))
    }
}

/// The status that an interview gets, which begins as `scheduled` and goes along the ways of its
/// machine. What has not begun cannot have been held.
fn next_status(
    former: Option<&InterviewRow>,
    wanted: InterviewStatus,
    has_begun: bool,
) -> Result<InterviewStatus, InvalidTransition> {
    let present = former.map_or(InterviewStatus::Scheduled, |row| row.status);
    if wanted == present {
        return Ok(present);
    }
    match wanted.transition() {
        Some(transition) if has_begun || transition != InterviewTransition::MarkHeld => {
            present.apply(transition)
        }
        refused => {
            let mut allowed = present.allowed();
            allowed.retain(|way| refused.is_none_or(|refused| *way != <&str>::from(refused)));
            Err(InvalidTransition {
                record: InterviewStatus::RECORD,
                state: present.into(),
                transition: refused.map_or("schedule", Into::into),
                allowed,
            })
        }
    }
}
