//! What is done in one transaction.

use std::ops::{Deref, DerefMut};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::query_dsl::methods::LoadQuery;
use diesel::sqlite::SqliteConnection;
use rand::Rng;
use tokio::sync::Notify;

use super::StoreError;
use crate::domain::clock::Clock;
use crate::domain::ids::Id;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::events::{self, NewEvent};
use crate::store::kept::Kept;
use crate::store::prepared::{Prepared, Wrote};

/// Begins a transaction on PostgreSQL whose commit waits for the disk although the server is set not
/// to. It goes out in one piece, and changes nothing where the commit waits already.
pub(super) const BEGIN_DURABLY: &str = "BEGIN; SELECT set_config('synchronous_commit', 'on', true) \
    WHERE current_setting('synchronous_commit') = 'off'";

/// A transaction that writes, with the time at which it happens.
pub struct Tx<'a> {
    conn: &'a mut DbConn,
    now: Timestamp,
    events: Vec<NewEvent>,
    kept: Kept,
    /// What is random in the last identifier.
    last_id: Option<u64>,
}

impl Tx<'_> {
    /// The time of everything that this transaction does.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Marks a row as changed now. Never before its last change: whoever waited for a locked row may
    /// have begun before the one who held it. On PostgreSQL a change can still become visible later than
    /// its time says, so who reads by `updated_since` asks with an overlap.
    pub fn touch(&self, updated_at: &mut Timestamp) {
        *updated_at = self.now.max(*updated_at);
    }

    /// Gives a row its next version, in memory. Answers the one that it had.
    pub fn renew(&self, version: &mut i64, updated_at: &mut Timestamp) -> i64 {
        self.touch(updated_at);
        *version += 1;
        *version - 1
    }

    /// Keeps an event until the work is done: all events of a transaction are written in one
    /// statement, in the order in which they happened, just before it is committed.
    pub fn happened(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Keeps a write to `rows` rows until the work is done, on PostgreSQL: nothing may read them before.
    pub(in crate::store) fn keep(&mut self, rows: usize, statement: impl QueryFragment<Pg> + 'static) {
        self.kept.add(rows, statement);
    }

    /// Writes one row once the work is done: nothing may read it before. If it is not there to be written, all is
    /// undone.
    pub fn write_at_end<S>(&mut self, statement: S) -> Result<(), StoreError>
    where
        S: QueryFragment<Pg> + 'static,
        Wrote<S>: for<'q> LoadQuery<'q, SqliteConnection, i32> + RunQueryDsl<SqliteConnection>,
    {
        let DbConn::Sqlite(conn) = self.conn else {
            self.keep(1, statement);
            return Ok(());
        };
        if Prepared(statement).execute(conn)? == 1 { Ok(()) } else { Err(StoreError::changed_while_held()) }
    }

    /// Does the writes that were kept.
    fn write_kept(&mut self) -> Result<(), StoreError> {
        let kept = std::mem::take(&mut self.kept);
        let DbConn::Postgres(conn) = self.conn else {
            debug_assert!(kept.is_empty(), "nothing is kept on SQLite");
            return Ok(());
        };
        if kept.write(conn)? { Ok(()) } else { Err(StoreError::changed_while_held()) }
    }

    /// Ends the work: what was kept is written, and the events. Answers whether anything happened.
    fn finish(mut self) -> Result<bool, StoreError> {
        let events = std::mem::take(&mut self.events);
        let happened = !events.is_empty();
        if self.kept.is_empty() {
            events::insert_all(self.conn, &events)?;
        } else if happened {
            self.keep(events.len(), events::insertion(events));
        }
        self.write_kept()?;
        Ok(happened)
    }

    /// Does a part of the work that stands as a whole, or not at all: if it fails, everything before it
    /// still stands, and the transaction can go on.
    pub fn attempt<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        type Savepoints = <DbConn as Connection>::TransactionManager;
        let happened = self.events.len();
        self.write_kept()?;
        Savepoints::begin_transaction(self.conn).map_err(StoreError::from)?;
        let done = work(self).and_then(|value| self.write_kept().map(|()| value).map_err(E::from));
        match done {
            Ok(value) => {
                Savepoints::commit_transaction(self.conn).map_err(StoreError::from)?;
                Ok(value)
            }
            Err(error) => {
                self.events.truncate(happened);
                self.kept = Kept::default();
                Savepoints::rollback_transaction(self.conn).map_err(StoreError::from)?;
                Err(error)
            }
        }
    }

    /// A new identifier. Those of one transaction have one time, and sort in the order in which they were made
    /// (RFC 9562, section 6.2, method 2).
    #[must_use]
    pub fn new_id<K>(&mut self) -> Id<K> {
        let mut dice = rand::rng();
        // An identifier has room for 62 bits; the first leaves some of it to the others.
        let tail = match self.last_id {
            Some(last) => last + 1 + u64::from(dice.random::<u32>()),
            None => dice.random::<u64>() >> 3,
        };
        self.last_id = Some(tail);
        let mut random = [0; 10];
        random[2..].copy_from_slice(&tail.to_be_bytes());
        Id::new(*self.now, random)
    }
}

impl Deref for Tx<'_> {
    type Target = DbConn;
    fn deref(&self) -> &DbConn {
        self.conn
    }
}
impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut DbConn {
        self.conn
    }
}

/// Writes in a transaction that begins like this on PostgreSQL. Once it is committed, `news` is rung if
/// anything happened.
pub(super) fn write<T, E>(
    conn: &mut DbConn,
    begin_postgres: &str,
    clock: &Clock,
    news: &Notify,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    let mut happened = false;
    let result = run(conn, begin_postgres, "BEGIN IMMEDIATE", |conn| {
        // The time is taken once the writer is ours: on SQLite it rises from write to write.
        let now: Timestamp = clock.now().into();
        let mut tx = Tx { conn, now, events: Vec::new(), kept: Kept::default(), last_id: None };
        let value = work(&mut tx)?;
        happened = tx.finish()?;
        Ok(value)
    });
    if happened && result.is_ok() {
        news.notify_one();
    }
    result
}

/// Writes durably on a connection that does not always wait for the disk.
pub(super) fn write_synced<T, E>(
    conn: &mut DbConn,
    clock: &Clock,
    news: &Notify,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    set_synchronous(conn, "FULL").map_err(StoreError::from)?;
    let result = write(conn, BEGIN_DURABLY, clock, news, work);
    if let Err(error) = set_synchronous(conn, "NORMAL") {
        tracing::warn!(%error, "SQLite goes on waiting for the disk");
    }
    result
}

/// SQLite takes this between transactions only.
fn set_synchronous(conn: &mut DbConn, mode: &str) -> QueryResult<()> {
    match conn {
        DbConn::Sqlite(c) => c.batch_execute(&format!("PRAGMA synchronous = {mode}")),
        DbConn::Postgres(_) => Ok(()),
    }
}

/// Does the work in a transaction, which is rolled back if it fails.
pub(super) fn run<T, E>(
    conn: &mut DbConn,
    begin_postgres: &str,
    begin_sqlite: &str,
    work: impl FnOnce(&mut DbConn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    type Either = <DbConn as Connection>::TransactionManager;
    match conn {
        DbConn::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, begin_postgres),
        DbConn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, begin_sqlite),
    }
    .map_err(StoreError::from)?;
    match work(conn) {
        Ok(value) => {
            Either::commit_transaction(conn).map_err(StoreError::from)?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one that tells; a failed rollback breaks the connection,
            // which the pool then throws away.
            if let Err(rollback) = Either::rollback_transaction(conn) {
                tracing::warn!(error = %rollback, "rollback failed");
            }
            Err(error)
        }
    }
}
