//! What the service does by itself, as time passes: it sends notes and webhooks, picks up what a dead worker
//! left behind, opens debriefs when their interviews have ended, ends retry requests that the client
//! left unanswered, works off imports, and forgets sign-ins, webhook deliveries and imports that are over,
//! mail that came back, and answers that are not asked for again.

mod imports;
mod pause;
mod relay;
mod stop;
mod watched;
mod webhooks;

use std::future::Future;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use relay::{Relay, RelaySettings};
use stop::Stop;
use watched::watched;
pub use webhooks::{Sender, SenderSettings};

use crate::app::debriefs::lifecycle;
use crate::app::retry_requests::expiry;
use crate::app::{AppError, Context, feed, idempotency_keys, inbound, sign_in, webhook_deliveries};
use crate::mail::Transport;
use crate::outbound::Client;
use crate::store::agencies;
use crate::store::pool::Tx;

/// How many debriefs are opened or looked into, or answers forgotten, in one transaction.
const TAKEN_AT_ONCE: i64 = 100;

/// How long a job that broke rests before it is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

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
        let stopped = Stop::new(stopped);
        let relay = Relay::new(context.clone(), transport, settings.relay.clone());
        let mut tasks = JoinSet::new();
        let sweeper = relay.clone();
        let sweep = move || {
            let sweeper = sweeper.clone();
            async move { sweeper.sweep().await.map(drop) }
        };
        tasks.spawn(every(settings.relay.sweep_every, stopped.clone(), "relay sweep", sweep));
        let opener = context.clone();
        let open = move || in_batches(opener.clone(), lifecycle::open_due);
        tasks.spawn(every(settings.open_every, stopped.clone(), "debrief opener", open));
        let (expirer, patience) = (context.clone(), settings.answered_within);
        let expire = move || {
            in_batches(expirer.clone(), move |tx, limit| expiry::expire_unanswered(tx, patience, limit))
        };
        tasks.spawn(every(settings.expire_every, stopped.clone(), "retry request expirer", expire));
        let forgetter = context.clone();
        let forget = move || forget_sign_ins(forgetter.clone());
        tasks.spawn(every(settings.forget_every, stopped.clone(), "sign-in cleaner", forget));
        let forgetter = context.clone();
        let forget = move || in_batches(forgetter.clone(), idempotency_keys::forget);
        tasks.spawn(every(settings.forget_every, stopped.clone(), "answer cleaner", forget));
        let forgetter = context.clone();
        let forget = move || in_batches(forgetter.clone(), webhook_deliveries::forget_old);
        tasks.spawn(every(settings.forget_every, stopped.clone(), "webhook delivery cleaner", forget));
        if let Some(kept_for) = settings.events_kept_for {
            let forgetter = context.clone();
            let forget = move || forget_events(forgetter.clone(), kept_for);
            tasks.spawn(every(settings.forget_every, stopped.clone(), "event cleaner", forget));
        }
        let (forgetter, kept_for) = (context.clone(), settings.inbound_kept_for);
        let forget =
            move || in_batches(forgetter.clone(), move |tx, limit| inbound::forget(tx, kept_for, limit));
        tasks.spawn(every(settings.forget_every, stopped.clone(), "inbound mail cleaner", forget));
        let (forgetter, kept_for) = (context.clone(), settings.imports_kept_for);
        let forget = move || imports::forget(forgetter.clone(), kept_for);
        tasks.spawn(every(settings.forget_every, stopped.clone(), "import cleaner", forget));
        let importer = context.clone();
        let import = move |stop| imports::run(importer.clone(), stop);
        tasks.spawn(watched("importer", RESTART_AFTER, stopped.clone(), import));
        let sender = Sender::new(context.clone(), client, settings.webhooks.clone());
        let send = move |stop| sender.clone().run(stop);
        tasks.spawn(watched("webhook sender", RESTART_AFTER, stopped.clone(), send));
        tasks.spawn(watched("relay", RESTART_AFTER, stopped, move |stop| relay.clone().run(stop)));
        Self { stop, tasks, grace: settings.grace }
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

/// Does `work` at once and then so often, until it is told to stop. What fails is logged, and
/// tried again next time.
async fn every<W, F>(period: Duration, stop: Stop, job: &'static str, work: W)
where
    W: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), AppError>> + Send,
{
    let round = move |mut stop: Stop| {
        let work = work.clone();
        async move {
            loop {
                if let Err(error) = work().await {
                    tracing::error!(job, %error, "a job failed");
                }
                tokio::select! {
                    () = tokio::time::sleep(period) => {}
                    () = stop.wait() => return,
                }
            }
        }
    };
    watched(job, RESTART_AFTER, stop, round).await;
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
        let expire = move |tx: &mut Tx<'_>| feed::expire(tx, agency, kept_for, TAKEN_AT_ONCE);
        while context.write(expire).await? > 0 {}
    }
    Ok(())
}

/// Forgets refresh tokens that ended.
async fn forget_sign_ins(context: Context) -> Result<(), AppError> {
    while context.write(sign_in::forget_expired).await? > 0 {}
    Ok(())
}
