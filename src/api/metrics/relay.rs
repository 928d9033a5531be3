//! How the relay stands, for an alarm: taken when it is asked for, over all agencies.

use std::sync::atomic::Ordering;

use prometheus::{Gauge, Registry};

use crate::app::Context;
use crate::app::deliveries::relay::backlog;

/// The relay's gauges.
#[derive(Clone)]
pub(super) struct RelayGauges {
    paused: Gauge,
    waiting: Gauge,
    unconfirmed: Gauge,
    behind: Gauge,
}

impl RelayGauges {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name, help| {
            let gauge = Gauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            paused: gauge("relay_paused", "1 while the mail server does not let this process in.")?,
            waiting: gauge("relay_waiting", "Emails that wait for their time or for another attempt.")?,
            unconfirmed: gauge("relay_unconfirmed", "Emails of which nobody knows whether they arrived.")?,
            behind: gauge(
                "relay_behind_seconds",
                "How long the email that is due the longest waits beyond its time.",
            )?,
        })
    }

    /// Looks at the relay and its queue. What cannot be known for now is not a number.
    pub async fn look(&self, context: &Context) {
        self.paused.set(f64::from(u8::from(context.relay_paused.load(Ordering::Relaxed))));
        match context.read(backlog).await {
            Ok(backlog) => {
                let now = context.store.clock().now();
                let behind = backlog.next_due.map(|due| (now - *due).as_seconds_f64().max(0.0));
                self.waiting.set(f64::from(u32::try_from(backlog.waiting).unwrap_or(u32::MAX)));
                self.unconfirmed.set(f64::from(u32::try_from(backlog.unconfirmed).unwrap_or(u32::MAX)));
                self.behind.set(behind.unwrap_or_default());
            }
            Err(error) => {
                tracing::warn!(%error, "how the queue of emails stands could not be found out");
                for gauge in [&self.waiting, &self.unconfirmed, &self.behind] {
                    gauge.set(f64::NAN);
                }
            }
        }
    }
}
