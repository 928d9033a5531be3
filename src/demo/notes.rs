//! The thank-you notes of a debrief.

use chrono::TimeDelta;
use serde_json::json;

use super::companies::ContactPlan;
use super::deliveries;
use super::story::Memory;
use super::telling::Telling;
use super::texts::{self, notes as say};
use crate::domain::debrief::DebriefState;
use crate::domain::ids::{ContactId, NoteId};
use crate::domain::note::{NoteState, content_hash};
use crate::domain::people::EmailStatus;
use crate::store::notes::Note;
use crate::store::notes::NoteContactRow;
use crate::store::types::Json;

/// Tells of the note, if the candidate wrote one, and of the one that took its place.
pub fn thank(telling: &mut Telling<'_>, memory: &mut Memory) {
    let fate = telling.fate;
    let chance = if fate.mood < -1 { 25 } else { 60 };
    if fate.state == DebriefState::Cancelled || !telling.dice.chance(chance) {
        return;
    }
    let contacts = reachable(telling, memory);
    let state = wanted(telling);
    write(telling, memory, &contacts, state);
    let came_to_nothing = matches!(state, NoteState::Rejected | NoteState::Recalled);
    if came_to_nothing && telling.dice.chance(60) {
        // A recalled note stands for nobody, so another one may take its place.
        write(telling, memory, &contacts[..1], NoteState::Queued);
    }
}

/// Who of the panel may be written to; whoever decides always may.
fn reachable<'a>(telling: &Telling<'a>, memory: &Memory) -> Vec<&'a ContactPlan> {
    let as_good_as_past = telling.hours_left() > 24 * 30;
    let may = |contact: &&&ContactPlan| match contact.email_status {
        _ if contact.off_limits => false,
        EmailStatus::Ok => true,
        // Until the first mail came back nobody knew.
        EmailStatus::Bounced => as_good_as_past && !memory.bounced.contains(&contact.id),
    };
    telling.panel.iter().filter(may).copied().collect()
}

fn wanted(telling: &mut Telling<'_>) -> NoteState {
    use NoteState::{ChangesRequested, Draft, Queued, Recalled, Rejected, Submitted};
    let weights = if telling.hours_left() < 96 { [15, 25, 12, 40, 5, 3] } else { [3, 2, 2, 84, 5, 4] };
    let [draft, submitted, changes, queued, rejected, recalled] = weights;
    telling.dice.weigh(&[
        (queued, Queued),
        (draft, Draft),
        (submitted, Submitted),
        (changes, ChangesRequested),
        (rejected, Rejected),
        (recalled, Recalled),
    ])
}

/// Writes one note and takes it to its state.
fn write(telling: &mut Telling<'_>, memory: &mut Memory, contacts: &[&ContactPlan], state: NoteState) {
    telling.pass(1, 6);
    let mut note = draft(telling, contacts);
    let created = json!({ "state": note.state, "version": note.version });
    telling.touch();
    telling.happened("note.created", note.id, None, created);
    if state != NoteState::Draft {
        step(telling, &mut note, NoteState::Submitted, "note.submitted", None);
    }
    let mut gone: Vec<ContactId> = Vec::new();
    match state {
        NoteState::ChangesRequested => {
            let reason = *telling.dice.pick(&say::CHANGES);
            step(telling, &mut note, state, "note.changes_requested", Some(reason));
        }
        NoteState::Rejected => {
            let reason = *telling.dice.pick(&say::REFUSALS);
            step(telling, &mut note, state, "note.rejected", Some(reason));
            gone = contacts.iter().map(|contact| contact.id).collect();
        }
        NoteState::Queued | NoteState::Recalled => {
            step(telling, &mut note, NoteState::Queued, "note.approved", None);
            note.approved_hash = Some(note.content_hash.clone());
            note.approved_by = Some(Json(telling.actor));
            note.approved_at = Some(telling.now());
            if state == NoteState::Recalled {
                gone = contacts.iter().map(|contact| contact.id).collect();
                deliveries::call_back(telling, &mut note, contacts);
                step(telling, &mut note, state, "note.recalled", None);
            } else {
                gone = deliveries::send(telling, memory, &mut note, contacts);
            }
        }
        NoteState::Draft | NoteState::Submitted | NoteState::Approved => {}
    }
    let live = |contact: &&ContactPlan| NoteContactRow {
        note_id: note.id,
        contact_id: contact.id,
        debrief_id: note.debrief_id,
        live: !gone.contains(&contact.id),
    };
    telling.rows.note_contacts.extend(contacts.iter().map(live));
    telling.debrief.note_state = Some(note.state);
    telling.rows.notes.push(note);
}

fn step(telling: &mut Telling<'_>, note: &mut Note, state: NoteState, event: &str, reason: Option<&str>) {
    note.updated_at = telling.pass(0, 3);
    note.version += 1;
    note.state = state;
    note.reason = reason.map(str::to_owned);
    telling.touch();
    telling.happened(event, note.id, reason, json!({ "state": state, "version": note.version }));
}

fn draft(telling: &mut Telling<'_>, contacts: &[&ContactPlan]) -> Note {
    let now = telling.now();
    let id: NoteId = telling.id();
    let greeted: Vec<String> =
        contacts.iter().map(|contact| format!("dear {}", contact.person.name)).collect();
    let gaps = telling.gaps(telling.panel[0]);
    let dice = &mut telling.dice;
    let subject = texts::paragraph(dice, &[&say::SUBJECTS], &gaps);
    let mut parts = [&say::THANKS[..], &say::ADDITIONS, &say::INTERESTS]
        .map(|list| texts::paragraph(dice, &[list], &gaps))
        .to_vec();
    let greeting = greeted.join(", ").replacen("dear", "Dear", 1);
    parts.insert(0, format!("{greeting},"));
    parts.push(format!("Kind regards\n{}", gaps.candidate));
    let body = parts.join("\n\n");
    let contact_ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let language = Some("en".to_owned());
    Note {
        id,
        agency_id: telling.world.agency,
        debrief_id: telling.debrief.id,
        content_hash: content_hash(&subject, &body, language.as_deref(), &contact_ids),
        contact_ids: Json(contact_ids),
        state: NoteState::Draft,
        subject,
        body,
        language,
        reason: None,
        approved_hash: None,
        approved_by: None,
        approved_at: None,
        send_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// How long an approved note waits before it leaves.
pub const UNDO_WINDOW: TimeDelta = TimeDelta::minutes(2);
