//! The call sheet: what a recruiter has before them when they ring the client.

use serde::Serialize;
use utoipa::ToSchema;

use super::view::{self, DebriefView};
use crate::app::AppError;
use crate::app::feedback::Feedback;
use crate::auth::caller::Caller;
use crate::domain::call_sheet::{CallNotes, Known, Told, Wish, call_notes};
use crate::domain::feedback::{FeedbackState, Side};
use crate::domain::ids::{CandidateId, ClientId, ContactId, DebriefId, JobOrderId};
use crate::domain::interview::Format;
use crate::domain::people::ContactRole;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;

/// What a recruiter has before them when they ring the client.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallSheet {
    /// The debrief that the call is about.
    pub debrief_id: DebriefId,
    /// The hiring company.
    pub client_id: ClientId,
    /// What it is called.
    #[schema(example = "Nordwind Logistics")]
    pub client_name: String,
    /// Who was interviewed.
    pub candidate_id: CandidateId,
    /// What the candidate is called.
    #[schema(example = "Tomás Herrera")]
    pub candidate_name: String,
    /// The vacancy.
    pub job_order_id: JobOrderId,
    /// What the vacancy is called.
    #[schema(example = "Warehouse shift lead")]
    pub job_title: String,
    /// When the interview began.
    pub interviewed_at: Timestamp,
    /// How the people of the interview met.
    pub format: Format,
    /// Whom one may ring: those of the panel, and whoever else was asked or has spoken.
    pub contacts: Vec<CallContact>,
    /// Whether the candidate's account is in. Until then there is nothing of theirs to raise.
    pub candidate_heard: bool,
    #[expect(missing_docs, reason = "its fields are shown as the sheet's own")]
    #[serde(flatten)]
    pub notes: CallNotes,
}

/// Somebody to ring.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallContact {
    /// The contact.
    pub id: ContactId,
    /// What the contact is called.
    #[schema(example = "Ines Okafor")]
    pub name: String,
    /// What the contact is at the client.
    pub role: ContactRole,
    /// Where to ring.
    #[schema(example = "+49 30 1234567")]
    pub phone: Option<String>,
    /// Whether the contact may not be approached.
    pub off_limits: bool,
    /// Whether the contact's account is in.
    pub heard: bool,
}

/// The sheet, with the version of its debrief. As many statements as the debrief whole, and none like it
/// if that was changed between them.
pub fn get(
    conn: &mut DbConn,
    caller: &Caller,
    id: DebriefId,
    now: Timestamp,
) -> Result<Option<(i64, CallSheet)>, AppError> {
    let Some(whole) = view::get(conn, caller, id, now)? else { return Ok(None) };
    let notes = call_notes(&known(&whole));
    let contacts = whole.contacts.iter().map(|contact| CallContact {
        id: contact.id,
        name: contact.name.clone(),
        role: contact.role,
        phone: contact.phone.clone(),
        off_limits: contact.off_limits,
        heard: is_in(&whole, contact.id, FeedbackState::Submitted),
    });
    let contacts = contacts.collect();
    let candidate_heard = given(&whole, Side::Candidate).next().is_some();
    let sheet = CallSheet {
        contacts,
        candidate_heard,
        debrief_id: id,
        client_id: whole.client.id,
        client_name: whole.client.name,
        candidate_id: whole.candidate.id,
        candidate_name: whole.candidate.name,
        job_order_id: whole.job_order.id,
        job_title: whole.job_order.title,
        interviewed_at: whole.debrief.interviewed_at,
        format: whole.interview.row.format,
        notes,
    };
    Ok(Some((whole.debrief.version, sheet)))
}

/// The submitted accounts of a side.
fn given(whole: &DebriefView, side: Side) -> impl Iterator<Item = &Feedback> {
    let of_side =
        move |account: &&Feedback| account.row.side == side && account.row.state == FeedbackState::Submitted;
    whole.feedback.iter().filter(of_side)
}

/// Whether a contact's account is in a state.
fn is_in(whole: &DebriefView, contact: ContactId, state: FeedbackState) -> bool {
    whole.feedback.iter().any(|account| account.row.contact_id == Some(contact) && account.row.state == state)
}

fn known(whole: &DebriefView) -> Known<'_> {
    let candidate = given(whole, Side::Candidate).next().map(|account| Told {
        feedback_id: account.row.id,
        first_impression: account.row.first_impression.as_deref(),
        narrative: account.row.narrative.as_deref(),
        points: &account.points,
        agency_only: account.row.agency_only.as_ref().map(|only| &only.0),
    });
    // Who was waived will not speak, and is not asked again.
    let unheard = whole.contacts.iter().filter(|contact| {
        let asked = !is_in(whole, contact.id, FeedbackState::Submitted)
            && !is_in(whole, contact.id, FeedbackState::Waived);
        asked && !contact.off_limits
    });
    Known {
        comparison: &whole.comparison,
        candidate,
        unheard: unheard.map(|contact| (contact.id, contact.name.as_str())).collect(),
        is_judged: given(whole, Side::Client).any(|account| account.row.overall.is_some()),
        retry: whole.retry_requests.last().map(|request| Wish {
            id: request.id,
            state: request.state,
            grounds: request.grounds,
            what_would_differ: &request.what_would_differ,
        }),
    }
}
