//! Pools of connections, and the transactions that run on them.
//!
//! SQLite has one writer and several readers that cannot write; PostgreSQL has one pool for both.
//! Everything here blocks: the callers of the web server run it on the threads for blocking work.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::{
    AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection, R2D2Connection};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sqlite::SqliteConnection;
use rand::Rng;

use super::connection::DbConn;
use super::events::{self, NewEvent};
use crate::domain::clock::Clock;
use crate::domain::ids::Id;
use crate::domain::timestamp::Timestamp;

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had in time, or the database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A row that must be the only one of its kind stands already; names the constraint.
    #[error("a unique constraint was violated: {0}")]
    Unique(String),
    /// Everything else.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                // SQLite gives no name of a constraint, but the message has its columns.
                Self::Unique(info.constraint_name().unwrap_or_else(|| info.message()).to_owned())
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            DieselError::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            other => Self::Database(other),
        }
    }
}

/// Which database, and how it is to be used.
#[derive(Clone)]
pub struct StoreOptions {
    /// Where it is.
    pub location: Location,
    /// Connections that read; on PostgreSQL the size of the whole pool.
    pub readers: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// SQLite: how long to wait while another process writes.
    pub busy_timeout: Duration,
    /// SQLite: whether each commit waits for the disk (`FULL`) or may be lost on power failure.
    pub full_sync: bool,
    /// Is given the text of every SQL statement, without what is bound to it.
    pub on_statement: Option<StatementHook>,
}

/// Is given the text of a statement before it runs.
pub type StatementHook = Arc<dyn Fn(&str) + Send + Sync>;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A connection URL or string as libpq takes it.
    Postgres(String),
}

/// The database behind its pools, with the clock that every transaction is given.
#[derive(Clone)]
pub struct Store {
    writers: Pool<Manager>,
    readers: Pool<Manager>,
    location: Location,
    clock: Clock,
    statements: Arc<AtomicU64>,
}

impl Store {
    /// Opens the database. It is not migrated here.
    pub fn open(options: &StoreOptions, clock: Clock) -> Result<Self, StoreError> {
        let statements = Arc::new(AtomicU64::new(0));
        let pool = |size: u32, access: Access| {
            let manager = Manager {
                location: options.location.clone(),
                access,
                busy_timeout: options.busy_timeout,
                full_sync: options.full_sync,
                statements: statements.clone(),
                on_statement: options.on_statement.clone(),
            };
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                // A ping on every use would cost a round trip each; see `Slot::suspect`.
                .test_on_check_out(false)
                .connection_timeout(options.acquire_timeout)
                .error_handler(Box::new(LogPoolErrors))
                .build(manager)
                .map_err(|e| StoreError::Unavailable(e.to_string()))
        };
        let (writers, readers) = match &options.location {
            // The writer comes first: it creates the file and turns on write-ahead logging.
            Location::Sqlite(_) => (pool(1, Access::Write)?, pool(options.readers, Access::Read)?),
            Location::Postgres(_) => {
                let pool = pool(options.readers, Access::Write)?;
                (pool.clone(), pool)
            }
        };
        Ok(Self { writers, readers, location: options.location.clone(), clock, statements })
    }

    /// Where the database is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The clock of this store's transactions.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many SQL statements were run so far, transaction control not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Reads with one statement, or with several that need not agree with each other.
    pub fn read<T, E>(&self, work: impl FnOnce(&mut DbConn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut slot = acquire(&self.readers)?;
        let result = work(&mut slot.conn);
        slot.suspect = result.is_err();
        result
    }

    /// Reads with several statements that all see the same state of the database.
    pub fn snapshot<T, E>(&self, work: impl FnOnce(&mut DbConn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut slot = acquire(&self.readers)?;
        let result = transaction(
            &mut slot.conn,
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "BEGIN DEFERRED",
            work,
        );
        slot.suspect = result.is_err();
        result
    }

    /// Works on a connection that may write, without a transaction: for migrations, which make
    /// their own.
    pub fn exclusive<T, E>(&self, work: impl FnOnce(&mut DbConn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut slot = acquire(&self.writers)?;
        let result = work(&mut slot.conn);
        slot.suspect = result.is_err();
        result
    }

    /// Writes in one transaction: all of it stands, or none of it.
    pub fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut slot = acquire(&self.writers)?;
        // The time is taken once the writer is ours: on SQLite it rises from write to write.
        let now: Timestamp = self.clock.now().into();
        let result = transaction(&mut slot.conn, "BEGIN", "BEGIN IMMEDIATE", |conn| {
            let mut tx = Tx { conn, now, events: Vec::new() };
            let value = work(&mut tx)?;
            events::insert_all(tx.conn, &tx.events).map_err(StoreError::from)?;
            Ok(value)
        });
        slot.suspect = result.is_err();
        result
    }
}

/// A transaction that writes, with the time at which it happens.
pub struct Tx<'a> {
    conn: &'a mut DbConn,
    now: Timestamp,
    events: Vec<NewEvent>,
}

impl Tx<'_> {
    /// The time of everything that this transaction does.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Keeps an event until the work is done: all events of a transaction are written in one
    /// statement, in the order in which they happened, just before it is committed.
    pub fn happened(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// A new identifier.
    #[must_use]
    pub fn new_id<K>(&mut self) -> Id<K> {
        Id::new(*self.now, rand::rng().random())
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

fn transaction<T, E>(
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

fn acquire(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>, StoreError> {
    pool.get().map_err(|e| StoreError::Unavailable(e.to_string()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// A pooled connection, and whether the last work on it failed.
struct Slot {
    conn: DbConn,
    /// After a failure the connection is pinged before it is used again, and only then.
    suspect: bool,
}

struct Manager {
    location: Location,
    access: Access,
    busy_timeout: Duration,
    full_sync: bool,
    statements: Arc<AtomicU64>,
    on_statement: Option<StatementHook>,
}

impl ManageConnection for Manager {
    type Connection = Slot;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Slot, Self::Error> {
        // Not through `DbConn::establish`, which hides why a connection failed.
        let mut conn = match &self.location {
            Location::Postgres(url) => {
                let mut conn = PgConnection::establish(url).map_err(Self::Error::ConnectionError)?;
                conn.batch_execute("SET TIME ZONE 'UTC'").map_err(Self::Error::QueryError)?;
                DbConn::Postgres(conn)
            }
            Location::Sqlite(path) => DbConn::Sqlite(self.connect_sqlite(path)?),
        };
        let statements = self.statements.clone();
        let on_statement = self.on_statement.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                statements.fetch_add(1, Ordering::Relaxed);
                if let Some(hook) = &on_statement {
                    let text = query.to_string();
                    hook(text.split(" -- binds:").next().unwrap_or_default());
                }
            }
            // Each of these is announced as a query too.
            InstrumentationEvent::BeginTransaction { .. }
            | InstrumentationEvent::CommitTransaction { .. }
            | InstrumentationEvent::RollbackTransaction { .. } => {
                statements.fetch_sub(1, Ordering::Relaxed);
            }
            _ => {}
        });
        Ok(Slot { conn, suspect: false })
    }

    fn is_valid(&self, slot: &mut Slot) -> Result<(), Self::Error> {
        slot.conn.ping().map_err(Self::Error::QueryError)
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        let suspect = std::mem::take(&mut slot.suspect);
        std::thread::panicking() || slot.conn.is_broken() || (suspect && slot.conn.ping().is_err())
    }
}

impl Manager {
    fn connect_sqlite(&self, path: &Path) -> Result<SqliteConnection, diesel::r2d2::Error> {
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())
            .map_err(diesel::r2d2::Error::ConnectionError)?;
        let busy = self.busy_timeout.as_millis();
        let synchronous = if self.full_sync { "FULL" } else { "NORMAL" };
        let mode = match self.access {
            Access::Write => "PRAGMA journal_mode = WAL;",
            Access::Read => "PRAGMA query_only = ON;",
        };
        // 16 MB of page cache for each connection, and the file mapped up to 1 GB.
        let pragmas = format!(
            "PRAGMA busy_timeout = {busy}; {mode} PRAGMA synchronous = {synchronous}; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; \
             PRAGMA mmap_size = 1073741824;"
        );
        conn.batch_execute(&pragmas).map_err(diesel::r2d2::Error::QueryError)?;
        Ok(conn)
    }
}

#[derive(Debug)]
struct LogPoolErrors;

impl<E: std::error::Error> r2d2::HandleError<E> for LogPoolErrors {
    fn handle_error(&self, error: E) {
        tracing::warn!(%error, "a database connection could not be made");
    }
}
