//! `debrief admin`: what only whoever runs the service may do.

mod mail_domain;

use anyhow::bail;
use clap::Subcommand;

use super::{open, print, read_password};
use crate::app::agencies::{self, NewAgency};
use crate::app::{AppError, Context};
use crate::config::Settings;

/// What an operator can set up.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an agency and its first administrator.
    CreateAgency {
        /// The agency's name.
        #[arg(long)]
        name: String,
        /// The administrator's address, to sign in with.
        #[arg(long)]
        email: String,
        /// The administrator's name.
        #[arg(long, default_value = "Administrator")]
        admin_name: String,
        /// Read the administrator's password from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Set up domains that agencies send mail from.
    #[command(subcommand)]
    MailDomain(mail_domain::MailDomainCommand),
}

/// Runs the command.
pub fn run(settings: &Settings, command: AdminCommand) -> anyhow::Result<()> {
    match command {
        AdminCommand::CreateAgency { name, email, admin_name, .. } => {
            let new = NewAgency { agency_name: name, name: admin_name, email, password: read_password()? };
            let context = open(settings)?;
            print(&in_words(actix_web::rt::System::new().block_on(create(&context, new)))?)
        }
        AdminCommand::MailDomain(command) => mail_domain::run(settings, command),
    }
}

/// What a use case came to, its faults in words for a person at a terminal.
fn in_words<T>(result: Result<T, AppError>) -> anyhow::Result<T> {
    match result {
        Err(AppError::Invalid(faults)) => {
            let lines = faults
                .iter()
                .map(|fault| format!("{} {}", fault.pointer.trim_start_matches('/'), fault.detail));
            bail!("{}", lines.collect::<Vec<_>>().join("; "))
        }
        result => Ok(result?),
    }
}

/// Calls each fault by the option that it is in.
fn by_option(error: AppError) -> AppError {
    let AppError::Invalid(mut faults) = error else { return error };
    for fault in &mut faults {
        fault.pointer = match fault.pointer.as_str() {
            "/agency_name" => "--name".to_owned(),
            "/name" => "--admin-name".to_owned(),
            "/email" => "--email".to_owned(),
            "/password" => "the password".to_owned(),
            _ => std::mem::take(&mut fault.pointer),
        };
    }
    AppError::Invalid(faults)
}

async fn create(context: &Context, new: NewAgency) -> Result<String, AppError> {
    agencies::check_new(&new).map_err(by_option)?;
    let password_hash = context.hasher.hash(new.password.clone()).await?;
    let (agency, _) =
        context.write(move |tx| agencies::create(tx, new, password_hash)).await.map_err(by_option)?;
    Ok(agency.id.to_string())
}
