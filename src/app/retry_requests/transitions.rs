//! What becomes of a retry request, step by step.

use serde::Deserialize;
use utoipa::ToSchema;

use super::held::Held;
use crate::app::AppError;
use crate::app::letters::blocked;
use crate::app::records::Expected;
use crate::auth::caller::Caller;
use crate::domain::feedback::Channel;
use crate::domain::ids::{ContactId, RetryRequestId};
use crate::domain::retry_request::RetryTransition;
use crate::domain::text::is_blank;
use crate::store::pool::Tx;
use crate::store::retry_requests::RetryRequest;

/// How the client was asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Who was asked: a contact of the interview's client.
    contact_id: ContactId,
    /// How.
    channel: Channel,
    /// What the recruiter noted.
    #[schema(max_length = 2000, format = "text")]
    note: Option<String>,
}

/// What the client answered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Who answered: a contact of the interview's client.
    contact_id: ContactId,
    /// The reason that was given.
    #[schema(max_length = 2000, format = "text")]
    reason: Option<String>,
}

/// What the client offered instead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Who offered it: a contact of the interview's client.
    contact_id: ContactId,
    /// What was offered.
    #[schema(min_length = 1, max_length = 2000, format = "text-not-blank")]
    proposal: String,
}

/// Why, if there is anything to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionalReason {
    /// The reason.
    #[schema(max_length = 2000, format = "text")]
    reason: Option<String>,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredReason {
    /// The reason.
    #[schema(min_length = 1, max_length = 2000, format = "text-not-blank")]
    reason: String,
}

/// The recruiter asks the client.
///
/// # Errors
/// A conflict if the contact is off-limits.
pub fn put_to_client(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
    input: Asked,
) -> Result<RetryRequest, AppError> {
    let note = given(input.note);
    let mut held = Held::hold(tx, caller, id, expected, RetryTransition::PutToClient)?;
    let contact = held.contact(tx, input.contact_id)?;
    if contact.off_limits {
        return Err(blocked(contact.id, "is off-limits"));
    }
    let now = tx.now();
    let request = &mut held.request;
    request.contact_id = Some(contact.id);
    request.channel = Some(input.channel);
    request.note = note;
    request.put_to_client_at = Some(now);
    held.save(tx, caller, None)
}

/// The agency refuses to ask.
pub fn decline_by_agency(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
    input: RequiredReason,
) -> Result<RetryRequest, AppError> {
    let mut held = Held::hold(tx, caller, id, expected, RetryTransition::DeclineByAgency)?;
    held.request.decided_at = Some(tx.now());
    ended(held, tx, caller, Some(input.reason))
}

/// The client, or the candidate to whom something else was offered, says yes or no: `transition`
/// is [`RetryTransition::Accept`] or [`RetryTransition::Decline`].
pub fn answer(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
    transition: RetryTransition,
    input: Answered,
) -> Result<RetryRequest, AppError> {
    let reason = given(input.reason);
    let mut held = Held::hold(tx, caller, id, expected, transition)?;
    let contact = held.contact(tx, input.contact_id)?;
    held.request.contact_id = Some(contact.id);
    held.request.decided_at = Some(tx.now());
    ended(held, tx, caller, reason)
}

/// The client offers something else.
pub fn counter_propose(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
    input: Offered,
) -> Result<RetryRequest, AppError> {
    let mut held = Held::hold(tx, caller, id, expected, RetryTransition::CounterPropose)?;
    let contact = held.contact(tx, input.contact_id)?;
    held.request.contact_id = Some(contact.id);
    held.request.decided_at = Some(tx.now());
    held.request.proposal = Some(input.proposal);
    held.save(tx, caller, None)
}

/// The candidate takes the wish back, or there is nothing left to meet about: `transition` is
/// [`RetryTransition::Withdraw`] or [`RetryTransition::MarkMoot`].
pub fn end(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RetryRequestId,
    expected: Expected,
    transition: RetryTransition,
    input: OptionalReason,
) -> Result<RetryRequest, AppError> {
    let reason = given(input.reason);
    let held = Held::hold(tx, caller, id, expected, transition)?;
    ended(held, tx, caller, reason)
}

fn ended(
    mut held: Held,
    tx: &mut Tx<'_>,
    caller: &Caller,
    reason: Option<String>,
) -> Result<RetryRequest, AppError> {
    held.request.reason.clone_from(&reason);
    held.save(tx, caller, reason.as_deref())
}

/// An optional text, none if it says nothing.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !is_blank(text))
}
