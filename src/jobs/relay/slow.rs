//! Destinations that want less of us: their servers said so (4.7.x) about one of our messages, or said
//! nothing at all. Nothing goes there for a while, then one at a time, until so many in a row were taken
//! or the pause is long over. Each process learns it by itself, and again after a restart, from the first
//! reply.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::pause::{Leave, Pause};

/// After so many messages in a row a destination is spoken to as usual.
const WELL_AFTER: u32 = 10;

/// The destinations that are spoken to more slowly.
pub(super) struct Slow {
    first: Duration,
    longest: Duration,
    known: HashMap<String, Known>,
}

struct Known {
    pause: Pause,
    taken: u32,
    /// All that is known is a silence that may have been about something else.
    is_only_silent: bool,
}

impl Slow {
    /// The first pause, and the longest: each is twice as long as the one before.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, known: HashMap::new() }
    }

    /// A destination wants less, or is silent. Answers whether a new pause begins with it.
    pub fn refused(&mut self, destination: &str, now: Instant) -> bool {
        let known = self.known(destination);
        known.is_only_silent = false;
        known.taken = 0;
        known.pause.refused(now)
    }

    /// A silence may be a destination's, or the mail server's, which is silent to all of them then: the
    /// pause stays short, and ends with the first message taken. Answers whether a new one begins with it.
    pub fn was_silent(&mut self, destination: &str, now: Instant) -> bool {
        let anew = Pause::new(self.first, self.longest);
        let known = self.known(destination);
        if known.is_only_silent && known.pause.leave(now) == Leave::One {
            known.pause = anew;
        }
        known.taken = 0;
        known.pause.refused(now)
    }

    fn known(&mut self, destination: &str) -> &mut Known {
        let pause = || Pause::new(self.first, self.longest);
        let new = || Known { pause: pause(), taken: 0, is_only_silent: true };
        self.known.entry(destination.to_owned()).or_insert_with(new)
    }

    /// A destination has taken a message. Answers whether it is spoken to as usual.
    pub fn taken(&mut self, destination: &str) -> bool {
        let Some(known) = self.known.get_mut(destination) else { return true };
        known.taken += 1;
        let is_well = known.is_only_silent || known.taken >= WELL_AFTER;
        if is_well {
            self.known.remove(destination);
        }
        is_well
    }

    /// How many messages may be under way at `now` to each destination that is not spoken to as usual.
    /// Forgets those that were left alone for long: what they did is no longer news.
    pub fn limits(&mut self, now: Instant) -> impl Iterator<Item = (&String, usize)> {
        let long = self.longest;
        self.known.retain(|_, known| !known.pause.is_over_for(long, now));
        self.known.iter().map(move |(destination, known)| {
            (destination, usize::from(!matches!(known.pause.leave(now), Leave::NotBefore(_))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn limit(slow: &mut Slow, at: Instant) -> Option<usize> {
        slow.limits(at).map(|(_, limit)| limit).next()
    }

    #[test]
    fn a_silence_that_may_be_about_something_else_is_soon_forgiven() {
        let start = Instant::now();
        let mut slow = Slow::new(MINUTE, 4 * MINUTE);
        assert!(slow.was_silent("a.example", start) && !slow.was_silent("a.example", start));
        assert_eq!(limit(&mut slow, start), Some(0));
        assert!(slow.was_silent("a.example", start + MINUTE));
        assert_eq!(limit(&mut slow, start + 2 * MINUTE), Some(1), "the second pause is no longer");
        assert!(slow.taken("a.example"));
        assert_eq!(limit(&mut slow, start + 2 * MINUTE), None);
        // One that is known to be slow is taken at its word.
        assert!(slow.refused("a.example", start) && slow.was_silent("a.example", start + MINUTE));
        assert_eq!(limit(&mut slow, start + 2 * MINUTE), Some(0));
        assert!(!slow.taken("a.example"));
    }

    #[test]
    fn what_a_destination_did_long_ago_is_forgotten() {
        let start = Instant::now();
        let mut slow = Slow::new(MINUTE, 4 * MINUTE);
        slow.refused("a.example", start);
        assert!(!slow.taken("a.example"), "it has few messages");
        assert_eq!(limit(&mut slow, start + 5 * MINUTE - MINUTE / 2), Some(1));
        assert_eq!(limit(&mut slow, start + 5 * MINUTE), None);
        assert!(slow.known.is_empty() && slow.taken("a.example"));
    }

    #[test]
    fn a_slow_destination_is_left_alone_and_then_tried_one_by_one() {
        let start = Instant::now();
        let mut slow = Slow::new(MINUTE, 4 * MINUTE);
        assert_eq!(limit(&mut slow, start), None);
        assert!(slow.refused("a.example", start));
        assert!(!slow.refused("a.example", start), "another one that was under way");
        assert_eq!((limit(&mut slow, start), limit(&mut slow, start + MINUTE)), (Some(0), Some(1)));
        assert!(!slow.taken("a.example"));
        assert!(slow.refused("a.example", start + MINUTE));
        assert_eq!(limit(&mut slow, start + 2 * MINUTE), Some(0), "the second pause is longer");
        let mut well = false;
        for _ in 0..WELL_AFTER {
            assert_eq!(limit(&mut slow, start + 3 * MINUTE), Some(1));
            well = slow.taken("a.example");
        }
        assert!(well && slow.taken("b.example"));
        assert_eq!(limit(&mut slow, start + 3 * MINUTE), None);
    }
}
