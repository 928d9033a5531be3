//! The command line: serve, and what an operator does around it.

mod admin;
mod mail;
mod serve;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::app::Context as Service;
use crate::auth::setup_token::SetupToken;
use crate::config::Settings;
use crate::demo::{self, DemoOptions};
use crate::domain::clock::Clock;
use crate::{failpoint, startup, telemetry};

/// Debrief: both sides of an interview, the retry meeting, and the thank-you note relayed by email.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// A file of settings, in TOML; `config/default.toml` shows every key.
    #[arg(long, global = true, env = "DEBRIEF_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and relay notes (the default).
    Serve {
        /// Leave the relay to `debrief worker`.
        #[arg(long)]
        no_worker: bool,
    },
    /// Relay notes and do what falls due, without serving.
    Worker,
    /// Bring the database to this version's schema, and end.
    Migrate,
    /// Make agencies, and set up what they need outside of the service.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// What a mail server runs.
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// Fill an agency with made-up records.
    DemoData {
        #[command(flatten)]
        options: DemoOptions,
        /// Read the password of every user that is made from standard input.
        #[arg(long, conflicts_with = "password")]
        password_stdin: bool,
    },
    /// Print the OpenAPI 3.1 document.
    Openapi,
    /// Print the settings in force, without secrets.
    Config,
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::Mail(command)) = cli.command {
        return mail::run(cli.config.as_deref(), command);
    }
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The whole chain of causes on one line each, for a person at a terminal.
            eprintln!("debrief: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<()> {
    if matches!(cli.command, Some(Command::Openapi)) {
        return print(&startup::document().to_pretty_json()?);
    }
    let settings = Settings::load(cli.config.as_deref())?;
    match cli.command.unwrap_or(Command::Serve { no_worker: false }) {
        Command::Openapi | Command::Mail(_) => Ok(()),
        Command::Config => print(settings.redacted().to_toml().trim_end()),
        Command::Migrate => migrate(&settings),
        Command::DemoData { mut options, password_stdin } => {
            if password_stdin {
                options.password = Some(read_password()?);
            }
            demo_data(&settings, &options)
        }
        Command::Admin(command) => admin::run(&settings, command),
        Command::Serve { no_worker } => {
            begin(&settings)?;
            serve::serve(&settings, !no_worker)
        }
        Command::Worker => {
            begin(&settings)?;
            serve::work(&settings)
        }
    }
}

/// The service on a database that is up to date.
fn open(settings: &Settings) -> anyhow::Result<Service> {
    let store = startup::open_store(settings, Clock::system())?;
    startup::migrate(&store)?;
    startup::build_context(settings, store, SetupToken::generate().0)
}

/// What comes before every long run.
fn begin(settings: &Settings) -> anyhow::Result<()> {
    telemetry::init(&settings.log)?;
    failpoint::announce().map_err(anyhow::Error::msg)
}

fn migrate(settings: &Settings) -> anyhow::Result<()> {
    telemetry::init(&settings.log)?;
    let store = startup::open_store(settings, Clock::system())?;
    let ran = startup::migrate(&store)?;
    if ran.is_empty() {
        return print("the database is up to date");
    }
    print(&format!("migrated: {}", ran.join(", ")))
}

fn demo_data(settings: &Settings, options: &DemoOptions) -> anyhow::Result<()> {
    let store = startup::open_store(settings, Clock::system())?;
    startup::migrate(&store)?;
    // Whoever breaks off the filling can sign in all the same.
    let summary = demo::fill_with_bar(&store, options, |users| print(&users.to_string()))?;
    print(&summary.to_string())
}

/// The password on standard input, without the line's end: as an argument everybody on the machine
/// could see it.
fn read_password() -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("the password cannot be read")?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

/// Prints for whoever called; a reader that went away is not our failure.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
