//! Pools of connections, and the transactions that run on them.
//!
//! SQLite has one writer and several readers that cannot write; PostgreSQL has one pool for both.
//! Everything here blocks: the callers of the web server run it on the threads for blocking work.

mod connect;
mod transaction;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{ManageConnection as _, Pool, PooledConnection};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::sync::Notify;

use super::connection::DbConn;
use crate::domain::clock::Clock;
use connect::{Access, LogPoolErrors, Manager};

pub use transaction::Tx;

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had in time, the database cannot be reached, or it has no room left.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// A row that must be the only one of its kind stands already; names the constraint.
    #[error("a unique constraint was violated: {0}")]
    Unique(String),
    /// Others were at work on the same rows, and one had to give way. It may be tried again.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// Everything else.
    #[error(transparent)]
    Database(DieselError),
}

/// Writes what is there already, and takes it back. To begin is not enough: of a file that can only be read SQLite
/// makes a transaction that reads.
const TRY_TO_WRITE: &str = "BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK";

/// How many threads open connections.
const OPENERS: usize = 3;

/// What the databases say when somebody has to give way and the kind of error does not tell it
/// (PostgreSQL's 40P01, 55P03 and 57014; SQLite's `SQLITE_BUSY`).
const GIVING_WAY: [&str; 4] = [
    "deadlock detected",
    "canceling statement due to lock timeout",
    "canceling statement due to statement timeout",
    "database is locked",
];

/// What they say when there is no room left (PostgreSQL's 53100 tells which file; SQLite's `SQLITE_FULL`).
const FULL: [&str; 2] = ["No space left on device", "database or disk is full"];

impl StoreError {
    /// A row that a transaction holds is not as it was read.
    #[must_use]
    pub fn changed_while_held() -> Self {
        Self::Busy("a row was changed while it was held".to_owned())
    }
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
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, info) => {
                Self::Busy(info.message().to_owned())
            }
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if GIVING_WAY.contains(&info.message()) =>
            {
                Self::Busy(info.message().to_owned())
            }
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if FULL.iter().any(|words| info.message().contains(words)) =>
            {
                Self::Unavailable(info.message().to_owned())
            }
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
    full_sync: bool,
    clock: Clock,
    statements: Arc<AtomicU64>,
    news: Arc<Notify>,
}

impl Store {
    /// Opens the database. It is not migrated here.
    pub fn open(options: &StoreOptions, clock: Clock) -> Result<Self, StoreError> {
        let statements = Arc::new(AtomicU64::new(0));
        // Both pools open their connections on the same threads.
        let openers = ScheduledThreadPool::builder().num_threads(OPENERS).thread_name_pattern("opener-{}");
        let openers = Arc::new(openers.build());
        let pool = |size: u32, access: Access| {
            let manager = Manager {
                location: options.location.clone(),
                access,
                busy_timeout: options.busy_timeout,
                full_sync: options.full_sync,
                statements: statements.clone(),
                on_statement: options.on_statement.clone(),
                epoch: AtomicU64::default(),
            };
            if matches!((&options.location, access), (Location::Sqlite(_), Access::Write)) {
                // A file is there at once or not at all: the pool would try it again and again.
                let mut slot = manager.connect().map_err(|e| StoreError::Unavailable(e.to_string()))?;
                // One that cannot be written is opened all the same, to be read. Where somebody else writes, it can.
                match slot.conn.batch_execute(TRY_TO_WRITE).map_err(StoreError::from) {
                    Ok(()) | Err(StoreError::Busy(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .thread_pool(openers.clone())
                // It costs nothing while all is well: see `Slot::epoch`.
                .test_on_check_out(true)
                .connection_timeout(options.acquire_timeout)
                .error_handler(Box::new(LogPoolErrors::default()))
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
        let location = options.location.clone();
        let news = Arc::default();
        Ok(Self { writers, readers, location, full_sync: options.full_sync, clock, statements, news })
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

    /// Is rung when something happened that is told to other systems, in this process.
    #[must_use]
    pub fn news(&self) -> &Notify {
        &self.news
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
        let result = transaction::run(
            &mut slot.conn,
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "BEGIN DEFERRED",
            work,
        );
        slot.suspect = result.is_err();
        result
    }

    /// Reads with several statements that tell themselves when they did not see the same state of the
    /// database, with none: then they run once more, as a [`snapshot`](Self::snapshot). It saves the two
    /// round trips of a transaction, which is worth the trouble where much is read.
    pub fn glimpse<T, E>(&self, work: impl Fn(&mut DbConn) -> Result<Option<T>, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        if let Some(value) = self.read(&work)? {
            return Ok(value);
        }
        self.snapshot(work)?.ok_or_else(|| StoreError::Busy("it changes while it is read".to_owned()).into())
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
        let result = transaction::write(&mut slot.conn, "BEGIN", &self.clock, &self.news, work);
        slot.suspect = result.is_err();
        result
    }

    /// Writes in one transaction that survives a power cut once this returns, even where the
    /// settings or the server let others go without.
    pub fn write_durably<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut slot = acquire(&self.writers)?;
        let result = if self.full_sync {
            transaction::write(&mut slot.conn, transaction::BEGIN_DURABLY, &self.clock, &self.news, work)
        } else {
            transaction::write_synced(&mut slot.conn, &self.clock, &self.news, work)
        };
        slot.suspect = result.is_err();
        result
    }
}

fn acquire(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>, StoreError> {
    pool.get().map_err(|e| StoreError::Unavailable(e.to_string()))
}
