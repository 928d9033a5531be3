//! A job that breaks is noticed, and started again.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

use super::stop::Stop;

/// Runs a job until it ends by itself. One that panics is started again after `pause`, unless it is
/// time to stop.
pub(super) async fn watched<S, F>(job: &'static str, pause: Duration, mut stop: Stop, start: S)
where
    S: Fn(Stop) -> F + Send,
    F: Future<Output = ()> + Send + 'static,
{
    // A task of its own, which ends with this one.
    let mut running = JoinSet::new();
    loop {
        running.spawn(start(stop.clone()));
        match running.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(job, %error, "a job broke; it is started again");
            }
            _ => return,
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.wait() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::watch;

    use super::*;

    /// A job that breaks so often before it ends.
    async fn brittle(starts: Arc<AtomicUsize>, breaks: usize) {
        let before = starts.fetch_add(1, Ordering::SeqCst);
        assert!(before >= breaks, "broken on purpose");
    }

    /// How often such a job is started.
    async fn starts(breaks: usize, pause: Duration, stop: bool) -> usize {
        let (_keep, stopped) = watch::channel(stop);
        let starts = Arc::new(AtomicUsize::new(0));
        let counted = starts.clone();
        watched("test", pause, Stop::new(stopped), move |_| brittle(counted.clone(), breaks)).await;
        starts.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn a_broken_job_is_started_again() {
        assert_eq!(starts(2, Duration::ZERO, false).await, 3);
    }

    #[tokio::test]
    async fn a_broken_job_rests_once_it_is_time_to_stop() {
        assert_eq!(starts(usize::MAX, Duration::from_secs(3600), true).await, 1);
    }
}
