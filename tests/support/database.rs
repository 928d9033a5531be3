//! A database for each test, copied from one that was migrated once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use debrief::domain::clock::Clock;
use debrief::store::pool::{Location, StatementHook, Store, StoreOptions};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use tempfile::TempDir;

/// A database of a test's own; gone with it.
pub struct Database {
    location: Location,
    folder: Option<TempDir>,
    /// Where the database can be dropped from.
    server: Option<String>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Database {
    /// A fresh SQLite file.
    pub fn sqlite() -> Self {
        static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("debrief.sqlite3");
        let template = TEMPLATE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("template.sqlite3");
            let store = open(Location::Sqlite(path.clone()), Clock::system(), None);
            migrate(&store);
            drop(store);
            read_once_closed(&path)
        });
        std::fs::write(&path, template).unwrap();
        Self { location: Location::Sqlite(path), folder: Some(folder), server: None, seen: Arc::default() }
    }

    /// A fresh PostgreSQL database, where there is a server.
    pub fn postgres() -> Option<Self> {
        static TEMPLATE: Mutex<Option<String>> = Mutex::new(None);
        let Ok(server) = std::env::var("DEBRIEF_TEST_POSTGRES_URL") else {
            assert!(
                std::env::var_os("DEBRIEF_TEST_REQUIRE_POSTGRES").is_none(),
                "DEBRIEF_TEST_REQUIRE_POSTGRES is set, but DEBRIEF_TEST_POSTGRES_URL is not"
            );
            return None;
        };
        let mut admin = PgConnection::establish(&server).unwrap();
        // One at a time: a database cannot be copied while somebody else copies it.
        let mut template = TEMPLATE.lock().unwrap();
        let template = template.get_or_insert_with(|| {
            let name = unique_name("debrief_template");
            admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
            let store = open(Location::Postgres(with_database(&server, &name)), Clock::system(), None);
            migrate(&store);
            name
        });
        let name = unique_name("debrief_test");
        admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).unwrap();
        let location = Location::Postgres(with_database(&server, &name));
        Some(Self { location, folder: None, server: Some(server), seen: Arc::default() })
    }

    /// Opens it.
    pub fn open(&self, clock: Clock) -> Store {
        let seen = self.seen.clone();
        let hook: StatementHook = Arc::new(move |sql| seen.lock().unwrap().push(sql.to_owned()));
        open(self.location.clone(), clock, Some(hook))
    }

    /// Opens whatever is there, which may be nothing yet.
    pub fn open_at(location: Location, clock: Clock) -> Store {
        open(location, clock, None)
    }

    /// The texts of the statements that ran since this was asked last.
    pub fn take_statements(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// As a setting.
    pub fn url(&self) -> String {
        match &self.location {
            Location::Sqlite(path) => format!("sqlite://{}", path.display()),
            Location::Postgres(url) => url.clone(),
        }
    }

    /// What PostgreSQL calls it.
    pub fn name(&self) -> String {
        let url = self.url();
        url.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// A folder that goes with the database.
    pub fn folder(&mut self) -> PathBuf {
        self.folder.get_or_insert_with(|| tempfile::tempdir().unwrap()).path().to_path_buf()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            let name = self.name();
            let dropped = PgConnection::establish(server)
                .map(|mut admin| admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")));
            drop(dropped);
        }
    }
}

fn open(location: Location, clock: Clock, on_statement: Option<StatementHook>) -> Store {
    let acquire_timeout = Duration::from_secs(30);
    let options = StoreOptions {
        location,
        readers: 4,
        acquire_timeout,
        busy_timeout: acquire_timeout,
        full_sync: false,
        on_statement,
    };
    Store::open(&options, clock).unwrap()
}

fn migrate(store: &Store) {
    debrief::startup::migrate(store).unwrap();
}

/// The file of a database whose pools were dropped; they close on threads of their own.
fn read_once_closed(path: &std::path::Path) -> Vec<u8> {
    let wal = path.with_extension("sqlite3-wal");
    for _ in 0..500 {
        if !wal.exists() {
            return std::fs::read(path).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the template was not closed");
}

fn unique_name(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::from_bytes(rand::random()).simple())
}

/// The server's URL with another database.
fn with_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, None), |(base, query)| (base, Some(query)));
    let authority_end = base.find("://").map_or(0, |at| at + 3);
    let path = base[authority_end..].find('/').map_or(base.len(), |at| authority_end + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &base[..path])
}
