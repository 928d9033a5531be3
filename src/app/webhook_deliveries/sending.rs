//! What the sender needs: deliveries to claim, and a place to write down what came of them.
//!
//! A claim is a lease. While it lasts the delivery is its worker's alone; when it ends without a word
//! the delivery is due again. So a receiver may be told twice, and knows by the `webhook-id`.

use chrono::TimeDelta;

use crate::app::AppError;
use crate::app::webhook_endpoints::{disable, opened};
use crate::auth::caller::Caller;
use crate::auth::seal::Seals;
use crate::domain::ids::{AgencyId, EventId, WebhookDeliveryId, WebhookEndpointId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{ATTEMPTS, DisabledBecause, Outcome, Secret, Verdict, WebhookDeliveryState};
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::webhook_deliveries::{self as store, WebhookDelivery};
use crate::store::webhook_endpoints::{self, WebhookEndpoint};

/// A delivery that one worker owns for a while, with what is needed to send it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The delivery.
    pub id: WebhookDeliveryId,
    /// Its endpoint.
    pub endpoint: WebhookEndpointId,
    /// Its agency.
    pub agency: AgencyId,
    /// The event that it tells of.
    pub event: EventId,
    /// Where it goes.
    pub url: String,
    /// What is sent.
    pub body: String,
    /// What it is signed with.
    pub secrets: Vec<Secret>,
    /// When the attempt began.
    pub at: Timestamp,
    /// Fences off whoever owned it before.
    token: i64,
}

/// The endpoints for which something is due, in the order of their ids.
pub fn ready(conn: &mut DbConn, now: Timestamp) -> Result<Vec<WebhookEndpointId>, AppError> {
    Ok(store::ready(conn, now)?)
}

/// When the next delivery becomes due after `now`.
pub fn next_due(conn: &mut DbConn, now: Timestamp) -> Result<Option<Timestamp>, AppError> {
    Ok(store::next_due(conn, now)?)
}

/// Claims deliveries until `lease` from now: for each of these endpoints so many at the most.
pub fn claim(
    tx: &mut Tx<'_>,
    seals: &Seals,
    wanted: &[(WebhookEndpointId, usize)],
    lease: TimeDelta,
) -> Result<Vec<Claim>, AppError> {
    let now = tx.now();
    let ids: Vec<_> = wanted.iter().map(|(id, _)| *id).collect();
    let endpoints = webhook_endpoints::of_ids(tx, &ids)?;
    let mut claimed = Vec::new();
    for (id, limit) in wanted {
        let Some(endpoint) = endpoints.iter().find(|endpoint| endpoint.id == *id) else { continue };
        let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
        for mut row in store::lock_due(tx, *id, now, limit)? {
            tx.touch(&mut row.updated_at);
            match secrets(seals, endpoint, &row, now) {
                Ok(secrets) => {
                    row.state = WebhookDeliveryState::Sending;
                    row.attempts += 1;
                    row.lease_token += 1;
                    row.last_attempt_at = Some(now);
                    row.next_attempt_at = Some(Timestamp::from(*now + lease));
                    claimed.push(claim_on(&row, endpoint, secrets, now));
                }
                Err((state, why)) => end(&mut row, state, why),
            }
            store::update(tx, &row)?;
        }
    }
    Ok(claimed)
}

fn claim_on(row: &WebhookDelivery, endpoint: &WebhookEndpoint, secrets: Vec<Secret>, at: Timestamp) -> Claim {
    Claim {
        id: row.id,
        endpoint: endpoint.id,
        agency: row.agency_id,
        event: row.event_id,
        url: endpoint.url.clone(),
        body: row.body.clone(),
        secrets,
        at,
        token: row.lease_token,
    }
}

/// What to sign a delivery with; or the state that it ends in because it cannot be sent, and why.
fn secrets(
    seals: &Seals,
    endpoint: &WebhookEndpoint,
    row: &WebhookDelivery,
    now: Timestamp,
) -> Result<Vec<Secret>, (WebhookDeliveryState, &'static str)> {
    if endpoint.disabled_at.is_some() || endpoint.deleted_at.is_some() {
        return Err((WebhookDeliveryState::Cancelled, GIVES_NOTHING));
    }
    if row.attempts >= ATTEMPTS {
        return Err((WebhookDeliveryState::Failed, "the last attempt was broken off"));
    }
    opened(seals, endpoint, now).map_err(|error| {
        tracing::error!(endpoint = %endpoint.id, %error, "nothing can be signed");
        (WebhookDeliveryState::Failed, "the secret cannot be read any more: rotate it")
    })
}

const GIVES_NOTHING: &str = "the endpoint was disabled or deleted";

fn end(row: &mut WebhookDelivery, state: WebhookDeliveryState, why: &str) {
    row.state = state;
    row.next_attempt_at = None;
    row.last_error = Some(why.to_owned());
}

/// Writes down what came of an attempt. `random`, in `[0, 1)`, spreads the next one. Answers the
/// delivery's state afterwards; none if somebody else owns it by now.
pub fn finish(
    tx: &mut Tx<'_>,
    claim: &Claim,
    outcome: &Outcome,
    random: f64,
) -> Result<Option<WebhookDeliveryState>, AppError> {
    let now = tx.now();
    // The endpoint first, like everybody who takes both.
    let Some(endpoint) = webhook_endpoints::lock(tx, claim.agency, claim.endpoint)? else { return Ok(None) };
    let Some(mut row) = store::lock_claimed(tx, claim.id, claim.token)? else { return Ok(None) };
    tx.touch(&mut row.updated_at);
    row.next_attempt_at = None;
    (row.last_status, row.last_error) = match outcome {
        Outcome::Answered { status, .. } => (Some(i32::from(*status)), None),
        Outcome::Unanswered(why) => (None, Some(why.clone())),
    };
    let is_active = endpoint.disabled_at.is_none() && endpoint.deleted_at.is_none();
    let verdict = outcome.verdict(row.attempts, *now, random);
    match verdict {
        Verdict::Delivered => {
            row.state = WebhookDeliveryState::Delivered;
            row.delivered_at = Some(now);
        }
        Verdict::Again(_) if !is_active => end(&mut row, WebhookDeliveryState::Cancelled, GIVES_NOTHING),
        Verdict::Again(at) => {
            row.state = WebhookDeliveryState::Pending;
            row.next_attempt_at = Some(at.into());
        }
        Verdict::GivenUp | Verdict::Gone => row.state = WebhookDeliveryState::Failed,
    }
    store::update(tx, &row)?;
    let disabled = is_active && judge_endpoint(tx, endpoint, verdict, now)?;
    // With all the others that wait.
    let is_cancelled = disabled && row.state == WebhookDeliveryState::Pending;
    Ok(Some(if is_cancelled { WebhookDeliveryState::Cancelled } else { row.state }))
}

/// What the attempt says of the endpoint: that it is well, or failing, or wants nothing any more.
/// Answers whether it was disabled.
fn judge_endpoint(
    tx: &mut Tx<'_>,
    endpoint: WebhookEndpoint,
    verdict: Verdict,
    now: Timestamp,
) -> Result<bool, AppError> {
    let because = match (verdict, endpoint.failing_since) {
        (Verdict::Delivered, None) => return Ok(false),
        (Verdict::Delivered, Some(_)) => {
            webhook_endpoints::set_failing(tx, endpoint.id, None)?;
            return Ok(false);
        }
        (Verdict::Gone, _) => DisabledBecause::Gone,
        (_, Some(since)) if Outcome::is_hopeless(*since, *now) => DisabledBecause::Failing,
        // Nobody will try it until something happens again, and it may be well by then.
        (Verdict::GivenUp, since) if !store::is_waiting(tx, endpoint.id)? => {
            if since.is_some() {
                webhook_endpoints::set_failing(tx, endpoint.id, None)?;
            }
            return Ok(false);
        }
        (_, None) => {
            webhook_endpoints::set_failing(tx, endpoint.id, Some(now))?;
            return Ok(false);
        }
        (_, Some(_)) => return Ok(false),
    };
    disable(tx, &Caller::system(endpoint.agency_id), endpoint, because)?;
    Ok(true)
}
