//! What happened, written down in the transaction in which it happens: the history of a debrief,
//! and the change feed.

use serde_json::{Value, json};

use crate::auth::caller::Caller;
use crate::domain::event;
use crate::domain::ids::{AnyRecordId, DebriefId, Id, Kind};
use crate::store::events::NewEvent;
use crate::store::pool::Tx;
use crate::store::types::Json;

/// Something that is about to be written down.
pub struct Happening<'a> {
    event_type: &'a str,
    record: AnyRecordId,
    debrief: Option<DebriefId>,
    reason: Option<&'a str>,
    data: Value,
}

impl<'a> Happening<'a> {
    /// Something that happened to one record: `event_type` is "noun.past_participle".
    pub fn to<K: Kind>(event_type: &'a str, record: Id<K>) -> Self {
        Self { event_type, record: record.cast(), debrief: None, reason: None, data: json!({ "id": record }) }
    }

    /// It belongs to the history of a debrief.
    #[must_use]
    pub fn of(mut self, debrief: DebriefId) -> Self {
        self.debrief = Some(debrief);
        self.with("debrief_id", debrief)
    }

    /// Why it was done, in somebody's words.
    #[must_use]
    pub fn because(mut self, reason: Option<&'a str>) -> Self {
        self.reason = reason;
        self
    }

    /// One more thing to know of it: an id, a state, a version; never anybody's words.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl serde::Serialize) -> Self {
        if let Value::Object(data) = &mut self.data {
            data.insert(key.to_owned(), json!(value));
        }
        self
    }

    /// Writes it down, with whatever else happens in the transaction, at its end.
    pub fn record(self, tx: &mut Tx<'_>, caller: &Caller) {
        debug_assert!(event::TYPES.contains(&self.event_type), "{} is no type of event", self.event_type);
        let event = NewEvent {
            id: tx.new_id(),
            agency_id: caller.agency,
            event_type: self.event_type.to_owned(),
            record_id: self.record,
            debrief_id: self.debrief,
            actor: Json(caller.actor),
            reason: self.reason.map(str::to_owned),
            data: Json(self.data),
            occurred_at: tx.now(),
        };
        tx.happened(event);
    }
}
