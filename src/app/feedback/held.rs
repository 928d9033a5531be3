//! A debrief that is held while one of its accounts is written.

use crate::app::AppError;
use crate::app::debriefs::lifecycle;
use crate::app::faults::Faults;
use crate::auth::caller::Caller;
use crate::domain::debrief::{DebriefState, DebriefTransition};
use crate::domain::ids::{ContactId, DebriefId, FeedbackId, PointId};
use crate::store::agencies::Competency;
use crate::store::contacts;
use crate::store::debriefs::{self, Debrief};
use crate::store::feedback::{self, FeedbackRow};
use crate::store::pool::Tx;

/// A held debrief, with everything that it takes to write one of its accounts.
pub(super) struct Held {
    /// The debrief, touched already.
    pub debrief: Debrief,
    /// The competencies of its agency.
    pub competencies: Vec<Competency>,
    /// Its accounts, as they stand.
    pub accounts: Vec<FeedbackRow>,
}

impl Held {
    /// Holds a debrief.
    pub fn debrief(tx: &mut Tx<'_>, caller: &Caller, id: DebriefId) -> Result<Self, AppError> {
        let found = debriefs::lock_with_competencies(tx, caller.agency, id)?;
        Self::of(tx, caller, found)
    }

    /// Holds the debrief that an account belongs to; the account comes with it.
    pub fn account(
        tx: &mut Tx<'_>,
        caller: &Caller,
        id: FeedbackId,
    ) -> Result<(Self, FeedbackRow), AppError> {
        let found = debriefs::lock_of_feedback(tx, caller.agency, id)?;
        let held = Self::of(tx, caller, found)?;
        let account = held.accounts.iter().find(|account| account.id == id).cloned();
        Ok((held, account.ok_or(AppError::NotFound)?))
    }

    fn of(
        tx: &mut Tx<'_>,
        caller: &Caller,
        found: Option<(Debrief, Vec<Competency>)>,
    ) -> Result<Self, AppError> {
        let (debrief, competencies) = found.unzip();
        let mut debrief = lifecycle::changeable(caller, debrief)?;
        let accounts = feedback::of_debrief(tx, caller.agency, debrief.id)?;
        lifecycle::touch(tx, &mut debrief);
        Ok(Self { debrief, competencies: competencies.unwrap_or_default(), accounts })
    }

    /// Fails if the debrief is done with: then nothing is written in it any more.
    pub fn expect_writable(&self) -> Result<(), AppError> {
        let done = [DebriefState::Closed, DebriefState::Cancelled];
        lifecycle::refuse_in(&self.debrief, &done, "write_feedback")
    }

    /// Fails if the interview has not begun: nobody can give an account of it. Once it has, an
    /// account tells that it took place, whenever it was to end.
    pub fn expect_interviewed(&mut self, tx: &mut Tx<'_>, caller: &Caller) -> Result<(), AppError> {
        if self.debrief.state != DebriefState::Scheduled {
            return Ok(());
        }
        if self.debrief.interviewed_at > tx.now() {
            return lifecycle::refuse_in(&self.debrief, &[DebriefState::Scheduled], "submit_feedback");
        }
        lifecycle::take(tx, caller, &mut self.debrief, DebriefTransition::Open, None)
    }

    /// Notes a contact who is not one of the client's. One who is stays so until the transaction ends.
    pub fn check_contact(
        &self,
        tx: &mut Tx<'_>,
        contact: Option<ContactId>,
        faults: &mut Faults,
    ) -> Result<(), AppError> {
        let Some(contact) = contact else { return Ok(()) };
        let debrief = &self.debrief;
        let found = contacts::pin_several(tx, debrief.agency_id, &[contact])?;
        if found != [(contact, debrief.client_id)] {
            faults.unknown("/contact_id", "contact at the client");
        }
        Ok(())
    }

    /// Drops what was said of points that are gone.
    pub fn forget_matches(&mut self, gone: &[PointId]) {
        let named = |point: &PointId| gone.contains(point);
        self.debrief.matches.0.retain(|made| !named(&made.points.0) && !named(&made.points.1));
    }

    /// Lets the debrief follow from `account` as it now is, and writes the debrief.
    pub fn conclude(
        mut self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        account: &FeedbackRow,
    ) -> Result<(), AppError> {
        self.accounts.retain(|other| other.id != account.id);
        self.accounts.push(account.clone());
        lifecycle::sum_up(&mut self.debrief, &self.accounts);
        lifecycle::settle(tx, caller, &mut self.debrief)?;
        let former = self.debrief.version - 1;
        debriefs::update_at_end(tx, self.debrief, former)?;
        Ok(())
    }
}
