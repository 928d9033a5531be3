//! When to try again.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::jitter::jittered;

/// The waits between attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The wait after the first attempt, after the second, and so on.
    pub steps: Vec<TimeDelta>,
    /// The wait once the steps are used up.
    pub then_every: TimeDelta,
    /// Each wait is longer or shorter by up to this part of it (0 to 1), so that what failed
    /// together is not tried again together.
    pub jitter: f64,
    /// No attempt is made later than this after the first one.
    pub give_up_after: TimeDelta,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            steps: [1, 5, 15, 30, 60, 120].map(TimeDelta::minutes).to_vec(),
            then_every: TimeDelta::hours(4),
            jitter: 0.2,
            give_up_after: TimeDelta::hours(72),
        }
    }
}

impl Schedule {
    /// When to try again after `attempt` (the first is 1) has failed at `now`; `None` when it is
    /// time to give up. `random` is in `[0, 1)`. The last attempt is made at the deadline itself.
    #[must_use]
    pub fn next_attempt(
        &self,
        attempt: u32,
        first_tried: DateTime<Utc>,
        now: DateTime<Utc>,
        random: f64,
    ) -> Option<DateTime<Utc>> {
        let deadline = first_tried.checked_add_signed(self.give_up_after)?;
        if now >= deadline {
            return None;
        }
        let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = self.steps.get(step).copied().unwrap_or(self.then_every);
        let next = now.checked_add_signed(jittered(wait, self.jitter, random)).unwrap_or(deadline);
        Some(next.min(deadline))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap()
    }

    #[test]
    fn the_waits_grow_and_end() {
        let schedule = Schedule::default();
        let wait = |attempt| schedule.next_attempt(attempt, start(), start(), 0.5).unwrap() - start();
        let minutes: Vec<_> = (1..=8).map(|attempt| wait(attempt).num_minutes()).collect();
        assert_eq!(minutes, [1, 5, 15, 30, 60, 120, 240, 240]);

        let before = start() + TimeDelta::hours(71);
        let end = start() + TimeDelta::hours(72);
        assert_eq!(schedule.next_attempt(20, start(), before, 0.5), Some(end));
        assert_eq!(schedule.next_attempt(21, start(), end, 0.5), None);
    }

    #[test]
    fn a_clock_at_the_edge_of_time_gives_up() {
        let edge = DateTime::<Utc>::MAX_UTC;
        assert_eq!(Schedule::default().next_attempt(1, edge, edge, 0.0), None);
    }

    proptest! {
        #[test]
        fn jitter_stays_within_its_bounds(attempt in 0_u32..40, random in 0.0..1.0_f64, age in 0_i64..60) {
            let schedule = Schedule::default();
            let now = start() + TimeDelta::hours(age);
            let next = schedule.next_attempt(attempt, start(), now, random).unwrap();
            let step = usize::try_from(attempt.saturating_sub(1)).unwrap();
            let plain = schedule.steps.get(step).copied().unwrap_or(schedule.then_every);
            prop_assert!(next - now >= plain * 8 / 10 && next - now <= plain * 12 / 10);
        }

        #[test]
        fn every_delivery_comes_to_an_end(random in 0.0..1.0_f64) {
            let schedule = Schedule::default();
            let (mut now, mut attempts) = (start(), 1);
            while let Some(next) = schedule.next_attempt(attempts, start(), now, random) {
                prop_assert!(next > now);
                now = next;
                attempts += 1;
            }
            prop_assert_eq!(now, start() + schedule.give_up_after);
            prop_assert!(attempts < 40);
        }
    }
}
