//! Builds the service from its settings, and runs it until it is told to stop.

mod jobs;
mod mail;
mod webhooks;

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::{Context as _, anyhow, bail};
use chrono::TimeDelta;
use utoipa::openapi::OpenApi;

use crate::api::arrival::{self, BodyTimeout};
use crate::api::contract::{self, Contract};
use crate::api::imports::FileLimit;
use crate::api::metrics::{self, Metrics};
use crate::api::openapi::{self, Document};
use crate::api::rate::{self, Limits, Policy};
use crate::api::{docs, encoded, head, request, routes};
use crate::app::Context;
use crate::app::idempotency_keys::Repeatable;
use crate::auth::keys::Keys;
use crate::auth::password::{Cost, Hasher};
use crate::auth::setup_token::SetupToken;
use crate::auth::token::{TokenSettings, Tokens};
use crate::config::{
    DatabaseUrl, MetricsListener, RateLimit, RateLimitSettings, Settings, SqliteSynchronous, with_time_limits,
};
use crate::domain::clock::Clock;
use crate::store::migrations;
use crate::store::pool::{Location, StatementHook, Store, StoreError, StoreOptions};

pub use jobs::{job_settings, start_jobs};
pub use mail::{build_resolver, build_transport};
pub use webhooks::build_client;

/// Opens the database that the settings name.
pub fn open_store(settings: &Settings, clock: Clock) -> anyhow::Result<Store> {
    let database = &settings.database;
    let (location, readers, place) = match settings.database_url()? {
        DatabaseUrl::Sqlite(path) => {
            if let Some(folder) = path.parent() {
                create_private(folder).context(settings.database_key())?;
            }
            let place = path.display().to_string();
            (Location::Sqlite(path), database.readers, place)
        }
        // The URL can hold a password.
        DatabaseUrl::Postgres(url) => {
            (Location::Postgres(with_time_limits(&url)), database.pool_size, "PostgreSQL".to_owned())
        }
    };
    let options = StoreOptions {
        location,
        readers: u32::from(readers),
        acquire_timeout: Duration::from_secs(u64::from(database.acquire_timeout_seconds)),
        busy_timeout: Duration::from_secs(u64::from(database.sqlite_busy_timeout_seconds)),
        full_sync: database.sqlite_synchronous == SqliteSynchronous::Full,
        on_statement: tracing::enabled!(target: "debrief::sql", tracing::Level::TRACE)
            .then(|| Arc::new(|sql: &str| tracing::trace!(target: "debrief::sql", sql)) as StatementHook),
    };
    let key = settings.database_key();
    Store::open(&options, clock).with_context(|| format!("{key}: {place} cannot be opened"))
}

/// Runs the migrations that have not run, and names them.
pub fn migrate(store: &Store) -> anyhow::Result<Vec<String>> {
    let ran = store.exclusive(|conn| Ok::<_, StoreError>(migrations::run(conn, store.location())))?;
    Ok(ran?)
}

/// What the use cases need, from the settings.
pub fn build_context(settings: &Settings, store: Store, setup_token: SetupToken) -> anyhow::Result<Context> {
    let auth = &settings.auth;
    let key_file = settings.signing_key_file();
    // A path that is mistyped, or not mounted yet, must not make this node sign with a key of its own.
    if auth.signing_key_file.as_os_str().is_empty() {
        if let Some(folder) = key_file.parent() {
            create_private(folder).context("server.data_dir")?;
        }
    } else if let Err(cause) = std::fs::metadata(&key_file) {
        let file = key_file.display();
        bail!("auth.signing_key_file: {file}: {cause}; `openssl genpkey -algorithm ed25519` makes a key");
    }
    let keys = Keys::load(&key_file, &auth.previous_key_files)
        .context("auth.signing_key_file, auth.previous_key_files")?;
    let token_settings = TokenSettings {
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        lifetime: TimeDelta::seconds(i64::from(auth.access_token_seconds)),
    };
    let cost = Cost {
        memory_kib: auth.argon2.memory_kib,
        iterations: auth.argon2.iterations,
        parallelism: auth.argon2.parallelism,
    };
    let repeatable = Arc::new(Repeatable::new(&keys));
    let tokens = Arc::new(Tokens::new(token_settings, keys));
    Ok(Context {
        store,
        tokens: tokens.clone(),
        hasher: Hasher::new(cost, usize::from(auth.hashing_threads))?,
        repeatable,
        mail: Arc::new(mail::policy(&settings.mail, tokens)?),
        relay_bell: Arc::default(),
        relay_paused: Arc::default(),
        webhooks: webhooks::policy(&settings.webhooks),
        refresh_lifetime: TimeDelta::days(i64::from(auth.refresh_token_days)),
        setup_token,
    })
}

/// Makes a folder that only its owner can enter, unless it is there.
fn create_private(folder: &std::path::Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// The document of every route.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = openapi::frame();
    routes::all(&mut document);
    openapi::complete(&mut document);
    document
}

/// What every route knows, and the document that tells of it.
fn described() -> anyhow::Result<(Contract, Document)> {
    // What is left of the building is several times the document. It is made on a thread of its own, and copied
    // from there: the heap of that thread goes back to the system only where nothing stays on it.
    let built = std::thread::spawn(|| document().to_json()).join();
    let built = built.map_err(|_| anyhow!("the document cannot be built"))??;
    let contract = Contract::of(&built)?.with_pages(&docs::PATHS);
    Ok((contract, Document(web::Bytes::copy_from_slice(built.as_bytes()))))
}

/// A server that is listening.
pub struct Running {
    /// Where the API is.
    pub address: SocketAddr,
    /// Where the metrics are, if they have a listener of their own.
    pub ops_address: Option<SocketAddr>,
    /// Ends when the server has stopped.
    pub server: Server,
    /// Ends when the metrics' server has stopped.
    pub ops_server: Option<Server>,
}

/// Binds the listeners and starts to serve. Port 0 takes a free one.
pub fn serve(settings: &Settings, context: Context) -> anyhow::Result<Running> {
    let server_settings = settings.server.clone();
    let listener = bind("server.host, server.port", &server_settings.host, server_settings.port)?;
    let address = listener.local_addr()?;
    let metrics = Metrics::new()?;
    let (contract, rendered) = described()?;
    let (contract, rendered) = (web::Data::new(contract), web::Data::new(rendered));
    let context = web::Data::new(context);
    let limits = web::Data::new(limits(settings));
    let public_metrics = server_settings.metrics == MetricsListener::Public;

    let (ops_address, ops_server) = if server_settings.metrics == MetricsListener::Ops {
        let (host, port) = (&server_settings.ops_host, server_settings.ops_port);
        let listener = bind("server.ops_host, server.ops_port", host, port)?;
        let address = listener.local_addr()?;
        let (metrics, context) = (web::Data::new(metrics.clone()), context.clone());
        let app = move || {
            let app = App::new().app_data(metrics.clone()).app_data(context.clone());
            app.wrap(from_fn(head::layer)).service(metrics::metrics)
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run();
        (Some(address), Some(server))
    } else {
        (None, None)
    };

    let body_limit = usize::try_from(server_settings.body_limit_bytes)?;
    let request_timeout = Duration::from_secs(u64::from(server_settings.request_timeout_seconds));
    let file_timeout = Duration::from_secs(u64::from(settings.imports.receive_timeout_seconds));
    let body_timeout = BodyTimeout { body: request_timeout, file: file_timeout };
    let file_limit = FileLimit(settings.imports.body_limit_bytes);
    let app_metrics = web::Data::new(metrics);
    let app = move || {
        let app = App::new()
            .app_data(app_metrics.clone())
            .app_data(context.clone())
            .app_data(rendered.clone())
            .app_data(contract.clone())
            .app_data(limits.clone())
            .app_data(web::PayloadConfig::new(body_limit))
            .app_data(web::Data::new(body_timeout))
            .app_data(web::Data::new(file_limit))
            .app_data(web::PathConfig::default().error_handler(routes::bad_path))
            .wrap(from_fn(contract::layer))
            .wrap(from_fn(rate::layer))
            .wrap(actix_web::middleware::Compress::default())
            .wrap(from_fn(encoded::layer))
            .wrap(from_fn(head::layer))
            .wrap(from_fn(request::layer))
            .wrap(from_fn(arrival::layer))
            .default_service(web::to(routes::no_route));
        let app = if public_metrics { app.service(metrics::metrics) } else { app };
        app.configure(routes::all).configure(routes::pages)
    };
    let mut server = HttpServer::new(app)
        .client_request_timeout(request_timeout)
        .keep_alive(Duration::from_secs(u64::from(server_settings.keep_alive_seconds)))
        .shutdown_timeout(u64::from(server_settings.shutdown_timeout_seconds))
        .disable_signals();
    if server_settings.workers > 0 {
        server = server.workers(usize::from(server_settings.workers));
    }
    Ok(Running { address, ops_address, server: server.listen(listener)?.run(), ops_server })
}

/// What each credential, each address, and in the name of each account anybody, may ask for.
fn limits(settings: &Settings) -> Limits {
    let policy = |name, limit: &RateLimit| Policy {
        name,
        requests: NonZeroU32::new(limit.requests),
        period: Duration::from_secs(u64::from(limit.seconds)),
    };
    let RateLimitSettings { credential, sign_in, account } = &settings.rate_limits;
    let proxies = settings.server.trusted_proxies.clone();
    let [credential, sign_in, account] =
        [policy("credential", credential), policy("sign-in", sign_in), policy("account", account)];
    Limits::new(credential, sign_in, account, proxies)
}

fn bind(keys: &str, host: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port)).with_context(|| format!("{keys}: cannot listen on {host}:{port}"))
}
