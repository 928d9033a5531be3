//! The end of what waits for a mail server that lets nobody in: it is not waited for longer than
//! for one that answers.

use chrono::TimeDelta;

use crate::app::AppError;
use crate::app::deliveries::{happened, write};
use crate::auth::caller::Caller;
use crate::domain::delivery::DeliveryEvent;
use crate::domain::state::Machine;
use crate::domain::timestamp::Timestamp;
use crate::store::deliveries::relay as store;
use crate::store::notes;
use crate::store::pool::Tx;

/// What a delivery shows that was never tried.
const NEVER_TRIED: &str = "the mail server let nobody in for too long";

/// Gives up at most `limit` deliveries that wait although they have been due for so long. Answers
/// how many there were.
pub fn give_up(tx: &mut Tx<'_>, after: TimeDelta, limit: i64) -> Result<usize, AppError> {
    let now = tx.now();
    let Some(due_by) = now.checked_sub_signed(after).map(Timestamp::from) else { return Ok(0) };
    let overdue = store::lock_overdue(tx, now, due_by, limit)?;
    for former in &overdue {
        let mut row = former.clone();
        row.set_progress(former.progress().apply(DeliveryEvent::GiveUp)?);
        row.next_attempt_at = None;
        tx.touch(&mut row.updated_at);
        if row.last_text.is_none() {
            row.last_text = Some(NEVER_TRIED.to_owned());
        }
        notes::release_contact(tx, row.note_id, row.contact_id)?;
        happened(tx, &Caller::system(row.agency_id), "note.failed", &row, None);
        write(tx, &row, former)?;
        store::bump_debriefs(tx, vec![row.debrief_id], now)?;
    }
    Ok(overdue.len())
}
