//! What can happen, by name: "noun.past_participle".

use std::collections::BTreeSet;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// Whether an event is told and then forgotten in time: one of a record that belongs to the CRM, where
/// everybody can see how it stands. All others are somebody's history.
#[must_use]
pub fn is_passing(event_type: &str) -> bool {
    let noun = event_type.split('.').next().unwrap_or_default();
    ["candidate", "client", "contact", "job_order"].contains(&noun)
}

/// Every type of event there is.
pub const TYPES: &[&str] = &[
    "activity.logged",
    "agency.created",
    "agency.updated",
    "api_client.created",
    "api_client.updated",
    "candidate.created",
    "candidate.deleted",
    "candidate.updated",
    "client.created",
    "client.deleted",
    "client.updated",
    "contact.bounce_lifted",
    "contact.created",
    "contact.deleted",
    "contact.updated",
    "debrief.assigned",
    "debrief.cancelled",
    "debrief.closed",
    "debrief.created",
    "debrief.deleted",
    "debrief.made_ready",
    "debrief.match_removed",
    "debrief.opened",
    "debrief.points_matched",
    "debrief.released",
    "debrief.reopened",
    "debrief.set_back",
    "debrief.updated",
    "feedback.created",
    "feedback.requested",
    "feedback.revised",
    "feedback.submitted",
    "feedback.taken_back",
    "feedback.updated",
    "feedback.waived",
    "feedback.withdrawn",
    "interview.created",
    "interview.deleted",
    "interview.updated",
    "job_order.created",
    "job_order.deleted",
    "job_order.updated",
    "mail_domain.changed",
    "mail_domain.created",
    "mail_domain.removed",
    "note.abandoned",
    "note.approved",
    "note.bounced",
    "note.called_off",
    "note.changes_requested",
    "note.complained",
    "note.created",
    "note.delayed",
    "note.delivered",
    "note.failed",
    "note.recalled",
    "note.rejected",
    "note.requeued",
    "note.sent",
    "note.sent_after_all",
    "note.submitted",
    "note.unconfirmed",
    "note.updated",
    "retry_request.accepted",
    "retry_request.counter_proposed",
    "retry_request.created",
    "retry_request.declined",
    "retry_request.declined_by_agency",
    "retry_request.expired",
    "retry_request.held",
    "retry_request.mooted",
    "retry_request.put_to_client",
    "retry_request.scheduled",
    "retry_request.withdrawn",
    "user.created",
    "user.updated",
    "webhook_endpoint.created",
    "webhook_endpoint.deleted",
    "webhook_endpoint.disabled",
    "webhook_endpoint.secret_rotated",
    "webhook_endpoint.updated",
];

/// The type of an event, for a schema.
pub struct EventType;

impl utoipa::PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(TYPES.iter().copied()))
            .description(Some("What can happen. There will be more types in time."));
        RefOr::T(Schema::Object(schema.build()))
    }
}

impl utoipa::ToSchema for EventType {}

/// The types that a text names with commas between, each once.
///
/// # Errors
/// The names that are no types, or the first of them, each in quotes.
pub fn listed(text: &str) -> Result<Vec<String>, String> {
    let names: BTreeSet<&str> = text.split(',').map(str::trim).collect();
    let (known, unknown): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| TYPES.contains(name));
    if unknown.is_empty() {
        return Ok(known.into_iter().map(str::to_owned).collect());
    }
    let quoted: Vec<String> = unknown.iter().take(5).map(|name| format!("{name:?}")).collect();
    Err(quoted.join(", "))
}
