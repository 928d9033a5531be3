//! Whether the mail server lets us in, and since when it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::pause::{Leave, Pause};

/// The door of the mail server, as this process has found it.
pub(super) struct Door {
    pause: Pause,
    shut_since: Option<DateTime<Utc>>,
    /// Tells others that it is.
    is_shut: Arc<AtomicBool>,
}

impl Door {
    pub fn new(first_pause: Duration, longest_pause: Duration, is_shut: Arc<AtomicBool>) -> Self {
        Self { pause: Pause::new(first_pause, longest_pause), shut_since: None, is_shut }
    }

    /// What may be tried now.
    pub fn leave(&self) -> Leave {
        self.pause.leave(Instant::now())
    }

    /// Since when it lets nobody in; none if it does.
    pub const fn shut_since(&self) -> Option<DateTime<Utc>> {
        self.shut_since
    }

    /// It did not let us in at `now`. Answers whether this began a new pause.
    pub fn refused(&mut self, now: DateTime<Utc>) -> bool {
        self.shut_since.get_or_insert(now);
        self.is_shut.store(true, Ordering::Relaxed);
        self.pause.refused(Instant::now())
    }

    /// It let us in.
    pub fn let_in(&mut self) {
        self.shut_since = None;
        self.is_shut.store(false, Ordering::Relaxed);
        self.pause.let_in();
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn it_is_shut_from_the_first_refusal_until_somebody_gets_in() {
        let start = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let is_shut = Arc::new(AtomicBool::new(false));
        let mut door = Door::new(Duration::ZERO, Duration::ZERO, Arc::clone(&is_shut));
        assert_eq!((door.leave(), door.shut_since()), (Leave::All, None));
        assert!(door.refused(start) && door.refused(start + TimeDelta::hours(1)));
        assert_eq!((door.leave(), door.shut_since()), (Leave::One, Some(start)));
        assert!(is_shut.load(Ordering::Relaxed));
        door.let_in();
        assert!(!is_shut.load(Ordering::Relaxed));
        assert_eq!((door.leave(), door.shut_since()), (Leave::All, None));
    }
}
