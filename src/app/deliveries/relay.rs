//! The relay's use cases: to claim what is due, to pass the commit point, to write down what came
//! of an attempt, and to pick up what a dead worker left behind.
//!
//! Locks are taken in one order only, the debrief before its deliveries; what is claimed is taken
//! without waiting. So nobody can end up waiting for each other.

use chrono::TimeDelta;

use super::{TakenBack, take_back, told, write};
use crate::app::AppError;
use crate::app::events::Happening;
use crate::auth::caller::Caller;
use crate::domain::delivery::{DeliveryEvent, DeliveryState, Progress, Reply, ReplyClass, Schedule};
use crate::domain::ids::{AgencyId, DebriefId, DeliveryId};
use crate::domain::people::EmailStatus;
use crate::domain::state::Machine;
use crate::domain::timestamp::Timestamp;
use crate::mail::{Envelope, Letter, Outcome, Step};
use crate::store::connection::DbConn;
use crate::store::correspondents;
use crate::store::deliveries::relay::{self as store, AttemptEnd, Orphan};
use crate::store::deliveries::{self, Attempt, Delivery};
use crate::store::notes;
use crate::store::pool::Tx;

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
}

impl From<Orphan> for Claim {
    fn from(orphan: Orphan) -> Self {
        Self {
            id: orphan.id,
            agency: orphan.agency_id,
            debrief: orphan.debrief_id,
            token: orphan.lease_token,
        }
    }
}

/// Claims at most `limit` deliveries whose time has come, until `lease` from now. `host` is what
/// the attempts are recorded under.
pub fn claim(
    tx: &mut Tx<'_>,
    host: &str,
    lease: TimeDelta,
    limit: i64,
) -> Result<Vec<(Claim, Letter)>, AppError> {
    let now = tx.now();
    let mut claimed = Vec::new();
    for due in store::lock_due(tx, now, limit)? {
        let former = due.delivery;
        let hindrance = if due.contact_deleted_at.is_some() {
            Some("the contact was deleted")
        } else if due.off_limits {
            Some("the contact is off-limits by now")
        } else if due.email_status == EmailStatus::Bounced {
            Some("mail to the contact's address came back")
        } else {
            None
        };
        if let Some(why) = hindrance {
            call_off(tx, &former, why)?;
            continue;
        }
        let mut row = former.clone();
        set_progress(&mut row, former.progress().apply(DeliveryEvent::Claim)?);
        row.attempts += 1;
        row.lease_token += 1;
        row.lease_until = Some(Timestamp::from(*now + lease));
        row.next_attempt_at = None;
        row.updated_at = now;
        write(tx, &row, &former)?;
        store::begin_attempt(tx, &attempt(&row, host, now))?;
        store::bump_debrief(tx, row.debrief_id, now)?;
        let envelope = Envelope { sender: due.message.envelope_from, recipient: row.envelope_to };
        let claim =
            Claim { id: row.id, agency: row.agency_id, debrief: row.debrief_id, token: row.lease_token };
        claimed.push((claim, Letter { message_id: row.message_id, envelope, bytes: due.message.message }));
    }
    Ok(claimed)
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

/// The contact may not be written to any more: the approval was given before that.
fn call_off(tx: &mut Tx<'_>, former: &Delivery, why: &str) -> Result<(), AppError> {
    take_back(tx, former, TakenBack::Hindered(why))?;
    notes::release_contact(tx, former.note_id, former.contact_id)?;
    let now = tx.now();
    store::bump_debrief(tx, former.debrief_id, now)?;
    let system = Caller::system(former.agency_id);
    Happening::to("note.called_off", former.note_id)
        .of(former.debrief_id)
        .because(Some(why))
        .with("delivery_id", former.id)
        .with("contact_id", former.contact_id)
        .with("delivery_state", DeliveryState::Recalled)
        .record(tx, &system)
}

/// The commit point: makes durable that from here on the message may arrive. False if the worker
/// no longer owns the delivery: then it must not be sent.
pub fn pass_commit_point(tx: &mut Tx<'_>, claim: Claim) -> Result<bool, AppError> {
    let now = tx.now();
    Ok(store::mark_transmitting(tx, claim.id, claim.token, now)?)
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

/// Deliveries whose worker gave no sign of life in time. With `everything`, all that are being
/// sent: for a start after which no older worker can be alive.
pub fn orphans(
    conn: &mut DbConn,
    now: Timestamp,
    everything: bool,
    limit: i64,
) -> Result<Vec<Claim>, AppError> {
    let found = store::orphans(conn, (!everything).then_some(now), limit)?;
    Ok(found.into_iter().map(Claim::from).collect())
}

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

/// Writes down what came of an attempt, if the claim is still the last one. `random`, in `[0, 1)`,
/// spreads the next attempt. Answers the delivery's state afterwards; none if there was nothing to
/// write down any more.
pub fn finish(
    tx: &mut Tx<'_>,
    claim: Claim,
    ending: &Ending,
    schedule: &Schedule,
    random: f64,
) -> Result<Option<DeliveryState>, AppError> {
    let now = tx.now();
    store::hold_debrief(tx, claim.debrief)?;
    let former = deliveries::lock(tx, claim.agency, claim.id)?;
    let Some(former) = former.filter(|row| row.lease_token == claim.token) else { return Ok(None) };
    let Some(event) = event(&former, ending, now) else { return Ok(None) };
    let progress = if is_provably_unsent(ending) { Progress::at(former.state) } else { former.progress() };

    let mut row = former.clone();
    set_progress(&mut row, progress.apply(event)?);
    row.lease_until = None;
    row.updated_at = now;
    let account = Account::of(ending);
    if let Some(text) = &account.text {
        row.last_code = account.code;
        row.last_enhanced_code.clone_from(&account.enhanced_code);
        row.last_text = Some(text.clone());
    }
    if event == DeliveryEvent::TransportPaused {
        // Nothing was tried; whoever asks next finds out whether it can be.
        row.next_attempt_at = Some(now);
        store::forget_attempt(tx, row.id, row.attempts)?;
        row.attempts -= 1;
    } else {
        plan(&mut row, schedule, now, random)?;
        store::end_attempt(tx, &account.attempt_end(row.state, now), row.id, row.attempts)?;
    }
    follow_up(tx, &mut row, ending)?;
    write(tx, &row, &former)?;
    store::bump_debrief(tx, row.debrief_id, now)?;
    Ok(Some(row.state))
}

/// What the ending of an attempt is to the delivery; none if it is nothing any more.
fn event(row: &Delivery, ending: &Ending, now: Timestamp) -> Option<DeliveryEvent> {
    use DeliveryEvent as E;
    match (row.state, ending) {
        (DeliveryState::Sending, Ending::Outcome(Outcome::Revoked)) => Some(E::LeaseLost),
        (DeliveryState::Sending, Ending::Outcome(outcome)) => outcome.event(),
        (DeliveryState::Sending, Ending::Released) => Some(E::TransportPaused),
        (DeliveryState::Sending, Ending::LeaseRanOut) => {
            row.lease_until.is_none_or(|until| until <= now).then_some(E::LeaseLost)
        }
        (DeliveryState::Sending, Ending::WorkerDied) => Some(E::LeaseLost),
        // The worker was given up too early: its answer ends the doubt.
        (DeliveryState::Unconfirmed, Ending::Outcome(Outcome::Accepted(_))) => Some(E::EvidenceSent),
        (DeliveryState::Unconfirmed, Ending::Outcome(Outcome::Refused { step: Step::Content, .. })) => {
            Some(E::EvidenceUnsent)
        }
        _ => None,
    }
}

/// The commit point may have been written down although the answer to that was lost; but the
/// transport knows that it sent nothing.
fn is_provably_unsent(ending: &Ending) -> bool {
    matches!(ending, Ending::Released | Ending::Outcome(Outcome::Revoked | Outcome::Lost { .. }))
}

fn set_progress(row: &mut Delivery, progress: Progress) {
    row.state = progress.state;
    row.transmitting = progress.transmitting;
}

/// Says when a delivery that waits again is tried next, or gives it up.
fn plan(row: &mut Delivery, schedule: &Schedule, now: Timestamp, random: f64) -> Result<(), AppError> {
    let attempt = u32::try_from(row.attempts).unwrap_or_default();
    let next = schedule.next_attempt(attempt, *row.due_at, *now, random).map(Timestamp::from);
    match row.state {
        DeliveryState::Deferred if next.is_none() => {
            set_progress(row, Progress::at(row.state).apply(DeliveryEvent::GiveUp)?);
        }
        DeliveryState::Deferred => row.next_attempt_at = next,
        DeliveryState::Queued => row.next_attempt_at = next.or(Some(now)),
        _ => {}
    }
    Ok(())
}

/// What follows from the state that a delivery has come to.
fn follow_up(tx: &mut Tx<'_>, row: &mut Delivery, ending: &Ending) -> Result<(), AppError> {
    let system = Caller::system(row.agency_id);
    match row.state {
        DeliveryState::Sent => {
            row.sent_at = Some(tx.now());
            told(tx, &system, "note.sent", row)
        }
        DeliveryState::Unconfirmed => told(tx, &system, "note.unconfirmed", row),
        DeliveryState::Failed => {
            notes::release_contact(tx, row.note_id, row.contact_id)?;
            if let Ending::Outcome(Outcome::Refused { reply, .. }) = ending
                && reply.class() == (ReplyClass::Permanent { bounces_address: true })
            {
                bounce(tx, row)?;
            }
            told(tx, &system, "note.failed", row)
        }
        _ => Ok(()),
    }
}

/// The address is bad: nothing more is sent there, unless the contact has another one by now.
fn bounce(tx: &mut Tx<'_>, row: &Delivery) -> Result<(), AppError> {
    let Some(contact) = correspondents::recipient(tx, row.agency_id, row.contact_id)? else { return Ok(()) };
    let Some(email) = contact.email.filter(|email| as_in_envelope(email) == row.envelope_to) else {
        return Ok(());
    };
    let now = tx.now();
    let Some(version) = correspondents::mark_bounced(tx, row.agency_id, row.contact_id, &email, now)? else {
        return Ok(());
    };
    Happening::to("contact.updated", row.contact_id)
        .with("version", version)
        .record(tx, &Caller::system(row.agency_id))
}

/// An address as it stands in an envelope: the domain as A-labels (RFC 5890).
fn as_in_envelope(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    idna::domain_to_ascii(domain).map_or_else(|_| email.to_owned(), |domain| format!("{local}@{domain}"))
}

/// How an attempt ended, in words.
#[derive(Default)]
struct Account {
    step: Option<Step>,
    code: Option<i32>,
    enhanced_code: Option<String>,
    text: Option<String>,
}

impl Account {
    fn of(ending: &Ending) -> Self {
        let outcome = match ending {
            Ending::Outcome(outcome) => outcome,
            Ending::Released => return Self::default(),
            Ending::LeaseRanOut | Ending::WorkerDied => return Self::wrong("the worker stopped half-way"),
        };
        match outcome {
            Outcome::Accepted(reply) => Self::said(Step::Content, reply),
            Outcome::Refused { step, reply } => Self::said(*step, reply),
            Outcome::Lost { step, error } => Self { step: Some(*step), ..Self::wrong(error) },
            Outcome::Unknown { error } => Self { step: Some(Step::Content), ..Self::wrong(error) },
            Outcome::Revoked => Self::wrong("the commit point could not be written down"),
            Outcome::Fault(fault) => Self::wrong(fault),
            Outcome::Unsendable(why) => Self::wrong(why),
        }
    }

    fn said(step: Step, reply: &Reply) -> Self {
        Self {
            step: Some(step),
            code: Some(i32::from(reply.code)),
            enhanced_code: reply.enhanced_code.clone(),
            text: Some(reply.text.clone()),
        }
    }

    fn wrong(what: impl ToString) -> Self {
        Self { text: Some(what.to_string()), ..Self::default() }
    }

    fn attempt_end(self, outcome: DeliveryState, now: Timestamp) -> AttemptEnd {
        AttemptEnd {
            finished_at: Some(now),
            outcome: Some(outcome),
            step: self.step.map(|step| step.to_string()),
            code: self.code,
            enhanced_code: self.enhanced_code,
            text: self.text,
        }
    }
}
