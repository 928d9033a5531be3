//! The message that would go out, or that went.

use crate::app::AppError;
use crate::app::error::checked;
use crate::app::faults::Faults;
use crate::app::letters::{MailPolicy, Parties, reachable, recipients};
use crate::auth::caller::Caller;
use crate::domain::ids::{ContactId, NoteId};
use crate::domain::timestamp::Timestamp;
pub use crate::mail::Parts;
use crate::store::connection::DbConn;
use crate::store::{debriefs, deliveries, notes};

/// The message (RFC 5322) that carries the note to `contact`, or to its first one. Once the note is
/// approved it is the frozen message, byte for byte; before, what an approval at `now` would
/// freeze, but for the names that only the approval gives (Message-ID, MIME boundary) and the signatures.
///
/// # Errors
/// [`AppError::NotFound`] if the note is not for that contact.
pub fn preview(
    conn: &mut DbConn,
    caller: &Caller,
    policy: &MailPolicy,
    note: NoteId,
    contact: Option<ContactId>,
    now: Timestamp,
) -> Result<Vec<u8>, AppError> {
    let note = notes::find(conn, caller.agency, note)?.ok_or(AppError::NotFound)?;
    let contacts = &note.contact_ids.0;
    let contact = contact.map_or(contacts.first(), |id| contacts.iter().find(|known| **known == id));
    let contact = *contact.ok_or(AppError::NotFound)?;

    let frozen = deliveries::of_note(conn, note.id)?;
    if let Some(delivery) = frozen.iter().find(|delivery| delivery.contact_id == contact) {
        let message = deliveries::message(conn, caller.agency, delivery.id)?.ok_or(AppError::NotFound)?;
        return Ok(message.message);
    }
    let debrief = debriefs::find(conn, caller.agency, note.debrief_id)?.ok_or(AppError::NotFound)?;
    let mut faults = Faults::default();
    let found = recipients(conn, caller.agency, &debrief, &[contact], &mut faults)?;
    checked(faults)?;
    reachable(&found)?;
    let recipient = found.first().ok_or(AppError::NotFound)?;
    let parties = Parties::of(conn, caller, policy, &debrief)?;
    Ok(parties.draft(policy, &note, recipient, &note.id.to_string(), now)?.bytes)
}

/// What a person reads in the message; none if it is not one of ours.
#[must_use]
pub fn parts(message: &[u8]) -> Option<Parts> {
    Parts::of(message)
}
