//! The answers of requests that came with a key, for as long as they may come again.

use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable};

use super::connection::{Both, DbConn, Lock, Locked};
use super::prepared::Prepared;
use super::schema::idempotency_keys;
use super::types::Instant;
use crate::domain::timestamp::Timestamp;

/// The answer that a request got.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = idempotency_keys)]
pub struct KeptAnswer {
    /// Stands for the caller and the key.
    pub digest: Vec<u8>,
    /// Stands for the request.
    pub fingerprint: Vec<u8>,
    /// The answer, sealed.
    pub answer: Vec<u8>,
    /// When it was given.
    pub created_at: Timestamp,
}

/// What is found where a request with a key is about to be answered.
#[derive(Debug)]
pub enum Claim {
    /// It was answered before.
    Answered(KeptAnswer),
    /// Somebody is answering it just now.
    Taken,
    /// It is this transaction's until it ends.
    Free,
}

/// What PostgreSQL tells of a claim, in one statement. It may see the answers from just before the
/// lock was free; then [`keep`] finds out.
const CLAIM: &str = "SELECT claimed.free, kept.digest, kept.fingerprint, kept.answer, kept.created_at \
    FROM (SELECT pg_try_advisory_xact_lock($1) AS free) claimed LEFT JOIN \
    (SELECT * FROM idempotency_keys WHERE digest = ANY($2) AND created_at > $3 LIMIT 1) kept ON true";

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = Bool)]
    free: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    digest: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    fingerprint: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    answer: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Instant>)]
    created_at: Option<Timestamp>,
}

/// Claims a request until the transaction ends, or finds the answer that was given after `since`. Its
/// digest is any of `digests`, of which the first is the one that a new answer is kept under. Nobody
/// waits here: SQLite's one writer is the claim, and PostgreSQL has a lock that can be tried.
pub fn claim(conn: &mut DbConn, digests: &[Vec<u8>], since: Timestamp) -> QueryResult<Claim> {
    let (free, kept) = match conn {
        DbConn::Postgres(c) => {
            let query = diesel::sql_query(CLAIM)
                .bind::<BigInt, _>(lock_number(digests))
                .bind::<Array<Binary>, _>(digests)
                .bind::<Instant, _>(since);
            let found: Claimed = Prepared(query).get_result(c)?;
            (found.free, found.kept())
        }
        DbConn::Sqlite(c) => {
            let kept = idempotency_keys::table
                .filter(idempotency_keys::digest.eq_any(digests))
                .filter(idempotency_keys::created_at.gt(since))
                .select(KeptAnswer::as_select());
            (true, kept.first(c).optional()?)
        }
    };
    Ok(match kept {
        Some(kept) => Claim::Answered(kept),
        None if free => Claim::Free,
        None => Claim::Taken,
    })
}

impl Claimed {
    fn kept(self) -> Option<KeptAnswer> {
        Some(KeptAnswer {
            digest: self.digest?,
            fingerprint: self.fingerprint?,
            answer: self.answer?,
            created_at: self.created_at?,
        })
    }
}

/// The number of the lock: the beginning of a digest. Two requests that share one by chance are told
/// to come again.
fn lock_number(digests: &[Vec<u8>]) -> i64 {
    let first = digests.first().and_then(|digest| digest.first_chunk());
    first.copied().map_or(0, i64::from_be_bytes)
}

/// Keeps an answer, over one that was given by `until`. False if there is a later one: somebody
/// answered the same request meanwhile.
pub fn keep(conn: &mut DbConn, answer: &KeptAnswer, until: Timestamp) -> QueryResult<bool> {
    let insert = diesel::insert_into(idempotency_keys::table)
        .values(answer)
        .on_conflict(idempotency_keys::digest)
        .do_update()
        .set(answer);
    let insert = methods::FilterDsl::filter(insert, idempotency_keys::created_at.le(until));
    Prepared(Both(insert)).execute(conn).map(|rows| rows == 1)
}

/// Forgets at most `limit` answers that were given by `until`; says how many. What another node is
/// forgetting just now is left to it.
pub fn forget(conn: &mut DbConn, until: Timestamp, limit: i64) -> QueryResult<usize> {
    let old = idempotency_keys::table
        .filter(idempotency_keys::created_at.le(until))
        .order(idempotency_keys::created_at)
        .limit(limit)
        .select(idempotency_keys::digest);
    let digests: Vec<Vec<u8>> = Locked(old, Lock::SkipLocked).load(conn)?;
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::digest.eq_any(digests))).execute(conn)
}
