//! The breaker before a mail server that does not let us in, or a destination that wants less: every
//! message would be refused, so none is tried until a single one has gone through again.

use std::time::Duration;

use tokio::time::Instant;

/// Whether messages may be tried, and how many at once.
#[derive(Debug)]
pub(super) struct Pause {
    first: Duration,
    longest: Duration,
    /// How long the present pause is; none while all is well.
    length: Option<Duration>,
    until: Instant,
}

/// What may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// As many as there are.
    All,
    /// One, to find out.
    One,
    /// None before this time.
    NotBefore(Instant),
}

impl Pause {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, length: None, until: Instant::now() }
    }

    /// What may be tried at `now`.
    pub fn leave(&self, now: Instant) -> Leave {
        match self.length {
            None => Leave::All,
            Some(_) if self.until <= now => Leave::One,
            Some(_) => Leave::NotBefore(self.until),
        }
    }

    /// Whether one might have been tried for as long as this, and none went through.
    pub fn is_over_for(&self, time: Duration, now: Instant) -> bool {
        self.length.is_some() && self.until + time <= now
    }

    /// The server did not let us in. Messages that were under way at once count as one try. Answers
    /// whether this began a new pause.
    pub fn refused(&mut self, now: Instant) -> bool {
        if matches!(self.leave(now), Leave::NotBefore(_)) {
            return false;
        }
        let length = self.length.map_or(self.first, |length| (length * 2).min(self.longest));
        self.length = Some(length);
        self.until = now + length;
        true
    }

    /// The server let us in.
    pub fn let_in(&mut self) {
        self.length = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_grow_until_one_gets_through() {
        let start = Instant::now();
        let mut pause = Pause::new(SECOND, 3 * SECOND);
        assert_eq!(pause.leave(start), Leave::All);
        assert!(pause.refused(start));
        assert!(!pause.refused(start), "the others that were under way");
        assert_eq!(pause.leave(start), Leave::NotBefore(start + SECOND));
        assert_eq!(pause.leave(start + SECOND), Leave::One);
        assert!(pause.refused(start + SECOND));
        assert_eq!(pause.leave(start + SECOND), Leave::NotBefore(start + 3 * SECOND));
        assert!(pause.refused(start + 3 * SECOND));
        assert_eq!(pause.leave(start + 3 * SECOND), Leave::NotBefore(start + 6 * SECOND));
        pause.let_in();
        assert_eq!(pause.leave(start), Leave::All);
    }
}
