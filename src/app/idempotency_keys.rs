//! Requests that may be sent again: the first answer is kept with the work that it tells of, and
//! whoever repeats the request gets it once more.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AppError;
use super::error::ConflictCode;
use crate::auth::keys::Keys;
use crate::auth::vault::Vault;
use crate::domain::idempotency_key::IdempotencyKey;
use crate::domain::timestamp::Timestamp;
use crate::store::idempotency_keys::{self as store, Claim, KeptAnswer};
use crate::store::pool::Tx;

/// How long an answer is kept.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// What this process knows of requests with keys.
pub struct Repeatable {
    /// One for each signing key: answers outlive the key that they were sealed by.
    vaults: Vec<Vault>,
    /// The requests that are being answered here.
    under_way: Mutex<HashSet<Vec<u8>>>,
}

/// A request as it is told from others.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Who sent it: what is the same in every request of one caller and in no other's.
    pub caller: &'a [&'a [u8]],
    /// What the caller calls it.
    pub key: &'a IdempotencyKey,
    /// What it asks for: the same if it is sent again.
    pub content: &'a [&'a [u8]],
}

/// A request that is being answered. Until it is dropped, the same one is refused in this process.
pub struct Attempt {
    repeatable: Arc<Repeatable>,
    /// By each vault, in their order.
    marks: Vec<Marks>,
}

struct Marks {
    digest: Vec<u8>,
    fingerprint: Vec<u8>,
}

/// What came of a request.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It was answered now.
    Answered(T),
    /// It was answered before, like this.
    Replayed(T),
}

impl Repeatable {
    /// Nothing is under way yet.
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        let vaults = keys.secrets().iter().map(|secret| Vault::new(secret, "idempotency keys"));
        Self { vaults: vaults.collect(), under_way: Mutex::default() }
    }

    /// Begins to answer a request.
    ///
    /// # Errors
    /// A conflict if the same one is being answered in this process.
    pub fn begin(self: &Arc<Self>, told: Told<'_>) -> Result<Attempt, AppError> {
        let marks = |vault: &Vault| Marks {
            digest: vault.mark(&[&vault.mark(told.caller), told.key.as_str().as_bytes()]),
            fingerprint: vault.mark(told.content),
        };
        let marks: Vec<Marks> = self.vaults.iter().map(marks).collect();
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if !marks.first().is_some_and(|first| under_way.insert(first.digest.clone())) {
            return Err(in_flight());
        }
        drop(under_way);
        Ok(Attempt { repeatable: self.clone(), marks })
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut under_way = self.repeatable.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = self.marks.first() {
            under_way.remove(&first.digest);
        }
    }
}

impl Attempt {
    /// Does the work and keeps its answer, in one transaction; or finds the answer that was kept, and
    /// does nothing. Work without an answer to keep may be done again.
    ///
    /// # Errors
    /// Whatever the work fails with, and then nothing is kept. A conflict if the same request is being
    /// answered elsewhere; [`AppError::KeyReused`] if the key stands for another request.
    pub fn finish<T: Serialize + DeserializeOwned>(
        &self,
        tx: &mut Tx<'_>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Option<T>, AppError>,
    ) -> Result<Option<Outcome<T>>, AppError> {
        let digests: Vec<Vec<u8>> = self.marks.iter().map(|marks| marks.digest.clone()).collect();
        let limit = last_forgotten(tx);
        match store::claim(tx, &digests, limit)? {
            Claim::Answered(kept) => return self.replay(&kept).map(|answer| Some(Outcome::Replayed(answer))),
            Claim::Taken => return Err(in_flight()),
            Claim::Free => {}
        }
        let Some(answer) = work(tx)? else { return Ok(None) };
        let kept = self.seal(&answer, tx.now())?;
        if store::keep(tx, &kept, limit)? { Ok(Some(Outcome::Answered(answer))) } else { Err(in_flight()) }
    }

    fn seal<T: Serialize>(&self, answer: &T, now: Timestamp) -> Result<KeptAnswer, AppError> {
        let (vault, marks) = self.keyed().next().ok_or_else(|| unreadable(&"there is no key"))?;
        let content = serde_json::to_vec(answer).map_err(|e| unreadable(&e))?;
        let answer = vault.seal(&marks.place(), content).map_err(|e| unreadable(&e))?;
        let Marks { digest, fingerprint } = marks;
        Ok(KeptAnswer { digest: digest.clone(), fingerprint: fingerprint.clone(), answer, created_at: now })
    }

    fn replay<T: DeserializeOwned>(&self, kept: &KeptAnswer) -> Result<T, AppError> {
        let found = self.keyed().find(|(_, marks)| marks.digest == kept.digest);
        let (vault, marks) = found.ok_or_else(|| unreadable(&"the digest is nobody's"))?;
        if marks.fingerprint != kept.fingerprint {
            return Err(AppError::KeyReused);
        }
        let content = vault.open(&marks.place(), &kept.answer).map_err(|e| unreadable(&e))?;
        serde_json::from_slice(&content).map_err(|e| unreadable(&e))
    }

    fn keyed(&self) -> impl Iterator<Item = (&Vault, &Marks)> {
        self.repeatable.vaults.iter().zip(&self.marks)
    }
}

impl Marks {
    /// Where an answer is sealed for: in another row, or for another request, it does not open.
    fn place(&self) -> Vec<u8> {
        [self.digest.as_slice(), &self.fingerprint].concat()
    }
}

/// Forgets at most `limit` answers that were kept long enough; says how many.
pub fn forget(tx: &mut Tx<'_>, limit: i64) -> Result<usize, AppError> {
    let until = last_forgotten(tx);
    Ok(store::forget(tx, until, limit)?)
}

/// What was answered by then counts as never answered, whether or not it is still there.
fn last_forgotten(tx: &Tx<'_>) -> Timestamp {
    tx.now().checked_sub_signed(KEPT_FOR).map_or_else(|| tx.now(), Timestamp::from)
}

fn in_flight() -> AppError {
    AppError::conflict(ConflictCode::KeyInFlight, "the first request with this key has no answer yet")
}

fn unreadable(cause: &dyn std::fmt::Display) -> AppError {
    AppError::Internal(format!("an answer cannot be kept or read: {cause}"))
}
