//! How long a delivery has been waiting beyond its time. It is derived, never stored.

use chrono::{DateTime, TimeDelta, Utc};

use super::DeliveryState;
use crate::domain::words::words;

words! {
    /// How late a delivery is that still waits to be sent.
    pub enum Lateness {
        /// It was to leave an hour ago or earlier.
        Hour,
        /// It was to leave a day ago or earlier.
        Day,
    }
}

impl Lateness {
    /// How late a delivery in this state is that was to leave at `due_at`; none if it is not, or if it
    /// no longer waits.
    #[must_use]
    pub fn of(state: DeliveryState, due_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        use DeliveryState::{Deferred, Queued, Sending};
        let waits = matches!(state, Queued | Sending | Deferred);
        [Self::Day, Self::Hour].into_iter().find(|late| waits && due_at <= late.due_by(now))
    }

    /// What was to leave then or earlier is as late as this at `now`.
    #[must_use]
    pub fn due_by(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let after = match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        };
        now.checked_sub_signed(after).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn late_by_an_hour_and_by_a_day() {
        let due = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let late = |minutes| Lateness::of(DeliveryState::Deferred, due, due + TimeDelta::minutes(minutes));
        for (minutes, expected) in [
            (-60, None),
            (59, None),
            (60, Some(Lateness::Hour)),
            (24 * 60 - 1, Some(Lateness::Hour)),
            (24 * 60, Some(Lateness::Day)),
        ] {
            assert_eq!(late(minutes), expected, "{minutes}");
        }
        assert!(Lateness::Hour < Lateness::Day);
    }

    #[test]
    fn only_what_waits_is_late() {
        let now = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let late: Vec<_> = DeliveryState::VARIANTS
            .iter()
            .filter(|state| Lateness::of(**state, DateTime::UNIX_EPOCH, now).is_some())
            .collect();
        assert_eq!(late, [&DeliveryState::Queued, &DeliveryState::Sending, &DeliveryState::Deferred]);
    }
}
