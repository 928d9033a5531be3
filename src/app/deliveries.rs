//! Deliveries: every attempt of one, and the end of a doubt. The relay's own use cases are beside.

mod notified;
pub mod relay;
mod view;

pub(super) use notified::{Notice, notified};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
pub use view::{DeliveryView, LastReply};

use super::AppError;
use super::debriefs::lifecycle;
use super::events::Happening;
use super::letters::{blocked, reachable};
use crate::auth::caller::Caller;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Progress, Resolution};
use crate::domain::ids::{AgencyId, ClientId, DeliveryId};
use crate::domain::note::NoteState;
use crate::domain::state::Machine;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::correspondents::{self, Recipient};
use crate::store::deliveries::relay::{AttemptEnd, end_attempt};
use crate::store::deliveries::{self, Attempt, Delivery};
use crate::store::notes;
use crate::store::pool::Tx;

/// One attempt to hand a message over.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttemptView {
    /// Which attempt it is, from 1.
    pub number: i32,
    /// The server that was spoken to, or the kind of transport.
    pub host: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub finished_at: Option<Timestamp>,
    /// The delivery's state afterwards.
    pub outcome: Option<DeliveryState>,
    /// The step of the conversation that decided.
    #[schema(example = "recipient")]
    pub step: Option<String>,
    /// What the server said, or what went wrong.
    pub reply: Option<LastReply>,
}

impl From<Attempt> for AttemptView {
    fn from(row: Attempt) -> Self {
        Self {
            number: row.number,
            host: row.host,
            started_at: row.started_at,
            finished_at: row.finished_at,
            outcome: row.outcome,
            step: row.step,
            reply: LastReply::of(row.code, row.enhanced_code, row.text),
        }
    }
}

/// What became of a delivery of which nobody knows whether it arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolutionInput {
    /// The recruiter's decision.
    resolution: Resolution,
}

/// A page of a delivery's attempts, the first one first.
pub fn attempts(
    conn: &mut DbConn,
    agency: AgencyId,
    id: DeliveryId,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<AttemptView>, AppError> {
    deliveries::find(conn, agency, id)?.ok_or(AppError::NotFound)?;
    let rows = deliveries::attempts(conn, agency, id, after.unwrap_or_default(), limit)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Decides what nobody could know.
///
/// # Errors
/// [`AppError::Transition`] unless the delivery is unconfirmed.
pub fn resolve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: DeliveryId,
    input: &ResolutionInput,
) -> Result<DeliveryView, AppError> {
    let found = deliveries::find(tx, caller.agency, id)?.ok_or(AppError::NotFound)?;
    let mut debrief = lifecycle::lock(tx, caller, found.debrief_id)?;
    lifecycle::touch(tx, &mut debrief);
    let former = deliveries::lock(tx, caller.agency, id)?.ok_or(AppError::NotFound)?;
    let next = former.progress().next(input.resolution.event());
    let next = next.ok_or_else(|| AppError::impossible(Progress::RECORD, former.state, "resolve"))?;
    let mut row = former.clone();
    row.set_progress(next);
    tx.touch(&mut row.updated_at);
    let event = match input.resolution {
        Resolution::Sent => {
            row.sent_at = Some(tx.now());
            "note.sent"
        }
        Resolution::Resend => {
            let note = notes::find(tx, caller.agency, row.note_id)?.ok_or(AppError::NotFound)?;
            if note.state != NoteState::Queued {
                return Err(AppError::impossible("delivery's note", note.state, "resend"));
            }
            let recipient = correspondents::recipient(tx, caller.agency, row.contact_id)?
                .ok_or_else(|| blocked(row.contact_id, "was deleted"))?;
            still_there(&recipient, debrief.client_id, &row.envelope_to)?;
            row.due_at = tx.now();
            row.next_attempt_at = Some(tx.now());
            "note.requeued"
        }
        Resolution::Abandon => {
            notes::release_contact(tx, row.note_id, row.contact_id)?;
            "note.abandoned"
        }
    };
    write(tx, &row, &former)?;
    happened(tx, caller, event, &row, None);
    lifecycle::save(tx, &debrief)?;
    Ok(DeliveryView::new(row, tx.now()))
}

/// Fails unless a message that was made for the contact would still be theirs.
fn still_there(recipient: &Recipient, client: ClientId, envelope_to: &str) -> Result<(), AppError> {
    reachable(std::slice::from_ref(recipient))?;
    if recipient.client_id != client {
        return Err(blocked(recipient.id, "is no longer at the debrief's client"));
    }
    if recipient.is_at(Some(envelope_to)) {
        Ok(())
    } else {
        Err(blocked(recipient.id, "has another email address by now"))
    }
}

/// Why a delivery is taken back before it has left.
#[derive(Debug, Clone, Copy)]
pub(super) enum TakenBack<'a> {
    /// The recruiter recalls the note.
    Recalled,
    /// Another text will be sent instead: the delivery is no longer one of the note's.
    Replaced,
    /// The contact may no longer be written to.
    Hindered(&'a str),
}

/// Takes a locked delivery back before it has left. Answers what it is now.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    former: &Delivery,
    why: TakenBack<'_>,
) -> Result<Delivery, AppError> {
    let mut row = former.clone();
    row.set_progress(former.progress().apply(DeliveryEvent::Recall)?);
    row.next_attempt_at = None;
    row.lease_until = None;
    tx.touch(&mut row.updated_at);
    row.withdrawn = matches!(why, TakenBack::Replaced);
    if let TakenBack::Hindered(why) = why {
        (row.last_code, row.last_enhanced_code) = (None, None);
        row.last_text = Some(why.to_owned());
    }
    if former.state == DeliveryState::Sending {
        let end = AttemptEnd {
            finished_at: Some(tx.now()),
            outcome: Some(row.state),
            step: None,
            code: None,
            enhanced_code: None,
            text: Some("taken back before it was handed over".to_owned()),
        };
        end_attempt(tx, &end, row.id, row.attempts)?;
    }
    write(tx, &row, former)?;
    Ok(row)
}

/// Whether every attempt of the delivery was refused, given up or taken back, as far as is known.
const fn came_to_nothing(row: &Delivery) -> bool {
    matches!(row.state, DeliveryState::Failed | DeliveryState::Recalled)
}

/// A delivery that had come to nothing, or been let rest, has arrived after all: its note stands for the
/// contact again, unless another one took its place meanwhile.
fn stands_after_all(tx: &mut Tx<'_>, former: &Delivery) -> Result<(), AppError> {
    if (came_to_nothing(former) || former.state == DeliveryState::Abandoned)
        && notes::live_for(tx, former.debrief_id, former.contact_id)?.is_none()
    {
        notes::hold_contact(tx, former.note_id, former.contact_id)?;
    }
    Ok(())
}

/// Writes a locked delivery, and marks its note as changed.
fn write(tx: &mut Tx<'_>, row: &Delivery, former: &Delivery) -> Result<(), AppError> {
    if !deliveries::update(tx, row, former)? {
        return Err(AppError::Internal(format!("the delivery {} changed while it was locked", row.id)));
    }
    let now = tx.now();
    Ok(notes::touch(tx, vec![row.note_id], now)?)
}

/// Writes down what happened to a note on its way to one contact.
fn happened(tx: &mut Tx<'_>, caller: &Caller, event: &str, row: &Delivery, reason: Option<&str>) {
    Happening::to(event, row.note_id)
        .of(row.debrief_id)
        .because(reason)
        .with("delivery_id", row.id)
        .with("contact_id", row.contact_id)
        .with("delivery_state", row.state)
        .record(tx, caller);
}
