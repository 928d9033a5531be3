//! A running service.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use debrief::app::agencies::NewAgency;
use debrief::app::api_clients::ApiClientInput;
use debrief::app::users::NewUser;
use debrief::app::{Context, agencies, api_clients, users};
use debrief::auth::caller::{Actor, Caller as Principal};
use debrief::auth::setup_token::SetupToken;
use debrief::config::Settings;
use debrief::domain::clock::Clock;
use debrief::domain::ids::{AgencyId, UserId};
use debrief::domain::people::{Role, Scope, Scopes};
use debrief::startup;
use debrief::store::connection::DbConn;
use debrief::store::pool::{Location, StoreError};
use diesel::connection::SimpleConnection;
use serde_json::json;
use tokio::net::TcpStream;

use super::{Caller, Database};

/// A running service with a database and a clock of its own, and one agency.
pub struct TestApp {
    pub context: Context,
    /// Stands at 2026-11-20T12:00:00Z, a Friday, until it is moved.
    pub clock: Clock,
    pub settings: Settings,
    /// The token that a server prints while it has no agency.
    pub setup_token: String,
    agency: AgencyId,
    base: String,
    handle: actix_web::dev::ServerHandle,
    // Dropped last.
    database: Database,
}

/// What a mail server of the tests hands mail on with.
pub const INBOUND_KEY: &str = "a key of a mail server";

impl TestApp {
    /// Starts a service on a database, with one agency.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, |_| {}).await
    }

    /// Starts a service on a database, with one agency and with other settings.
    pub async fn start_with(database: Database, adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut app = Self::start_adjusted(database, adjust).await;
        app.agency = make_agency(&app.context).await;
        app
    }

    /// Starts a service on a database, without an agency.
    pub async fn start_empty(database: Database) -> Self {
        Self::start_adjusted(database, |_| {}).await
    }

    async fn start_adjusted(mut database: Database, adjust: impl FnOnce(&mut Settings)) -> Self {
        let clock = Clock::manual(DateTime::from_timestamp(1_795_176_000, 0).unwrap());
        let mut settings = Settings::load_from(None, std::iter::empty()).unwrap();
        settings.server.port = 0;
        settings.server.workers = 1;
        settings.server.metrics = debrief::config::MetricsListener::Public;
        settings.server.data_dir = database.folder();
        settings.database.url = database.url();
        settings.auth.argon2.memory_kib = 64;
        settings.auth.argon2.iterations = 1;
        settings.mail.inbound.key_file = database.folder().join("inbound-key");
        std::fs::write(&settings.mail.inbound.key_file, INBOUND_KEY).unwrap();
        adjust(&mut settings);
        let (setup_token, printed) = SetupToken::generate();
        let context = startup::build_context(&settings, database.open(clock.clone()), setup_token).unwrap();
        let running = startup::serve(&settings, context.clone()).unwrap();
        let handle = running.server.handle();
        actix_web::rt::spawn(running.server);
        let base = format!("http://{}", running.address);
        let agency = AgencyId::from_uuid(uuid::Uuid::nil());
        Self { context, clock, settings, setup_token: printed, agency, base, handle, database }
    }

    /// A connection to the service, to write a request on byte by byte.
    pub async fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(self.base.trim_start_matches("http://")).await
    }

    /// Stops the service as a signal does: what is under way may end. Ends when it has.
    pub fn stop(&self) -> impl Future<Output = ()> + use<> {
        self.handle.stop(true)
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> Caller {
        Caller::new(self.base.clone(), None)
    }

    /// A mail server that hands on what comes back.
    pub fn mail_server(&self) -> Caller {
        Caller::new(self.base.clone(), Some(INBOUND_KEY.to_owned()))
    }

    /// Where a delivery bounces to.
    pub fn bounce_address(&self, delivery: &str) -> String {
        let tag = self.context.tokens.keys().tags().tag(delivery.as_bytes());
        format!("b.{delivery}.{tag}@bounces.example")
    }

    /// A new user of this role at the agency.
    pub async fn user(&self, role: Role) -> Caller {
        self.user_of(self.agency, role).await
    }

    /// A recruiter of the agency.
    pub async fn recruiter(&self) -> Caller {
        self.user(Role::Recruiter).await
    }

    /// An administrator of the agency.
    pub async fn admin(&self) -> Caller {
        self.user(Role::Admin).await
    }

    /// A user of this role at another agency, which is made for it.
    pub async fn stranger(&self, role: Role) -> Caller {
        let agency = make_agency(&self.context).await;
        self.user_of(agency, role).await
    }

    /// The agency's id.
    pub fn agency(&self) -> AgencyId {
        self.agency
    }

    async fn user_of(&self, agency: AgencyId, role: Role) -> Caller {
        let new =
            NewUser { name: format!("Test {role}"), email: unique_email(), role, password: String::new() };
        let system = Principal::system(agency);
        let make =
            move |tx: &mut debrief::store::pool::Tx<'_>| users::create(tx, &system, &new, "!".to_owned());
        let user = self.context.store.write(make).unwrap();
        let principal =
            Principal { agency, actor: Actor::User(user.id), scopes: role.scopes(), role: Some(role) };
        self.holder(&principal, self.clock.now())
    }

    /// An integration of the agency whose token has one scope.
    pub async fn integration(&self, scope: Scope) -> Caller {
        let new = json!({"name": format!("Test {scope}"), "scopes": [scope]});
        let new: ApiClientInput = serde_json::from_value(new).unwrap();
        let system = Principal::system(self.agency);
        let make = move |tx: &mut debrief::store::pool::Tx<'_>| api_clients::create(tx, &system, new);
        let made = self.context.store.write(make).unwrap();
        let actor = Actor::ApiClient(made.client.id);
        let scopes = Scopes::from_iter([scope]);
        self.holder(&Principal { agency: self.agency, actor, scopes, role: None }, self.clock.now())
    }

    /// An administrator of the agency whose token ended a minute ago.
    pub async fn late(&self) -> Caller {
        let actor = Actor::User(UserId::from_uuid(uuid::Uuid::nil()));
        let role = Role::Admin;
        let principal = Principal { agency: self.agency, actor, scopes: role.scopes(), role: Some(role) };
        let lifetime = TimeDelta::seconds(i64::from(self.settings.auth.access_token_seconds));
        self.holder(&principal, self.clock.now() - lifetime - TimeDelta::minutes(1))
    }

    fn holder(&self, principal: &Principal, signed_at: DateTime<Utc>) -> Caller {
        let token = self.context.tokens.sign(principal, signed_at, rand::random()).unwrap();
        Caller::new(self.base.clone(), Some(token))
    }

    /// The database that the service uses.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Runs a script in the service's database, in the words of either.
    pub fn script(&self, sqlite: &str, postgres: &str) {
        let work = |conn: &mut DbConn| match conn {
            DbConn::Sqlite(conn) => Ok::<_, StoreError>(conn.batch_execute(sqlite)?),
            DbConn::Postgres(conn) => Ok(conn.batch_execute(postgres)?),
        };
        self.context.store.exclusive(work).unwrap();
    }

    /// The number for the database that this runs on.
    pub fn on(&self, sqlite: u64, postgres: u64) -> u64 {
        if matches!(self.context.store.location(), Location::Sqlite(_)) { sqlite } else { postgres }
    }

    /// How many SQL statements `work` takes.
    pub async fn statements<T>(&self, work: impl Future<Output = T>) -> (u64, T) {
        let before = self.context.store.statements();
        let result = work.await;
        (self.context.store.statements() - before, result)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn make_agency(context: &Context) -> AgencyId {
    let new = NewAgency {
        agency_name: "Hanse Personal".to_owned(),
        name: "Ada Admin".to_owned(),
        email: unique_email(),
        password: String::new(),
    };
    context.store.write(move |tx| agencies::create(tx, new, "!".to_owned())).unwrap().0.id
}

fn unique_email() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("user{}@agency.example", NEXT.fetch_add(1, Ordering::Relaxed))
}
