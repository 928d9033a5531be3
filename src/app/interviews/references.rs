//! The records that an interview refers to, looked up and held while it is written.

use super::InterviewInput;
use crate::app::AppError;
use crate::app::faults::Faults;
use crate::app::records::Common;
use crate::domain::ids::{AgencyId, ClientId, ContactId, InterviewId, UserId, kinds};
use crate::domain::people::Role;
use crate::store::connection::DbConn;
use crate::store::interviews::{Interview, InterviewRow};
use crate::store::pool::Tx;
use crate::store::users::User;
use crate::store::{candidates, contacts, debriefs, interviews, job_orders, users};

/// What an interview takes from the records that it refers to.
pub(super) struct Place {
    /// The job order's client.
    pub client_id: ClientId,
    /// The time zone of an interview that gives none.
    pub time_zone: String,
}

/// Looks up everything that the input refers to and notes what is not there or does not fit. None
/// if the candidate or the job order is not there.
pub(super) fn resolve(
    tx: &mut Tx<'_>,
    common: &Common<kinds::Interview>,
    input: &InterviewInput,
    former: Option<&Interview>,
    faults: &mut Faults,
) -> Result<Option<Place>, AppError> {
    let agency = common.agency_id;
    let place = match former {
        Some(former) => Some(stay(tx, input, former, faults)?),
        None => find_place(tx, agency, input, faults)?,
    };
    if let Some(place) = &place {
        let known = former.map_or(&[][..], |former| &former.contact_ids);
        check_panel(tx, agency, place.client_id, &input.contact_ids, known, faults)?;
    }
    check_retry(tx, common, input, former, faults)?;
    let recruiter =
        input.recruiter_id.filter(|id| former.and_then(|former| former.recruiter_id) != Some(*id));
    if let Some(recruiter) = recruiter
        && !keeps_debriefs(tx, agency, recruiter)?
    {
        faults.unknown("/recruiter_id", "user who keeps debriefs");
    }
    Ok(place)
}

/// Whether a debrief can be this user's.
pub(in crate::app) fn keeps_debriefs(
    conn: &mut DbConn,
    agency: AgencyId,
    user: UserId,
) -> Result<bool, AppError> {
    let writes = |user: User| user.disabled_at.is_none() && user.role != Role::Auditor;
    Ok(users::find(conn, agency, user)?.is_some_and(writes))
}

/// An interview's debrief tells of one candidate and one vacancy, so it keeps both.
fn stay(
    tx: &mut Tx<'_>,
    input: &InterviewInput,
    former: &Interview,
    faults: &mut Faults,
) -> Result<Place, AppError> {
    if input.candidate_id != former.row.candidate_id {
        faults.immutable("/candidate_id", "the debrief is the candidate's");
    }
    if input.job_order_id != former.row.job_order_id {
        faults.immutable("/job_order_id", "the debrief is about the job order");
    }
    let time_zone = match &input.time_zone {
        Some(zone) => zone.clone(),
        None => candidates::find(tx, former.row.agency_id, former.row.candidate_id)?
            .map_or_else(|| former.row.time_zone.clone(), |candidate| candidate.time_zone),
    };
    Ok(Place { client_id: former.client_id, time_zone })
}

fn find_place(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    input: &InterviewInput,
    faults: &mut Faults,
) -> Result<Option<Place>, AppError> {
    let candidate = candidates::pin(tx, agency, input.candidate_id)?.filter(|c| c.deleted_at.is_none());
    if candidate.is_none() {
        faults.unknown("/candidate_id", "candidate");
    }
    let order = job_orders::pin(tx, agency, input.job_order_id)?.filter(|order| order.deleted_at.is_none());
    if order.is_none() {
        faults.unknown("/job_order_id", "job order");
    }
    Ok(candidate
        .zip(order)
        .map(|(candidate, order)| Place { client_id: order.client_id, time_zone: candidate.time_zone }))
}

fn check_panel(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    client: ClientId,
    wanted: &[ContactId],
    known: &[ContactId],
    faults: &mut Faults,
) -> Result<(), AppError> {
    let new: Vec<ContactId> = wanted.iter().copied().filter(|contact| !known.contains(contact)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let found = contacts::pin_several(tx, agency, &new)?;
    for (i, contact) in wanted.iter().enumerate().filter(|(_, contact)| new.contains(contact)) {
        let pointer = format!("/contact_ids/{i}");
        match found.iter().find(|(id, _)| id == contact) {
            Some((_, employer)) if *employer == client => {}
            Some(_) => faults.add(pointer, "wrong_client", "is not a contact at the job order's client"),
            None => faults.unknown(pointer, "contact"),
        }
    }
    Ok(())
}

fn check_retry(
    tx: &mut Tx<'_>,
    common: &Common<kinds::Interview>,
    input: &InterviewInput,
    former: Option<&Interview>,
    faults: &mut Faults,
) -> Result<(), AppError> {
    const FIELD: &str = "/retry_of_interview_id";
    let is_linked = input.retry_of_interview_id != former.and_then(|former| former.row.retry_of_interview_id);
    let is_moved = former.is_some_and(|former| former.row.starts_at != input.starts_at);
    if is_moved && interviews::has_retry_by(tx, input.candidate_id, common.id, input.starts_at)? {
        faults.add("/starts_at", "before_the_first", "its second chance would not begin after it any more");
    }
    if let Some(former) = former
        && is_linked
        && was_agreed(tx, &former.row)?
    {
        faults.immutable(FIELD, "a retry request led to the interview");
    }
    let original = input.retry_of_interview_id.filter(|_| is_linked || is_moved);
    let Some(original) = original else { return Ok(()) };
    let found = interviews::pin(tx, common.agency_id, original)?.filter(|row| row.deleted_at.is_none());
    match found {
        // What it was linked to may be gone by now.
        None if is_linked => faults.unknown(FIELD, "interview"),
        Some(row) if is_linked && !is_chance_for(input, common.id, &row) => {
            let detail = "must be another interview of the same candidate about the same job order";
            faults.add(FIELD, "wrong_interview", detail);
        }
        // So no two of them can be each other's second chance.
        Some(row) if input.starts_at <= row.starts_at => {
            let detail = "must begin after the interview that it is the retry of";
            faults.add("/starts_at", "before_the_first", detail);
        }
        _ => {}
    }
    Ok(())
}

fn is_chance_for(input: &InterviewInput, id: InterviewId, original: &InterviewRow) -> bool {
    original.id != id
        && original.candidate_id == input.candidate_id
        && original.job_order_id == input.job_order_id
}

/// Whether the interview is what a retry request led to.
pub(super) fn was_agreed(conn: &mut DbConn, interview: &InterviewRow) -> Result<bool, AppError> {
    match interview.retry_of_interview_id {
        Some(original) => Ok(debriefs::has_request_leading_to(conn, original, interview.id)?),
        None => Ok(false),
    }
}
