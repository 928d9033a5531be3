//! How a debrief is held while it changes, and how it moves from state to state.
//!
//! Every write on anything inside a debrief goes the same way: [`lock`], then [`touch`], then the
//! work, then [`settle`], then [`save`], or [`debriefs::update_at_end`] where nothing is read after it.

use crate::app::AppError;
use crate::app::events::Happening;
use crate::app::records::{Expected, expect_version, expect_written};
use crate::auth::caller::Caller;
use crate::domain::debrief::{DebriefState, DebriefTransition, SideStatus, follow_up};
use crate::domain::feedback::{FeedbackState, Overall, Side};
use crate::domain::ids::{AgencyId, DebriefId};
use crate::domain::state::{InvalidTransition, Machine};
use crate::store::connection::DbConn;
use crate::store::debriefs::{self, Debrief};
use crate::store::feedback::FeedbackRow;
use crate::store::pool::Tx;

/// Holds a debrief until the transaction ends, if the caller may change it.
///
/// # Errors
/// [`AppError::NotFound`] if there is none in the caller's agency or it is deleted,
/// [`AppError::Forbidden`] if it is another recruiter's.
pub fn lock(tx: &mut Tx<'_>, caller: &Caller, id: DebriefId) -> Result<Debrief, AppError> {
    changeable(caller, debriefs::lock(tx, caller.agency, id)?)
}

/// The debrief that was found, if the caller may change it; for look-ups other than [`lock`].
pub(in crate::app) fn changeable(caller: &Caller, found: Option<Debrief>) -> Result<Debrief, AppError> {
    let debrief = found.filter(|debrief| debrief.deleted_at.is_none()).ok_or(AppError::NotFound)?;
    if caller.may_change_debriefs_of(debrief.recruiter_id) {
        Ok(debrief)
    } else {
        Err(AppError::Forbidden("the debrief is another recruiter's"))
    }
}

/// Fails unless the debrief is there for whoever reads what is inside it.
pub(super) fn expect_standing(conn: &mut DbConn, agency: AgencyId, id: DebriefId) -> Result<(), AppError> {
    let found = debriefs::find(conn, agency, id)?.filter(|debrief| debrief.deleted_at.is_none());
    found.map(drop).ok_or(AppError::NotFound)
}

/// Fails if the debrief is in one of `states`, which do not allow what `transition` names.
///
/// # Errors
/// [`AppError::Transition`] with what the state does allow.
pub fn refuse_in(
    debrief: &Debrief,
    states: &[DebriefState],
    transition: &'static str,
) -> Result<(), AppError> {
    if !states.contains(&debrief.state) {
        return Ok(());
    }
    Err(AppError::Transition(InvalidTransition {
        record: DebriefState::RECORD,
        state: debrief.state.into(),
        transition,
        allowed: debrief.state.allowed(),
    }))
}

/// Gives a locked debrief its next version, in memory: once for each write, before its events.
pub fn touch(tx: &Tx<'_>, debrief: &mut Debrief) {
    tx.renew(&mut debrief.version, &mut debrief.updated_at);
}

/// Holds a debrief at a version that the caller expects, and gives it its next one, in memory.
pub fn hold(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: DebriefId,
    expected: Expected,
) -> Result<Debrief, AppError> {
    let mut debrief = lock(tx, caller, id)?;
    expect_version(expected, debrief.version)?;
    touch(tx, &mut debrief);
    Ok(debrief)
}

/// Writes into the debrief what its accounts add up to.
pub fn sum_up(debrief: &mut Debrief, accounts: &[FeedbackRow]) {
    let of = |side: Side| accounts.iter().filter(move |account| account.side == side);
    let states = |side| of(side).map(|account| account.state).collect::<Vec<_>>();
    let overall = |side| {
        let given = of(side).filter(|account| account.state == FeedbackState::Submitted);
        Overall::of_panel(&given.filter_map(|account| account.overall).collect::<Vec<_>>())
    };
    debrief.candidate_side = SideStatus::of(&states(Side::Candidate));
    debrief.client_side = SideStatus::of(&states(Side::Client));
    debrief.candidate_overall = overall(Side::Candidate);
    debrief.client_overall = overall(Side::Client);
}

/// Writes a touched debrief over its former version.
pub fn save(tx: &mut Tx<'_>, debrief: &Debrief) -> Result<(), AppError> {
    expect_written(debriefs::update(tx, debrief, debrief.version - 1)?, debrief.version)
}

/// Takes a transition in memory and writes down that it was taken.
///
/// # Errors
/// [`AppError::Transition`] if the state does not allow it.
pub fn take(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: &mut Debrief,
    transition: DebriefTransition,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let former = debrief.state;
    debrief.state = former.apply(transition)?;
    let mut happening = Happening::to(event_of(transition), debrief.id)
        .of(debrief.id)
        .because(reason)
        .with("from", former)
        .with("state", debrief.state)
        .with("version", debrief.version);
    if transition == DebriefTransition::Close {
        // The record forgets it when it is opened again.
        happening = happening.with("outcome", debrief.outcome);
    }
    happening.record(tx, caller);
    Ok(())
}

/// Takes in memory whatever follows by itself from how things stand now, and writes down what was
/// taken. The caller saves the row.
pub fn settle(tx: &mut Tx<'_>, caller: &Caller, debrief: &mut Debrief) -> Result<(), AppError> {
    let ended = debrief.interview_ends_at <= tx.now();
    while let Some(transition) = follow_up(debrief.state, ended, debrief.candidate_side, debrief.client_side)
    {
        take(tx, caller, debrief, transition, None)?;
    }
    Ok(())
}

/// Opens at most `limit` debriefs, of whichever agency, whose interview has ended by now. Answers
/// how many it opened; fewer than `limit` means that no more are waiting.
pub fn open_due(tx: &mut Tx<'_>, limit: i64) -> Result<usize, AppError> {
    let now = tx.now();
    let due = debriefs::lock_ended(tx, now, limit)?;
    let opened = due.len();
    for mut debrief in due {
        let system = Caller::system(debrief.agency_id);
        touch(tx, &mut debrief);
        settle(tx, &system, &mut debrief)?;
        save(tx, &debrief)?;
    }
    Ok(opened)
}

/// What a transition is called once it has been taken.
const fn event_of(transition: DebriefTransition) -> &'static str {
    match transition {
        DebriefTransition::Open => "debrief.opened",
        DebriefTransition::MakeReady => "debrief.made_ready",
        DebriefTransition::AwaitSide => "debrief.set_back",
        DebriefTransition::Release => "debrief.released",
        DebriefTransition::Close => "debrief.closed",
        DebriefTransition::Reopen => "debrief.reopened",
        DebriefTransition::Cancel => "debrief.cancelled",
    }
}
