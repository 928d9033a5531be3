//! Tells what happens in one debrief, in the order in which it happens.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::companies::{ClientPlan, ContactPlan};
use super::dice::Dice;
use super::fate::Fate;
use super::plan::{Journey, Leg};
use super::texts::Gaps;
use super::world::World;
use crate::domain::actor::Actor;
use crate::domain::ids::{Id, Kind};
use crate::domain::timestamp::Timestamp;
use crate::store::bulk::Rows;
use crate::store::debriefs::Debrief;
use crate::store::events::NewEvent;
use crate::store::types::Json;

/// One debrief while it is told.
pub struct Telling<'a> {
    /// Where it takes place.
    pub world: &'a World,
    /// Where the rows go.
    pub rows: &'a mut Rows,
    /// Chance.
    pub dice: Dice,
    /// The candidate.
    pub journey: &'a Journey,
    /// The interview.
    pub leg: &'a Leg,
    /// The company.
    pub client: &'a ClientPlan,
    /// Who was there.
    pub panel: Vec<&'a ContactPlan>,
    /// How it stands in the end.
    pub fate: Fate,
    /// The debrief, as it now is.
    pub debrief: Debrief,
    /// Who acts.
    pub actor: Actor,
    /// The time.
    pub at: DateTime<Utc>,
    /// Up to when things can happen.
    pub until: DateTime<Utc>,
}

impl Telling<'_> {
    /// Lets some hours pass, and answers the time. As the end comes near the steps get shorter.
    pub fn pass(&mut self, from: i64, to: i64) -> Timestamp {
        let mut step = TimeDelta::seconds(self.dice.between(from * 3600, to * 3600))
            + TimeDelta::microseconds(self.dice.between(1_000_000, 60_000_000));
        if self.at + step >= self.until {
            step = ((self.until - self.at) / 3).max(TimeDelta::zero());
        }
        self.at += step;
        self.at.into()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.at.into()
    }

    /// Whole hours from now until the end of the demonstration.
    pub fn hours_left(&self) -> i64 {
        (self.world.plan.calendar.as_of() - self.at).num_hours()
    }

    /// What is written is the debrief's next version.
    pub fn touch(&mut self) {
        self.debrief.version += 1;
        self.debrief.updated_at = self.at.into();
    }

    /// A new id.
    pub fn id<K>(&mut self) -> Id<K> {
        self.dice.id(self.at)
    }

    /// Something happened to a record of the debrief: `data` is an object of ids, states and versions.
    pub fn happened<K: Kind>(&mut self, event: &str, record: Id<K>, reason: Option<&str>, data: Value) {
        self.happened_by(self.actor, event, record, reason, data);
    }

    /// The same, done by somebody else.
    pub fn happened_by<K: Kind>(
        &mut self,
        actor: Actor,
        event: &str,
        record: Id<K>,
        reason: Option<&str>,
        data: Value,
    ) {
        let mut data = data;
        if let Value::Object(fields) = &mut data {
            fields.insert("id".to_owned(), json!(record));
            fields.insert("debrief_id".to_owned(), json!(self.debrief.id));
        }
        let event = NewEvent {
            id: self.dice.id(self.at),
            agency_id: self.world.agency,
            event_type: event.to_owned(),
            record_id: record.cast(),
            debrief_id: Some(self.debrief.id),
            actor: Json(actor),
            reason: reason.map(str::to_owned),
            data: Json(data),
            occurred_at: self.at.into(),
        };
        self.rows.events.push(event);
    }
}

impl<'a> Telling<'a> {
    /// Who and what the texts speak of.
    pub fn gaps(&self, contact: &'a ContactPlan) -> Gaps<'a> {
        Gaps {
            client: &self.client.name,
            contact: &contact.person.name,
            candidate: &self.journey.person.name,
            title: self.client.jobs[self.leg.job].title,
        }
    }
}
