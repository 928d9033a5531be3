//! How connections are made, and when they are no longer good.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::sqlite::SqliteConnection;

use super::{Location, StatementHook};
use crate::store::connection::DbConn;

/// A node that freezes in the middle of a transaction would keep its locks, and everybody waiting who comes to
/// the same rows, until it goes on. No transaction here rests for longer than a moment, so after 15 seconds
/// PostgreSQL ends it. A limit that the server sets, for all or for this database or role, stays.
///
/// What is locked is read after it is locked, which takes the isolation that PostgreSQL has of itself, whatever
/// this database or role would have.
const SET_UP_POSTGRES: &str = "SET TIME ZONE 'UTC'; \
    SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off; \
    SELECT set_config('idle_in_transaction_session_timeout', '15s', false) \
    WHERE current_setting('idle_in_transaction_session_timeout') = '0'";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A pooled connection, and what is known of how good it is.
pub(super) struct Slot {
    pub(super) conn: DbConn,
    /// After a failure the connection is pinged before it goes back, and only then.
    pub(super) suspect: bool,
    /// When it was last known to be good, counted in breaks: where one connection breaks, most
    /// likely the server has gone, and each of the others is pinged before it is used again.
    epoch: u64,
}

/// Makes the connections of one pool.
pub(super) struct Manager {
    pub(super) location: Location,
    pub(super) access: Access,
    pub(super) busy_timeout: Duration,
    pub(super) full_sync: bool,
    pub(super) statements: Arc<AtomicU64>,
    pub(super) on_statement: Option<StatementHook>,
    pub(super) epoch: AtomicU64,
}

impl ManageConnection for Manager {
    type Connection = Slot;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Slot, Self::Error> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        // Not through `DbConn::establish`, which hides why a connection failed.
        let mut conn = match &self.location {
            Location::Postgres(url) => {
                let mut conn = PgConnection::establish(url).map_err(Self::Error::ConnectionError)?;
                conn.batch_execute(SET_UP_POSTGRES).map_err(Self::Error::QueryError)?;
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
        Ok(Slot { conn, suspect: false, epoch })
    }

    fn is_valid(&self, slot: &mut Slot) -> Result<(), Self::Error> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        if slot.epoch != epoch {
            slot.conn.ping().map_err(Self::Error::QueryError)?;
            slot.epoch = epoch;
        }
        Ok(())
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        let suspect = std::mem::take(&mut slot.suspect);
        if std::thread::panicking() {
            return true;
        }
        let broken = slot.conn.is_broken() || (suspect && slot.conn.ping().is_err());
        if broken {
            // Those that break for the same reason begin no epoch of their own.
            let next = slot.epoch + 1;
            let _ = self.epoch.compare_exchange(slot.epoch, next, Ordering::SeqCst, Ordering::SeqCst);
        }
        broken
    }
}

impl Manager {
    fn connect_sqlite(&self, path: &Path) -> Result<SqliteConnection, diesel::r2d2::Error> {
        if self.access == Access::Write {
            // SQLite would let everybody on the machine read a new file, and gives those beside it the same mode. What
            // keeps it from being made is told by SQLite. One that is there must not be opened: to close it again
            // would give up the locks that this process has on it (POSIX.1-2017, fcntl), and whoever comes next would
            // take it for nobody's, and throw away the log that we write.
            let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        }
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())
            .map_err(diesel::r2d2::Error::ConnectionError)?;
        let busy = self.busy_timeout.as_millis();
        let synchronous = if self.full_sync { "FULL" } else { "NORMAL" };
        let mode = match self.access {
            Access::Write => "PRAGMA journal_mode = WAL;",
            Access::Read => "PRAGMA query_only = ON;",
        };
        // 16 MB of page cache for each connection.
        let pragmas = format!(
            "PRAGMA busy_timeout = {busy}; {mode} PRAGMA synchronous = {synchronous}; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;"
        );
        conn.batch_execute(&pragmas).map_err(diesel::r2d2::Error::QueryError)?;
        Ok(conn)
    }
}

/// Tells the log why a connection could not be made, or was given up: once a second while it goes on.
#[derive(Debug, Default)]
pub(super) struct LogPoolErrors {
    told: Mutex<Option<Instant>>,
}

impl<E: std::error::Error> r2d2::HandleError<E> for LogPoolErrors {
    fn handle_error(&self, error: E) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| told.elapsed() < Duration::from_secs(1)) {
            return;
        }
        *told = Some(Instant::now());
        let error = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        tracing::warn!(error, "a database connection is not to be had");
    }
}
