//! What the migrations make is what the code believes, on both databases.

use std::collections::BTreeMap;

use debrief::domain::clock::Clock;
use debrief::store::connection::DbConn;
use debrief::store::migrations;
use debrief::store::pool::{Location, StoreError};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::support::Database;

/// A table's columns, each with its type and whether it may be null.
type Tables = BTreeMap<String, Vec<(String, String, bool)>>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

const SQLITE: &str = "SELECT m.name AS \"table\", c.name AS name, c.type AS kind, \
    c.\"notnull\" = 0 AND c.pk = 0 AS nullable FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '__diesel%' ORDER BY 1, c.cid";
const POSTGRES: &str = "SELECT table_name::text AS \"table\", column_name::text AS name, udt_name::text AS kind, \
    is_nullable = 'YES' AS nullable FROM information_schema.columns \
    WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%' ORDER BY 1, ordinal_position";

fn tables(database: &Database) -> Tables {
    let store = database.open(Clock::system());
    let columns: Vec<Column> = store
        .read(|conn| {
            Ok::<_, StoreError>(match conn {
                DbConn::Postgres(c) => diesel::sql_query(POSTGRES).load(c)?,
                DbConn::Sqlite(c) => diesel::sql_query(SQLITE).load(c)?,
            })
        })
        .unwrap();
    let mut tables = Tables::new();
    for column in columns {
        tables.entry(column.table).or_default().push((
            column.name,
            column.kind.to_lowercase(),
            column.nullable,
        ));
    }
    tables
}

/// The tables as `schema.rs` has them, with each type as the database calls it.
fn believed(types: &[(&str, &str)]) -> Tables {
    let schema = include_str!("../src/store/schema.rs");
    let mut tables = Tables::new();
    let mut table = String::new();
    let mut sql_name = None;
    for line in schema.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            sql_name = Some(name.trim_end_matches("\"]").to_owned());
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let nullable = kind.starts_with("Nullable<");
            let kind = kind.trim_start_matches("Nullable<").trim_end_matches('>');
            let Some((_, kind)) = types.iter().find(|(ours, _)| *ours == kind) else { continue };
            let name = sql_name.take().unwrap_or_else(|| name.to_owned());
            tables.entry(table.clone()).or_default().push((name, (*kind).to_owned(), nullable));
        } else if line.ends_with(") {") {
            table = line.split(' ').next().unwrap_or_default().to_owned();
        }
    }
    tables
}

#[test]
fn the_schema_is_what_sqlite_has() {
    let types = [
        ("Uuid", "blob"),
        ("Text", "text"),
        ("Instant", "integer"),
        ("Document", "text"),
        ("Bool", "integer"),
        ("BigInt", "integer"),
        ("Integer", "integer"),
        ("Binary", "blob"),
    ];
    assert_eq!(tables(&Database::sqlite()), believed(&types));
}

#[test]
fn the_schema_is_what_postgres_has() {
    let types = [
        ("Uuid", "uuid"),
        ("Text", "text"),
        ("Instant", "timestamptz"),
        ("Document", "jsonb"),
        ("Bool", "bool"),
        ("BigInt", "int8"),
        ("Integer", "int4"),
        ("Binary", "bytea"),
    ];
    if let Some(database) = Database::postgres() {
        assert_eq!(tables(&database), believed(&types));
    }
}

#[test]
fn nothing_is_pending_after_a_migration_and_a_second_one_does_nothing() {
    for database in [Some(Database::sqlite()), Database::postgres()].into_iter().flatten() {
        let store = database.open(Clock::system());
        let pending = store.read(|conn| Ok::<_, StoreError>(migrations::pending(conn))).unwrap().unwrap();
        assert!(pending.is_empty(), "{pending:?}");
        assert!(debrief::startup::migrate(&store).unwrap().is_empty());
    }
}

#[test]
fn several_that_start_at_once_on_a_new_file_migrate_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.sqlite3");
    let start = || {
        let store = Database::open_at(Location::Sqlite(path.clone()), Clock::system());
        debrief::startup::migrate(&store).unwrap().len()
    };
    let ran: Vec<usize> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..6).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(ran.iter().filter(|ran| **ran > 0).count(), 1, "{ran:?}");
}

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
}

fn indexes(database: &Database) -> Vec<String> {
    let sqlite =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%' ORDER BY 1";
    // Those of keys are named by PostgreSQL, and have no name of ours on SQLite.
    let postgres = "SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = 'public' \
        AND indexname !~ '(_pkey|_key)$' ORDER BY 1";
    let store = database.open(Clock::system());
    let found: Vec<Index> = store
        .read(|conn| {
            Ok::<_, StoreError>(match conn {
                DbConn::Postgres(c) => diesel::sql_query(postgres).load(c)?,
                DbConn::Sqlite(c) => diesel::sql_query(sqlite).load(c)?,
            })
        })
        .unwrap();
    found.into_iter().map(|index| index.name).collect()
}

#[test]
fn both_databases_have_the_same_indexes() {
    let sqlite = indexes(&Database::sqlite());
    assert!(sqlite.contains(&"debriefs_by_client".to_owned()), "{sqlite:?}");
    if let Some(database) = Database::postgres() {
        assert_eq!(indexes(&database), sqlite);
    }
}

#[test]
fn every_migration_can_be_undone_and_done_again() {
    let of = |folder: &str| FileBasedMigrations::from_path(format!("migrations/{folder}")).unwrap();
    for database in [Some(Database::sqlite()), Database::postgres()].into_iter().flatten() {
        let before = (tables(&database), indexes(&database));
        let store = database.open(Clock::system());
        store
            .exclusive(|conn| {
                match conn {
                    DbConn::Postgres(c) => {
                        c.revert_all_migrations(of("postgres")).unwrap();
                        c.run_pending_migrations(of("postgres")).unwrap();
                    }
                    DbConn::Sqlite(c) => {
                        c.revert_all_migrations(of("sqlite")).unwrap();
                        c.run_pending_migrations(of("sqlite")).unwrap();
                    }
                }
                Ok::<_, StoreError>(())
            })
            .unwrap();
        assert_eq!((tables(&database), indexes(&database)), before);
    }
}

#[test]
fn a_database_that_cannot_keep_every_name_is_not_begun_with() {
    let Some(database) = Database::postgres() else { return };
    let latin = format!("{}_latin", database.name());
    let execute = |sql: &str| PgConnection::establish(&database.url()).unwrap().batch_execute(sql).unwrap();
    execute(&format!(
        "CREATE DATABASE {latin} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let url = database.url().replace(&database.name(), &latin);
    let store = Database::open_at(Location::Postgres(url), Clock::system());
    let refused = debrief::startup::migrate(&store).unwrap_err().to_string();
    drop(store);
    execute(&format!("DROP DATABASE {latin} WITH (FORCE)"));
    assert!(refused.contains("LATIN1") && refused.contains("UTF8"), "{refused}");
}

/// Of two with the same number diesel would run one, and say nothing.
#[test]
fn no_two_migrations_have_the_same_number() {
    for database in ["postgres", "sqlite"] {
        let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        let names =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut numbers: Vec<String> = names.map(|name| name.split('_').next().unwrap().to_owned()).collect();
        numbers.sort_unstable();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{database}: {numbers:?}");
    }
}
