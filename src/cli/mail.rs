//! `debrief mail`: what a mail server runs.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::open;
use crate::app::AppError;
use crate::app::inbound::{self, NotTaken};
use crate::config::Settings;

/// What a mail server asks for.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Take a message that came back, from standard input. Ends with 0 when it was taken or is for nobody
    /// here, 65 when it is no message, and 75 when the mail server shall try again.
    Ingest {
        /// The address in the envelope; if left out, what Postfix or Exim set in the environment, or the
        /// fields that they add.
        #[arg(long)]
        recipient: Option<String>,
    },
}

/// Exit statuses that mail servers know (sysexits.h).
const NO_MESSAGE: u8 = 65;
const TRY_AGAIN: u8 = 75;

/// A larger message is no notice, and no answer that anybody reads.
const LARGEST: u64 = 32 << 20;

/// Where a mail server says in the environment whom a message came to.
const VARIABLES: [&str; 2] = ["ORIGINAL_RECIPIENT", "RECIPIENT"];

/// The fields that mail servers write the same into.
const FIELDS: [&str; 4] = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];

/// Runs the command. Whatever goes wrong here is our fault and not the message's: it is tried again.
pub fn run(config: Option<&Path>, command: MailCommand) -> ExitCode {
    let MailCommand::Ingest { recipient } = command;
    ingest(config, recipient).unwrap_or_else(|error| {
        eprintln!("debrief: {error:#}");
        ExitCode::from(TRY_AGAIN)
    })
}

fn ingest(config: Option<&Path>, recipient: Option<String>) -> anyhow::Result<ExitCode> {
    let mut message = Vec::new();
    std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut message)?;
    if message.len() as u64 > LARGEST {
        return Ok(refused("the message is larger than any that could be of use"));
    }
    let recipients = recipient.map_or_else(|| named(&message), |recipient| vec![recipient]);
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let context = open(&Settings::load(config)?)?;
    let arrived = match inbound::read(context.tokens.keys().tags(), &recipients, &message) {
        Ok(arrived) => arrived,
        Err(NotTaken::NotOurs) => return Ok(ExitCode::SUCCESS),
        Err(NotTaken::NotAMessage) => return Ok(refused("this is not a message")),
    };
    context.store.write(|tx| inbound::take(tx, arrived)).map_err(|error: AppError| anyhow::anyhow!(error))?;
    Ok(ExitCode::SUCCESS)
}

fn refused(why: &str) -> ExitCode {
    eprintln!("debrief: {why}");
    ExitCode::from(NO_MESSAGE)
}

/// Whom the message came to, as far as anybody says.
fn named(message: &[u8]) -> Vec<String> {
    let mut named: Vec<String> = VARIABLES.iter().filter_map(|name| std::env::var(name).ok()).collect();
    if let (Ok(local), Ok(domain)) = (std::env::var("LOCAL_PART"), std::env::var("DOMAIN")) {
        named.push(format!("{local}@{domain}"));
    }
    let head = String::from_utf8_lossy(&message[..message.len().min(64 << 10)]).replace("\r\n", "\n");
    let head = head.split("\n\n").next().unwrap_or_default();
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let fields = fields.filter(|(name, _)| FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name)));
    named.extend(fields.map(|(_, value)| value.trim().to_owned()));
    named
}
