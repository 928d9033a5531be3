//! What the service does by itself, as time passes: it sends notes and webhooks, picks up what a dead worker
//! left behind, opens debriefs when their interviews have ended, ends retry requests that the client
//! left unanswered, works off imports, and forgets sign-ins, webhook deliveries and imports that are over,
//! mail that came back, and answers that are not asked for again.

mod imports;
mod relay;
mod stop;
mod tasks;
mod watched;
mod webhooks;

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use relay::{Relay, RelaySettings};
use stop::Stop;
use tasks::Tasks;
pub use webhooks::{Sender, SenderSettings};

use crate::app::debriefs::lifecycle;
use crate::app::retry_requests::expiry;
use crate::app::{AppError, Context, feed, idempotency_keys, inbound, sign_in, webhook_deliveries};
use crate::mail::Transport;
use crate::outbound::Client;
use crate::store::agencies;
use crate::store::pool::Tx;

/// How many records are taken in one transaction.
const TAKEN_AT_ONCE: i64 = 100;

/// How the jobs run.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// The relay.
    pub relay: RelaySettings,
    /// How often debriefs are opened whose interview has ended.
    pub open_every: Duration,
    /// How often retry requests are looked for that the client left unanswered.
    pub expire_every: Duration,
    /// How long a client has to answer a retry request.
    pub answered_within: TimeDelta,
    /// The sender of webhooks.
    pub webhooks: SenderSettings,
    /// How often sign-ins that have ended, old webhook deliveries and answers that were kept long enough
    /// are forgotten.
    pub forget_every: Duration,
    /// How far back the change feed goes; none for ever.
    pub events_kept_for: Option<TimeDelta>,
    /// How long it is known what came back by mail, so that it counts once.
    pub inbound_kept_for: TimeDelta,
    /// How long imports are kept that have come to their end.
    pub imports_kept_for: Duration,
    /// How long work that cannot be broken off may take when the jobs are stopped.
    pub grace: Duration,
}

/// The jobs while they run.
pub struct Jobs {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    grace: Duration,
}

impl Jobs {
    /// Starts the jobs on the present runtime.
    #[must_use]
    pub fn start(context: &Context, transport: Transport, client: Client, settings: JobSettings) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Tasks::new(context, Stop::new(stopped));
        let relay = Relay::new(context.clone(), transport, settings.relay.clone());
        let sweeper = relay.clone();
        tasks.every(settings.relay.sweep_every, "relay sweep", move |_| {
            let sweeper = sweeper.clone();
            async move { sweeper.sweep().await.map(drop) }
        });
        tasks
            .every(settings.open_every, "debrief opener", |context| in_batches(context, lifecycle::open_due));
        let patience = settings.answered_within;
        tasks.every(settings.expire_every, "retry request expirer", move |context| {
            in_batches(context, move |tx, limit| expiry::expire_unanswered(tx, patience, limit))
        });
        let forget_every = settings.forget_every;
        tasks.every(forget_every, "sign-in cleaner", |context| in_batches(context, sign_in::forget_expired));
        tasks.every(forget_every, "answer cleaner", |context| in_batches(context, idempotency_keys::forget));
        tasks.every(forget_every, "webhook delivery cleaner", |context| {
            in_batches(context, webhook_deliveries::forget_old)
        });
        if let Some(kept_for) = settings.events_kept_for {
            tasks.every(forget_every, "event cleaner", move |context| forget_events(context, kept_for));
        }
        let kept_for = settings.inbound_kept_for;
        tasks.every(forget_every, "inbound mail cleaner", move |context| {
            in_batches(context, move |tx, limit| inbound::forget(tx, kept_for, limit))
        });
        let kept_for = settings.imports_kept_for;
        tasks.every(forget_every, "import cleaner", move |context| imports::forget(context, kept_for));
        tasks.always("importer", imports::run);
        let sender = Sender::new(context.clone(), client, settings.webhooks);
        tasks.always("webhook sender", move |_, stop| sender.clone().run(stop));
        tasks.always("relay", move |_, stop| relay.clone().run(stop));
        Self { stop, tasks: tasks.running, grace: settings.grace }
    }

    /// Lets the jobs finish what cannot be broken off, and ends them.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.grace, finished).await.is_err() {
            tracing::warn!("jobs were cut off; what they were at is picked up when their leases end");
        }
        self.tasks.shutdown().await;
    }
}

/// Does `work`, which is told how many records it may take, in one transaction after the other until
/// it takes fewer.
async fn in_batches<W>(context: Context, work: W) -> Result<(), AppError>
where
    W: Fn(&mut Tx<'_>, i64) -> Result<usize, AppError> + Copy + Send + 'static,
{
    loop {
        let taken = context.write(move |tx| work(tx, TAKEN_AT_ONCE)).await?;
        if i64::try_from(taken).unwrap_or(i64::MAX) < TAKEN_AT_ONCE {
            return Ok(());
        }
    }
}

/// Lets every agency's feed begin where it is to begin by now.
async fn forget_events(context: Context, kept_for: TimeDelta) -> Result<(), AppError> {
    for agency in context.read(|conn| Ok(agencies::ids(conn)?)).await? {
        in_batches(context.clone(), move |tx, limit| feed::expire(tx, agency, kept_for, limit)).await?;
    }
    Ok(())
}
