//! When things are due. An account is best written, and a thank-you note best sent, on the day of
//! the interview: the day as the candidate's calendar has it.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// The last microsecond of the calendar day on which an interview ends where the candidate lives.
/// An interview that ends at midnight sharp belongs to the day that begins.
///
/// A day on which the clocks are turned back over midnight ends when it ends for the last time; a
/// day whose last minutes are skipped ends where the skipped time begins.
#[must_use]
pub fn due_at(interview_end: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);
    let day = interview_end.with_timezone(&zone).date_naive();
    // Only the last day that the calendar can express has no successor.
    let Some(midnight) = day.succ_opt().map(|next| next.and_time(chrono::NaiveTime::MIN)) else {
        return interview_end;
    };
    let last = midnight - MICROSECOND;
    let in_zone = zone.from_local_datetime(&last).latest().or_else(|| {
        let after_gap = GapInfo::new(&last, &zone)?.end?;
        Some(after_gap - MICROSECOND)
    });
    in_zone.map_or(interview_end, |moment| moment.with_timezone(&Utc))
}

/// Whether something due at `due_at` and still missing is late. Lateness is derived, never stored.
#[must_use]
pub fn is_overdue(due_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    due_at < now
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    fn due(interview_end: &str, zone: &str) -> String {
        let end: DateTime<Utc> = interview_end.parse().unwrap();
        due_at(end, zone.parse().unwrap()).to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    #[test]
    fn due_by_the_end_of_the_candidates_day() {
        let winter = due("2026-01-15T15:00:00Z", "Europe/Berlin");
        assert_eq!(winter, "2026-01-15T22:59:59.999999Z");
        // Nine in the evening in UTC is the next day in Auckland.
        let auckland = due("2026-01-15T21:00:00Z", "Pacific/Auckland");
        assert_eq!(auckland, "2026-01-16T10:59:59.999999Z");
        // The day on which summer begins is an hour short, but not at midnight.
        assert_eq!(due("2026-03-29T00:30:00Z", "Europe/Berlin"), "2026-03-29T21:59:59.999999Z");
        assert_eq!(due("2026-01-15T23:00:00Z", "Europe/Berlin"), "2026-01-16T22:59:59.999999Z");
    }

    #[test]
    fn a_day_before_a_skipped_midnight_ends_where_the_next_one_begins() {
        // 00:00 on 4 November 2018 did not exist in São Paulo, nor 00:00 on 26 April 2024 in Cairo.
        assert_eq!(due("2018-11-03T18:00:00Z", "America/Sao_Paulo"), "2018-11-04T02:59:59.999999Z");
        assert_eq!(due("2024-04-25T12:00:00Z", "Africa/Cairo"), "2024-04-25T21:59:59.999999Z");
        // The same days' successors begin at one o'clock and end as others do.
        assert_eq!(due("2018-11-04T18:00:00Z", "America/Sao_Paulo"), "2018-11-05T01:59:59.999999Z");
    }

    #[test]
    fn a_day_whose_last_minutes_are_skipped_ends_where_they_begin() {
        // Toronto went from 23:30 on 30 March 1919 to 00:30 on the 31st.
        assert_eq!(due("1919-03-30T18:00:00Z", "America/Toronto"), "1919-03-31T04:29:59.999999Z");
        // Samoa went from the end of 29 December 2011 to the 31st.
        assert_eq!(due("2011-12-29T20:00:00Z", "Pacific/Apia"), "2011-12-30T09:59:59.999999Z");
    }

    #[test]
    fn a_day_that_ends_twice_ends_for_the_last_time() {
        // In Cairo the last hour of 31 October 2024 was lived twice, in São Paulo that of 17 February 2018.
        assert_eq!(due("2024-10-31T12:00:00Z", "Africa/Cairo"), "2024-10-31T21:59:59.999999Z");
        assert_eq!(due("2018-02-17T18:00:00Z", "America/Sao_Paulo"), "2018-02-18T02:59:59.999999Z");
    }

    #[test]
    fn overdue_begins_after_the_last_microsecond() {
        let due: DateTime<Utc> = "2026-01-15T22:59:59.999999Z".parse().unwrap();
        assert!(!is_overdue(due, due));
        assert!(is_overdue(due, due + TimeDelta::microseconds(1)));
    }

    proptest! {
        #[test]
        fn due_on_the_interviews_own_day_and_not_before_its_end(
            micros in 0_i64..4_000_000_000_000_000,
            zone in proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]),
        ) {
            let end = DateTime::from_timestamp_micros(micros).unwrap();
            let due = due_at(end, zone);
            let day = |moment: DateTime<Utc>| moment.with_timezone(&zone).date_naive();
            prop_assert!(end <= due);
            prop_assert_eq!(day(due), day(end));
            prop_assert!(day(end) < day(due + TimeDelta::microseconds(1)));
        }
    }
}
