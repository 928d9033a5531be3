//! What the relay takes up next: a fair share for every destination and every agency.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::RelaySettings;
use super::rate::Rate;
use super::slow::Slow;
use super::turns::{Asked, Turns};
use crate::app::deliveries::relay::Job;
use crate::domain::delivery::Room;
use crate::mail::Outcome;

/// The shares, and who has used how much of theirs.
pub(super) struct Intake {
    turns: Turns,
    each_destination: usize,
    rate: Mutex<Rate>,
    slow: Mutex<Slow>,
}

impl Intake {
    pub fn new(settings: &RelaySettings) -> Self {
        let (first, longest) = settings.slowed_for;
        Self {
            turns: Turns::new(settings.conversations, settings.per_destination),
            each_destination: settings.per_destination.max(1),
            rate: Mutex::new(Rate::new(settings.per_minute)),
            slow: Mutex::new(Slow::new(first, longest)),
        }
    }

    /// Room for `left` messages, as far as the shares go. What counts for a destination is what waits
    /// for its turn or has it; what was handed over makes room for the next.
    pub fn room(&self, left: usize, now: DateTime<Utc>) -> Room {
        let load = self.turns.load();
        let mut room = Room { each_destination: self.each_destination, ..Room::of(left) };
        for (destination, limit) in lock(&self.slow).limits(Instant::now()) {
            room.destinations.insert(destination.clone(), limit);
        }
        for (destination, under_way) in load {
            let limit = room.destinations.entry(destination).or_insert(self.each_destination);
            *limit = limit.saturating_sub(under_way);
        }
        let mut rate = lock(&self.rate);
        room.each_agency = rate.burst();
        room.agencies = rate.left(now);
        room
    }

    /// A message was taken up: it counts, and asks for its turn.
    pub fn admit(&self, job: &Job, now: DateTime<Utc>) -> Asked {
        lock(&self.rate).count(job.claim.agency, now);
        self.turns.ask(job.destination.clone())
    }

    /// Learns from what a destination's server said.
    pub fn heard(&self, destination: &str, outcome: &Outcome) {
        if outcome.slows_destination() {
            if lock(&self.slow).refused(destination, Instant::now()) {
                tracing::warn!(destination, "a destination is sent to more slowly");
            }
        } else if matches!(outcome, Outcome::Accepted(_)) {
            lock(&self.slow).taken(destination);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
