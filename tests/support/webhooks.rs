//! Endpoints of webhooks, and the sender to them.

use std::time::Duration;

use chrono::TimeDelta;
use debrief::app::Context;
use debrief::domain::people::Role;
use debrief::jobs::{Sender, SenderSettings};
use debrief::outbound::{Client, ClientSettings};
use serde_json::{Value, json};

use super::receiver::{Hook, Receiver};
use super::{Caller, Database, TestApp, id};

/// A service whose webhooks may go to this machine, with an endpoint of the test's.
pub struct Hooks {
    pub app: TestApp,
    pub admin: Caller,
    pub receiver: Receiver,
    pub sender: Sender,
    /// The endpoint as it was made, with its secret. It takes `client.created` and nothing else.
    pub endpoint: Value,
}

impl Hooks {
    /// Sets it all up.
    pub async fn set(database: Database, receiver: Receiver) -> Self {
        let app =
            TestApp::start_with(database, |settings| settings.webhooks.allow_private_addresses = true).await;
        let admin = app.admin().await;
        let endpoint = made(&admin, &receiver).await;
        let sender = sender(&app.context);
        Self { app, admin, receiver, sender, endpoint }
    }

    /// The endpoint's path.
    pub fn path(&self) -> String {
        format!("/v1/webhook-endpoints/{}", id(&self.endpoint))
    }

    /// The endpoint as it is now.
    pub async fn shown(&self) -> Value {
        self.admin.get(&self.path()).await.expect(200)
    }

    /// The endpoint's deliveries, newest first.
    pub async fn log(&self) -> Vec<Value> {
        let page = self.admin.get(&format!("{}/deliveries", self.path())).await.expect(200);
        page["data"].as_array().unwrap().clone()
    }

    /// Makes a client, and sends what happened until the receiver has been told. On PostgreSQL that
    /// takes as long as transactions of other tests are under way.
    pub async fn client(&self) -> Value {
        let client = self.admin.made("/v1/clients", json!({"name": "Nordwind"})).await;
        while !self.receiver.hooks().iter().any(|hook| hook.json()["data"]["id"] == client["id"]) {
            self.sender.run_once().await.unwrap();
            actix_web::rt::time::sleep(Duration::from_millis(5)).await;
        }
        client
    }

    /// Lets time pass, signs in again, and sends what is due.
    pub async fn later(&mut self, by: TimeDelta) {
        self.app.clock.advance(by);
        self.admin = self.app.user(Role::Admin).await;
        self.sender.run_once().await.unwrap();
    }

    /// The only request that has come.
    pub fn only(&self) -> Hook {
        let hooks = self.receiver.hooks();
        assert_eq!(hooks.len(), 1, "{hooks:?}");
        hooks[0].clone()
    }
}

/// An endpoint at the receiver, which takes `client.created` and nothing else.
pub async fn made(admin: &Caller, receiver: &Receiver) -> Value {
    let new = json!({"url": receiver.url(), "event_types": ["client.created"]});
    admin.made("/v1/webhook-endpoints", new).await
}

/// A sender that gives up on a receiver soon.
pub fn sender(context: &Context) -> Sender {
    sender_with(context, Duration::from_secs(1))
}

/// A sender that gives up on a receiver after a time.
pub fn sender_with(context: &Context, timeout: Duration) -> Sender {
    let client = Client::new(ClientSettings { allow_private_addresses: true, timeout }).unwrap();
    Sender::new(context.clone(), client, sender_settings())
}

/// Settings for tests: it is looked often.
pub fn sender_settings() -> SenderSettings {
    SenderSettings { workers: 8, per_endpoint: 2, poll_every: Duration::from_millis(50) }
}

/// The same on both databases with a receiver.
macro_rules! with_hooks {
    ($($(#[$meta:meta])* async fn $name:ident($($hooks:ident)+, [$($reaction:expr),*]) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name(database: $crate::support::Database) {
            let receiver = $crate::support::receiver::Receiver::start([$($reaction),*]).await;
            let $($hooks)+ = $crate::support::webhooks::Hooks::set(database, receiver).await;
            $body
        }

        mod $name {
            $crate::support::both!(|database| {
                super::$name(database).await;
            });
        }
    )+};
}
pub(crate) use with_hooks;
