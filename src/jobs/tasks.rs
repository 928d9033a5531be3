//! Starting jobs, each in a task of its own.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

use super::stop::Stop;
use super::watched::watched;
use crate::app::{AppError, Context};

/// How long a job that broke rests before it is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Jobs that run, and what the next one is given.
pub(super) struct Tasks {
    context: Context,
    stop: Stop,
    pub running: JoinSet<()>,
}

impl Tasks {
    pub fn new(context: &Context, stop: Stop) -> Self {
        Self { context: context.clone(), stop, running: JoinSet::new() }
    }

    /// Starts a job that goes on until it is told to stop.
    pub fn always<W, F>(&mut self, job: &'static str, work: W)
    where
        W: Fn(Context, Stop) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let context = self.context.clone();
        let start = move |stop| work(context.clone(), stop);
        self.running.spawn(watched(job, RESTART_AFTER, self.stop.clone(), start));
    }

    /// Starts a job that does `work` at once and then so often, until it is told to stop. What fails is
    /// logged, and tried again next time.
    pub fn every<W, F>(&mut self, period: Duration, job: &'static str, work: W)
    where
        W: Fn(Context) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), AppError>> + Send,
    {
        self.always(job, move |context, mut stop| {
            let work = work.clone();
            async move {
                loop {
                    if let Err(error) = work(context.clone()).await {
                        tracing::error!(job, %error, "a job failed");
                    }
                    tokio::select! {
                        () = tokio::time::sleep(period) => {}
                        () = stop.wait() => return,
                    }
                }
            }
        });
    }
}
