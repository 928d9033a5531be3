//! What the service does by itself, from the settings.

use std::time::Duration;

use chrono::TimeDelta;

use super::mail::{build_transport, seconds};
use super::webhooks;
use crate::app::Context;
use crate::config::Settings;
use crate::domain::delivery::Schedule;
use crate::jobs::{JobSettings, Jobs, RelaySettings};

/// How long nothing goes to a destination that wants less mail, at first and at the longest.
const SLOWED_FOR: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(15 * 60));

/// The first and the longest wait while the mail server does not let us in.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// How often sign-ins that have ended, old webhook deliveries and answers that were kept long enough
/// are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// How often debriefs are opened whose interview has ended.
const OPEN_EVERY: Duration = Duration::from_secs(5);

/// How often retry requests are looked for that the client left unanswered.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// Starts what the service does by itself, on the present runtime.
pub fn start_jobs(settings: &Settings, context: &Context) -> anyhow::Result<Jobs> {
    let (transport, client) = (build_transport(settings)?, webhooks::build_client(settings)?);
    Ok(Jobs::start(context, transport, client, job_settings(settings)))
}

/// How the jobs run.
#[must_use]
pub fn job_settings(settings: &Settings) -> JobSettings {
    let relay = &settings.mail.relay;
    JobSettings {
        relay: RelaySettings {
            workers: usize::from(relay.workers),
            conversations: usize::from(settings.mail.smtp.max_connections),
            per_destination: usize::from(relay.per_destination),
            per_minute: relay.agency_messages_per_minute,
            slowed_for: SLOWED_FOR,
            poll_every: seconds(relay.poll_interval_seconds),
            lease: seconds(relay.lease_seconds),
            renew_every: seconds(relay.renew_seconds),
            sweep_every: seconds(relay.sweep_seconds),
            schedule: Schedule {
                steps: relay.backoff_minutes.iter().map(|m| TimeDelta::minutes(i64::from(*m))).collect(),
                then_every: TimeDelta::minutes(i64::from(relay.then_every_minutes)),
                jitter: f64::from(relay.jitter_percent) / 100.0,
                give_up_after: TimeDelta::hours(i64::from(relay.give_up_hours)),
            },
            first_pause: PAUSE.0,
            longest_pause: PAUSE.1,
        },
        open_every: OPEN_EVERY,
        expire_every: EXPIRE_EVERY,
        answered_within: TimeDelta::days(i64::from(settings.retry_requests.answer_days)),
        webhooks: webhooks::sender(&settings.webhooks),
        forget_every: FORGET_EVERY,
        events_kept_for: match settings.events.retention_days {
            0 => None,
            days => Some(TimeDelta::days(i64::from(days))),
        },
        inbound_kept_for: TimeDelta::days(i64::from(settings.mail.inbound.keep_days)),
        imports_kept_for: Duration::from_secs(u64::from(settings.imports.keep_days) * 24 * 60 * 60),
        grace: seconds(settings.server.shutdown_timeout_seconds),
    }
}
