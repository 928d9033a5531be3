//! The emails that notes become.
//!
//! None is ever left in `sending`: that state means that a worker is at it right now. Those that
//! still wait have their turn tomorrow at the earliest, unless the relay is to have work at once, and
//! all go to addresses that cannot exist.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::companies::ContactPlan;
use super::notes::UNDO_WINDOW;
use super::story::Memory;
use super::telling::Telling;
use crate::domain::actor::Actor;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{ContactId, DeliveryId};
use crate::domain::people::EmailStatus;
use crate::domain::timestamp::Timestamp;
use crate::mail;
use crate::store::deliveries::{Attempt, Delivery, Message};
use crate::store::notes::Note;

/// How one attempt ended: its state, the step that was reached, code, enhanced code and text.
type Ending = (DeliveryState, &'static str, Option<i32>, Option<&'static str>, &'static str);

const ACCEPTED: Ending = (DeliveryState::Sent, "content", Some(250), Some("2.0.0"), "Ok: queued");
const GREYLISTED: Ending =
    (DeliveryState::Deferred, "recipient", Some(450), Some("4.2.0"), "Greylisted, see you in five minutes");
const NO_SUCH_USER: Ending =
    (DeliveryState::Failed, "recipient", Some(550), Some("5.1.1"), "No such user here");
const REFUSED: Ending =
    (DeliveryState::Failed, "content", Some(554), Some("5.7.1"), "Message refused by policy");
const SILENCE: Ending =
    (DeliveryState::Unconfirmed, "content", None, None, "the connection ended before the answer came");

/// Sends an approved note to each of its contacts, and answers for whom it came to nothing.
pub fn send(
    telling: &mut Telling<'_>,
    memory: &mut Memory,
    note: &mut Note,
    contacts: &[&ContactPlan],
) -> Vec<ContactId> {
    let hours = telling.hours_left();
    let approved = telling.at;
    let mut gone = Vec::new();
    for (position, contact) in contacts.iter().enumerate() {
        let state = state_of(telling, memory, contact, hours);
        let mut row = queued(telling, note, contact, position, approved);
        attempt(telling, &mut row, state, hours < 36);
        match state {
            DeliveryState::Failed | DeliveryState::Abandoned => gone.push(contact.id),
            DeliveryState::Queued if !telling.world.unsent => note.send_at = row.next_attempt_at,
            _ => {}
        }
        note.updated_at = note.updated_at.max(row.updated_at);
        tell(telling, &row);
        let message = message(telling, note, contact, &mut row);
        telling.rows.deliveries.push((row, message));
    }
    gone
}

/// Takes every email of a note back before it left.
pub fn call_back(telling: &mut Telling<'_>, note: &mut Note, contacts: &[&ContactPlan]) {
    let approved = telling.at;
    for (position, contact) in contacts.iter().enumerate() {
        let mut row = queued(telling, note, contact, position, approved);
        row.state = DeliveryState::Recalled;
        row.next_attempt_at = None;
        let message = message(telling, note, contact, &mut row);
        telling.rows.deliveries.push((row, message));
    }
}

fn state_of(
    telling: &mut Telling<'_>,
    memory: &mut Memory,
    contact: &ContactPlan,
    hours: i64,
) -> DeliveryState {
    use DeliveryState as S;
    if contact.email_status == EmailStatus::Bounced {
        memory.bounced.insert(contact.id);
        return telling.dice.weigh(&[(1, S::Bounced), (1, S::Failed)]);
    }
    if telling.world.unsent {
        return S::Queued;
    }
    let waiting: &[_] =
        &[(40, S::Sent), (25, S::Queued), (15, S::Deferred), (15, S::Delivered), (5, S::Unconfirmed)];
    let past: &[_] = &[
        (570, S::Sent),
        (370, S::Delivered),
        (20, S::Failed),
        (15, S::Abandoned),
        (10, S::Complained),
        (10, S::Bounced),
        (5, S::Unconfirmed),
    ];
    telling.dice.weigh(if hours < 72 { waiting } else { past })
}

fn queued(
    telling: &mut Telling<'_>,
    note: &Note,
    contact: &ContactPlan,
    position: usize,
    approved: DateTime<Utc>,
) -> Delivery {
    let id: DeliveryId = telling.dice.id(approved);
    let due: Timestamp = (approved + UNDO_WINDOW).into();
    Delivery {
        id,
        agency_id: telling.world.agency,
        debrief_id: note.debrief_id,
        note_id: note.id,
        contact_id: contact.id,
        position: i32::try_from(position).unwrap_or(i32::MAX),
        state: DeliveryState::Queued,
        transmitting: false,
        withdrawn: false,
        attempts: 0,
        due_at: due,
        next_attempt_at: Some(due),
        lease_token: 0,
        lease_until: None,
        envelope_to: contact.email.clone(),
        message_id: format!("{id}@{}", telling.world.mail_domain),
        last_code: None,
        last_enhanced_code: None,
        last_text: None,
        sent_at: None,
        created_at: approved.into(),
        updated_at: approved.into(),
    }
}

/// Takes a delivery through its attempts to its state.
fn attempt(telling: &mut Telling<'_>, row: &mut Delivery, state: DeliveryState, squeezed: bool) {
    use DeliveryState as S;
    let tomorrow = telling.world.plan.calendar.as_of() + TimeDelta::days(1);
    row.state = state;
    row.next_attempt_at = None;
    let last = match state {
        // Its time has come already.
        S::Queued if telling.world.unsent => {
            row.next_attempt_at = Some(row.due_at);
            return;
        }
        S::Queued => {
            let at = tomorrow + TimeDelta::minutes(telling.dice.between(7 * 60, 11 * 60));
            row.due_at = at.into();
            row.next_attempt_at = Some(at.into());
            return;
        }
        S::Deferred => {
            let at = tomorrow + TimeDelta::minutes(telling.dice.between(0, 240));
            row.next_attempt_at = Some(at.into());
            GREYLISTED
        }
        S::Failed if telling.dice.chance(50) => NO_SUCH_USER,
        S::Failed => REFUSED,
        S::Unconfirmed | S::Abandoned => SILENCE,
        _ => ACCEPTED,
    };
    let tries = if !squeezed && telling.dice.chance(8) { 2 } else { 1 };
    let mut at = *row.due_at;
    for number in 1..=tries {
        let ending = if number == tries { last } else { GREYLISTED };
        let finished = at + TimeDelta::milliseconds(telling.dice.between(180, 2400));
        record(telling, row, number, (at, finished), ending);
        at = finished + TimeDelta::minutes(1);
    }
}

fn record(
    telling: &mut Telling<'_>,
    row: &mut Delivery,
    number: i32,
    (started, finished): (DateTime<Utc>, DateTime<Utc>),
    (outcome, step, code, enhanced_code, text): Ending,
) {
    // Nothing happened after the demonstration's day began.
    let end = telling.world.plan.calendar.as_of();
    let (started, finished): (Timestamp, Timestamp) = (started.min(end).into(), finished.min(end).into());
    let enhanced_code = enhanced_code.map(str::to_owned);
    row.attempts = number;
    row.lease_token = i64::from(number);
    row.updated_at = finished;
    row.last_code = code;
    row.last_enhanced_code.clone_from(&enhanced_code);
    row.last_text = Some(text.to_owned());
    if outcome == DeliveryState::Sent {
        row.sent_at = Some(finished);
    }
    telling.rows.delivery_attempts.push(Attempt {
        delivery_id: row.id,
        number,
        agency_id: row.agency_id,
        host: format!("mx.{}", row.envelope_to.rsplit('@').next().unwrap_or_default()),
        started_at: started,
        finished_at: Some(finished),
        outcome: Some(outcome),
        step: Some(step.to_owned()),
        code,
        enhanced_code,
        text: Some(text.to_owned()),
    });
}

/// What the history says of a delivery that has come to an end.
fn tell(telling: &mut Telling<'_>, row: &Delivery) {
    use DeliveryState as S;
    let event = match row.state {
        S::Queued | S::Sending | S::Deferred | S::Recalled => return,
        S::Failed => "note.failed",
        S::Unconfirmed => "note.unconfirmed",
        S::Abandoned => "note.abandoned",
        S::Sent | S::Delivered | S::Bounced | S::Complained => "note.sent",
    };
    telling.at = telling.at.max(*row.updated_at);
    telling.touch();
    let data = json!({ "delivery_id": row.id, "contact_id": row.contact_id, "delivery_state": row.state });
    let actor = if row.state == S::Abandoned { telling.actor } else { Actor::System };
    telling.happened_by(actor, event, row.note_id, None, data);
}

/// The frozen message. What may still be sent is a whole letter; of what is done with, a short form
/// is kept, or a million of them would fill the disk.
fn message(telling: &Telling<'_>, note: &Note, contact: &ContactPlan, row: &mut Delivery) -> Message {
    let domain = &telling.world.mail_domain;
    let name = row.id.to_string();
    let bounces = format!("b.{name}@{domain}");
    let service = format!("notes@{domain}");
    let recruiter = telling.debrief.recruiter_id;
    let recruiter = telling.world.recruiters.iter().find(|one| Some(one.id) == recruiter);
    let recruiter = recruiter.unwrap_or_else(|| telling.world.recruiter(0));
    let waits =
        matches!(row.state, DeliveryState::Queued | DeliveryState::Deferred | DeliveryState::Unconfirmed);
    let letter = waits.then(|| {
        mail::compose(&mail::Note {
            recruiter_name: &recruiter.name,
            recruiter_address: &recruiter.email,
            agency_name: &telling.world.agency_name,
            author: mail::Author::Service { name: "Debrief", address: &service },
            bounce_address: &bounces,
            contact_name: &contact.person.name,
            contact_address: &contact.email,
            candidate_name: &telling.journey.person.name,
            subject: &note.subject,
            body: &note.body,
            greeting: None,
            signature: None,
            language: note.language.as_deref().unwrap_or("en"),
            message_id: &name,
            boundary_seed: &name,
            date: *row.created_at,
        })
    });
    match letter {
        Some(Ok(letter)) => {
            row.message_id = letter.message_id;
            row.envelope_to = letter.envelope.recipient;
            Message { envelope_from: letter.envelope.sender, message: letter.bytes }
        }
        _ => {
            let date = row.created_at.to_rfc2822();
            let part = |kind, text| {
                format!(
                    "--b\r\nContent-Type: text/{kind}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{text}\r\n"
                )
            };
            let text = format!(
                "From: <{service}>\r\nReply-To: <{}>\r\nTo: <{}>\r\nDate: {date}\r\nMessage-ID: <{}>\r\n\
                 Subject: Thank you\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\
                 \r\n{}{}--b--\r\n",
                recruiter.email,
                contact.email,
                row.message_id,
                part("plain", "See the note."),
                part("html", "<p>See the note.</p>"),
            );
            Message { envelope_from: bounces, message: text.into_bytes() }
        }
    }
}
