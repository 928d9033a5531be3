//! One delivery in the hands of one worker, from its claim to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::Relay;
use super::turns::Asked;
use crate::app::deliveries::relay::{self, Claim, Ended, Ending, Job};
use crate::failpoint::{self, Failpoint};
use crate::jobs::stop::Stop;
use crate::mail::{Letter, Outcome};

/// The first wait before an ending is tried to be written down again, which doubles, and the
/// longest.
const WRITE_WAIT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

impl Relay {
    /// Hands one message over when its turn has come, and writes down what came of it.
    pub(super) async fn carry(self, job: Job, asked: Asked, stop: Option<Stop>) {
        let claim = job.claim;
        failpoint::reach(Failpoint::Claimed);
        let Some(ending) = self.attempt(claim, &job.letter, asked, stop).await else {
            tracing::info!(delivery = %claim.id, "a delivery was taken from its worker");
            return;
        };
        failpoint::reach(Failpoint::Answered);
        if let Ending::Outcome(outcome) = &ending {
            self.judge_transport(outcome);
            self.0.intake.heard(&job.destination, outcome);
        }
        self.write_down(claim, ending).await;
    }

    /// The attempt itself, with signs of life while it lasts. None if the delivery was lost to
    /// somebody else before anything could have been sent.
    async fn attempt(
        &self,
        claim: Claim,
        letter: &Letter,
        asked: Asked,
        mut stop: Option<Stop>,
    ) -> Option<Ending> {
        // Set before the commit point is asked for: from then on the attempt is not broken off.
        let committing = Arc::new(AtomicBool::new(false));
        let commit_point = || {
            committing.store(true, Ordering::SeqCst);
            self.pass_commit_point(claim)
        };
        let relaying = async {
            let _turn = asked.turn().await;
            self.0.transport.relay(letter, commit_point).await
        };
        // Beside the attempt, which goes on while a sign of life waits for the database.
        let taken_away = async {
            loop {
                sleep(self.0.settings.renew_every).await;
                if !self.is_still_ours(claim).await && !committing.load(Ordering::SeqCst) {
                    return;
                }
            }
        };
        tokio::pin!(relaying, taken_away);
        loop {
            tokio::select! {
                biased;
                outcome = &mut relaying => return Some(Ending::Outcome(outcome)),
                () = &mut taken_away => return None,
                () = told_to_stop(&mut stop), if !committing.load(Ordering::SeqCst) => {
                    // The commit point may have been asked for while this waited.
                    if !committing.load(Ordering::SeqCst) {
                        return Some(Ending::Released);
                    }
                }
            }
        }
    }

    /// Whether the message may be sent. It may not if that cannot be made durable.
    async fn pass_commit_point(&self, claim: Claim) -> bool {
        match self.0.ledger.pass_commit_point(claim).await {
            Ok(passed) => passed,
            Err(error) => {
                tracing::warn!(delivery = %claim.id, %error, "the commit point could not be written down");
                false
            }
        }
    }

    /// Gives a sign of life. While the database cannot be reached the delivery counts as ours: the
    /// commit point decides.
    async fn is_still_ours(&self, claim: Claim) -> bool {
        let lease = self.lease();
        match self.0.context.write(move |tx| relay::renew(tx, claim, lease)).await {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::warn!(delivery = %claim.id, %error, "a lease could not be renewed");
                true
            }
        }
    }

    fn judge_transport(&self, outcome: &Outcome) {
        if let Outcome::Fault(fault) = outcome {
            if self.door().refused(self.0.context.store.clock().now()) {
                tracing::error!(host = self.0.transport.name(), %fault, "the mail server does not let us in");
            }
        } else if outcome.was_let_in() {
            self.door().let_in();
        }
    }

    /// Writes down how the attempt ended, and does not give up while the process lives: nobody else
    /// knows.
    async fn write_down(&self, claim: Claim, ending: Ending) {
        let mut wait = WRITE_WAIT.0;
        loop {
            let ended = Ended { claim, ending: ending.clone(), random: rand::random() };
            match self.0.ledger.finish(ended).await {
                Ok(state) => {
                    failpoint::reach(Failpoint::WrittenDown);
                    tracing::info!(delivery = %claim.id, state = ?state, "an attempt ended");
                    return;
                }
                Err(error) => {
                    tracing::error!(delivery = %claim.id, %error, "the end of an attempt could not be written down");
                    sleep(wait).await;
                    wait = (wait * 2).min(WRITE_WAIT.1);
                }
            }
        }
    }
}

async fn told_to_stop(stop: &mut Option<Stop>) {
    match stop {
        Some(stop) => stop.wait().await,
        None => std::future::pending().await,
    }
}
