//! The two years that a demonstration covers, and the fortnight after them.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::dice::Dice;

/// A day, seen from which everything has its time.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    today: NaiveDate,
}

/// Parts of the whole are counted in millionths.
const WHOLE: u64 = 1_000_000;
/// Up to this part of all interviews lies more than ten days back.
const PAST: u64 = 880_000;
/// Up to this part lies back at all.
const RECENT: u64 = 950_000;

impl Calendar {
    /// The calendar of this day.
    #[must_use]
    pub const fn new(today: NaiveDate) -> Self {
        Self { today }
    }

    /// The moment up to which things have happened: the day's beginning in UTC, so that whoever
    /// looks in the course of the day sees nothing that lies ahead.
    #[must_use]
    pub fn as_of(&self) -> DateTime<Utc> {
        self.today.and_time(NaiveTime::MIN).and_utc()
    }

    /// The working day of the `nth` of so many interviews: the later, the more a day, as an agency
    /// grows; seven of a hundred lie in the last ten days, five in the next eleven.
    #[must_use]
    pub fn day(&self, nth: u64, of: u64) -> NaiveDate {
        let part = nth * WHOLE / of.max(1);
        let day = if part < PAST {
            let left = (PAST - part) * 1000 / PAST;
            self.today - Days::new(10 + 360 * left / 1000 + 360 * left * left / 1_000_000)
        } else if part < RECENT {
            self.today - Days::new(1 + 9 * (RECENT - part) / (RECENT - PAST))
        } else {
            self.today + Days::new(11 * (part - RECENT) / (WHOLE - RECENT))
        };
        workday(day)
    }

    /// So many days after the `nth` of so many interviews, or before it.
    #[must_use]
    pub fn moment(&self, nth: u64, of: u64, days: i64) -> DateTime<Utc> {
        self.day(nth, of).and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(days)
    }
}

/// The day itself, or the working day next to a day of the weekend.
#[must_use]
pub fn workday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day - Days::new(1),
        Weekday::Sun => day + Days::new(1),
        _ => day,
    }
}

/// A meeting on this day, in the office hours of a time zone.
pub fn meeting(dice: &mut Dice, day: NaiveDate, zone: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    let quarter = dice.between(8 * 4, 17 * 4);
    let minutes = *dice.pick(&[30, 45, 60, 60, 90]);
    let local = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(quarter * 15);
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let starts = zone.from_local_datetime(&local).earliest().map_or(local.and_utc(), |at| at.to_utc());
    (starts, starts + TimeDelta::minutes(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interviews_cover_two_years_and_a_fortnight() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let calendar = Calendar::new(today);
        let days: Vec<_> = (0..200).map(|nth| calendar.day(nth, 200)).collect();
        let back = |day: &NaiveDate| (today - *day).num_days();
        assert!((725..=732).contains(&back(&days[0])));
        assert!((-12..-7).contains(&back(&days[199])));
        assert!(days.iter().filter(|day| **day >= today).count() >= 8);
        assert!(days.iter().filter(|day| (1..=10).contains(&back(day))).count() >= 12);
        assert!(days.iter().all(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)));
    }
}
