//! Thank-you notes on their way: a debrief to write them in, and a relay to a server of the test's.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::AppError;
use debrief::auth::caller::Caller as Principal;
use debrief::domain::actor::Actor;
use debrief::domain::delivery::Schedule;
use debrief::domain::ids::{DebriefId, UserId};
use debrief::domain::people::Role;
use debrief::jobs::{Relay, RelaySettings};
use debrief::mail::{SmtpRelay, SmtpServer, Transport};
use debrief::store::schema::events;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::caller::Answer;
use super::smtp_peer::SmtpPeer;
use super::{Caller, Scene, TestApp, id};

/// A recruiter with an open debrief.
pub struct Desk {
    pub ann: Caller,
    pub scene: Scene,
    pub interview: Value,
    pub debrief: String,
}

impl Desk {
    /// Holds an interview and opens the debrief.
    pub async fn set(app: &TestApp) -> Self {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let debrief = interview["debrief_id"].as_str().unwrap().to_owned();
        Self { ann, scene, interview, debrief }
    }

    /// Lets time pass; the recruiter signs in again.
    pub fn later(&mut self, app: &TestApp, by: TimeDelta) {
        app.clock.advance(by);
        let user: UserId = self.interview["recruiter_id"].as_str().unwrap().parse().unwrap();
        let role = Role::Recruiter;
        let ann = Principal {
            agency: app.agency(),
            actor: Actor::User(user),
            scopes: role.scopes(),
            role: Some(role),
        };
        let token = app.context.tokens.sign(&ann, app.clock.now(), rand::random()).unwrap();
        self.ann = self.ann.with_token(&token);
    }

    /// The body of a note to these contacts.
    pub fn text(&self, contacts: &[&String]) -> Value {
        json!({
            "contact_ids": contacts,
            "subject": "Danke für das Gespräch",
            "body": "Dear all,\n\nthank you for your time on Friday.\n\nTomás",
            "language": "en",
        })
    }

    /// A draft for these contacts.
    pub async fn draft(&self, contacts: &[&String]) -> Value {
        let path = format!("/v1/debriefs/{}/notes", self.debrief);
        self.ann.made(&path, self.text(contacts)).await
    }

    /// A note for these contacts that was approved.
    pub async fn approved(&self, contacts: &[&String]) -> Value {
        let note = self.draft(contacts).await;
        let note = self.act(&note, "submit", json!({})).await.expect(200);
        let approval = json!({"content_hash": note["content_hash"]});
        self.act(&note, "approve", approval).await.expect(200)
    }

    /// Takes a transition of a note as it was seen.
    pub async fn act(&self, note: &Value, transition: &str, body: Value) -> Answer {
        let path = format!("/v1/notes/{}/{transition}", id(note));
        self.ann.at(&note["version"]).post(&path, body).await
    }

    /// The note as it is now.
    pub async fn note(&self, note: &Value) -> Value {
        self.ann.get(&format!("/v1/notes/{}", id(note))).await.expect(200)
    }

    /// The states of a note's deliveries, in its order.
    pub async fn fates(&self, note: &Value) -> Vec<String> {
        let note = self.note(note).await;
        let deliveries = note["deliveries"].as_array().unwrap();
        deliveries.iter().map(|delivery| delivery["state"].as_str().unwrap().to_owned()).collect()
    }
}

/// What happened in a debrief, in order.
pub fn history(app: &TestApp, debrief: &str) -> Vec<String> {
    let debrief: DebriefId = debrief.parse().unwrap();
    let read = |conn: &mut debrief::store::connection::DbConn| -> Result<Vec<String>, AppError> {
        let rows = events::table.filter(events::debrief_id.eq(debrief)).order(events::seq);
        Ok(rows.select(events::event_type).load(conn)?)
    };
    app.context.store.read(read).unwrap()
}

/// How many things have happened. The feed shows them later, while somebody else's transaction is open.
pub fn happenings(app: &TestApp) -> i64 {
    let read = |conn: &mut debrief::store::connection::DbConn| -> Result<i64, AppError> {
        Ok(events::table.count().get_result(conn)?)
    };
    app.context.store.read(read).unwrap()
}

/// A relay to the peer: leases of a minute, no jitter, at most four at once.
pub fn relay(app: &TestApp, peer: &SmtpPeer) -> Relay {
    relay_with(app, peer, relay_settings())
}

/// A relay to the peer.
pub fn relay_with(app: &TestApp, peer: &SmtpPeer, settings: RelaySettings) -> Relay {
    let server = SmtpServer::plain(peer.address.ip().to_string(), peer.address.port(), "debrief.example");
    let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
    Relay::new(app.context.clone(), transport, settings)
}

/// Settings under which nothing is left to chance.
pub fn relay_settings() -> RelaySettings {
    RelaySettings {
        workers: 4,
        conversations: 4,
        per_destination: 4,
        per_minute: 0,
        slowed_for: (Duration::from_secs(3600), Duration::from_secs(3600)),
        poll_every: Duration::from_secs(60),
        lease: Duration::from_secs(60),
        renew_every: Duration::from_secs(15),
        sweep_every: Duration::from_secs(15),
        schedule: Schedule { jitter: 0.0, ..Schedule::default() },
        first_pause: Duration::from_secs(3600),
        longest_pause: Duration::from_secs(3600),
    }
}
