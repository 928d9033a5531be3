//! What follows from an attempt: the end, or another one, and when.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::jitter::jittered;

/// The waits after each failed attempt but the last, in seconds: those that Standard Webhooks gives.
const WAITS: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// How many attempts there are.
pub const ATTEMPTS: i32 = 10;

/// Each wait is longer or shorter by up to this part of it.
const JITTER: f64 = 0.1;

/// The longest wait that a receiver can ask for.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// Nothing but failures for so long, and the endpoint is disabled.
const PATIENCE: TimeDelta = TimeDelta::days(5);

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered.
    Answered {
        /// With this status.
        status: u16,
        /// And wants the next attempt no earlier than after this time.
        retry_after: Option<TimeDelta>,
    },
    /// There was no answer; why, in words without anybody's secrets.
    Unanswered(String),
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// It is tried again at this time.
    Again(DateTime<Utc>),
    /// It is tried no more.
    GivenUp,
    /// The receiver wants nothing any more.
    Gone,
}

impl Outcome {
    /// What follows from the outcome of this attempt (the first is 1) at `now`. `random` is in
    /// `[0, 1)`.
    #[must_use]
    pub fn verdict(&self, attempt: i32, now: DateTime<Utc>, random: f64) -> Verdict {
        let asked = match self {
            Self::Answered { status: 200..=299, .. } => return Verdict::Delivered,
            Self::Answered { status: 410, .. } => return Verdict::Gone,
            Self::Answered { retry_after, .. } => *retry_after,
            Self::Unanswered(_) => None,
        };
        let step = usize::try_from(attempt).ok().and_then(|attempt| attempt.checked_sub(1));
        let Some(wait) = step.and_then(|step| WAITS.get(step)) else { return Verdict::GivenUp };
        let wait = jittered(TimeDelta::seconds(*wait), JITTER, random);
        let wait = wait.max(asked.unwrap_or_default().min(LONGEST_WAIT));
        now.checked_add_signed(wait).map_or(Verdict::GivenUp, Verdict::Again)
    }

    /// Whether an endpoint that has known nothing but failures since `failing_since` is given up at `now`.
    #[must_use]
    pub fn is_hopeless(failing_since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now - failing_since >= PATIENCE
    }

    /// How long an answer's `Retry-After` (RFC 9110, section 10.2.3) asks to wait from `now` on.
    #[must_use]
    pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than a number has ask for longer than anybody waits.
            return Some(value.parse().ok().and_then(TimeDelta::try_seconds).unwrap_or(LONGEST_WAIT));
        }
        // In any of the three forms that a date of HTTP can have.
        let in_http = httpdate::parse_http_date(value).ok().map(DateTime::<Utc>::from);
        // Or as in a mail, which some take for the same.
        let at = in_http.or_else(|| DateTime::parse_from_rfc2822(value).ok().map(|at| at.to_utc()))?;
        Some((at - now).max(TimeDelta::zero()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_176_000, 0).unwrap()
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after: None }
    }

    #[test]
    fn the_waits_are_those_of_the_specification() {
        let (mut at, mut starts) = (now(), Vec::new());
        for attempt in 1.. {
            starts.push((at - now()).num_seconds());
            match answered(500).verdict(attempt, at, 0.5) {
                Verdict::Again(next) => at = next,
                verdict => {
                    assert_eq!((verdict, attempt), (Verdict::GivenUp, ATTEMPTS));
                    break;
                }
            }
        }
        // 5 s, 5:05, 35:05, 2:35:05, 7:35:05, 17:35:05, 31:35:05, 51:35:05, 75:35:05
        assert_eq!(starts, [0, 5, 305, 2105, 9305, 27_305, 63_305, 113_705, 185_705, 272_105]);
    }

    #[test]
    fn only_2xx_is_success_and_410_is_the_end() {
        for status in 100..600 {
            let expected = match status {
                200..=299 => Verdict::Delivered,
                410 => Verdict::Gone,
                _ => Verdict::Again(now() + TimeDelta::seconds(5)),
            };
            assert_eq!(answered(status).verdict(1, now(), 0.5), expected, "{status}");
        }
        let unanswered = Outcome::Unanswered("timed out".to_owned());
        assert_eq!(unanswered.verdict(2, now(), 0.5), Verdict::Again(now() + TimeDelta::minutes(5)));
        for attempt in [ATTEMPTS, ATTEMPTS + 1, i32::MAX, 0, -1] {
            assert_eq!(unanswered.verdict(attempt, now(), 0.5), Verdict::GivenUp, "{attempt}");
        }
    }

    #[test]
    fn a_receiver_can_ask_for_a_longer_wait_but_not_for_ever() {
        for (asked, waited) in [(0, 5), (3, 5), (120, 120), (10_000_000, 86_400)] {
            let retry_after = Some(TimeDelta::seconds(asked));
            let verdict = Outcome::Answered { status: 503, retry_after }.verdict(1, now(), 0.5);
            assert_eq!(verdict, Verdict::Again(now() + TimeDelta::seconds(waited)), "{asked}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("99999999999999999999", Some(86_400)),
            ("Fri, 20 Nov 2026 12:02:00 GMT", Some(120)),
            ("Friday, 20-Nov-26 12:02:00 GMT", Some(120)),
            ("Fri Nov 20 12:02:00 2026", Some(120)),
            ("Fri, 20 Nov 2026 12:02:00 +0000", Some(120)),
            ("Fri, 20 Nov 2026 11:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(Outcome::retry_after(value, now()), seconds.map(TimeDelta::seconds), "{value}");
        }
    }

    #[test]
    fn five_days_of_nothing_but_failures_are_enough() {
        assert!(!Outcome::is_hopeless(now(), now() + TimeDelta::hours(119)));
        assert!(Outcome::is_hopeless(now(), now() + TimeDelta::hours(120)));
    }

    proptest! {
        #[test]
        fn jitter_stays_within_its_bounds(attempt in 1_i32..10, random in 0.0..1.0_f64) {
            let Verdict::Again(next) = answered(500).verdict(attempt, now(), random) else { panic!() };
            let plain = TimeDelta::seconds(WAITS[usize::try_from(attempt).unwrap() - 1]);
            prop_assert!(next - now() >= plain * 9 / 10 && next - now() <= plain * 11 / 10);
        }
    }
}
