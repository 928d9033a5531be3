//! Webhook endpoints: where other systems want to be told of what happens.

mod secrets;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppError;
use super::events::Happening;
use super::records::{Expected, expect_version, expect_written};
use crate::auth::caller::Caller;
use crate::auth::seal::Seals;
use crate::domain::event::EventType;
use crate::domain::ids::{AgencyId, WebhookEndpointId};
use crate::domain::webhook::{DisabledBecause, Target, TargetFault};
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::types::Json;
use crate::store::webhook_endpoints::{self, WebhookEndpoint};
use crate::store::{events, webhook_deliveries};

pub(super) use secrets::opened;
pub use secrets::reseal;

/// Where webhooks may go.
#[derive(Debug, Clone, Copy)]
pub struct WebhookPolicy {
    /// Any address, and without TLS too: for development and tests.
    pub allow_private_addresses: bool,
}

/// What makes or changes an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpointInput {
    /// Where events are sent: `https`, at an address of the public internet.
    #[schema(min_length = 1, max_length = 2000, example = "https://crm.example/debrief")]
    url: String,
    /// What it is for.
    #[schema(max_length = 1000, format = "text")]
    description: Option<String>,
    /// The types of events that are sent; none for all.
    #[serde(default)]
    #[schema(value_type = Vec<EventType>, max_items = 200, example = json!(["debrief.released", "note.sent"]))]
    event_types: Vec<String>,
    /// Whether it gets nothing.
    #[serde(default)]
    disabled: bool,
}

impl From<&WebhookEndpoint> for WebhookEndpointInput {
    fn from(endpoint: &WebhookEndpoint) -> Self {
        Self {
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            event_types: endpoint.event_types.0.clone(),
            disabled: endpoint.disabled_at.is_some(),
        }
    }
}

/// An endpoint with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpointWithSecret {
    #[expect(missing_docs, reason = "its fields stand for themselves")]
    #[serde(flatten)]
    pub endpoint: WebhookEndpoint,
    /// What signatures are checked with. It cannot be shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// Makes an endpoint, which gets what happens from then on.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    policy: WebhookPolicy,
    seals: &Seals,
    input: WebhookEndpointInput,
) -> Result<WebhookEndpointWithSecret, AppError> {
    check_url(policy, &input.url)?;
    let secret = secrets::generate();
    let (id, now) = (tx.new_id(), tx.now());
    let (position_xact, position_seq) = events::end(tx, caller.agency)?;
    let endpoint = WebhookEndpoint {
        id,
        agency_id: caller.agency,
        url: input.url,
        description: input.description,
        event_types: Json(input.event_types),
        secrets: Json(secrets::rotated(seals, id, &[], &secret, now)?),
        position_xact,
        position_seq,
        failing_since: None,
        disabled_at: input.disabled.then_some(now),
        disabled_because: input.disabled.then_some(DisabledBecause::Asked),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    webhook_endpoints::insert(tx, &endpoint)?;
    happened(tx, caller, "webhook_endpoint.created", &endpoint);
    Ok(WebhookEndpointWithSecret { endpoint, secret: secret.reveal() })
}

/// An endpoint of the caller's agency.
pub fn get(conn: &mut DbConn, agency: AgencyId, id: WebhookEndpointId) -> Result<WebhookEndpoint, AppError> {
    standing(webhook_endpoints::find(conn, agency, id)?)
}

/// An endpoint of the caller's agency, taken until the transaction ends.
pub(super) fn hold(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    id: WebhookEndpointId,
) -> Result<WebhookEndpoint, AppError> {
    standing(webhook_endpoints::lock(tx, agency, id)?)
}

fn standing(found: Option<WebhookEndpoint>) -> Result<WebhookEndpoint, AppError> {
    found.filter(|endpoint| endpoint.deleted_at.is_none()).ok_or(AppError::NotFound)
}

/// Changes an endpoint; `edit` makes the new input of the present one. One that is enabled again gets
/// what happens from then on.
pub fn change(
    tx: &mut Tx<'_>,
    caller: &Caller,
    policy: WebhookPolicy,
    id: WebhookEndpointId,
    expected: Expected,
    edit: impl FnOnce(WebhookEndpointInput) -> Result<WebhookEndpointInput, AppError>,
) -> Result<WebhookEndpoint, AppError> {
    let mut endpoint = hold(tx, caller.agency, id)?;
    expect_version(expected, endpoint.version)?;
    let present = WebhookEndpointInput::from(&endpoint);
    let input = edit(present.clone())?;
    // What is allowed may have changed since: an endpoint can be disabled and described all the same.
    if input.url != present.url || (present.disabled && !input.disabled) {
        check_url(policy, &input.url)?;
    }
    if input == present {
        return Ok(endpoint);
    }
    endpoint.url = input.url;
    endpoint.description = input.description;
    endpoint.event_types = Json(input.event_types);
    match (endpoint.disabled_at.is_some(), input.disabled) {
        (false, true) => return disable(tx, caller, endpoint, DisabledBecause::Asked),
        (true, false) => {
            (endpoint.disabled_at, endpoint.disabled_because, endpoint.failing_since) = (None, None, None);
            (endpoint.position_xact, endpoint.position_seq) = events::end(tx, caller.agency)?;
        }
        _ => {}
    }
    save(tx, &mut endpoint)?;
    happened(tx, caller, "webhook_endpoint.updated", &endpoint);
    Ok(endpoint)
}

/// Disables an endpoint that is locked. What waits to be sent there is cancelled.
pub(super) fn disable(
    tx: &mut Tx<'_>,
    caller: &Caller,
    mut endpoint: WebhookEndpoint,
    because: DisabledBecause,
) -> Result<WebhookEndpoint, AppError> {
    let now = tx.now();
    endpoint.disabled_at = Some(now);
    endpoint.disabled_because = Some(because);
    save(tx, &mut endpoint)?;
    webhook_deliveries::cancel_pending(tx, endpoint.id, "the endpoint was disabled", now)?;
    Happening::to("webhook_endpoint.disabled", endpoint.id)
        .with("version", endpoint.version)
        .with("because", because)
        .record(tx, caller);
    Ok(endpoint)
}

/// Gives an endpoint a new secret. What it is sent is signed with the former one too for a day.
pub fn rotate_secret(
    tx: &mut Tx<'_>,
    caller: &Caller,
    seals: &Seals,
    id: WebhookEndpointId,
) -> Result<WebhookEndpointWithSecret, AppError> {
    let mut endpoint = hold(tx, caller.agency, id)?;
    let secret = secrets::generate();
    endpoint.secrets = Json(secrets::rotated(seals, id, &endpoint.secrets.0, &secret, tx.now())?);
    save(tx, &mut endpoint)?;
    happened(tx, caller, "webhook_endpoint.secret_rotated", &endpoint);
    Ok(WebhookEndpointWithSecret { endpoint, secret: secret.reveal() })
}

/// Deletes an endpoint with its secrets. What waits to be sent there is cancelled; its deliveries
/// are forgotten when their time is over, and then the last of it.
pub fn delete(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: WebhookEndpointId,
    expected: Expected,
) -> Result<(), AppError> {
    let mut endpoint = hold(tx, caller.agency, id)?;
    expect_version(expected, endpoint.version)?;
    let now = tx.now();
    endpoint.deleted_at = Some(now);
    endpoint.secrets = Json(Vec::new());
    save(tx, &mut endpoint)?;
    webhook_deliveries::cancel_pending(tx, id, "the endpoint was deleted", now)?;
    happened(tx, caller, "webhook_endpoint.deleted", &endpoint);
    Ok(())
}

/// Fails unless the policy lets events go to this URL.
fn check_url(policy: WebhookPolicy, url: &str) -> Result<(), AppError> {
    let may_go = |target: Target| if policy.allow_private_addresses { Ok(()) } else { target.check_public() };
    let checked = url.parse().and_then(may_go);
    checked.map_err(|fault: TargetFault| AppError::fault("/url", fault.code(), fault.to_string()))
}

fn save(tx: &mut Tx<'_>, endpoint: &mut WebhookEndpoint) -> Result<(), AppError> {
    let former = tx.renew(&mut endpoint.version, &mut endpoint.updated_at);
    expect_written(webhook_endpoints::update(tx, endpoint, former)?, endpoint.version)
}

fn happened(tx: &mut Tx<'_>, caller: &Caller, event_type: &str, endpoint: &WebhookEndpoint) {
    Happening::to(event_type, endpoint.id).with("version", endpoint.version).record(tx, caller);
}
