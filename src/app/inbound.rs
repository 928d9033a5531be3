//! What comes back for a delivery: a notice moves it on, a complaint is written down, and an answer is
//! filed on its debrief. Whoever can show the delivery's tag is believed, and nobody else.

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::AppError;
use super::debriefs::activities;
use super::deliveries::{self, Notice};
use crate::auth::tags::Tags;
use crate::domain::activity::ActivityKind;
use crate::domain::delivery::{DeliveryEvent, DeliveryState};
use crate::domain::ids::{ActivityId, DeliveryId};
use crate::domain::inbound::{InboundKind, decisive};
use crate::domain::timestamp::Timestamp;
use crate::mail::{Content, Incoming};
use crate::store::deliveries as rows;
use crate::store::deliveries::relay::hold_debrief;
use crate::store::inbound::{self as store, InboundMessage};
use crate::store::pool::Tx;

/// A message that came back, for one of our deliveries.
pub struct Arrived {
    delivery: DeliveryId,
    digest: Vec<u8>,
    incoming: Incoming,
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// None of the addresses it came to is a delivery's: it changes nothing.
    NotOurs,
    /// It is no message.
    NotAMessage,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The delivery moved on.
    Moved(DeliveryId, DeliveryState),
    /// It was filed on the debrief.
    Filed(DeliveryId, ActivityId),
    /// It says nothing that was not known, or came before.
    Known(DeliveryId),
}

/// Reads a message that came to these addresses.
///
/// # Errors
/// [`NotTaken`] if it is for no delivery, or no message.
pub fn read(tags: &Tags, recipients: &[&str], message: &[u8]) -> Result<Arrived, NotTaken> {
    let delivery = recipients.iter().find_map(|recipient| named(tags, recipient)).ok_or(NotTaken::NotOurs)?;
    let incoming = Incoming::read(message).ok_or(NotTaken::NotAMessage)?;
    // What comes again has gained lines on its way; its Message-ID stays.
    let same = incoming.message_id.as_deref().map_or(message, str::as_bytes);
    let digest = Sha256::new().chain_update(delivery.uuid()).chain_update(same).finalize().to_vec();
    Ok(Arrived { delivery, digest, incoming })
}

/// The delivery that a bounce address names (`b.<id>.<tag>@…`), if its tag is good.
fn named(tags: &Tags, address: &str) -> Option<DeliveryId> {
    let (local, _) = address.trim().trim_matches(['<', '>']).rsplit_once('@')?;
    let local = local.to_ascii_lowercase();
    let (id, tag) = local.strip_prefix("b.")?.split_once('.')?;
    if !tags.is_good(id.as_bytes(), tag) {
        return None;
    }
    id.parse().ok()
}

/// Takes a message in.
///
/// # Errors
/// [`AppError::TryLater`] while the delivery is being sent: what becomes of that is not known yet.
pub fn take(tx: &mut Tx<'_>, arrived: Arrived) -> Result<Taken, AppError> {
    let id = arrived.delivery;
    let Some((agency, debrief)) = store::place_of(tx, id)? else { return Ok(Taken::Known(id)) };
    hold_debrief(tx, debrief)?;
    let Some(delivery) = rows::lock(tx, agency, id)? else { return Ok(Taken::Known(id)) };
    if delivery.state == DeliveryState::Sending {
        return Err(AppError::TryLater("the message is being sent just now"));
    }
    let kind = match arrived.incoming.content {
        Content::Report(_) => InboundKind::Report,
        Content::Complaint => InboundKind::Complaint,
        Content::Reply { automatic: true, .. } => InboundKind::AutoReply,
        Content::Reply { automatic: false, .. } => InboundKind::Reply,
    };
    let row = InboundMessage {
        digest: arrived.digest,
        agency_id: agency,
        delivery_id: id,
        kind,
        received_at: tx.now(),
    };
    if !store::remember(tx, &row)? {
        return Ok(Taken::Known(id));
    }
    match arrived.incoming.content {
        Content::Report(recipients) => {
            let Some(status) = decisive(&recipients, &delivery.envelope_to) else {
                return Ok(Taken::Known(id));
            };
            let notice = Notice {
                event: status.action.event(),
                status: status.status.as_deref(),
                diagnostic: status.diagnostic.as_deref(),
                bounces_address: status.bounces(&delivery.envelope_to),
            };
            moved(id, deliveries::notified(tx, &delivery, &notice)?)
        }
        Content::Complaint => {
            let event = DeliveryEvent::NotifiedComplaint;
            let notice = Notice { event, status: None, diagnostic: None, bounces_address: true };
            moved(id, deliveries::notified(tx, &delivery, &notice)?)
        }
        Content::Reply { automatic, text } => {
            let kind = if automatic { ActivityKind::AutoReply } else { ActivityKind::Reply };
            let filed = activities::file_reply(tx, agency, debrief, delivery.contact_id, kind, text)?;
            Ok(Taken::Filed(id, filed))
        }
    }
}

/// Forgets at most `limit` messages that came so long ago that none comes again. Answers how many there were.
pub fn forget(tx: &mut Tx<'_>, kept_for: TimeDelta, limit: i64) -> Result<usize, AppError> {
    let Some(until) = tx.now().checked_sub_signed(kept_for).map(Timestamp::from) else { return Ok(0) };
    Ok(store::forget(tx, until, limit)?)
}

fn moved(id: DeliveryId, state: Option<DeliveryState>) -> Result<Taken, AppError> {
    Ok(state.map_or(Taken::Known(id), |state| Taken::Moved(id, state)))
}
