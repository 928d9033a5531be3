//! Writing accounts: the first draft, its submission, and every revision after that.

use serde_json::Value;

use super::held::Held;
use super::input::{FeedbackInput, WaiveInput};
use super::read::Feedback;
use crate::app::AppError;
use crate::app::error::checked;
use crate::app::faults::Faults;
use crate::app::records::{Expected, expect_version};
use crate::auth::caller::Caller;
use crate::domain::feedback::{FeedbackState, FeedbackTransition, Point, Side};
use crate::domain::ids::{DebriefId, FeedbackId, PointId};
use crate::store::feedback::FeedbackRow;
use crate::store::pool::Tx;

/// Writes the account of one person, who may have been asked for it already.
///
/// # Errors
/// [`AppError::Conflict`] with the id of the account that this person has given or begun already;
/// [`AppError::Transition`] if the debrief is done with, or the account is to be submitted before
/// the interview has begun.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    input: FeedbackInput,
) -> Result<Feedback, AppError> {
    let mut held = Held::debrief(tx, caller, debrief)?;
    held.expect_writable()?;
    let theirs = |row: &&FeedbackRow| (row.side, row.contact_id) == (input.side, input.contact_id);
    let asked = held.accounts.iter().find(theirs).cloned();

    let mut faults = Faults::default();
    input.check(&held.competencies, &[], &mut faults);
    input.check_ids(&[], &mut faults);
    if asked.is_none() && input.side == Side::Client {
        held.check_contact(tx, input.contact_id, &mut faults)?;
    }
    let former = asked.map(|row| Feedback { row, points: Vec::new() });
    let mut account = match &former {
        Some(former) => former.next(tx),
        None => {
            let id = tx.new_id();
            let row = FeedbackRow::requested(id, caller.agency, debrief, input.contact_id, tx.now());
            Feedback { row, points: Vec::new() }
        }
    };
    let submit = input.submit;
    account.write_down(tx, input);
    if submit {
        account.check_given(&mut faults);
    }
    checked(faults)?;
    if account.row.state != FeedbackState::Requested {
        return Err(AppError::already_exists(
            "this person has an account here already: revise it",
            account.row.id,
        ));
    }

    account.take(tx, FeedbackTransition::StartDraft)?;
    account.happened(tx, caller, "feedback.created", None);
    if submit {
        give(tx, caller, &mut held, &mut account)?;
    }
    account.save(tx, caller, former.as_ref())?;
    held.conclude(tx, caller, &account.row)?;
    Ok(account)
}

/// Changes an account by a merge patch (RFC 7396) of the input that would make it. What was
/// submitted stays: the change is its next revision. One that was waived becomes a draft again. A
/// patch that changes nothing leaves everything as it is.
///
/// `apply` makes an input of the present one by the patch, refusing what its schema does not allow;
/// what the present one does not say is null in it.
///
/// # Errors
/// [`AppError::Stale`] if the account is not at the expected version any more, and those of
/// [`create`].
pub fn patch(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: FeedbackId,
    expected: Expected,
    apply: impl FnOnce(&Value) -> Result<FeedbackInput, AppError>,
) -> Result<Feedback, AppError> {
    let (mut held, former) = Held::account(tx, caller, id)?;
    expect_version(expected, former.version)?;
    let former = Feedback::with_points(tx, former)?;
    let input = apply(&former.input()?)?;

    let mut faults = Faults::default();
    input.check(&held.competencies, &former.competencies(), &mut faults);
    input.check_ids(&former.points.iter().map(|point| point.id).collect::<Vec<_>>(), &mut faults);
    check_stays(&former, &input, &mut faults);
    let submit = input.submit;
    let mut account = former.next(tx);
    account.write_down(tx, input);
    if submit {
        account.check_given(&mut faults);
    }
    checked(faults)?;

    let changed = account.content() != former.content();
    let is_new = match former.row.state {
        FeedbackState::Requested | FeedbackState::Waived => true,
        FeedbackState::Draft => changed || submit,
        FeedbackState::Submitted => changed,
    };
    if !is_new {
        return Ok(former);
    }
    held.expect_writable()?;
    match former.row.state {
        FeedbackState::Requested => {
            account.take(tx, FeedbackTransition::StartDraft)?;
            account.happened(tx, caller, "feedback.created", None);
        }
        FeedbackState::Waived => {
            account.row.waived_reason = None;
            account.take(tx, FeedbackTransition::TakeBack)?;
            account.happened(tx, caller, "feedback.taken_back", None);
        }
        FeedbackState::Draft if changed => account.happened(tx, caller, "feedback.updated", None),
        FeedbackState::Draft => {}
        FeedbackState::Submitted => {
            account.take(tx, FeedbackTransition::Revise)?;
            account.happened(tx, caller, "feedback.revised", None);
        }
    }
    if submit && !account.is_given() {
        give(tx, caller, &mut held, &mut account)?;
    }
    account.save(tx, caller, Some(&former))?;
    held.forget_matches(&gone(&former.points, &account.points));
    held.conclude(tx, caller, &account.row)?;
    Ok(account)
}

/// Gives an account that was written as a draft.
///
/// # Errors
/// [`AppError::Transition`] if it is not a draft, the debrief is done with or the interview has not
/// begun; [`AppError::Invalid`] if the account says nothing.
pub fn submit(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: FeedbackId,
    expected: Expected,
) -> Result<Feedback, AppError> {
    let (mut held, former) = hold(tx, caller, id, expected)?;
    let former = Feedback::with_points(tx, former)?;
    let mut account = former.next(tx);
    give(tx, caller, &mut held, &mut account)?;
    let mut faults = Faults::default();
    account.check_given(&mut faults);
    checked(faults)?;
    account.save(tx, caller, Some(&former))?;
    held.conclude(tx, caller, &account.row)?;
    Ok(account)
}

/// Gives up on an account, for a reason. What was drafted of it is kept.
///
/// # Errors
/// [`AppError::Transition`] if it was submitted or waived already, or the debrief is done with.
pub fn waive(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: FeedbackId,
    expected: Expected,
    input: &WaiveInput,
) -> Result<Feedback, AppError> {
    let (held, former) = hold(tx, caller, id, expected)?;
    let former = Feedback::with_points(tx, former)?;
    let mut account = former.next(tx);
    account.take(tx, FeedbackTransition::Waive)?;
    account.row.waived_reason = Some(input.reason.clone());
    account.happened(tx, caller, "feedback.waived", Some(&input.reason));
    account.save(tx, caller, Some(&former))?;
    held.conclude(tx, caller, &account.row)?;
    Ok(account)
}

/// Holds the debrief of an account that is to be changed.
fn hold(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: FeedbackId,
    expected: Expected,
) -> Result<(Held, FeedbackRow), AppError> {
    let (held, row) = Held::account(tx, caller, id)?;
    expect_version(expected, row.version)?;
    held.expect_writable()?;
    Ok((held, row))
}

/// Submits an account in memory, if there is something to give an account of.
fn give(tx: &mut Tx<'_>, caller: &Caller, held: &mut Held, account: &mut Feedback) -> Result<(), AppError> {
    account.take(tx, FeedbackTransition::Submit)?;
    held.expect_interviewed(tx, caller)?;
    account.happened(tx, caller, "feedback.submitted", None);
    Ok(())
}

/// Notes a change of what stays as it is: whose account it is, and that it was given.
fn check_stays(former: &Feedback, input: &FeedbackInput, faults: &mut Faults) {
    if input.side != former.row.side {
        faults.add("/side", "immutable", "an account stays on its side");
    }
    if input.contact_id != former.row.contact_id {
        faults.add("/contact_id", "immutable", "an account stays that of the person who gave it");
    }
    if former.is_given() && !input.submit {
        faults.add("/submit", "immutable", "what was submitted cannot be taken back, only revised");
    }
}

/// The points that are there no more.
fn gone(former: &[Point], now: &[Point]) -> Vec<PointId> {
    let is_there = |id| now.iter().any(|point| point.id == id);
    former.iter().map(|point| point.id).filter(|id| !is_there(*id)).collect()
}
