//! What the service does by itself, as time passes: it sends notes, picks up what a dead worker
//! left behind, opens debriefs when their interviews have ended, and forgets sign-ins that are over.

mod pause;
mod relay;
mod stop;
mod watched;

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

pub use relay::{Relay, RelaySettings};
use stop::Stop;
use watched::watched;

use crate::app::debriefs::lifecycle;
use crate::app::{AppError, Context, sign_in};
use crate::mail::Transport;

/// How many debriefs are opened in one transaction.
const OPENED_AT_ONCE: i64 = 100;

/// How long a job that broke rests before it is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// How the jobs run.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// The relay.
    pub relay: RelaySettings,
    /// How often debriefs are opened whose interview has ended.
    pub open_every: Duration,
    /// How often sign-ins that have ended are forgotten.
    pub forget_every: Duration,
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
    pub fn start(context: &Context, transport: Transport, settings: JobSettings) -> Self {
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
        let open = move || open_debriefs(opener.clone());
        tasks.spawn(every(settings.open_every, stopped.clone(), "debrief opener", open));
        let forgetter = context.clone();
        let forget = move || forget_sign_ins(forgetter.clone());
        tasks.spawn(every(settings.forget_every, stopped.clone(), "sign-in cleaner", forget));
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

async fn open_debriefs(context: Context) -> Result<(), AppError> {
    loop {
        let opened = context.write(|tx| lifecycle::open_due(tx, OPENED_AT_ONCE)).await?;
        if i64::try_from(opened).unwrap_or(i64::MAX) < OPENED_AT_ONCE {
            return Ok(());
        }
    }
}

/// Forgets refresh tokens that ended.
async fn forget_sign_ins(context: Context) -> Result<(), AppError> {
    while context.write(sign_in::forget_expired).await? > 0 {}
    Ok(())
}
