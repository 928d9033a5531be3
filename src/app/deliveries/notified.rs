//! What a mail server or a recipient says of a message that was sent.

use super::relay::bounce;
use super::{came_to_nothing, happened, stands_after_all, write};
use crate::app::AppError;
use crate::auth::caller::Caller;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Progress};
use crate::domain::state::Machine;
use crate::store::deliveries::Delivery;
use crate::store::deliveries::relay::{bump_debriefs, was_doubted};
use crate::store::notes;
use crate::store::pool::Tx;

/// What somebody says of a message.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// What it is to the delivery.
    pub event: DeliveryEvent,
    /// The enhanced status code.
    pub status: Option<&'a str>,
    /// What a server said.
    pub diagnostic: Option<&'a str>,
    /// Nothing more is to be sent to the address.
    pub bounces_address: bool,
}

/// Moves a locked delivery on. Answers its state afterwards; none if the notice changes nothing.
pub fn notified(
    tx: &mut Tx<'_>,
    former: &Delivery,
    notice: &Notice<'_>,
) -> Result<Option<DeliveryState>, AppError> {
    let was_doubted = came_to_nothing(former) && was_doubted(tx, former.id)?;
    let progress = match next(former, notice.event, was_doubted) {
        Some(progress) => progress,
        // It was in the mailbox and has come back all the same, as from where it was forwarded to.
        None if has_come_back(former, notice.event) => former.progress(),
        None => return Ok(None),
    };
    let mut row = former.clone();
    row.set_progress(progress);
    row.next_attempt_at = None;
    tx.touch(&mut row.updated_at);
    let now = tx.now();
    row.sent_at = row.sent_at.or(Some(now));
    if notice.status.is_some() || notice.diagnostic.is_some() {
        row.last_code = None;
        row.last_enhanced_code = notice.status.map(str::to_owned);
        row.last_text = notice.diagnostic.map(str::to_owned);
    }
    let event = match notice.event {
        DeliveryEvent::EvidenceSent => "note.sent",
        DeliveryEvent::NotifiedDelivered => "note.delivered",
        DeliveryEvent::NotifiedBounced => "note.bounced",
        DeliveryEvent::NotifiedComplaint => "note.complained",
        _ => "note.delayed",
    };
    stands_after_all(tx, former)?;
    if row.state == DeliveryState::Bounced {
        notes::release_contact(tx, row.note_id, row.contact_id)?;
    }
    if notice.bounces_address {
        bounce(tx, &row)?;
    }
    happened(tx, &Caller::system(row.agency_id), event, &row, None);
    write(tx, &row, former)?;
    bump_debriefs(tx, vec![row.debrief_id], now)?;
    Ok(Some(row.state))
}

/// A bounce of what was delivered is no state of its own, but it is told, and the address may be bad.
fn has_come_back(row: &Delivery, event: DeliveryEvent) -> bool {
    row.state == DeliveryState::Delivered && event == DeliveryEvent::NotifiedBounced
}

/// What the event makes of the delivery. Of one that was tried and waits, or was let rest, it shows first
/// that it had been sent after all; of one that came to nothing, only if an attempt of it left a doubt.
fn next(row: &Delivery, event: DeliveryEvent, was_doubted: bool) -> Option<Progress> {
    let progress = row.progress();
    let may_have_left = row.attempts > 0 && (was_doubted || !came_to_nothing(row));
    let sent = || may_have_left.then(|| progress.next(DeliveryEvent::EvidenceSent)).flatten();
    if event == DeliveryEvent::EvidenceSent {
        return sent();
    }
    progress.next(event).or_else(|| sent()?.next(event))
}
