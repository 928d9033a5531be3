//! The sign to stop.

use tokio::sync::watch;

/// Tells a job when to stop.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub fn new(receiver: watch::Receiver<bool>) -> Self {
        Self(receiver)
    }

    /// Returns when it is time to stop.
    pub async fn wait(&mut self) {
        // Nobody left to give the sign is a sign too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
