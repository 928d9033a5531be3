//! Webhooks: what happens, told to another system over HTTP, after
//! [Standard Webhooks](https://www.standardwebhooks.com) 1.0.

mod address;
mod schedule;
mod secret;
mod target;

pub use address::is_public;
pub use schedule::{ATTEMPTS, LONGEST_WAIT, Outcome, Verdict};
pub use secret::{InvalidSecret, Secret, signature};
pub use target::{Target, TargetFault};

use super::words::words;

/// The type of what a test sends. It is not in the change feed.
pub const TEST: &str = "webhook.test";

words! {
    /// Where the delivery of one event to one endpoint stands.
    pub enum WebhookDeliveryState {
        /// Waiting for its first attempt, or for its next one.
        Pending,
        /// An attempt is under way.
        Sending,
        /// The receiver answered with 2xx.
        Delivered,
        /// Every attempt failed.
        Failed,
        /// The endpoint was disabled or deleted before it was delivered.
        Cancelled,
    }
}

words! {
    /// Why an endpoint gets nothing.
    pub enum DisabledBecause {
        /// Somebody wanted it.
        Asked,
        /// The receiver answered with 410: it wants no more.
        Gone,
        /// Nothing had arrived for days.
        Failing,
    }
}
