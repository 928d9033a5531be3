//! Works off the imports that nobody waits for, and those that somebody stopped waiting for. Any number of
//! processes may do so: each part of an import is done by whoever takes it first.

use std::time::Duration;

use super::TAKEN_AT_ONCE;
use super::stop::Stop;
use crate::app::{AppError, Context, imports};

/// How often it is looked for something to do.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Works until it is told to stop.
pub(super) async fn run(context: Context, mut stop: Stop) {
    loop {
        let worked = imports::advance_all(&context).await.unwrap_or_else(|error| {
            tracing::error!(%error, "no import can be worked off for now");
            false
        });
        let pause = if worked { Duration::ZERO } else { LOOK_EVERY };
        tokio::select! {
            biased;
            () = stop.wait() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Forgets imports that ended so long ago, a part at a time.
pub(super) async fn forget(context: Context, kept_for: Duration) -> Result<(), AppError> {
    while context.write(move |tx| imports::forget(tx, kept_for, TAKEN_AT_ONCE)).await? > 0 {}
    Ok(())
}
