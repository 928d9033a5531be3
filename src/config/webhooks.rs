//! The settings of webhooks.

use serde::{Deserialize, Serialize};

/// Telling other systems of what happens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Whether endpoints may be anywhere, and without TLS.
    pub allow_private_addresses: bool,
    /// Requests under way at once.
    pub concurrency: u16,
    /// Requests under way at once to one endpoint.
    pub concurrency_per_endpoint: u16,
    /// How long a receiver may take to answer, in seconds.
    pub timeout_seconds: u32,
}
