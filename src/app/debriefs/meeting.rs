//! What an interview does to its debrief: it is made with it, moves with it, and goes with it.

use chrono_tz::Tz;

use crate::app::AppError;
use crate::app::debriefs::lifecycle::{changeable, save, settle, sum_up, take, touch};
use crate::app::error::ConflictCode;
use crate::app::events::Happening;
use crate::app::retry_requests::end_with_interview;
use crate::auth::caller::Caller;
use crate::domain::debrief::{CancelReason, DebriefState, DebriefTransition, SideStatus};
use crate::domain::due::due_at;
use crate::domain::feedback::FeedbackState;
use crate::domain::ids::{AgencyId, CandidateId, ContactId};
use crate::domain::interview::InterviewStatus;
use crate::domain::text::check_time_zone;
use crate::domain::timestamp::Timestamp;
use crate::store::candidates::{self, Candidate};
use crate::store::debriefs::{self, Debrief};
use crate::store::feedback::{self, FeedbackRow};
use crate::store::interviews::Interview;
use crate::store::notes;
use crate::store::pool::Tx;
use crate::store::types::Json;

/// Makes the debrief of a new interview, and asks the candidate and the panel for their accounts.
pub(in crate::app) fn create_for(
    tx: &mut Tx<'_>,
    caller: &Caller,
    interview: &Interview,
) -> Result<(), AppError> {
    let now = tx.now();
    let row = &interview.row;
    let mut debrief = Debrief {
        id: interview.debrief_id,
        agency_id: row.agency_id,
        interview_id: row.id,
        candidate_id: row.candidate_id,
        client_id: interview.client_id,
        job_order_id: row.job_order_id,
        recruiter_id: interview.recruiter_id,
        state: DebriefState::Scheduled,
        outcome: None,
        interviewed_at: row.starts_at,
        interview_ends_at: row.ends_at,
        due_at: due(tx, row.agency_id, row.candidate_id, row.ends_at)?,
        candidate_side: SideStatus::Missing,
        client_side: SideStatus::Missing,
        candidate_overall: None,
        client_overall: None,
        retry_state: None,
        note_state: None,
        matches: Json(Vec::new()),
        released_at: None,
        closed_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    Happening::to("debrief.created", debrief.id)
        .of(debrief.id)
        .with("interview_id", row.id)
        .with("state", debrief.state)
        .with("version", debrief.version)
        .record(tx, caller);
    follow_status(tx, caller, &mut debrief, row.status)?;
    settle(tx, caller, &mut debrief)?;
    debriefs::insert(tx, &debrief)?;
    let people = std::iter::once(None).chain(interview.contact_ids.iter().copied().map(Some));
    let accounts: Vec<FeedbackRow> = people
        .map(|contact| FeedbackRow::requested(tx.new_id(), row.agency_id, debrief.id, contact, now))
        .collect();
    Ok(feedback::insert_all(tx, &accounts)?)
}

/// Makes the debrief follow its interview, which was `former` before.
pub(in crate::app) fn follow(
    tx: &mut Tx<'_>,
    caller: &Caller,
    interview: &Interview,
    former: &Interview,
) -> Result<(), AppError> {
    let row = &interview.row;
    let mut debrief = changeable(caller, debriefs::lock_of_interview(tx, row.agency_id, row.id)?)?;
    touch(tx, &mut debrief);
    if (row.starts_at, row.ends_at) != (former.row.starts_at, former.row.ends_at) {
        reschedule(tx, &mut debrief, row.starts_at, row.ends_at)?;
    }
    if interview.recruiter_id != former.recruiter_id {
        debrief.recruiter_id = interview.recruiter_id;
        // Whoever has read a note has read it as the former recruiter's letter.
        let now = tx.now();
        notes::renew_unapproved_in(tx, debrief.id, now)?;
        Happening::to("debrief.assigned", debrief.id)
            .of(debrief.id)
            .with("recruiter_id", debrief.recruiter_id)
            .with("version", debrief.version)
            .record(tx, caller);
    }
    if interview.contact_ids != former.contact_ids {
        ask(tx, caller, &mut debrief, &interview.contact_ids, &former.contact_ids)?;
    }
    if row.status != former.row.status {
        follow_status(tx, caller, &mut debrief, row.status)?;
    }
    settle(tx, caller, &mut debrief)?;
    save(tx, &debrief)
}

/// Deletes the debrief of a deleted interview: a tombstone stays.
pub(in crate::app) fn remove(
    tx: &mut Tx<'_>,
    caller: &Caller,
    interview: &Interview,
) -> Result<(), AppError> {
    let row = &interview.row;
    let mut debrief = changeable(caller, debriefs::lock_of_interview(tx, row.agency_id, row.id)?)?;
    touch(tx, &mut debrief);
    debrief.deleted_at = Some(tx.now());
    save(tx, &debrief)?;
    Happening::to("debrief.deleted", debrief.id)
        .of(debrief.id)
        .with("version", debrief.version)
        .record(tx, caller);
    Ok(())
}

/// Makes what is still to be done about a candidate due at the end of the candidate's own day, which
/// begins and ends elsewhere than before.
pub(in crate::app) fn redate(
    tx: &mut Tx<'_>,
    caller: &Caller,
    candidate: &Candidate,
) -> Result<(), AppError> {
    let zone = zone_of(candidate)?;
    for mut debrief in debriefs::lock_undone_of(tx, candidate.agency_id, candidate.id)? {
        let due: Timestamp = due_at(*debrief.interview_ends_at, zone).into();
        if due == debrief.due_at {
            continue;
        }
        touch(tx, &mut debrief);
        debrief.due_at = due;
        save(tx, &debrief)?;
        Happening::to("debrief.updated", debrief.id)
            .of(debrief.id)
            .with("due_at", due)
            .with("version", debrief.version)
            .record(tx, caller);
    }
    Ok(())
}

/// When the accounts of an interview that ends then are due.
fn due(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    candidate: CandidateId,
    ends_at: Timestamp,
) -> Result<Timestamp, AppError> {
    let candidate = candidates::find(tx, agency, candidate)?.ok_or(AppError::NotFound)?;
    Ok(due_at(*ends_at, zone_of(&candidate)?).into())
}

fn zone_of(candidate: &Candidate) -> Result<Tz, AppError> {
    check_time_zone(&candidate.time_zone)
        .map_err(|_| AppError::Internal(format!("{} has an unknown time zone", candidate.id)))
}

fn reschedule(
    tx: &mut Tx<'_>,
    debrief: &mut Debrief,
    starts_at: Timestamp,
    ends_at: Timestamp,
) -> Result<(), AppError> {
    let is_over = !matches!(debrief.state, DebriefState::Scheduled | DebriefState::Cancelled);
    if is_over && ends_at > tx.now() {
        let detail = "the debrief is open already, so the interview cannot be moved into the future";
        return Err(AppError::fault("/ends_at", "debrief_is_open", detail));
    }
    debrief.interviewed_at = starts_at;
    debrief.interview_ends_at = ends_at;
    debrief.due_at = due(tx, debrief.agency_id, debrief.candidate_id, ends_at)?;
    Ok(())
}

/// Takes what the interview's new status asks for. A debrief that has gone further than that tells
/// what happened, so that it is refused there.
fn follow_status(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: &mut Debrief,
    status: InterviewStatus,
) -> Result<(), AppError> {
    let cancelled = match status {
        InterviewStatus::Scheduled => return Ok(()),
        InterviewStatus::Held if debrief.state == DebriefState::Scheduled => {
            return take(tx, caller, debrief, DebriefTransition::Open, None);
        }
        InterviewStatus::Held => return Ok(()),
        InterviewStatus::Cancelled => CancelReason::Cancelled,
        InterviewStatus::NoShow => CancelReason::NoShow,
    };
    take(tx, caller, debrief, DebriefTransition::Cancel, Some(cancelled.into()))?;
    end_with_interview(tx, caller, debrief)
}

/// Asks the contacts who are new on the panel for their accounts, and those who left it no longer.
fn ask(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: &mut Debrief,
    panel: &[ContactId],
    former: &[ContactId],
) -> Result<(), AppError> {
    let mut accounts = feedback::of_debrief(tx, debrief.agency_id, debrief.id)?;
    for gone in former.iter().filter(|contact| !panel.contains(contact)) {
        if notes::live_for(tx, debrief.id, *gone)?.is_some() {
            let detail = format!("there is a thank-you note to {gone}, who therefore stays on the panel");
            return Err(AppError::conflict(ConflictCode::InUse, detail));
        }
        if let Some(at) = accounts.iter().position(|account| account.contact_id == Some(*gone)) {
            excuse(tx, caller, &accounts.swap_remove(at), *gone)?;
        }
    }
    for new in panel.iter().filter(|contact| !former.contains(contact)) {
        // A contact may have spoken without having been on the panel.
        if accounts.iter().all(|account| account.contact_id != Some(*new)) {
            accounts.push(request(tx, caller, debrief, *new)?);
        }
    }
    sum_up(debrief, &accounts);
    Ok(())
}

/// Asks a contact for an account.
fn request(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: &Debrief,
    contact: ContactId,
) -> Result<FeedbackRow, AppError> {
    let row = FeedbackRow::requested(tx.new_id(), debrief.agency_id, debrief.id, Some(contact), tx.now());
    feedback::insert(tx, &row)?;
    Happening::to("feedback.requested", row.id)
        .of(debrief.id)
        .with("contact_id", contact)
        .with("state", row.state)
        .with("version", row.version)
        .record(tx, caller);
    Ok(row)
}

/// Takes back the request for a contact's account, unless there is more than the request.
fn excuse(
    tx: &mut Tx<'_>,
    caller: &Caller,
    account: &FeedbackRow,
    contact: ContactId,
) -> Result<(), AppError> {
    if account.state != FeedbackState::Requested {
        return Err(AppError::Conflict {
            code: ConflictCode::InUse,
            detail: format!("there is feedback of {contact}, who therefore stays on the panel"),
            existing: Some(account.id.to_string()),
        });
    }
    feedback::delete(tx, account.id)?;
    Happening::to("feedback.withdrawn", account.id)
        .of(account.debrief_id)
        .with("contact_id", contact)
        .record(tx, caller);
    Ok(())
}
