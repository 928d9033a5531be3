//! What the recruiter decides about a note: to look at it, to let it go, to call it back.

use serde::Deserialize;
use utoipa::ToSchema;

use super::held::Held;
use super::{NoteView, vacant};
use crate::app::AppError;
use crate::app::debriefs::lifecycle;
use crate::app::deliveries::{TakenBack, take_back};
use crate::app::error::ConflictCode;
use crate::app::faults::Faults;
use crate::app::letters::{MailPolicy, Parties, SHARED, blocked, has_address_of, reachable, recipients};
use crate::app::records::Expected;
use crate::auth::caller::Caller;
use crate::domain::debrief::DebriefState;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Progress};
use crate::domain::ids::{DeliveryId, NoteId};
use crate::domain::note::NoteTransition;
use crate::domain::state::Machine;
use crate::domain::timestamp::Timestamp;
use crate::store::correspondents::Recipient;
use crate::store::deliveries::{self, Delivery, Message};
use crate::store::notes::{self, Note};
use crate::store::pool::Tx;
use crate::store::types::Json;

/// The approval of one text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The `content_hash` of the text that was read.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_hash: String,
    /// The earliest time at which it may leave.
    pub send_at: Option<Timestamp>,
}

/// Why something was decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The reason, in the decider's words.
    #[schema(min_length = 1, max_length = 2000, format = "text-not-blank")]
    pub reason: String,
}

/// Hands the note to the recruiter.
pub fn submit(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: NoteId,
    expected: Expected,
) -> Result<NoteView, AppError> {
    let mut held = Held::hold(tx, caller, id, expected)?;
    held.take(NoteTransition::Submit)?;
    lifecycle::refuse_in(&held.debrief, &[DebriefState::Cancelled], "submit_note")?;
    still_reachable(tx, caller, &held)?;
    held.note.reason = None;
    held.save(tx, caller, "note.submitted", None)
}

/// Finds exactly one text fit to send, and queues it: a frozen message for each contact.
///
/// # Errors
/// [`ConflictCode::ContentChanged`] if the text is no longer the one that was read.
pub fn approve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    policy: &MailPolicy,
    id: NoteId,
    expected: Expected,
    approval: &Approval,
) -> Result<NoteView, AppError> {
    let mut held = Held::hold(tx, caller, id, expected)?;
    held.take(NoteTransition::Approve)?;
    // Its interview may just have ended.
    lifecycle::settle(tx, caller, &mut held.debrief)?;
    lifecycle::refuse_in(&held.debrief, &[DebriefState::Scheduled, DebriefState::Cancelled], "approve_note")?;
    if approval.content_hash != held.note.content_hash {
        let detail = "the note's text or recipients are not those that were read";
        return Err(AppError::conflict(ConflictCode::ContentChanged, detail));
    }
    let recipients = still_reachable(tx, caller, &held)?;
    let note = &mut held.note;
    note.approved_hash = Some(note.content_hash.clone());
    note.approved_by = Some(Json(caller.actor));
    note.approved_at = Some(tx.now());
    note.send_at = approval.send_at;
    let undone_until = Timestamp::from(*tx.now() + policy.undo_window);
    let due_at = approval.send_at.map_or(undone_until, |send_at| send_at.max(undone_until));
    let parties = Parties::of(tx, caller, policy, &held.debrief)?;
    let mut rows = Vec::with_capacity(recipients.len());
    for (position, recipient) in recipients.iter().enumerate() {
        let id: DeliveryId = tx.new_id();
        let letter = parties.letter(policy, &held.note, recipient, id, tx.now())?;
        let delivery = Delivery {
            id,
            agency_id: caller.agency,
            debrief_id: held.debrief.id,
            note_id: held.note.id,
            contact_id: recipient.id,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            state: DeliveryState::Queued,
            transmitting: false,
            withdrawn: false,
            attempts: 0,
            due_at,
            next_attempt_at: Some(due_at),
            lease_token: 0,
            lease_until: None,
            envelope_to: letter.envelope.recipient,
            message_id: letter.message_id,
            last_code: None,
            last_enhanced_code: None,
            last_text: None,
            sent_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        rows.push((delivery, Message { envelope_from: letter.envelope.sender, message: letter.bytes }));
    }
    deliveries::insert_all(tx, &rows)?;
    held.take(NoteTransition::Queue)?;
    held.save(tx, caller, "note.approved", None)
}

/// Sends the note back to be mended.
pub fn request_changes(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: NoteId,
    expected: Expected,
    reason: &Reason,
) -> Result<NoteView, AppError> {
    let reason = &reason.reason;
    let mut held = Held::hold(tx, caller, id, expected)?;
    held.take(NoteTransition::RequestChanges)?;
    held.note.reason = Some(reason.to_owned());
    held.save(tx, caller, "note.changes_requested", Some(reason))
}

/// Refuses the note for good.
pub fn reject(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: NoteId,
    expected: Expected,
    reason: &Reason,
) -> Result<NoteView, AppError> {
    let reason = &reason.reason;
    let mut held = Held::hold(tx, caller, id, expected)?;
    held.take(NoteTransition::Reject)?;
    held.note.reason = Some(reason.to_owned());
    for contact in &held.note.contact_ids.0 {
        notes::release_contact(tx, id, *contact)?;
    }
    held.save(tx, caller, "note.rejected", Some(reason))
}

/// Calls the note back: whatever has not left is never sent. The deliveries say what had left.
///
/// # Errors
/// [`AppError::Transition`] if everything had.
pub fn recall(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: NoteId,
    expected: Expected,
) -> Result<NoteView, AppError> {
    let mut held = Held::hold(tx, caller, id, expected)?;
    held.take(NoteTransition::Recall)?;
    let rows = deliveries::lock_of_note(tx, id)?;
    let (back, gone): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row.progress().next(DeliveryEvent::Recall).is_some());
    if let (true, Some(gone)) = (back.is_empty(), gone.first()) {
        return Err(AppError::impossible(Progress::RECORD, gone.state, NoteTransition::Recall));
    }
    for row in back {
        take_back(tx, row, TakenBack::Recalled)?;
        notes::release_contact(tx, id, row.contact_id)?;
    }
    held.save(tx, caller, "note.recalled", None)
}

/// Takes every delivery of a note back, so that its text can be changed.
///
/// # Errors
/// [`AppError::Transition`] if one of them may have left.
pub(super) fn withdraw(tx: &mut Tx<'_>, note: &Note) -> Result<(), AppError> {
    for row in deliveries::lock_of_note(tx, note.id)? {
        if row.progress().next(DeliveryEvent::Recall).is_none() {
            return Err(AppError::impossible(Progress::RECORD, row.state, NoteTransition::Edit));
        }
        take_back(tx, &row, TakenBack::Replaced)?;
    }
    Ok(())
}

/// The contacts of a note as they are now, if they may still be written to.
fn still_reachable(tx: &mut Tx<'_>, caller: &Caller, held: &Held) -> Result<Vec<Recipient>, AppError> {
    let mut gone = Faults::default();
    let found = recipients(tx, caller.agency, &held.debrief, &held.note.contact_ids.0, &mut gone)?;
    let missing = held.note.contact_ids.0.iter().find(|id| !found.iter().any(|r| r.id == **id));
    if let Some(missing) = missing {
        return Err(blocked(*missing, "is no longer at the debrief's client"));
    }
    reachable(&found)?;
    let shared = found.iter().enumerate().find(|(i, recipient)| has_address_of(recipient, &found[..*i]));
    if let Some((_, recipient)) = shared {
        return Err(blocked(recipient.id, SHARED));
    }
    vacant(tx, &held.debrief, &found, Some(held.note.id))?;
    Ok(found)
}
