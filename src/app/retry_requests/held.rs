//! A retry request that is held while it changes.

use crate::app::AppError;
use crate::app::debriefs::lifecycle;
use crate::app::events::Happening;
use crate::app::records::{Expected, expect_version};
use crate::auth::caller::Caller;
use crate::domain::ids::{ContactId, RetryRequestId};
use crate::domain::retry_request::RetryTransition;
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
    pub fn take(
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
        let version = self.request.version;
        self.request.version += 1;
        tx.touch(&mut self.request.updated_at);
        if !retry_requests::update(tx, &self.request, version)? {
            return Err(AppError::Stale { current: self.request.version });
        }
        // Only the newest request is open, and only an open one can change.
        self.debrief.retry_state = Some(self.request.state);
        lifecycle::settle(tx, caller, &mut self.debrief)?;
        lifecycle::save(tx, &self.debrief)?;
        Happening::to(event_of(self.transition), self.request.id)
            .of(self.debrief.id)
            .because(reason)
            .with("state", self.request.state)
            .with("version", self.request.version)
            .with("contact_id", self.request.contact_id)
            .with("scheduled_interview_id", self.request.scheduled_interview_id)
            .record(tx, caller)?;
        Ok(self.request)
    }
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
