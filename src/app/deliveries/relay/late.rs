//! A yes of the mail server that comes when nobody waits for it any more: its worker was given up,
//! and the delivery has gone on. It is the truth all the same.

use super::Claim;
use super::account::Account;
use crate::app::AppError;
use crate::app::deliveries::{happened, stands_after_all, write};
use crate::auth::caller::Caller;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Reply};
use crate::domain::state::Machine;
use crate::mail::Step;
use crate::store::deliveries::Delivery;
use crate::store::deliveries::relay as store;
use crate::store::pool::Tx;

/// Writes down that the server took the message under `claim`. Answers the delivery's state
/// afterwards; none if it was written down before.
pub(super) fn accepted(
    tx: &mut Tx<'_>,
    claim: Claim,
    former: &Delivery,
    reply: &Reply,
) -> Result<Option<DeliveryState>, AppError> {
    if store::attempt_outcome(tx, claim.id, claim.attempt)? == Some(DeliveryState::Sent) {
        return Ok(None);
    }
    let now = tx.now();
    let system = Caller::system(former.agency_id);
    let mut row = former.clone();
    tx.touch(&mut row.updated_at);
    let account = Account::said(Step::Content, reply);
    account.show(&mut row);
    if let Some(next) = former.progress().next(DeliveryEvent::EvidenceSent) {
        supersede(tx, former, claim)?;
        row.set_progress(next);
        row.next_attempt_at = None;
        row.lease_until = None;
        row.sent_at = Some(now);
        stands_after_all(tx, former)?;
        happened(tx, &system, "note.sent", &row, None);
    } else {
        // It was sent twice, or in spite of how it ended: nothing can be mended, but it is told.
        happened(tx, &system, "note.sent_after_all", &row, Some("a given-up attempt got through"));
    }
    store::end_attempt(tx, &account.attempt_end(DeliveryState::Sent, now), row.id, claim.attempt)?;
    write(tx, &row, former)?;
    store::bump_debriefs(tx, vec![row.debrief_id], now)?;
    Ok(Some(row.state))
}

/// Ends the attempt that has begun since. Before its commit point its worker sends nothing any
/// more; past it a second copy may arrive, and its worker says so if it does.
fn supersede(tx: &mut Tx<'_>, former: &Delivery, claim: Claim) -> Result<(), AppError> {
    if former.state != DeliveryState::Sending || former.lease_token == claim.token {
        return Ok(());
    }
    let outcome = if former.transmitting { DeliveryState::Unconfirmed } else { DeliveryState::Sent };
    let account = Account::wrong("the attempt before it had got through");
    let end = account.attempt_end(outcome, tx.now());
    Ok(store::end_attempt(tx, &end, former.id, former.attempts)?)
}
