//! Thank-you notes: written and changed.

pub mod decisions;
mod held;
pub mod preview;
pub mod review;
mod view;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppError;
use super::debriefs::lifecycle;
use super::error::checked;
use super::events::Happening;
use super::faults::Faults;
use super::letters::{reachable, recipients};
use super::records::Expected;
use crate::auth::caller::Caller;
use crate::domain::debrief::DebriefState;
use crate::domain::ids::{ContactId, DebriefId, NoteId};
use crate::domain::note::{NoteState, NoteTransition, content_hash};
use crate::domain::state::Machine;
use crate::store::connection::DbConn;
use crate::store::correspondents::Recipient;
use crate::store::debriefs::Debrief;
use crate::store::notes::{self, Note};
use crate::store::pool::Tx;
use crate::store::types::Json;

use held::Held;
pub use view::{NoteQuery, NoteView, get, list, of_debrief};

/// What makes or changes a thank-you note.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteInput {
    /// Whom it is for: contacts of the debrief's client, each of whom gets an email of their own.
    #[schema(min_items = 1, max_items = 20)]
    contact_ids: Vec<ContactId>,
    /// What stands in the subject line.
    #[schema(
        min_length = 1,
        max_length = 200,
        format = "line-not-blank",
        example = "Thank you for your time on Tuesday"
    )]
    subject: String,
    /// What it says: plain text, a blank line between paragraphs.
    #[schema(min_length = 1, max_length = 10_000, format = "text-not-blank")]
    body: String,
    /// The language that it is written in, a BCP 47 tag.
    #[schema(max_length = 35, format = "language-tag", example = "en")]
    language: Option<String>,
}

impl NoteInput {
    fn check(&self, faults: &mut Faults) {
        let mut seen = HashSet::new();
        for (i, contact) in self.contact_ids.iter().enumerate() {
            if !seen.insert(contact) {
                faults.add(format!("/contact_ids/{i}"), "duplicate", "names the same contact twice");
            }
        }
    }

    fn of(note: &Note) -> Self {
        Self {
            contact_ids: note.contact_ids.0.clone(),
            subject: note.subject.clone(),
            body: note.body.clone(),
            language: note.language.clone(),
        }
    }

    fn says_the_same_as(&self, note: &Note) -> bool {
        let same = (&self.contact_ids, &self.subject, &self.body, &self.language);
        same == (&note.contact_ids.0, &note.subject, &note.body, &note.language)
    }

    fn hash(&self) -> String {
        content_hash(&self.subject, &self.body, self.language.as_deref(), &self.contact_ids)
    }
}

/// Writes the first draft of a note.
///
/// # Errors
/// A conflict if a contact may not be written to, or has a live note in this debrief already.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    input: NoteInput,
) -> Result<NoteView, AppError> {
    let mut debrief = lifecycle::lock(tx, caller, debrief)?;
    lifecycle::touch(tx, &mut debrief);
    lifecycle::settle(tx, caller, &mut debrief)?;
    lifecycle::refuse_in(&debrief, &[DebriefState::Cancelled], "write_note")?;
    let mut faults = Faults::default();
    input.check(&mut faults);
    let found = recipients(tx, caller.agency, &debrief, &input.contact_ids, &mut faults)?;
    checked(faults)?;
    reachable(&found)?;
    vacant(tx, &debrief, &found, None)?;
    let note = Note {
        id: tx.new_id(),
        agency_id: caller.agency,
        debrief_id: debrief.id,
        content_hash: input.hash(),
        contact_ids: Json(input.contact_ids),
        state: NoteState::Draft,
        subject: input.subject,
        body: input.body,
        language: input.language,
        reason: None,
        approved_hash: None,
        approved_by: None,
        approved_at: None,
        send_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    notes::insert(tx, &note)?;
    notes::replace_contacts(tx, &note)?;
    debrief.note_state = Some(note.state);
    let created = Happening::to("note.created", note.id).of(debrief.id);
    created.with("state", note.state).with("version", note.version).record(tx, caller);
    lifecycle::save(tx, &debrief)?;
    Ok(NoteView::new(note, Vec::new(), tx.now()))
}

/// Changes a note; `edit` makes the new input of the present one. What was approved, and has not left
/// yet, comes back for another look.
pub fn change(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: NoteId,
    expected: Expected,
    edit: impl FnOnce(NoteInput) -> Result<NoteInput, AppError>,
) -> Result<NoteView, AppError> {
    let mut held = Held::hold(tx, caller, id, expected)?;
    let note = &mut held.note;
    let input = edit(NoteInput::of(note))?;
    let mut faults = Faults::default();
    input.check(&mut faults);
    let found = recipients(tx, caller.agency, &held.debrief, &input.contact_ids, &mut faults)?;
    checked(faults)?;
    let state = note.state.apply(NoteTransition::Edit)?;
    if input.says_the_same_as(note) {
        let now = tx.now();
        return get(tx, caller.agency, id, now);
    }
    if note.state == NoteState::Queued {
        decisions::withdraw(tx, note)?;
    }
    let contacts_changed = input.contact_ids != note.contact_ids.0;
    note.state = state;
    note.content_hash = input.hash();
    note.contact_ids = Json(input.contact_ids);
    note.subject = input.subject;
    note.body = input.body;
    note.language = input.language;
    note.forget_approval();
    if contacts_changed {
        reachable(&found)?;
        vacant(tx, &held.debrief, &found, Some(id))?;
        notes::replace_contacts(tx, note)?;
    }
    held.save(tx, caller, "note.updated", None)
}

impl Note {
    /// The approval was for another text.
    fn forget_approval(&mut self) {
        self.approved_hash = None;
        self.approved_by = None;
        self.approved_at = None;
        self.send_at = None;
    }
}

/// Fails if another note of the debrief stands for one of the contacts, or for somebody at the same address.
fn vacant(
    conn: &mut DbConn,
    debrief: &Debrief,
    recipients: &[Recipient],
    own: Option<NoteId>,
) -> Result<(), AppError> {
    for (note, contact, email) in notes::stands_for(conn, debrief.id)? {
        let is_taken = |recipient: &&Recipient| recipient.id == contact || recipient.is_at(email.as_deref());
        if let Some(recipient) = recipients.iter().find(is_taken).filter(|_| Some(note) != own) {
            let whose = if recipient.id == contact { "" } else { "'s email address" };
            let detail = format!("the contact {}{whose} has a note in this debrief already", recipient.id);
            return Err(AppError::already_exists(detail, note));
        }
    }
    Ok(())
}
