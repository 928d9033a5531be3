//! What the relay takes up next: a fair share for every destination and every agency.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::RelaySettings;
use super::rate::Rate;
use super::slow::Slow;
use super::turns::{Asked, Turns};
use crate::app::deliveries::relay::Job;
use crate::domain::delivery::Room;
use crate::mail::Outcome;

/// So many destinations are remembered to be good; when there are more, it is learnt anew.
const MOST_PROVEN: usize = 10_000;

/// The shares, and who has used how much of theirs.
pub(super) struct Intake {
    turns: Turns,
    conversations: usize,
    each_destination: usize,
    proven: Mutex<Arc<HashSet<String>>>,
    rate: Mutex<Rate>,
    slow: Mutex<Slow>,
}

impl Intake {
    pub fn new(settings: &RelaySettings) -> Self {
        let (first, longest) = settings.slowed_for;
        Self {
            turns: Turns::new(settings.conversations, settings.per_destination),
            conversations: settings.conversations.max(1),
            each_destination: settings.per_destination.max(1),
            proven: Mutex::default(),
            rate: Mutex::new(Rate::new(settings.per_minute)),
            slow: Mutex::new(Slow::new(first, longest)),
        }
    }

    /// Room for `left` messages, as far as the shares go. What counts for a destination is what waits
    /// for its turn or has it; what was handed over makes room for the next. Destinations that have not
    /// shown that they take anything may all hang, so the last connection is for the others.
    pub fn room(&self, left: usize, now: DateTime<Utc>) -> Room {
        let load = self.turns.load();
        let proven = Arc::clone(&lock(&self.proven));
        let each_destination = self.each_destination;
        let mut room = Room { each_destination, each_unproven: 1, proven, ..Room::of(left) };
        room.unproven = (self.conversations - 1).max(1);
        for (destination, limit) in lock(&self.slow).limits(Instant::now()) {
            room.destinations.insert(destination.clone(), limit);
        }
        for (destination, under_way) in load {
            if !room.proven.contains(&destination) {
                room.unproven = room.unproven.saturating_sub(under_way);
            }
            let share = room.share_of(&destination);
            let limit = room.destinations.entry(destination).or_insert(share);
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
        if outcome.slows_destination() || outcome.may_slow_destination() {
            Arc::make_mut(&mut lock(&self.proven)).remove(destination);
            let (mut slow, now) = (lock(&self.slow), Instant::now());
            let begins = if outcome.slows_destination() {
                slow.refused(destination, now)
            } else {
                slow.was_silent(destination, now)
            };
            if begins {
                tracing::warn!(destination, "a destination is sent to more slowly");
            }
        } else if matches!(outcome, Outcome::Accepted(_)) && lock(&self.slow).taken(destination) {
            self.trust(destination);
        }
    }

    /// A destination takes messages.
    pub fn trust(&self, destination: &str) {
        let mut proven = lock(&self.proven);
        if !proven.contains(destination) {
            let proven = Arc::make_mut(&mut proven);
            if proven.len() == MOST_PROVEN {
                proven.clear();
            }
            proven.insert(destination.to_owned());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
