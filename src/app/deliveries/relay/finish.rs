//! The end of an attempt: what came of it, and what follows from that.

use std::collections::HashMap;

use super::account::Account;
use super::{Claim, expect_all, late, show};
use crate::app::AppError;
use crate::app::deliveries::happened;
use crate::app::events::Happening;
use crate::auth::caller::Caller;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Progress, Schedule};
use crate::domain::mailbox;
use crate::domain::state::Machine;
use crate::domain::timestamp::Timestamp;
use crate::failpoint::{self, Failpoint};
use crate::mail::Outcome;
use crate::store::correspondents;
use crate::store::deliveries::relay::{self as store, AttemptEnd, AttemptKey};
use crate::store::deliveries::{self, Delivery};
use crate::store::notes;
use crate::store::pool::Tx;

/// How an attempt came to its end.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The transport says what came of it.
    Outcome(Outcome),
    /// The worker stopped before the commit point, of its own will: the attempt does not count.
    Released,
    /// The worker gave no sign of life as long as its lease lasted.
    LeaseRanOut,
    /// The worker cannot be alive, whatever its lease says.
    WorkerDied,
}

impl Ending {
    /// Whether the server certainly does not have the message.
    fn proves_unsent(&self) -> bool {
        match self {
            Self::Outcome(outcome) => outcome.proves_unsent(),
            Self::Released => true,
            Self::LeaseRanOut | Self::WorkerDied => false,
        }
    }

    /// Whether it says that nothing will ever arrive at the address.
    fn bounces_address(&self) -> bool {
        matches!(self, Self::Outcome(outcome) if outcome.bounces_address())
    }
}

/// An attempt that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The claim that it was made under.
    pub claim: Claim,
    /// How it ended.
    pub ending: Ending,
    /// Spreads the next attempt; in `[0, 1)`.
    pub random: f64,
}

/// Writes down what came of an attempt. Answers the delivery's state afterwards; none if there was
/// nothing to write down any more.
pub fn finish(
    tx: &mut Tx<'_>,
    ended: &Ended,
    schedule: &Schedule,
) -> Result<Option<DeliveryState>, AppError> {
    let claim = ended.claim;
    store::hold_debrief(tx, claim.debrief)?;
    let Some(former) = deliveries::lock(tx, claim.agency, claim.id)? else { return Ok(None) };
    let states = conclude(tx, vec![(ended, former)], schedule)?;
    Ok(states.into_iter().next().flatten())
}

/// Writes down what came of several attempts at once, as far as nobody else holds their deliveries and
/// debriefs; their notes are waited for.
/// Answers for each in its turn what [`finish`] would; none for those that have to be finished alone.
pub fn finish_at_hand(
    tx: &mut Tx<'_>,
    ended: &[&Ended],
    schedule: &Schedule,
) -> Result<Vec<Option<Option<DeliveryState>>>, AppError> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    // Whoever marks a contact may have to wait for it, and nobody else's mark shall wait with them.
    let at_ease = |ended: &&&Ended| !ended.ending.bounces_address();
    let ids = ended.iter().filter(at_ease).map(|ended| ended.claim.id).collect();
    let mut found: HashMap<_, _> =
        store::lock_at_hand(tx, ids)?.into_iter().map(|row| (row.id, row)).collect();
    // A second one of the same delivery has to see what the first one made of it.
    let locked: Vec<_> = ended.iter().map(|ended| found.remove(&ended.claim.id)).collect();
    let at_hand: Vec<_> = locked.iter().map(Option::is_some).collect();
    let work = ended.iter().zip(locked).filter_map(|(ended, row)| Some((*ended, row?))).collect();
    let mut states = conclude(tx, work, schedule)?.into_iter();
    Ok(at_hand.into_iter().map(|at_hand| at_hand.then(|| states.next().flatten())).collect())
}

/// Writes down what came of attempts on locked deliveries.
fn conclude(
    tx: &mut Tx<'_>,
    work: Vec<(&Ended, Delivery)>,
    schedule: &Schedule,
) -> Result<Vec<Option<DeliveryState>>, AppError> {
    let mut states = Vec::with_capacity(work.len());
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    for (ended, mut row) in work {
        let Ended { claim, ending, .. } = ended;
        if let Ending::Outcome(Outcome::Accepted(reply)) = ending
            && !awaits(&row, *claim)
        {
            states.push(late::accepted(tx, *claim, &row, reply)?);
            continue;
        }
        let Some(event) = event(&row, *claim, ending, tx.now()) else {
            states.push(None);
            continue;
        };
        ends.extend(end(tx, &mut row, ended, event, schedule)?);
        states.push(Some(row.state));
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(states);
    }
    expect_all(store::save_all(tx, &rows)?, rows.len())?;
    store::end_attempts(tx, &ends)?;
    show(tx, &rows)?;
    Ok(states)
}

/// Ends an attempt in memory, but for what follows from it elsewhere. Answers what to write down of
/// it; nothing if it was none.
fn end(
    tx: &mut Tx<'_>,
    row: &mut Delivery,
    ended: &Ended,
    event: DeliveryEvent,
    schedule: &Schedule,
) -> Result<Option<(AttemptKey, AttemptEnd)>, AppError> {
    let now = tx.now();
    let progress = progress(row, &ended.ending).apply(event)?;
    row.set_progress(progress);
    row.lease_until = None;
    tx.touch(&mut row.updated_at);
    let account = Account::of(&ended.ending);
    account.show(row);
    let end = if event == DeliveryEvent::TransportPaused {
        // Nothing was tried; whoever asks next finds out whether it can be, and whoever looks sees since when it waits.
        store::forget_attempt(tx, row.id, row.attempts)?;
        row.attempts -= 1;
        row.next_attempt_at = Some(if row.attempts == 0 { row.due_at.min(now) } else { now });
        None
    } else {
        plan(tx, row, schedule, ended.random)?;
        Some(((row.id, row.attempts), account.attempt_end(row.state, now)))
    };
    follow_up(tx, row, &ended.ending)?;
    Ok(end)
}

/// How far the attempt had come. The transport knows what it sent, and the mark of the commit point
/// may say otherwise: the answer to it was lost, or the server that had it.
fn progress(former: &Delivery, ending: &Ending) -> Progress {
    let transmitting = match ending {
        Ending::Outcome(Outcome::Unknown { .. }) => former.state == DeliveryState::Sending,
        Ending::LeaseRanOut | Ending::WorkerDied if failpoint::is_on(Failpoint::MarkIgnored) => false,
        ending => former.transmitting && !ending.proves_unsent(),
    };
    Progress { state: former.state, transmitting }
}

/// Whether the message may be on its way under this claim, so that a yes is what is waited for.
fn awaits(row: &Delivery, claim: Claim) -> bool {
    row.lease_token == claim.token && row.state == DeliveryState::Sending && row.transmitting
}

/// What the ending of an attempt is to the delivery; none if it is nothing any more.
fn event(row: &Delivery, claim: Claim, ending: &Ending, now: Timestamp) -> Option<DeliveryEvent> {
    use DeliveryEvent as E;
    if row.lease_token != claim.token {
        return None;
    }
    match (row.state, ending) {
        (DeliveryState::Sending, Ending::Outcome(Outcome::Revoked)) => Some(E::LeaseLost),
        (DeliveryState::Sending, Ending::Outcome(outcome)) => outcome.event(),
        (DeliveryState::Sending, Ending::Released) => Some(E::TransportPaused),
        (DeliveryState::Sending, Ending::LeaseRanOut) => {
            row.lease_until.is_none_or(|until| until <= now).then_some(E::LeaseLost)
        }
        (DeliveryState::Sending, Ending::WorkerDied) => Some(E::LeaseLost),
        // The worker was given up too early: its answer ends the doubt.
        (DeliveryState::Unconfirmed, ending) => ending.proves_unsent().then_some(E::EvidenceUnsent),
        _ => None,
    }
}

/// Says when a delivery that waits again is tried next, or gives it up.
/// Its time is over only some time after its first attempt: that we were not there to send it before is no reason.
fn plan(tx: &mut Tx<'_>, row: &mut Delivery, schedule: &Schedule, random: f64) -> Result<(), AppError> {
    if !matches!(row.state, DeliveryState::Deferred | DeliveryState::Queued) {
        return Ok(());
    }
    let now = tx.now();
    let attempt = u32::try_from(row.attempts).unwrap_or_default();
    let first_tried = store::first_tried(tx, row.id, row.due_at)?.unwrap_or(now);
    match schedule.next_attempt(attempt, *first_tried, *now, random) {
        Some(next) => row.next_attempt_at = Some(next.into()),
        None if row.state == DeliveryState::Deferred => {
            row.set_progress(Progress::at(row.state).apply(DeliveryEvent::GiveUp)?);
        }
        None => row.next_attempt_at = Some(now),
    }
    Ok(())
}

/// What follows from the state that a delivery has come to.
fn follow_up(tx: &mut Tx<'_>, row: &mut Delivery, ending: &Ending) -> Result<(), AppError> {
    let system = Caller::system(row.agency_id);
    match row.state {
        DeliveryState::Sent => {
            row.sent_at = Some(tx.now());
            happened(tx, &system, "note.sent", row, None);
        }
        DeliveryState::Unconfirmed => happened(tx, &system, "note.unconfirmed", row, None),
        // Back from doubt, which the recruiter had been told of.
        DeliveryState::Queued => happened(tx, &system, "note.requeued", row, None),
        DeliveryState::Failed => {
            notes::release_contact(tx, row.note_id, row.contact_id)?;
            if ending.bounces_address() {
                bounce(tx, row)?;
            }
            happened(tx, &system, "note.failed", row, None);
        }
        _ => {}
    }
    Ok(())
}

/// The address is bad: nothing more is sent there, to whichever of the agency's contacts has it.
pub fn bounce(tx: &mut Tx<'_>, row: &Delivery) -> Result<(), AppError> {
    let mut theirs = correspondents::at_address(tx, row.agency_id, &mailbox::spellings(&row.envelope_to))?;
    // A database does not know all small letters. Whom it was sent to is known without it.
    let sent_to = correspondents::recipient(tx, row.agency_id, row.contact_id)?;
    theirs.extend(sent_to.filter(|contact| contact.is_at(Some(&row.envelope_to))).map(|contact| contact.id));
    // One after the other, so that two who mark the same contacts do not wait for each other.
    theirs.sort_unstable();
    theirs.dedup();
    let now = tx.now();
    for contact in theirs {
        if let Some(version) = correspondents::mark_bounced(tx, row.agency_id, contact, now)? {
            Happening::to("contact.updated", contact)
                .with("version", version)
                .with("changed", ["email_status"])
                .record(tx, &Caller::system(row.agency_id));
        }
    }
    Ok(())
}
