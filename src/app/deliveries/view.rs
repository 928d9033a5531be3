//! A delivery as it is shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::delivery::{DeliveryState, Lateness};
use crate::domain::ids::{ContactId, DeliveryId, NoteId};
use crate::domain::timestamp::Timestamp;
use crate::store::deliveries::Delivery;

/// One note on its way to one contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The note.
    pub note_id: NoteId,
    /// The contact.
    pub contact_id: ContactId,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// How late it is, if it should have left an hour ago and still waits.
    pub late: Option<Lateness>,
    /// What the mail server said last, or what went wrong.
    pub last_reply: Option<LastReply>,
    /// The Message-ID (RFC 5322), in its angle brackets.
    #[schema(example = "<dlv_01h2xcejqtf2nbrexx3vqjhp41@mail.example>")]
    pub message_id: String,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// When the note was approved.
    pub created_at: Timestamp,
    /// When it last moved on.
    pub updated_at: Timestamp,
}

/// What a mail server said, or what went wrong before it could say anything.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LastReply {
    /// The reply code (RFC 5321); none if the server did not answer.
    pub code: Option<i32>,
    /// The enhanced status code (RFC 3463).
    pub enhanced_code: Option<String>,
    /// What the server wrote, or what went wrong.
    pub text: Option<String>,
}

impl LastReply {
    /// The reply, if there is anything in it.
    pub(in crate::app) fn of(
        code: Option<i32>,
        enhanced_code: Option<String>,
        text: Option<String>,
    ) -> Option<Self> {
        (code.is_some() || text.is_some()).then_some(Self { code, enhanced_code, text })
    }
}

impl DeliveryView {
    /// The delivery as it is at `now`.
    #[must_use]
    pub fn new(row: Delivery, now: Timestamp) -> Self {
        Self {
            id: row.id,
            note_id: row.note_id,
            contact_id: row.contact_id,
            state: row.state,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            late: Lateness::of(row.state, *row.due_at, *now),
            last_reply: LastReply::of(row.last_code, row.last_enhanced_code, row.last_text),
            message_id: format!("<{}>", row.message_id),
            sent_at: row.sent_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
