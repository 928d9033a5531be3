//! Destinations that want less of us: their servers said so (4.7.x) about one of our messages, or said
//! nothing at all. Nothing goes there for a while, then one at a time, until so many in a row were taken.
//! Each process learns it by itself, and again after a restart, from the first reply.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::jobs::pause::{Leave, Pause};

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
}

impl Slow {
    /// The first pause, and the longest: each is twice as long as the one before.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, known: HashMap::new() }
    }

    /// A destination wants less, or is silent. Answers whether a new pause begins with it.
    pub fn refused(&mut self, destination: &str, now: Instant) -> bool {
        let new = || Known { pause: Pause::new(self.first, self.longest), taken: 0 };
        let known = self.known.entry(destination.to_owned()).or_insert_with(new);
        known.taken = 0;
        known.pause.refused(now)
    }

    /// A destination has taken a message. Answers whether it is spoken to as usual.
    pub fn taken(&mut self, destination: &str) -> bool {
        let Some(known) = self.known.get_mut(destination) else { return true };
        known.taken += 1;
        let is_well = known.taken >= WELL_AFTER;
        if is_well {
            self.known.remove(destination);
        }
        is_well
    }

    /// How many messages may be under way at `now` to each destination that is not spoken to as usual.
    pub fn limits(&self, now: Instant) -> impl Iterator<Item = (&String, usize)> {
        self.known.iter().map(move |(destination, known)| {
            (destination, usize::from(!matches!(known.pause.leave(now), Leave::NotBefore(_))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_slow_destination_is_left_alone_and_then_tried_one_by_one() {
        let start = Instant::now();
        let mut slow = Slow::new(MINUTE, 4 * MINUTE);
        let limit = |slow: &Slow, at| slow.limits(at).map(|(_, limit)| limit).next();
        assert_eq!(limit(&slow, start), None);
        assert!(slow.refused("a.example", start));
        assert!(!slow.refused("a.example", start), "another one that was under way");
        assert_eq!((limit(&slow, start), limit(&slow, start + MINUTE)), (Some(0), Some(1)));
        assert!(!slow.taken("a.example"));
        assert!(slow.refused("a.example", start + MINUTE));
        assert_eq!(limit(&slow, start + 2 * MINUTE), Some(0), "the second pause is longer");
        let mut well = false;
        for _ in 0..WELL_AFTER {
            assert_eq!(limit(&slow, start + 3 * MINUTE), Some(1));
            well = slow.taken("a.example");
        }
        assert!(well && slow.taken("b.example"));
        assert_eq!(limit(&slow, start + 3 * MINUTE), None);
    }
}
