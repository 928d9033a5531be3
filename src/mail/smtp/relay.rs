//! The connections to one server: a few at a time, used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lettre::Address;
use tokio::sync::Semaphore;

use super::connection::Connection;
use super::content::frame;
use super::server::{Prepared, SetupError, SmtpServer};
use crate::domain::delivery::{Reply, ReplyClass};
use crate::mail::{Letter, Outcome, Step};

/// Hands messages to one server.
pub struct SmtpRelay {
    to: Prepared,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl SmtpRelay {
    /// A relay to `server`; nothing is connected yet.
    pub fn new(server: SmtpServer) -> Result<Self, SetupError> {
        let turns = Semaphore::new(server.max_connections.max(1));
        Ok(Self { to: Prepared::new(server)?, turns, idle: Mutex::default() })
    }

    /// The server, as `host:port`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.to.server.host, self.to.server.port)
    }

    /// Hands over one message, when one of the connections is free.
    ///
    /// `commit_point` is called when the server is ready for the content, at most once. It must
    /// make durable that from here on the message may arrive, and return whether it still should.
    /// A caller that drops the returned future after that has to take the outcome for unknown.
    pub async fn relay<F, C>(&self, letter: &Letter, commit_point: C) -> Outcome
    where
        C: FnOnce() -> F,
        F: Future<Output = bool>,
    {
        let (sender, recipient, content) = match read(letter) {
            Ok(read) => read,
            Err(fault) => return Outcome::Unsendable(fault),
        };
        let Ok(_turn) = self.turns.acquire().await else {
            return Outcome::Lost { step: Step::Connect, error: "shutting down".into() };
        };
        let mut connection = match self.begin(&sender, &recipient, letter).await {
            Ok(connection) => connection,
            Err(outcome) => return outcome,
        };
        let outcome = connection.finish(&recipient, &content, commit_point).await;
        self.put_back(connection);
        outcome
    }

    /// Starts a transaction, on a connection that is open already if there is one. Servers close
    /// those when they please, so what goes wrong at this step is no failed attempt yet.
    async fn begin(
        &self,
        sender: &Address,
        recipient: &Address,
        letter: &Letter,
    ) -> Result<Connection, Outcome> {
        if let Some(mut used) = self.take_idle().await {
            match used.begin(sender, recipient, letter.envelope_id(), letter.needs_utf8()).await {
                Ok(()) => return Ok(used),
                // A no at the first word may have been said before it, to the connection and not to us.
                Err(Outcome::Refused { step: Step::Mail, reply }) if is_for_good(&reply) => {}
                Err(outcome) if used.is_intact() => {
                    self.put_back(used);
                    return Err(outcome);
                }
                // Whatever ended this one has most likely ended the others too.
                Err(_) => self.idle().clear(),
            }
        }
        let mut fresh = Connection::open(&self.to).await?;
        match fresh.begin(sender, recipient, letter.envelope_id(), letter.needs_utf8()).await {
            Ok(()) => Ok(fresh),
            Err(outcome) => {
                self.put_back(fresh);
                Err(outcome)
            }
        }
    }

    async fn take_idle(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle().pop()?;
            if !connection.is_awaited().await {
                continue;
            }
            if self.is_reusable(&connection) {
                return Some(connection);
            }
            connection.quit().await;
        }
    }

    fn put_back(&self, connection: Connection) {
        if connection.is_intact() {
            self.idle().push(connection);
        }
    }

    /// Ends the idle connections politely.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            connection.quit().await;
        }
    }

    fn is_reusable(&self, connection: &Connection) -> bool {
        connection.may_carry_on(self.to.server.max_messages, self.to.server.max_age)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_for_good(reply: &Reply) -> bool {
    matches!(reply.class(), ReplyClass::Permanent { .. })
}

/// The addresses and the framed content, or why no server can be given this letter.
fn read(letter: &Letter) -> Result<(Address, Address, String), String> {
    let address = |text: &str| text.parse::<Address>().map_err(|error| format!("{text:?}: {error}"));
    let envelope = &letter.envelope;
    Ok((address(&envelope.sender)?, address(&envelope.recipient)?, frame(&letter.bytes)?))
}
