//! The secrets of endpoints: sealed in the database, open only while something is signed.

use chrono::TimeDelta;
use rand::Rng;

use crate::app::AppError;
use crate::auth::seal::{Opened, Seals};
use crate::domain::ids::WebhookEndpointId;
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::Secret;
use crate::store::pool::Tx;
use crate::store::webhook_endpoints::{self, SealedSecret, WebhookEndpoint};

/// How long a secret that was replaced goes on signing beside the new one.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// How many secrets sign at once. Whoever rotates more often than that within [`OVERLAP`] loses the
/// oldest.
const MOST: usize = 5;

/// How many endpoints are looked at in one transaction.
const RESEALED_AT_ONCE: i64 = 100;

/// A new secret.
pub(super) fn generate() -> Secret {
    Secret::from_random(rand::rng().random())
}

fn seal(seals: &Seals, endpoint: WebhookEndpointId, secret: &[u8]) -> Result<String, AppError> {
    let sealed = seals.seal(endpoint.uuid().as_bytes(), secret);
    sealed.ok_or_else(|| AppError::Internal("a secret could not be sealed".to_owned()))
}

fn open(seals: &Seals, endpoint: WebhookEndpointId, sealed: &str) -> Result<Opened, AppError> {
    seals.open(endpoint.uuid().as_bytes(), sealed).ok_or_else(|| {
        let detail = "was sealed with a signing key that is not among the present and former ones";
        AppError::Internal(format!("a secret of {endpoint} {detail}: rotate it"))
    })
}

/// The secrets of an endpoint with a new one in front; those from before sign for a while yet.
pub(super) fn rotated(
    seals: &Seals,
    endpoint: WebhookEndpointId,
    present: &[SealedSecret],
    new: &Secret,
    now: Timestamp,
) -> Result<Vec<SealedSecret>, AppError> {
    let mut secrets = vec![SealedSecret { sealed: seal(seals, endpoint, new.bytes())?, until: None }];
    let overlap = Timestamp::from(*now + OVERLAP);
    let former = present.iter().filter(|secret| is_valid(secret, now)).map(|secret| SealedSecret {
        sealed: secret.sealed.clone(),
        until: Some(secret.until.unwrap_or(overlap)),
    });
    secrets.extend(former.take(MOST - 1));
    Ok(secrets)
}

fn is_valid(secret: &SealedSecret, now: Timestamp) -> bool {
    secret.until.is_none_or(|until| now < until)
}

/// The secrets that sign at `now`, the present one first.
pub(in crate::app) fn opened(
    seals: &Seals,
    endpoint: &WebhookEndpoint,
    now: Timestamp,
) -> Result<Vec<Secret>, AppError> {
    let valid = endpoint.secrets.0.iter().filter(|secret| is_valid(secret, now));
    let opened = valid.map(|secret| {
        let bytes = open(seals, endpoint.id, &secret.sealed)?.bytes;
        Secret::from_bytes(bytes).map_err(|error| AppError::Internal(error.to_string()))
    });
    opened.collect()
}

/// Seals with the present key what was sealed with a former one, endpoint by endpoint: a former key
/// can then be forgotten. Answers the last endpoint that was looked at; none if that was the end.
pub fn reseal(
    tx: &mut Tx<'_>,
    seals: &Seals,
    after: Option<WebhookEndpointId>,
) -> Result<Option<WebhookEndpointId>, AppError> {
    let endpoints = webhook_endpoints::all(tx, after, RESEALED_AT_ONCE)?;
    let last = endpoints.last().map(|endpoint| endpoint.id);
    for seen in endpoints {
        if !needs_resealing(seals, &seen) {
            continue;
        }
        // As it is now: somebody may have rotated it meanwhile.
        let Some(mut endpoint) = webhook_endpoints::lock(tx, seen.agency_id, seen.id)? else { continue };
        for secret in &mut endpoint.secrets.0 {
            if let Ok(Opened { bytes, is_present: false }) = open(seals, endpoint.id, &secret.sealed) {
                secret.sealed = seal(seals, endpoint.id, &bytes)?;
            }
        }
        webhook_endpoints::update(tx, &endpoint, endpoint.version)?;
    }
    Ok(last)
}

fn needs_resealing(seals: &Seals, endpoint: &WebhookEndpoint) -> bool {
    let opened = endpoint.secrets.0.iter().map(|secret| open(seals, endpoint.id, &secret.sealed));
    opened.into_iter().any(|opened| opened.is_ok_and(|opened| !opened.is_present))
}
