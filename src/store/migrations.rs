//! The migrations, compiled in, for each database its own.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::DbConn;
use super::lock_file;
use super::pool::Location;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The number of the lock that keeps two nodes from migrating at once on PostgreSQL.
const LOCK: i64 = 0x6465_6272_6965_6601;

/// A migration that failed; the message names it.
#[derive(Debug, thiserror::Error)]
#[error("the database could not be migrated: {0}")]
pub struct MigrationFailed(String);

/// Runs the migrations that have not run, and names them. Whoever comes while they run waits.
pub fn run(conn: &mut DbConn, location: &Location) -> Result<Vec<String>, MigrationFailed> {
    let failed = |e: &dyn std::fmt::Display| MigrationFailed(e.to_string());
    // A transaction of SQLite would do too, but whoever waits for one gives up after a while.
    let _held = match location {
        Location::Sqlite(path) => Some(hold(path).map_err(|e| failed(&e))?),
        Location::Postgres(_) => None,
    };
    expect_any_text(conn)?;
    hold_number(conn).map_err(|e| failed(&e))?;
    let ran = match conn {
        DbConn::Postgres(c) => {
            c.run_pending_migrations(POSTGRES).map(|v| v.iter().map(ToString::to_string).collect())
        }
        DbConn::Sqlite(c) => {
            c.run_pending_migrations(SQLITE).map(|v| v.iter().map(ToString::to_string).collect())
        }
    }
    .map_err(|e| failed(&e));
    let_go_of_number(conn).map_err(|e| failed(&e))?;
    ran
}

/// Fails on a database of PostgreSQL that cannot keep every text.
fn expect_any_text(conn: &mut DbConn) -> Result<(), MigrationFailed> {
    let DbConn::Postgres(conn) = conn else { return Ok(()) };
    let encoding =
        diesel::select(sql::<Text>("current_setting('server_encoding')")).get_result::<String>(conn);
    match encoding.map_err(|e| MigrationFailed(e.to_string()))?.as_str() {
        "UTF8" => Ok(()),
        other => Err(MigrationFailed(format!(
            "its encoding is {other}, which cannot hold every name: make it with CREATE DATABASE … ENCODING 'UTF8'"
        ))),
    }
}

/// The migrations that have not run.
pub fn pending(conn: &mut DbConn) -> Result<Vec<String>, MigrationFailed> {
    let applied = match conn {
        DbConn::Postgres(c) => c.applied_migrations(),
        DbConn::Sqlite(c) => c.applied_migrations(),
    }
    .map_err(|e| MigrationFailed(e.to_string()))?;
    let known: Vec<String> = match conn {
        DbConn::Postgres(_) => names::<Pg>(&POSTGRES)?,
        DbConn::Sqlite(_) => names::<Sqlite>(&SQLITE)?,
    };
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    // An applied version is the beginning of a migration's name, without its dashes.
    Ok(known
        .into_iter()
        .filter(|name| !applied.iter().any(|v| name.replace('-', "").starts_with(v)))
        .collect())
}

fn names<DB: diesel::backend::Backend>(
    migrations: &EmbeddedMigrations,
) -> Result<Vec<String>, MigrationFailed> {
    let all: Vec<Box<dyn Migration<DB>>> =
        MigrationSource::<DB>::migrations(migrations).map_err(|e| MigrationFailed(e.to_string()))?;
    Ok(all.iter().map(|migration| migration.name().to_string()).collect())
}

/// Until the file is dropped nobody else gets it.
fn hold(database: &Path) -> io::Result<File> {
    let file = lock_file::beside(database, "migrations")?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            tell_of_waiting();
            file.lock()?;
        }
        held => held?,
    }
    Ok(file)
}

fn hold_number(conn: &mut DbConn) -> QueryResult<()> {
    let DbConn::Postgres(conn) = conn else { return Ok(()) };
    let tried = sql::<Bool>("SELECT pg_try_advisory_lock(").bind::<BigInt, _>(LOCK).sql(")");
    if !tried.get_result::<bool>(conn)? {
        tell_of_waiting();
        diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(LOCK).execute(conn)?;
    }
    Ok(())
}

fn let_go_of_number(conn: &mut DbConn) -> QueryResult<()> {
    let DbConn::Postgres(conn) = conn else { return Ok(()) };
    diesel::sql_query("SELECT pg_advisory_unlock($1)").bind::<BigInt, _>(LOCK).execute(conn).map(drop)
}

fn tell_of_waiting() {
    tracing::warn!("another process holds the lock under which the database is migrated: waiting for it");
}
