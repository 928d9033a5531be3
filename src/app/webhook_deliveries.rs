//! Webhook deliveries: the log of an endpoint, and what is queued by hand.

mod fan_out;
mod sending;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::error::{ConflictCode, checked};
use super::faults::Faults;
use super::{AppError, feed, webhook_endpoints};
use crate::auth::caller::Caller;
use crate::domain::ids::{AgencyId, EventId, WebhookDeliveryId, WebhookEndpointId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{self, WebhookDeliveryState};
use crate::store::connection::DbConn;
use crate::store::events;
use crate::store::pool::Tx;
use crate::store::webhook_deliveries::{self, WebhookDelivery};
use crate::store::webhook_endpoints::{self as endpoint_store, WebhookEndpoint};

pub use fan_out::{fan_out, with_news};
pub use sending::{Claim, claim, finish, next_due, ready};

/// How many events are queued again at once.
const REPLAYED_AT_ONCE: i64 = 1000;

/// How long a delivery stays in the log.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Which deliveries are wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhookDeliveryQuery {
    /// Only those in this state.
    pub state: Option<WebhookDeliveryState>,
}

/// Which events are to be sent again: a part of the change feed.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Those after this one.
    after: EventId,
    /// Up to this one, it included; without it, up to the last.
    until: Option<EventId>,
}

/// What was queued again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// How many events were queued.
    pub queued: usize,
    /// The last event that was looked at, if there are more: `after` for the next call.
    pub more_after: Option<EventId>,
}

/// What a receiver gets.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    event_type: &'a str,
    timestamp: Timestamp,
    data: &'a Value,
}

/// A page of an endpoint's deliveries, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    endpoint: WebhookEndpointId,
    query: &WebhookDeliveryQuery,
    after: Option<WebhookDeliveryId>,
    limit: i64,
) -> Result<Vec<WebhookDelivery>, AppError> {
    webhook_endpoints::get(conn, agency, endpoint)?;
    Ok(webhook_deliveries::list(conn, endpoint, query.state, after, limit)?)
}

/// Queues a delivery that tells of nothing, to see whether it arrives.
pub fn test(
    tx: &mut Tx<'_>,
    caller: &Caller,
    endpoint: WebhookEndpointId,
) -> Result<WebhookDelivery, AppError> {
    let endpoint = hold_enabled(tx, caller.agency, endpoint)?;
    let (event, now) = (tx.new_id(), tx.now());
    let data = json!({ "endpoint_id": endpoint.id });
    let delivery = queued(tx, &endpoint, event, webhook::TEST, now, &data)?;
    webhook_deliveries::insert_all(tx, std::slice::from_ref(&delivery))?;
    Ok(delivery)
}

/// Queues a part of the change feed again, as far as the endpoint takes it. What was delivered before
/// is delivered again, under the same `webhook-id`.
///
/// # Errors
/// [`AppError::Expired`] if some of what the endpoint takes of it may have been forgotten.
pub fn replay(
    tx: &mut Tx<'_>,
    caller: &Caller,
    endpoint: WebhookEndpointId,
    replay: Replay,
) -> Result<Replayed, AppError> {
    let endpoint = hold_enabled(tx, caller.agency, endpoint)?;
    let types = &endpoint.event_types.0;
    let mut faults = Faults::default();
    let after = feed::place(tx, caller.agency, replay.after, types)?;
    if after.is_none() {
        faults.unknown("/after", "event");
    }
    let until = match replay.until {
        Some(event) => feed::place(tx, caller.agency, event, types)?,
        None => None,
    };
    if replay.until.is_some() && until.is_none() {
        faults.unknown("/until", "event");
    }
    checked(faults)?;
    let unknown = || AppError::fault("/after", "unknown_reference", "there is no such event");
    let after = after.ok_or_else(unknown)?;
    let rows = events::feed(tx, caller.agency, Some(after), types, REPLAYED_AT_ONCE + 1)?;
    // Once more, for what was forgotten meanwhile.
    feed::place(tx, caller.agency, replay.after, types)?.ok_or_else(unknown)?;
    let is_wanted = |row: &&events::FeedRow| until.is_none_or(|until| (row.xact, row.seq) <= until);
    let mut wanted: Vec<_> = rows.iter().take_while(is_wanted).collect();
    let at_once = usize::try_from(REPLAYED_AT_ONCE).unwrap_or(usize::MAX);
    let is_more = wanted.len() > at_once;
    wanted.truncate(at_once);
    let mut deliveries = Vec::with_capacity(wanted.len());
    for row in &wanted {
        deliveries.push(queued(tx, &endpoint, row.id, &row.event_type, row.occurred_at, &row.data.0)?);
    }
    insert(tx, &deliveries)?;
    let more_after = wanted.last().filter(|_| is_more).map(|row| row.id);
    Ok(Replayed { queued: deliveries.len(), more_after })
}

/// Forgets at most `limit` deliveries that have been in the log long enough, and deleted endpoints of
/// which none is left. Answers how many deliveries.
pub fn forget_old(tx: &mut Tx<'_>, limit: i64) -> Result<usize, AppError> {
    let Some(before) = tx.now().checked_sub_signed(KEPT).map(Timestamp::from) else { return Ok(0) };
    let forgotten = webhook_deliveries::forget_before(tx, before, limit)?;
    endpoint_store::forget_deleted(tx, limit)?;
    Ok(forgotten)
}

/// An endpoint that gets something, taken until the transaction ends.
fn hold_enabled(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    id: WebhookEndpointId,
) -> Result<WebhookEndpoint, AppError> {
    let endpoint = webhook_endpoints::hold(tx, agency, id)?;
    if endpoint.disabled_at.is_some() {
        let detail = "the endpoint is disabled: enable it first";
        return Err(AppError::conflict(ConflictCode::EndpointDisabled, detail));
    }
    Ok(endpoint)
}

/// The delivery of an event to an endpoint, due now.
fn queued(
    tx: &mut Tx<'_>,
    endpoint: &WebhookEndpoint,
    event: EventId,
    event_type: &str,
    occurred_at: Timestamp,
    data: &Value,
) -> Result<WebhookDelivery, AppError> {
    let payload = Payload { event_type, timestamp: occurred_at, data };
    let body = serde_json::to_string(&payload).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(WebhookDelivery {
        id: tx.new_id(),
        agency_id: endpoint.agency_id,
        endpoint_id: endpoint.id,
        event_id: event,
        event_type: event_type.to_owned(),
        body,
        state: WebhookDeliveryState::Pending,
        attempts: 0,
        next_attempt_at: Some(tx.now()),
        lease_token: 0,
        last_attempt_at: None,
        last_status: None,
        last_error: None,
        delivered_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    })
}

/// How many deliveries are inserted in one statement.
const INSERTED_AT_ONCE: usize = 250;

fn insert(tx: &mut Tx<'_>, deliveries: &[WebhookDelivery]) -> Result<(), AppError> {
    for some in deliveries.chunks(INSERTED_AT_ONCE) {
        webhook_deliveries::insert_all(tx, some)?;
    }
    Ok(())
}
