//! The sender of webhooks: queues what happened for each endpoint, claims what is due, and sends it,
//! several at once and a few to one endpoint, so that a slow one keeps nobody else waiting.

mod busy;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use self::busy::{Busy, Place};
use super::stop::Stop;
use crate::app::webhook_deliveries::{self, Claim};
use crate::app::{AppError, Context, mail_domains, webhook_endpoints};
use crate::domain::ids::WebhookEndpointId;
use crate::domain::webhook::{Outcome, signature};
use crate::outbound::Client;
use crate::store::pool::Tx;

/// How much longer than a request a lease lasts: the time to write down what came of it.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(40);

/// The shortest wait before it is looked again. What has just happened may show only after it: on
/// PostgreSQL an event waits for the transactions that began before.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// How the sender works.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// Requests under way at once; at least 1.
    pub workers: usize,
    /// Requests under way at once to one endpoint; at least 1.
    pub per_endpoint: usize,
    /// How often it is looked for something to send when nobody has rung.
    pub poll_every: Duration,
}

/// The sender of one process; clones are the same one.
#[derive(Clone)]
pub struct Sender(Arc<Inner>);

struct Inner {
    context: Context,
    client: Client,
    settings: SenderSettings,
    busy: Busy,
}

impl Sender {
    /// A sender that has not begun.
    #[must_use]
    pub fn new(context: Context, client: Client, settings: SenderSettings) -> Self {
        Self(Arc::new(Inner { context, client, settings, busy: Busy::default() }))
    }

    /// Queues everything that happened, sends everything that is due now, and waits until all of it has
    /// come to an end. Answers how many were claimed. For tools and tests; a service has
    /// [`Jobs`](super::Jobs).
    pub async fn run_once(&self) -> Result<usize, AppError> {
        let mut count = 0;
        loop {
            let is_more = self.fan_out().await?;
            let mut working = JoinSet::new();
            let claimed = self.start(&mut working).await?;
            if claimed == 0 && !is_more {
                return Ok(count);
            }
            count += claimed;
            while let Some(ended) = working.join_next().await {
                report(ended);
            }
        }
    }

    /// Works until it is told to stop.
    pub(super) async fn run(self, mut stop: Stop) {
        if let Err(error) = self.reseal().await {
            tracing::error!(%error, "secrets could not be sealed with the present key: keep the former ones");
        }
        let mut working: JoinSet<()> = JoinSet::new();
        let mut was_rung = false;
        loop {
            while let Some(ended) = working.try_join_next() {
                report(ended);
            }
            let looked = Instant::now();
            let did = self.round(&mut working).await;
            let until = match did {
                Did::More => Instant::now(),
                Did::Nothing if was_rung => Instant::now() + SHORTEST_WAIT,
                Did::Nothing | Did::All => self.next_look().await,
            };
            was_rung = false;
            tokio::select! {
                () = stop.wait() => break,
                () = self.0.context.store.news().notified() => was_rung = true,
                Some(ended) = working.join_next(), if !working.is_empty() => report(ended),
                () = sleep_until(until) => {}
            }
            // Every write rings. While nothing comes of it, one look for all that rang in a while is enough.
            if was_rung && matches!(did, Did::Nothing) {
                tokio::select! {
                    () = stop.wait() => break,
                    // There may be room again for what waits.
                    Some(ended) = working.join_next(), if !working.is_empty() => report(ended),
                    () = sleep_until(looked + SHORTEST_WAIT) => {}
                }
            }
        }
        while let Some(ended) = working.join_next().await {
            report(ended);
        }
    }

    async fn round(&self, working: &mut JoinSet<()>) -> Did {
        let done = async { Ok::<_, AppError>((self.fan_out().await?, self.start(working).await?)) };
        match done.await {
            Ok((true, _)) => Did::More,
            Ok((false, 0)) => Did::Nothing,
            Ok((false, _)) => Did::All,
            Err(error) => {
                tracing::error!(%error, "no webhooks can be sent for now");
                Did::All
            }
        }
    }

    /// Queues a part of what happened for every endpoint. Answers whether there may be more.
    async fn fan_out(&self) -> Result<bool, AppError> {
        let context = &self.0.context;
        let mut is_more = false;
        for (agency, endpoint) in context.read(webhook_deliveries::with_news).await? {
            let work = move |tx: &mut Tx<'_>| webhook_deliveries::fan_out(tx, agency, endpoint);
            match context.write(work).await {
                Ok(more) => is_more |= more,
                // The others are not to wait for it.
                Err(error) => tracing::error!(%endpoint, %error, "events could not be queued"),
            }
        }
        Ok(is_more)
    }

    /// Claims as many deliveries as there are workers for, and starts to send them. Answers how many.
    async fn start(&self, working: &mut JoinSet<()>) -> Result<usize, AppError> {
        let Inner { context, settings, busy, .. } = &*self.0;
        let free = settings.workers.max(1).saturating_sub(working.len());
        if free == 0 {
            return Ok(0);
        }
        let now = context.store.clock().now().into();
        let ready = context.read(move |conn| webhook_deliveries::ready(conn, now)).await?;
        let wanted = busy.allot(&ready, free, settings.per_endpoint.max(1));
        if wanted.is_empty() {
            return Ok(0);
        }
        let lease = TimeDelta::from_std(self.0.client.timeout()).unwrap_or(TimeDelta::MAX);
        let lease = lease.checked_add(&LEASE_MARGIN).unwrap_or(TimeDelta::MAX);
        let tokens = context.tokens.clone();
        let work =
            move |tx: &mut Tx<'_>| webhook_deliveries::claim(tx, tokens.keys().seals(), &wanted, lease);
        let claimed = context.write(work).await?;
        let count = claimed.len();
        for claim in claimed {
            let place = busy.enter(claim.endpoint);
            working.spawn(self.clone().send(claim, place));
        }
        Ok(count)
    }

    /// Sends one delivery and writes down what came of it.
    async fn send(self, claim: Claim, place: Place) {
        let Inner { context, client, .. } = &*self.0;
        let (id, timestamp) = (claim.event.to_string(), claim.at.timestamp());
        let signature = signature(&claim.secrets, &id, timestamp, &claim.body);
        let timestamp = timestamp.to_string();
        let headers = [
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", timestamp.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        let outcome = match client.post(&claim.url, &headers, claim.body.clone()).await {
            Ok(reply) => {
                let now = context.store.clock().now();
                let retry_after = reply.retry_after.and_then(|value| Outcome::retry_after(&value, now));
                Outcome::Answered { status: reply.status, retry_after }
            }
            Err(error) => Outcome::Unanswered(error.to_string()),
        };
        let delivery = claim.id;
        let finish = move |tx: &mut Tx<'_>| webhook_deliveries::finish(tx, &claim, &outcome, rand::random());
        match context.write(finish).await {
            Ok(state) => tracing::info!(%delivery, ?state, "a webhook was tried"),
            Err(error) => {
                let fate = "it is sent again when its lease ends";
                tracing::error!(%delivery, %error, fate, "what came of a webhook could not be written down");
            }
        }
        drop(place);
    }

    /// When the next delivery becomes due, as far as is known; when it is looked anyway, if that is
    /// earlier. What is due already waits for a worker, and no look helps.
    async fn next_look(&self) -> Instant {
        let Inner { context, settings, .. } = &*self.0;
        let now = context.store.clock().now();
        let due = context.read(move |conn| webhook_deliveries::next_due(conn, now.into())).await;
        let wait = due.ok().flatten().and_then(|due| (*due - now).to_std().ok());
        let wait = wait.unwrap_or(settings.poll_every);
        Instant::now() + wait.clamp(SHORTEST_WAIT.min(settings.poll_every), settings.poll_every)
    }

    /// Seals every secret with the present signing key, so that former ones can be forgotten.
    async fn reseal(&self) -> Result<(), AppError> {
        let context = &self.0.context;
        let mut after: Option<WebhookEndpointId> = None;
        loop {
            let tokens = context.tokens.clone();
            let work = move |tx: &mut Tx<'_>| webhook_endpoints::reseal(tx, tokens.keys().seals(), after);
            after = context.write(work).await?;
            if after.is_none() {
                break;
            }
        }
        let tokens = context.tokens.clone();
        context.write(move |tx| mail_domains::reseal(tx, tokens.keys().seals())).await
    }
}

/// What a round has come to.
enum Did {
    /// There was nothing to do.
    Nothing,
    /// What there was is done, or cannot be done.
    All,
    /// There is more.
    More,
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a webhook worker broke; its delivery is sent again when its lease ends");
    }
}
