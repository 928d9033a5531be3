//! `debrief serve` and `debrief worker`: run until told to stop, and say in a few plain lines
//! what is used and where.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::print;
use crate::app::Context;
use crate::auth::setup_token::SetupToken;
use crate::config::{MailTransport, Settings};
use crate::domain::clock::Clock;
use crate::startup;
use crate::store::agencies;
use crate::store::pool::{Location, StoreError};

/// Serves the API; relays notes beside it unless that is left to a worker.
pub fn serve(settings: &Settings, with_worker: bool) -> anyhow::Result<()> {
    let (context, setup_token) = open(settings)?;
    actix_web::rt::System::new().block_on(async {
        let told_to_stop = stop_signal()?;
        let running = startup::serve(settings, context.clone())?;
        introduce(settings, &context, &running.address, running.ops_address.as_ref())?;
        if let Some(token) = setup_token {
            invite(&running.address, &token)?;
        }
        let jobs = with_worker.then(|| startup::start_jobs(settings, &context)).transpose()?;
        let handle = running.server.handle();
        let server = actix_web::rt::spawn(running.server);
        let ops = running.ops_server.map(|server| (server.handle(), actix_web::rt::spawn(server)));

        told_to_stop.await;
        tracing::info!("stopping: requests and messages under way are finished first");
        // Refuse new connections, and let every request that has begun come to its end.
        tokio::join!(handle.stop(true), async {
            if let Some(jobs) = jobs {
                jobs.stop().await;
            }
        });
        server.await??;
        if let Some((handle, server)) = ops {
            handle.stop(false).await;
            server.await??;
        }
        Ok(())
    })
}

/// Relays notes and does what falls due, without serving.
pub fn work(settings: &Settings) -> anyhow::Result<()> {
    let (context, _) = open(settings)?;
    actix_web::rt::System::new().block_on(async {
        let told_to_stop = stop_signal()?;
        print(&format!("debrief {} works on {}", env!("CARGO_PKG_VERSION"), place(&context)))?;
        let jobs = startup::start_jobs(settings, &context)?;
        told_to_stop.await;
        tracing::info!("stopping: messages under way are finished first");
        jobs.stop().await;
        Ok(())
    })
}

/// Opens and migrates the database. While it holds no agency there is a set-up token.
fn open(settings: &Settings) -> anyhow::Result<(Context, Option<String>)> {
    let store = startup::open_store(settings, Clock::system())?;
    startup::migrate(&store)?;
    let (token, text) = SetupToken::generate();
    let any = store.read(|conn| Ok::<_, StoreError>(agencies::any(conn)?))?;
    Ok((startup::build_context(settings, store, token)?, (!any).then_some(text)))
}

fn introduce(
    settings: &Settings,
    context: &Context,
    address: &SocketAddr,
    ops_address: Option<&SocketAddr>,
) -> anyhow::Result<()> {
    print(&format!(
        "debrief {} serves http://{address}  (reference: http://{address}/docs)",
        env!("CARGO_PKG_VERSION")
    ))?;
    print(&format!("  database: {}", place(context)))?;
    print(&format!("  mail:     {}", mail(settings)))?;
    print(&format!("  key:      {}", settings.signing_key_file().display()))?;
    if let Some(address) = ops_address {
        print(&format!("  metrics:  http://{address}/metrics"))?;
    }
    Ok(())
}

fn invite(address: &SocketAddr, token: &str) -> anyhow::Result<()> {
    print(
        "\nThere is no agency yet. Make the first one with this one-time token, and a password of your own:\n",
    )?;
    print(&format!(
        "curl -sS http://{address}/v1/setup -H 'Content-Type: application/json' -d '{{\n  \
         \"token\": \"{token}\",\n  \"agency_name\": \"My Agency\", \"name\": \"My Name\",\n  \
         \"email\": \"me@agency.example\", \"password\": \"\"\n}}'\n"
    ))
}

fn place(context: &Context) -> String {
    match context.store.location() {
        Location::Sqlite(path) => format!("SQLite in {}", path.display()),
        // The URL can hold a password.
        Location::Postgres(_) => "PostgreSQL".to_owned(),
    }
}

fn mail(settings: &Settings) -> String {
    match settings.mail.transport {
        MailTransport::Smtp => format!("relayed to {}:{}", settings.mail.smtp.host, settings.mail.smtp.port),
        MailTransport::File => {
            format!("NOT SENT, written as .eml files in {}", settings.mail_dir().display())
        }
        MailTransport::Discard => "NOT SENT, thrown away".to_owned(),
    }
}

/// From now on a signal to stop is kept for whoever waits for what this returns.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
