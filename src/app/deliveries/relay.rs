//! The relay's use cases: to claim what is due, to pass the commit point, to write down what came
//! of an attempt, and to pick up what a dead worker left behind.
//!
//! Locks are taken in one order only, the debrief before its deliveries; what is claimed is taken
//! without waiting. So nobody can end up waiting for each other.

mod account;
mod backlog;
mod commit;
mod finish;
mod give_up;
mod hindrance;
mod late;

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use crate::app::AppError;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Room};
use crate::domain::ids::{AgencyId, DebriefId, DeliveryId};
use crate::domain::state::Machine;
use crate::domain::timestamp::Timestamp;
use crate::mail::{Envelope, Letter};
use crate::store::connection::DbConn;
use crate::store::deliveries::relay::{self as store, Due, Orphan};
use crate::store::deliveries::{Attempt, Delivery};
use crate::store::notes;
use crate::store::pool::Tx;

pub use backlog::{Backlog, backlog};
pub use commit::{pass_commit_point, pass_commit_points};
pub(super) use finish::bounce;
pub use finish::{Ended, Ending, finish, finish_at_hand};
pub use give_up::give_up;
use hindrance::{call_off, hindrance};

/// How many are looked at for each that can be claimed, as there may be no room for some.
const LOOKED_AT: usize = 4;

/// How often the queue is looked at for one claim, each time past more that there is no room for.
const MOST_LOOKS: usize = 4;

/// A delivery that one worker owns for a while.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The delivery.
    pub id: DeliveryId,
    /// Its agency.
    pub agency: AgencyId,
    /// Its debrief.
    pub debrief: DebriefId,
    /// Fences off whoever owned it before.
    pub token: i64,
    /// The number of the attempt that it began.
    pub attempt: i32,
}

impl Claim {
    fn on(row: &Delivery) -> Self {
        Self {
            id: row.id,
            agency: row.agency_id,
            debrief: row.debrief_id,
            token: row.lease_token,
            attempt: row.attempts,
        }
    }
}

impl From<Orphan> for Claim {
    fn from(orphan: Orphan) -> Self {
        Self {
            id: orphan.id,
            agency: orphan.agency_id,
            debrief: orphan.debrief_id,
            token: orphan.lease_token,
            attempt: orphan.attempts,
        }
    }
}

/// What a worker has been given to do.
#[derive(Debug)]
pub struct Job {
    /// Its hold on the delivery.
    pub claim: Claim,
    /// The domain of the recipient.
    pub destination: String,
    /// The message.
    pub letter: Letter,
}

/// Claims deliveries whose time has come, as many as there is `room` for, until `lease` from now. `host`
/// is what the attempts are recorded under.
pub fn claim(tx: &mut Tx<'_>, host: &str, lease: TimeDelta, room: &mut Room) -> Result<Vec<Job>, AppError> {
    let now = tx.now();
    let (mut jobs, mut passed_by) = (Vec::new(), Vec::new());
    for _ in 0..MOST_LOOKS {
        let seen = i64::try_from(room.left * LOOKED_AT).unwrap_or(i64::MAX);
        let waiting = store::due(tx, now, room, &passed_by, seen)?;
        let mut is_all = i64::try_from(waiting.len()).unwrap_or(i64::MAX) < seen;
        let admitted = waiting.into_iter().filter(|one| room.admit(&one.destination, one.agency_id));
        let admitted: Vec<_> = admitted.collect();
        if !admitted.is_empty() {
            let due = store::lock_due(tx, now, admitted.iter().map(|one| one.id).collect())?;
            let taken = take_up(tx, host, lease, due)?;
            let is_taken: HashSet<_> = taken.iter().map(|job| job.claim.id).collect();
            // Somebody else holds the others, or something stands against them.
            for one in admitted.iter().filter(|one| !is_taken.contains(&one.id)) {
                room.give_back(&one.destination, one.agency_id);
                passed_by.push(one.id);
                // Its place may be another one's, which was seen already.
                is_all = false;
            }
            jobs.extend(taken);
        }
        if is_all || room.left == 0 {
            break;
        }
    }
    Ok(jobs)
}

/// Claims those of these deliveries that nothing stands against.
fn take_up(tx: &mut Tx<'_>, host: &str, lease: TimeDelta, due: Vec<Due>) -> Result<Vec<Job>, AppError> {
    let now = tx.now();
    let until = Timestamp::from(*now + lease);
    let (mut rows, mut jobs) = (Vec::new(), Vec::new());
    for due in due {
        let mut row = due.delivery;
        if let Some(why) = hindrance(&due.standing) {
            call_off(tx, &row, why)?;
            continue;
        }
        let progress = row.progress().apply(DeliveryEvent::Claim)?;
        row.set_progress(progress);
        row.attempts += 1;
        row.lease_token += 1;
        let envelope = Envelope { sender: due.message.envelope_from, recipient: row.envelope_to.clone() };
        let message_id = row.message_id.clone();
        let letter = Letter { message_id, envelope, bytes: due.message.message };
        jobs.push(Job { claim: Claim::on(&row), destination: due.destination, letter });
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(jobs);
    }
    let taken = store::take(tx, rows.iter().map(|row| row.id).collect(), until, now)?;
    expect_all(taken, rows.len())?;
    let attempts: Vec<Attempt> = rows.iter().map(|row| attempt(row, host, now)).collect();
    store::begin_attempts(tx, &attempts)?;
    Ok(jobs)
}

/// The notes and the debriefs of deliveries that have moved on show them, so they have changed too. That a
/// worker has one in hand is not worth that: it is over in a moment, and what comes of it is told.
fn show(tx: &mut Tx<'_>, rows: &[Delivery]) -> Result<(), AppError> {
    let now = tx.now();
    notes::touch(tx, rows.iter().map(|row| row.note_id).collect(), now)?;
    store::bump_debriefs(tx, rows.iter().map(|row| row.debrief_id).collect(), now)?;
    Ok(())
}

/// Rows that were locked are all still there.
fn expect_all(written: usize, locked: usize) -> Result<(), AppError> {
    if written == locked {
        return Ok(());
    }
    Err(AppError::Internal(format!("of {locked} deliveries that were locked only {written} were written")))
}

fn attempt(row: &Delivery, host: &str, now: Timestamp) -> Attempt {
    Attempt {
        delivery_id: row.id,
        number: row.attempts,
        agency_id: row.agency_id,
        host: host.to_owned(),
        started_at: now,
        finished_at: None,
        outcome: None,
        step: None,
        code: None,
        enhanced_code: None,
        text: None,
    }
}

/// The worker's sign of life. False if it no longer owns the delivery.
pub fn renew(tx: &mut Tx<'_>, claim: Claim, lease: TimeDelta) -> Result<bool, AppError> {
    let until = Timestamp::from(*tx.now() + lease);
    Ok(store::renew(tx, claim.id, claim.token, until)?)
}

/// When the next delivery is due; none if nothing waits.
pub fn next_due(conn: &mut DbConn) -> Result<Option<Timestamp>, AppError> {
    Ok(store::next_due(conn)?)
}

/// The destinations that took a message lately, among the newest `limit` deliveries, and have put off none
/// that is newer.
pub fn lately_taken(conn: &mut DbConn, limit: i64) -> Result<Vec<String>, AppError> {
    let mut takes = HashMap::new();
    for (destination, state) in store::newest(conn, limit)? {
        if matches!(state, DeliveryState::Sent | DeliveryState::Deferred) {
            takes.entry(destination).or_insert(state == DeliveryState::Sent);
        }
    }
    Ok(takes.into_iter().filter_map(|(destination, takes)| takes.then_some(destination)).collect())
}

/// Deliveries whose worker gave no sign of life in time. With `everything`, all that are being
/// sent: for a start after which no older worker can be alive. The first `skipped` are left out:
/// those that could not be picked up stay where they are, before all others.
pub fn orphans(
    conn: &mut DbConn,
    now: Timestamp,
    everything: bool,
    skipped: i64,
    limit: i64,
) -> Result<Vec<Claim>, AppError> {
    let found = store::orphans(conn, (!everything).then_some(now), skipped, limit)?;
    Ok(found.into_iter().map(Claim::from).collect())
}
