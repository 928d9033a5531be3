//! The commit point. The wait for a connection may have been long, so what hinders a claim is heard here once
//! more: it is the last moment at which the message has certainly not left.

use std::collections::HashSet;

use super::{Claim, call_off, hindrance};
use crate::app::AppError;
use crate::domain::delivery::{DeliveryEvent, DeliveryState};
use crate::domain::ids::DeliveryId;
use crate::domain::state::Machine;
use crate::store::deliveries;
use crate::store::deliveries::relay as store;
use crate::store::pool::Tx;

/// Makes durable that from here on the message may arrive. False if it must not be sent: the worker no
/// longer owns the delivery, or something came in between, and it is called off.
pub fn pass_commit_point(tx: &mut Tx<'_>, claim: Claim) -> Result<bool, AppError> {
    store::hold_debrief(tx, claim.debrief)?;
    let Some(former) = deliveries::lock(tx, claim.agency, claim.id)? else { return Ok(false) };
    let is_ours = former.lease_token == claim.token
        && former.state == DeliveryState::Sending
        && former.progress().next(DeliveryEvent::CommitPoint).is_some();
    if !is_ours {
        return Ok(false);
    }
    for (_, standing) in store::standings(tx, vec![claim.id])? {
        if let Some(why) = hindrance(&standing) {
            call_off(tx, &former, why)?;
            return Ok(false);
        }
    }
    let now = tx.now();
    Ok(store::mark_transmitting(tx, claim.id, claim.token, now)?)
}

/// The commit point of several deliveries at once. Answers those that have passed it, each with the
/// token of its claim: an older claim of the same delivery has not. Whoever has not
/// may only have been held by somebody at the moment, or has to be called off: that is done alone.
pub fn pass_commit_points(tx: &mut Tx<'_>, claims: &[Claim]) -> Result<Vec<(DeliveryId, i64)>, AppError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now();
    let standings = store::standings(tx, claims.iter().map(|claim| claim.id).collect())?;
    let free: HashSet<_> = standings
        .into_iter()
        .filter_map(|(id, standing)| hindrance(&standing).is_none().then_some(id))
        .collect();
    let held = claims.iter().filter(|claim| free.contains(&claim.id)).map(|claim| (claim.id, claim.token));
    Ok(store::mark_all_transmitting(tx, &held.collect::<Vec<_>>(), now)?)
}
