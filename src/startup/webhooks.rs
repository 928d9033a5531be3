//! Webhooks, from the settings.

use std::time::Duration;

use crate::app::webhook_endpoints::WebhookPolicy;
use crate::config::{Settings, WebhookSettings};
use crate::jobs::SenderSettings;
use crate::outbound::{Client, ClientSettings};

/// How often it is looked for something to send that nobody has rung for.
const POLL_EVERY: Duration = Duration::from_secs(2);

pub(super) fn policy(webhooks: &WebhookSettings) -> WebhookPolicy {
    WebhookPolicy { allow_private_addresses: webhooks.allow_private_addresses }
}

/// What webhooks are sent with.
pub fn build_client(settings: &Settings) -> anyhow::Result<Client> {
    if settings.webhooks.allow_private_addresses {
        tracing::warn!("webhooks may go to any address, those of this machine and its networks too");
    }
    Ok(Client::new(ClientSettings {
        allow_private_addresses: settings.webhooks.allow_private_addresses,
        timeout: Duration::from_secs(u64::from(settings.webhooks.timeout_seconds)),
    })?)
}

pub(super) fn sender(webhooks: &WebhookSettings) -> SenderSettings {
    SenderSettings {
        workers: usize::from(webhooks.concurrency),
        per_endpoint: usize::from(webhooks.concurrency_per_endpoint),
        poll_every: POLL_EVERY,
    }
}
