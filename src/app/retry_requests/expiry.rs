//! The end of a request that the client leaves unanswered.

use chrono::TimeDelta;

use super::held::Held;
use crate::app::AppError;
use crate::auth::caller::Caller;
use crate::domain::retry_request::RetryTransition;
use crate::domain::timestamp::Timestamp;
use crate::store::pool::Tx;
use crate::store::retry_requests;

/// Ends the requests in at most `limit` debriefs, of whichever agency, that were put to the client
/// so long ago. Answers in how many it looked; fewer than `limit` means that no more are waiting.
pub fn expire_unanswered(tx: &mut Tx<'_>, after: TimeDelta, limit: i64) -> Result<usize, AppError> {
    let Some(asked_by) = tx.now().checked_sub_signed(after).map(Timestamp::from) else { return Ok(0) };
    let debriefs = retry_requests::lock_debriefs_unanswered(tx, asked_by, limit)?;
    let looked_in = debriefs.len();
    for debrief in debriefs {
        // The answer may have come just before the debrief was held.
        let Some(request) = retry_requests::unanswered_of(tx, debrief.id, asked_by)? else { continue };
        let system = Caller::system(debrief.agency_id);
        Held::within(tx, debrief, request, RetryTransition::Expire)?.save(tx, &system, None)?;
    }
    Ok(looked_in)
}
