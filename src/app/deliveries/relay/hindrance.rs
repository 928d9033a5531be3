//! What has come in between since a note was approved, so that it is no longer sent.

use crate::app::AppError;
use crate::app::deliveries::{TakenBack, happened, take_back};
use crate::auth::caller::Caller;
use crate::domain::debrief::DebriefState;
use crate::domain::mailbox;
use crate::domain::note::NoteState;
use crate::domain::people::EmailStatus;
use crate::store::deliveries::Delivery;
use crate::store::deliveries::relay::{Standing, bump_debriefs};
use crate::store::notes;
use crate::store::pool::Tx;

/// Why a delivery is not to be sent; none if nothing stands against it.
pub(super) fn hindrance(standing: &Standing) -> Option<&'static str> {
    if standing.note_state != NoteState::Queued {
        // It was past the commit point when the note was recalled, and then was not taken.
        return Some("the note was recalled");
    }
    if standing.debrief_state == DebriefState::Cancelled {
        return Some("the debrief was cancelled");
    }
    if standing.contact_deleted_at.is_some() {
        return Some("the contact was deleted");
    }
    if standing.off_limits {
        return Some("the contact is off-limits by now");
    }
    if standing.contact_client_id != standing.client_id {
        return Some("the contact is at another client by now");
    }
    match standing.email.as_deref() {
        None => Some("the contact has no email address any more"),
        Some(email) if !mailbox::is_same(email, &standing.envelope_to) => {
            Some("the contact has another email address by now")
        }
        Some(_) if standing.email_status == EmailStatus::Bounced => {
            Some("mail to the contact's address came back")
        }
        Some(_) => None,
    }
}

/// Takes back what must no longer be sent.
pub(super) fn call_off(tx: &mut Tx<'_>, former: &Delivery, why: &str) -> Result<(), AppError> {
    let row = take_back(tx, former, TakenBack::Hindered(why))?;
    notes::release_contact(tx, row.note_id, row.contact_id)?;
    let now = tx.now();
    bump_debriefs(tx, vec![row.debrief_id], now)?;
    happened(tx, &Caller::system(row.agency_id), "note.called_off", &row, Some(why));
    Ok(())
}
