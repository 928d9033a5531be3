//! A debrief whole: everything that is known of it, in one answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::worklist::overdue;
use crate::app::AppError;
use crate::app::feedback::Feedback;
use crate::app::notes::NoteView;
use crate::auth::caller::Caller;
use crate::domain::comparison::{Account, Comparison, ManualMatch, compare};
use crate::domain::delivery::Lateness;
use crate::domain::feedback::FeedbackState;
use crate::domain::ids::{ContactId, DebriefId};
use crate::domain::timestamp::Timestamp;
use crate::store::agencies::Competency;
use crate::store::candidates::Candidate;
use crate::store::clients::Client;
use crate::store::connection::DbConn;
use crate::store::contacts::{self, Contact};
use crate::store::debrief_view::{self, AccountRow};
use crate::store::debriefs::{Debrief, PointMatch};
use crate::store::deliveries::Delivery;
use crate::store::feedback::FeedbackRow;
use crate::store::interviews::Interview;
use crate::store::job_orders::JobOrder;
use crate::store::notes::Note;
use crate::store::points::PointRow;
use crate::store::retry_requests::RetryRequest;
use crate::store::worklist::UserName;
use crate::store::{feedback, points, retry_requests};

/// A debrief with everything that belongs to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DebriefView {
    #[expect(missing_docs, reason = "its fields are shown as the debrief's own")]
    #[serde(flatten)]
    pub debrief: Debrief,
    /// Whether it still awaits an account past its due time.
    pub overdue: bool,
    /// Whether a thank-you note stands for somebody: it is being written, on its way, or was taken. A
    /// note whose emails all came to nothing stays `queued`, and stands for nobody.
    pub note_stands: bool,
    /// How late the latest email of its notes is that still waits to be sent.
    pub note_late: Option<Lateness>,
    /// Whether nobody knows the fate of an email of its notes, so that somebody has to decide.
    pub note_unconfirmed: bool,
    /// The interview.
    pub interview: Interview,
    /// Who was interviewed.
    pub candidate: Candidate,
    /// The hiring company.
    pub client: Client,
    /// The vacancy.
    pub job_order: JobOrder,
    /// Whose debrief it is at the agency.
    pub recruiter: Option<UserName>,
    /// The panel, and whoever else at the client was asked, has spoken or is written to.
    pub contacts: Vec<Contact>,
    /// Every account as it now stands, the candidate's first.
    pub feedback: Vec<Feedback>,
    /// The requests to meet again, oldest first.
    pub retry_requests: Vec<RetryRequest>,
    /// The thank-you notes with their deliveries, oldest first.
    pub notes: Vec<NoteView>,
    /// Both sides beside each other.
    pub comparison: Comparison,
}

/// The debrief: four statements, two while it has no retry request and no note, and one more where somebody was
/// spoken to who was not asked. None if it was
/// changed between them, which cannot happen inside a transaction that sees one state of the database.
pub fn get(
    conn: &mut DbConn,
    caller: &Caller,
    id: DebriefId,
    now: Timestamp,
) -> Result<Option<DebriefView>, AppError> {
    let found = debrief_view::surroundings(conn, caller.agency, id)?;
    let found = found.filter(|found| found.debrief.deleted_at.is_none()).ok_or(AppError::NotFound)?;
    let debrief = found.debrief;
    let recruiter = debrief.recruiter_id.zip(found.recruiter_name).map(|(id, name)| UserName { id, name });
    let retry_requests = match debrief.retry_state {
        Some(_) => retry_requests::of_debrief(conn, id)?,
        None => Vec::new(),
    };
    let notes = match debrief.note_state {
        Some(_) => with_deliveries(debrief_view::notes(conn, id)?, now),
        None => Vec::new(),
    };
    // Whatever belongs to a debrief changes with its version. Where the last statement sees the version
    // that the first one saw, so did those between them.
    let accounts = debrief_view::accounts(conn, caller.agency, id)?;
    if accounts.first().is_none_or(|account| account.debrief_version != debrief.version) {
        return Ok(None);
    }
    let (panel, mut others, feedback) = gathered(accounts);
    let spoken_to = notes.iter().flat_map(|note| &note.note.contact_ids.0).copied();
    let spoken_to = spoken_to.chain(retry_requests.iter().filter_map(|request| request.contact_id));
    let is_named = |id: &ContactId| panel.iter().chain(&others).any(|contact| contact.id == *id);
    let missing: Vec<ContactId> = spoken_to.filter(|id| !is_named(id)).collect();
    if !missing.is_empty() {
        others.extend(contacts::several(conn, caller.agency, missing)?);
    }
    let interview = Interview {
        row: found.interview,
        contact_ids: panel.iter().map(|contact| contact.id).collect(),
        client_id: debrief.client_id,
        recruiter_id: debrief.recruiter_id,
        debrief_id: debrief.id,
    };
    let contacts = panel.into_iter().chain(others).collect();
    Ok(Some(DebriefView {
        overdue: overdue(debrief.state, debrief.due_at, now),
        note_stands: found.note_stands,
        note_late: notes.iter().filter_map(|note| note.late).max(),
        note_unconfirmed: notes.iter().any(NoteView::is_unconfirmed),
        comparison: compared(&feedback, &found.competencies.0, &debrief.matches.0),
        debrief,
        interview,
        candidate: found.candidate,
        client: found.client,
        job_order: found.job_order,
        recruiter,
        contacts,
        feedback,
        retry_requests,
        notes,
    }))
}

/// Both sides of a debrief beside each other: three statements.
pub fn comparison(conn: &mut DbConn, caller: &Caller, id: DebriefId) -> Result<(i64, Comparison), AppError> {
    let found = debrief_view::with_competencies(conn, caller.agency, id)?;
    let found = found.filter(|(debrief, _)| debrief.deleted_at.is_none());
    let (debrief, competencies) = found.ok_or(AppError::NotFound)?;
    let rows = feedback::of_debrief(conn, caller.agency, id)?;
    let feedback = with_points(rows.into_iter(), points::of_debrief(conn, caller.agency, id)?);
    Ok((debrief.version, compared(&feedback, &competencies.0, &debrief.matches.0)))
}

/// Who is on the panel, in their places; who else at the client was asked or has spoken; and every
/// account with its points, whose rows stand together.
fn gathered(rows: Vec<AccountRow>) -> (Vec<Contact>, Vec<Contact>, Vec<Feedback>) {
    let (mut panel, mut others, mut feedback) = (Vec::new(), Vec::new(), Vec::<Feedback>::new());
    for AccountRow { row, speaker, place, point, .. } in rows {
        let point = point.map(Into::into);
        match feedback.last_mut() {
            Some(account) if account.row.id == row.id => account.points.extend(point),
            _ => {
                match (speaker, place) {
                    (Some(speaker), Some(place)) => panel.push((place, speaker)),
                    (speaker, _) => others.extend(speaker),
                }
                feedback.push(Feedback { row, points: point.into_iter().collect() });
            }
        }
    }
    panel.sort_by_key(|(place, _)| *place);
    (panel.into_iter().map(|(_, contact)| contact).collect(), others, feedback)
}

/// Gives each account its points, which come account by account.
fn with_points(rows: impl Iterator<Item = FeedbackRow>, mut points: Vec<PointRow>) -> Vec<Feedback> {
    let whole = rows.map(|row| {
        let its = points.extract_if(.., |point| point.feedback_id == row.id);
        let points = its.map(Into::into).collect();
        Feedback { row, points }
    });
    whole.collect()
}

/// Gathers the rows of each note, which stand together.
fn with_deliveries(rows: Vec<(Note, Option<Delivery>)>, now: Timestamp) -> Vec<NoteView> {
    let mut notes: Vec<(Note, Vec<Delivery>)> = Vec::new();
    for (note, delivery) in rows {
        match notes.last_mut() {
            Some((last, deliveries)) if last.id == note.id => deliveries.extend(delivery),
            _ => notes.push((note, delivery.into_iter().collect())),
        }
    }
    notes.into_iter().map(|(note, deliveries)| NoteView::new(note, deliveries, now)).collect()
}

/// Only what was submitted is compared.
fn compared(feedback: &[Feedback], competencies: &[Competency], matches: &[PointMatch]) -> Comparison {
    let given = feedback.iter().filter(|account| account.row.state == FeedbackState::Submitted);
    let accounts: Vec<Account> = given.map(Feedback::compared).collect();
    let keys: Vec<String> = competencies.iter().map(|competency| competency.key.clone()).collect();
    let matches: Vec<ManualMatch> =
        matches.iter().map(|made| ManualMatch { points: made.points, same: made.same }).collect();
    compare(&accounts, &keys, &matches)
}
