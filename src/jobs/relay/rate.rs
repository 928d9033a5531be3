//! How much of each agency's mail is taken up in a minute. Each process counts for itself.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::ids::AgencyId;

/// The rate, and who has used how much of it: by the generic cell rate algorithm (ITU-T I.371), under
/// which a minute's worth may go at once and the rest goes evenly.
pub(super) struct Rate {
    per_minute: u32,
    /// When each agency's mail would be at an end if it went evenly. It matters only if that lies ahead.
    booked_until: HashMap<AgencyId, DateTime<Utc>>,
}

impl Rate {
    /// So many a minute; 0 for no limit.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, booked_until: HashMap::new() }
    }

    /// How much an agency that has used nothing may have taken up at once; none for no limit.
    pub fn burst(&self) -> Option<usize> {
        (self.per_minute > 0).then(|| self.per_minute.try_into().unwrap_or(usize::MAX))
    }

    /// What is left at `now` for agencies that have used some.
    pub fn left(&mut self, now: DateTime<Utc>) -> HashMap<AgencyId, usize> {
        self.booked_until.retain(|_, until| *until > now);
        let Some(each) = self.each() else { return HashMap::new() };
        let left = |until: &DateTime<Utc>| {
            let free = TimeDelta::minutes(1) - (*until - now);
            let left = free.num_microseconds().unwrap_or_default() / each.num_microseconds().unwrap_or(1);
            usize::try_from(left).unwrap_or_default()
        };
        self.booked_until.iter().map(|(agency, until)| (*agency, left(until))).collect()
    }

    /// Counts one of an agency's messages.
    pub fn count(&mut self, agency: AgencyId, now: DateTime<Utc>) {
        if let Some(each) = self.each() {
            let until = self.booked_until.entry(agency).or_insert(now);
            *until = (*until).max(now) + each;
        }
    }

    /// The time between two messages.
    fn each(&self) -> Option<TimeDelta> {
        (self.per_minute > 0).then(|| TimeDelta::microseconds(60_000_000 / i64::from(self.per_minute)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_goes_at_once_and_the_rest_evenly() {
        let agency = AgencyId::from_uuid(uuid::Uuid::from_u128(1));
        let start = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let mut rate = Rate::new(6);
        assert_eq!((rate.burst(), rate.left(start).len()), (Some(6), 0));
        for used in 1..=6 {
            rate.count(agency, start);
            assert_eq!(rate.left(start)[&agency], 6 - used);
        }
        assert_eq!(rate.left(start + TimeDelta::seconds(9))[&agency], 0);
        assert_eq!(rate.left(start + TimeDelta::seconds(10))[&agency], 1);
        assert_eq!(rate.left(start + TimeDelta::seconds(35))[&agency], 3);
        assert!(rate.left(start + TimeDelta::minutes(1)).is_empty(), "it is forgotten");
    }

    #[test]
    fn no_limit_is_none() {
        let mut rate = Rate::new(0);
        rate.count(AgencyId::from_uuid(uuid::Uuid::from_u128(1)), DateTime::UNIX_EPOCH);
        assert_eq!((rate.burst(), rate.left(DateTime::UNIX_EPOCH).len()), (None, 0));
    }
}
