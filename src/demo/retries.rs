//! The candidate's wish to meet the client again.

use chrono::TimeDelta;
use serde_json::json;

use super::plan::{Follows, Leg};
use super::telling::Telling;
use super::texts::around as say;
use crate::domain::feedback::Channel;
use crate::domain::ids::RetryRequestId;
use crate::domain::retry_request::RetryState;
use crate::store::retry_requests::RetryRequest;

/// Tells of a request on its way to a state; `next` is the interview that may come of it. What is
/// to be held will be: [`meet_again`] tells of that.
pub fn ask(telling: &mut Telling<'_>, state: RetryState, next: Option<&Leg>) {
    use RetryState as R;
    telling.pass(2, 26);
    let mut request = request(telling);
    telling.touch();
    let data = json!({ "state": request.state, "version": request.version });
    telling.happened("retry_request.created", request.id, None, data);
    let refused = *telling.dice.pick(&say::REFUSED);
    match state {
        R::AgencyDeclined => {
            step(telling, &mut request, R::AgencyDeclined, "retry_request.declined_by_agency", Some(refused));
            request.decided_at = Some(telling.now());
        }
        R::Withdrawn if telling.dice.chance(50) => {
            step(telling, &mut request, R::Withdrawn, "retry_request.withdrawn", None);
        }
        R::Requested => {}
        _ => {
            put_to_client(telling, &mut request);
            answer(telling, &mut request, state, refused, next);
        }
    }
    telling.debrief.retry_state = Some(request.state);
    telling.rows.retry_requests.push(request);
}

fn put_to_client(telling: &mut Telling<'_>, request: &mut RetryRequest) {
    let note = *telling.dice.pick(&say::ASKED);
    request.contact_id = telling.panel.first().map(|contact| contact.id);
    request.channel = Some(telling.dice.weigh(&[(3, Channel::Phone), (2, Channel::Email)]));
    request.note = Some(note.to_owned());
    step(telling, request, RetryState::PutToClient, "retry_request.put_to_client", None);
    request.put_to_client_at = Some(telling.now());
}

fn answer(
    telling: &mut Telling<'_>,
    request: &mut RetryRequest,
    state: RetryState,
    refused: &str,
    next: Option<&Leg>,
) {
    use RetryState as R;
    match state {
        R::Declined => {
            step(telling, request, R::Declined, "retry_request.declined", Some(refused));
            request.decided_at = Some(telling.now());
        }
        R::CounterProposed => {
            request.proposal = Some((*telling.dice.pick(&say::PROPOSALS)).to_owned());
            step(telling, request, R::CounterProposed, "retry_request.counter_proposed", None);
            request.decided_at = Some(telling.now());
        }
        R::Accepted | R::Scheduled | R::Held => {
            let granted = *telling.dice.pick(&say::GRANTED);
            step(telling, request, R::Accepted, "retry_request.accepted", Some(granted));
            request.decided_at = Some(telling.now());
        }
        R::Expired => step(telling, request, R::Expired, "retry_request.expired", None),
        R::Withdrawn => step(telling, request, R::Withdrawn, "retry_request.withdrawn", None),
        R::Moot => step(telling, request, R::Moot, "retry_request.mooted", Some("The role is filled.")),
        R::Requested | R::PutToClient | R::AgencyDeclined => {}
    }
    if let Some(next) = next.filter(|_| matches!(state, R::Scheduled | R::Held)) {
        request.scheduled_interview_id = Some(next.id);
        request.reason = None;
        step(telling, request, R::Scheduled, "retry_request.scheduled", None);
    }
}

/// Tells that the second meeting took place, if there is one and it did.
pub fn meet_again(telling: &mut Telling<'_>, next: Option<&Leg>) {
    let held = next
        .filter(|next| next.follows == Follows::Retry && next.ends <= telling.world.plan.calendar.as_of());
    let Some(next) = held else { return };
    let Some(mut request) = telling.rows.retry_requests.pop() else { return };
    telling.until = telling.world.plan.calendar.as_of();
    telling.at = next.ends + TimeDelta::minutes(telling.dice.between(1, 50));
    telling.at = telling.at.min(telling.until);
    step(telling, &mut request, RetryState::Held, "retry_request.held", None);
    telling.debrief.retry_state = Some(request.state);
    telling.rows.retry_requests.push(request);
}

fn step(
    telling: &mut Telling<'_>,
    request: &mut RetryRequest,
    state: RetryState,
    event: &str,
    reason: Option<&str>,
) {
    request.updated_at = telling.pass(1, 40);
    request.version += 1;
    request.state = state;
    request.is_open = state.is_open();
    request.reason = reason.map(str::to_owned);
    telling.touch();
    let data = json!({
        "state": state,
        "version": request.version,
        "contact_id": request.contact_id,
        "scheduled_interview_id": request.scheduled_interview_id,
    });
    telling.happened(event, request.id, reason, data);
}

fn request(telling: &mut Telling<'_>) -> RetryRequest {
    let now = telling.now();
    let id: RetryRequestId = telling.id();
    let (grounds, what_would_differ, candidate_words) = *telling.dice.pick(&say::RETRIES);
    let state = RetryState::Requested;
    RetryRequest {
        id,
        agency_id: telling.world.agency,
        debrief_id: telling.debrief.id,
        interview_id: telling.leg.id,
        client_id: telling.client.id,
        state,
        is_open: state.is_open(),
        grounds,
        what_would_differ: what_would_differ.to_owned(),
        candidate_words: candidate_words.to_owned(),
        contact_id: None,
        channel: None,
        note: None,
        reason: None,
        proposal: None,
        scheduled_interview_id: None,
        put_to_client_at: None,
        decided_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}
