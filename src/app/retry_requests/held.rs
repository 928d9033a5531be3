//! A retry request that is held while it changes.

use crate::app::AppError;
use crate::app::debriefs::lifecycle;
use crate::app::events::Happening;
use crate::app::records::{Expected, expect_version, expect_written};
use crate::auth::caller::Caller;
use crate::domain::ids::{ContactId, RetryRequestId};
use crate::domain::retry_request::{RetryState, RetryTransition};
use crate::domain::state::Machine;
use crate::store::correspondents::{self, Recipient};
use crate::store::debriefs::Debrief;
use crate::store::pool::Tx;
use crate::store::retry_requests::{self, RetryRequest};

/// A request that is about to change, with its debrief, which nobody else can change meanwhile.
pub(super) struct Held {
    pub request: RetryRequest,
    pub debrief: Debrief,
    transition: RetryTransition,
}

impl Held {
    /// Holds the request and takes the transition, in memory.
    pub fn hold(
        tx: &mut Tx<'_>,
        caller: &Caller,
        id: RetryRequestId,
        expected: Expected,
        transition: RetryTransition,
    ) -> Result<Self, AppError> {
        let debrief = retry_requests::debrief_of(tx, caller.agency, id)?.ok_or(AppError::NotFound)?;
        let debrief = lifecycle::lock(tx, caller, debrief)?;
        let request = retry_requests::find(tx, caller.agency, id)?.ok_or(AppError::NotFound)?;
        expect_version(expected, request.version)?;
        Self::within(tx, debrief, request, transition)
    }

    /// The same with a request that was read while its debrief was held.
    pub fn within(
        tx: &Tx<'_>,
        mut debrief: Debrief,
        mut request: RetryRequest,
        transition: RetryTransition,
    ) -> Result<Self, AppError> {
        request.state = request.state.apply(transition)?;
        request.is_open = request.state.is_open();
        lifecycle::touch(tx, &mut debrief);
        Ok(Self { request, debrief, transition })
    }

    /// A contact of the request's client.
    pub fn contact(&self, tx: &mut Tx<'_>, id: ContactId) -> Result<Recipient, AppError> {
        correspondents::recipient(tx, self.request.agency_id, id)?
            .filter(|contact| contact.client_id == self.request.client_id)
            .ok_or_else(|| {
                AppError::fault("/contact_id", "unknown_reference", "there is no such contact at the client")
            })
    }

    /// Writes the changed request and its debrief, and that it happened.
    pub fn save(
        mut self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        reason: Option<&str>,
    ) -> Result<RetryRequest, AppError> {
        // Only the newest request is open, and only an open one can change.
        self.debrief.retry_state = Some(self.request.state);
        lifecycle::settle(tx, caller, &mut self.debrief)?;
        lifecycle::save(tx, &self.debrief)?;
        write(tx, caller, &mut self.request, self.transition, reason)?;
        Ok(self.request)
    }
}

/// Ends what was asked for about an interview that did not take place, unless a meeting was agreed already. The
/// debrief, which is held, shows it; the caller saves it.
pub(in crate::app) fn end_with_interview(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: &mut Debrief,
) -> Result<(), AppError> {
    let Some(id) = retry_requests::open_of(tx, debrief.interview_id)? else { return Ok(()) };
    let mut request = retry_requests::find(tx, debrief.agency_id, id)?.ok_or(AppError::NotFound)?;
    if request.state == RetryState::Scheduled {
        return Ok(());
    }
    request.state = request.state.apply(RetryTransition::MarkMoot)?;
    request.is_open = request.state.is_open();
    debrief.retry_state = Some(request.state);
    let reason = "the interview did not take place";
    request.reason = Some(reason.to_owned());
    write(tx, caller, &mut request, RetryTransition::MarkMoot, Some(reason))
}

/// Writes a changed request, and that it happened.
fn write(
    tx: &mut Tx<'_>,
    caller: &Caller,
    request: &mut RetryRequest,
    transition: RetryTransition,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let former = tx.renew(&mut request.version, &mut request.updated_at);
    expect_written(retry_requests::update(tx, request, former)?, request.version)?;
    Happening::to(event_of(transition), request.id)
        .of(request.debrief_id)
        .because(reason)
        .with("state", request.state)
        .with("version", request.version)
        .with("contact_id", request.contact_id)
        .with("scheduled_interview_id", request.scheduled_interview_id)
        .record(tx, caller);
    Ok(())
}

/// What a transition is called once it has been taken.
const fn event_of(transition: RetryTransition) -> &'static str {
    match transition {
        RetryTransition::PutToClient => "retry_request.put_to_client",
        RetryTransition::DeclineByAgency => "retry_request.declined_by_agency",
        RetryTransition::Accept => "retry_request.accepted",
        RetryTransition::Decline => "retry_request.declined",
        RetryTransition::CounterPropose => "retry_request.counter_proposed",
        RetryTransition::Expire => "retry_request.expired",
        RetryTransition::Schedule => "retry_request.scheduled",
        RetryTransition::MarkHeld => "retry_request.held",
        RetryTransition::Withdraw => "retry_request.withdrawn",
        RetryTransition::MarkMoot => "retry_request.mooted",
    }
}
