//! What every use case may need, and the way onto the threads for blocking work.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use tokio::sync::Notify;

use super::idempotency_keys::Repeatable;
use super::letters::MailPolicy;
use super::sign_in::Session;
use super::webhook_endpoints::WebhookPolicy;
use crate::auth::password::Hasher;
use crate::auth::setup_token::SetupToken;
use crate::auth::token::Tokens;
use crate::store::connection::DbConn;
use crate::store::pool::{Store, Tx};

use super::AppError;

/// What every use case may need; cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The database.
    pub store: Store,
    /// Signs and verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Answers requests once that are sent more than once.
    pub repeatable: Arc<Repeatable>,
    /// How mail presents itself.
    pub mail: Arc<MailPolicy>,
    /// Wakes the relay of this process when there may be something to send.
    pub relay_bell: Arc<Notify>,
    /// Whether the mail server does not let the relay of this process in, so that it pauses.
    pub relay_paused: Arc<AtomicBool>,
    /// Where webhooks may go.
    pub webhooks: WebhookPolicy,
    /// How long a refresh token is good.
    pub refresh_lifetime: TimeDelta,
    /// Lets somebody make the first agency.
    pub setup_token: SetupToken,
}

impl Context {
    /// What hands out token pairs.
    #[must_use]
    pub fn session(&self) -> Session {
        Session { tokens: self.tokens.clone(), refresh_lifetime: self.refresh_lifetime }
    }

    /// One transaction that writes.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.blocking(|store| store.write(work)).await
    }

    /// The same, durable whatever the settings say.
    pub async fn write_durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.blocking(|store| store.write_durably(work)).await
    }

    /// One statement that reads, or several that need not agree.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.blocking(|store| store.read(work)).await
    }

    /// Several statements that see the same state of the database.
    pub async fn snapshot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.blocking(|store| store.snapshot(work)).await
    }

    /// Several statements that tell themselves when they saw different states of the database, with none.
    pub async fn glimpse<T: Send + 'static>(
        &self,
        work: impl Fn(&mut DbConn) -> Result<Option<T>, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.blocking(|store| store.glimpse(work)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .map_err(|e| AppError::Internal(format!("a use case stopped half-way: {e}")))?
    }
}
