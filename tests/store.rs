//! What the store promises when the database is set otherwise, is busy, or goes away.

use std::sync::Barrier;
use std::time::Duration;

use debrief::domain::actor::Actor;
use debrief::domain::clock::Clock;
use debrief::domain::ids::AgencyId;
use debrief::startup;
use debrief::store::agencies as agency_rows;
use debrief::store::connection::DbConn;
use debrief::store::events::{self, NewEvent};
use debrief::store::pool::{Location, Store, StoreError, Tx};
use debrief::store::schema::agencies;
use debrief::store::types::Json;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::support::{Database, TestApp};

/// As many as the connections of a test's store.
const CONNECTIONS: usize = 4;

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

/// How safely the present transaction is committed.
fn durability(conn: &mut DbConn) -> Result<String, StoreError> {
    let setting: Setting = match conn {
        DbConn::Postgres(c) => {
            diesel::sql_query("SELECT current_setting('synchronous_commit') AS value").get_result(c)?
        }
        DbConn::Sqlite(c) => {
            diesel::sql_query("SELECT CAST(synchronous AS TEXT) AS value FROM pragma_synchronous")
                .get_result(c)?
        }
    };
    Ok(setting.value)
}

fn assert_durable_when_asked(store: &Store, usual: &str, durable: &str) {
    for _ in 0..2 {
        assert_eq!(store.write(|tx| durability(tx)).unwrap(), usual);
        assert_eq!(store.write_durably(|tx| durability(tx)).unwrap(), durable);
        let failed = store.write_durably(|_| Err::<(), _>(StoreError::Unavailable("on purpose".into())));
        assert!(failed.is_err());
    }
}

#[test]
fn a_durable_write_waits_for_the_disk_on_sqlite() {
    assert_durable_when_asked(&Database::sqlite().open(Clock::system()), "1", "2");
}

#[test]
fn a_durable_write_waits_for_the_disk_on_postgres() {
    for (set, durable) in [("off", "on"), ("local", "local")] {
        let Some(database) = Database::postgres() else { return };
        execute(&database, &format!("ALTER DATABASE {} SET synchronous_commit = {set}", database.name()));
        assert_durable_when_asked(&database.open(Clock::system()), set, durable);
    }
}

#[test]
fn a_durable_write_costs_no_statement_where_every_write_is_durable() {
    let Some(database) = Database::postgres() else { return };
    let store = database.open(Clock::system());
    let before = store.statements();
    store.write_durably(|_| Ok::<_, StoreError>(())).unwrap();
    assert_eq!(store.statements(), before);
}

/// What is written in every request is planned once on a connection, and not each time.
#[actix_web::test]
async fn what_is_often_written_stays_prepared() {
    let Some(database) = Database::postgres() else { return };
    let app = TestApp::start(database).await;
    let store = app.database().open(app.clock.clone());
    let kept = store.write(|tx| {
        let agency = agency_rows::find(tx, app.agency())?.unwrap();
        let event = NewEvent {
            id: tx.new_id(),
            agency_id: agency.id,
            event_type: "agency.updated".to_owned(),
            record_id: agency.id.cast(),
            debrief_id: None,
            actor: Json(Actor::System),
            reason: None,
            data: Json(serde_json::json!({})),
            occurred_at: tx.now(),
        };
        assert!(agency_rows::update(tx, &agency, agency.version)?);
        assert!(!agency_rows::update(tx, &agency, agency.version + 1)?);
        events::insert_all(tx, &[event])?;
        let kept = "SELECT string_agg(split_part(statement, ' ', 1), ' ' ORDER BY statement) AS value \
                    FROM pg_prepared_statements";
        let DbConn::Postgres(conn) = &mut **tx else { return Ok(String::new()) };
        Ok::<_, StoreError>(diesel::sql_query(kept).get_result::<Setting>(conn)?.value)
    });
    assert_eq!(kept.unwrap(), "INSERT SELECT UPDATE");
}

/// What is written at the end is written as a whole, or not at all.
#[actix_web::test]
async fn a_row_that_changed_while_it_was_held_undoes_everything() {
    for database in [Some(Database::sqlite()), Database::postgres()].into_iter().flatten() {
        let app = TestApp::start(database).await;
        let store = app.database().open(app.clock.clone());
        let rename = |tx: &mut Tx<'_>, name: &str, version: i64| {
            let present =
                agencies::table.filter(agencies::id.eq(app.agency())).filter(agencies::version.eq(version));
            tx.write_at_end(diesel::update(present).set(agencies::name.eq(name.to_owned())))
        };
        let name = || store.read(|conn| agency(conn, app.agency())).unwrap();
        store.write(|tx| rename(tx, "First", 1)).unwrap();
        let lost = store.write(|tx| {
            rename(tx, "Second", 1)?;
            tx.attempt(|tx| rename(tx, "Third", 2)).unwrap_err();
            rename(tx, "Fourth", 2)
        });
        assert!(matches!(lost, Err(StoreError::Busy(_))), "{lost:?}");
        assert_eq!(name(), "First");
        let part = store.write(|tx| {
            rename(tx, "Fifth", 1)?;
            Ok::<_, StoreError>(tx.attempt(|tx| rename(tx, "Sixth", 2)).is_err())
        });
        assert!(part.unwrap());
        assert_eq!(name(), "Fifth");
    }
}

fn agency(conn: &mut DbConn, id: AgencyId) -> Result<String, StoreError> {
    Ok(agencies::table.filter(agencies::id.eq(id)).select(agencies::name).get_result(conn)?)
}

#[test]
fn who_gives_way_in_a_deadlock_is_told_so() {
    let Some(database) = Database::postgres() else { return };
    execute(&database, "CREATE TABLE rows (id int PRIMARY KEY); INSERT INTO rows VALUES (1), (2)");
    let store = database.open(Clock::system());
    let both_hold = Barrier::new(2);
    let cross = |first: i32, second: i32| {
        store.write(|tx| {
            take(tx, first)?;
            both_hold.wait();
            take(tx, second)
        })
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| cross(1, 2));
        (cross(2, 1), other.join().unwrap())
    });
    let lost = one.err().xor(two.err()).unwrap();
    assert!(matches!(lost, StoreError::Busy(_)), "{lost}");
}

#[test]
fn a_server_that_was_away_costs_one_failure_and_not_one_for_each_connection() {
    let Some(database) = Database::postgres() else { return };
    let store = database.open(Clock::system());
    let at_once = Barrier::new(CONNECTIONS);
    let on_every_connection = || {
        std::thread::scope(|scope| {
            let read = || {
                store.read(|conn| {
                    at_once.wait();
                    ping(conn)
                })
            };
            let reads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(read)).collect();
            reads.into_iter().filter_map(|read| read.join().unwrap().err()).count()
        })
    };
    assert_eq!(on_every_connection(), 0);
    execute(
        &database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let failure = store.read(ping).unwrap_err();
    assert!(matches!(failure, StoreError::Unavailable(_)), "{failure:?}");
    assert_eq!(on_every_connection(), 0);
}

#[actix_web::test]
async fn a_url_with_parameters_is_opened_with_time_limits_beside_them() {
    let Some(database) = Database::postgres() else { return };
    let mut app = TestApp::start(database).await;
    let and = if app.settings.database.url.contains('?') { '&' } else { '?' };
    app.settings.database.url += &format!("{and}application_name=limited");
    let store = startup::open_store(&app.settings, Clock::system()).unwrap();
    assert_eq!(setting(&store, "application_name"), "limited");
}

/// What is read after a lock must be what was committed before it.
#[test]
fn what_the_database_would_have_of_isolation_is_not_asked() {
    let Some(database) = Database::postgres() else { return };
    for (name, value) in
        [("default_transaction_isolation", "serializable"), ("default_transaction_read_only", "on")]
    {
        execute(&database, &format!("ALTER DATABASE {} SET {name} = '{value}'", database.name()));
    }
    let store = database.open(Clock::system());
    assert_eq!(setting(&store, "transaction_isolation"), "read committed");
    assert_eq!(setting(&store, "transaction_read_only"), "off");
}

/// Whoever else is on the machine reads no names.
#[test]
fn a_new_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("debrief.sqlite3");
    let store = Database::open_at(Location::Sqlite(path.clone()), Clock::system());
    startup::migrate(&store).unwrap();
    for name in ["debrief.sqlite3", "debrief.sqlite3-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// POSIX gives up all locks that a process has on a file when it closes any descriptor of it. Without them whoever
/// opens the file next takes it for nobody's, and throws away the log that is being written.
#[test]
fn a_new_connection_gives_up_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("debrief.sqlite3");
    let store = Database::open_at(Location::Sqlite(path.clone()), Clock::system());
    startup::migrate(&store).unwrap();
    let locks = || {
        let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&path).unwrap()).to_string();
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        all.lines().filter(|line| line.contains(&format!(":{inode} "))).count()
    };
    store.read(ping).unwrap();
    let before = locks();
    assert!(before > 0);
    // As when the pool renews its writer.
    let another = Database::open_at(Location::Sqlite(path.clone()), Clock::system());
    assert!(locks() >= before, "{} of {before} are left", locks());
    drop(another);
}

/// A node that freezes in the middle of a transaction does not keep the others waiting for ever.
#[test]
fn a_transaction_that_rests_is_ended() {
    const LIMIT: &str = "idle_in_transaction_session_timeout";
    let Some(database) = Database::postgres() else { return };
    assert_eq!(setting(&database.open(Clock::system()), LIMIT), "15s");
    execute(&database, &format!("ALTER DATABASE {} SET {LIMIT} = '20ms'", database.name()));
    let store = database.open(Clock::system());
    assert_eq!(setting(&store, LIMIT), "20ms", "what is set for the database stays");
    let frozen = store.write(|tx| {
        ping(tx)?;
        std::thread::sleep(Duration::from_millis(200));
        ping(tx)
    });
    assert!(matches!(frozen, Err(StoreError::Unavailable(_))), "{frozen:?}");
    store.write(|tx| ping(tx)).unwrap();
}

/// What a connection of the store is set to.
fn setting(store: &Store, name: &str) -> String {
    let found = store.read(|conn| {
        let setting = format!("SELECT current_setting('{name}') AS value");
        let DbConn::Postgres(conn) = conn else { return Ok(String::new()) };
        Ok::<_, StoreError>(diesel::sql_query(setting).get_result::<Setting>(conn)?.value)
    });
    found.unwrap()
}

fn take(conn: &mut DbConn, id: i32) -> Result<(), StoreError> {
    let row = format!("SELECT id::bigint FROM rows WHERE id = {id} FOR UPDATE");
    match conn {
        DbConn::Postgres(c) => diesel::sql_query(row).execute(c)?,
        DbConn::Sqlite(_) => 0,
    };
    Ok(())
}

fn ping(conn: &mut DbConn) -> Result<(), StoreError> {
    diesel::select(1_i64.into_sql::<BigInt>()).execute(conn)?;
    Ok(())
}

/// Runs this beside the store.
fn execute(database: &Database, sql: &str) {
    PgConnection::establish(&database.url()).unwrap().batch_execute(sql).unwrap();
}
