//! Waits that are not all alike, so that what failed together is not tried again together.

use chrono::TimeDelta;

/// The wait, longer or shorter by up to this part of it (0 to 1). `random` is in `[0, 1)`.
#[must_use]
pub fn jittered(wait: TimeDelta, part: f64, random: f64) -> TimeDelta {
    let factor = 1.0 + part * (2.0 * random - 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a part of a second is nothing here"
    )]
    let millis = (wait.num_milliseconds() as f64 * factor) as i64;
    TimeDelta::milliseconds(millis)
}
