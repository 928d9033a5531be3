//! `debrief admin mail-domain`: domains that agencies send mail from.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::super::{open, print};
use super::in_words;
use crate::app::Context;
use crate::app::mail_domains::{self, Checked};
use crate::config::Settings;
use crate::domain::mail_domain::{Found, Wanted};
use crate::startup;
use crate::store::mail_domains::{DkimKey, MailDomain};

/// What can be done with domains.
#[derive(Debug, Subcommand)]
pub enum MailDomainCommand {
    /// Add a domain to an agency, make its keys, and print the records that its DNS needs.
    Add {
        /// The agency: its id, or its name if no other has the same.
        #[arg(long)]
        agency: String,
        #[command(flatten)]
        domain: Named,
        /// The domain of the envelope sender: the domain or one below it. `bounces.` before it if left out.
        #[arg(long)]
        bounce_domain: Option<String>,
    },
    /// Look its records up, and say what is missing. From the day that nothing is, its agency's mail
    /// comes from it.
    Check(Named),
    /// Print the records that its DNS needs.
    Records(Named),
    /// List every domain, with its keys.
    List,
    /// Make new keys. The present ones sign until `check` finds the new ones in the DNS.
    Rotate(Named),
    /// End the use of one key. Leave its record in the DNS for a week: mail may still be on its way.
    Retire {
        #[command(flatten)]
        domain: Named,
        /// The selector of the key.
        #[arg(long)]
        selector: String,
    },
    /// Take a domain from its agency. Mail that was approved goes out as it was signed.
    Remove(Named),
}

/// Names a domain.
#[derive(Debug, Args)]
pub struct Named {
    /// The domain, such as agency.example.
    #[arg(long)]
    domain: String,
}

/// Runs the command.
pub fn run(settings: &Settings, command: MailDomainCommand) -> anyhow::Result<()> {
    let context = open(settings)?;
    let seals = || context.tokens.keys().seals();
    match command {
        MailDomainCommand::Add { agency, domain: Named { domain }, bounce_domain } => {
            let keys = in_words(mail_domains::generate())?;
            let row = in_words(context.store.write(|tx| {
                let agency = mail_domains::agency(tx, &agency)?;
                mail_domains::add(tx, seals(), agency, &domain, bounce_domain.as_deref(), keys)
            }))?;
            print(&records(&row, &context))
        }
        MailDomainCommand::Rotate(Named { domain }) => {
            let keys = in_words(mail_domains::generate())?;
            let row = in_words(context.store.write(|tx| mail_domains::rotate(tx, seals(), &domain, keys)))?;
            print(&records(&row, &context))
        }
        MailDomainCommand::Check(Named { domain }) => {
            let resolver = startup::build_resolver(settings)?;
            let checking = mail_domains::check(&context, &resolver, &domain);
            report(&in_words(actix_web::rt::System::new().block_on(checking))?)
        }
        MailDomainCommand::Records(Named { domain }) => {
            let row = in_words(context.store.read(|conn| mail_domains::get(conn, &domain)))?;
            print(&records(&row, &context))
        }
        MailDomainCommand::List => {
            let rows = in_words(context.store.read(mail_domains::list))?;
            let lines: String = rows.iter().map(|(row, agency)| line(row, agency)).collect();
            print(lines.trim_end())
        }
        MailDomainCommand::Retire { domain: Named { domain }, selector } => {
            let row = in_words(context.store.write(|tx| mail_domains::retire(tx, &domain, &selector)))?;
            print(&format!("{selector} signs for {} no more; leave its record for a week", row.domain))
        }
        MailDomainCommand::Remove(Named { domain }) => {
            in_words(context.store.write(|tx| mail_domains::remove(tx, &domain)))?;
            print(&format!("{domain} is no agency's any more"))
        }
    }
}

/// The records that the domain needs, as a zone file has them.
fn records(row: &MailDomain, context: &Context) -> String {
    let lines = mail_domains::wanted(row, &context.mail.dns);
    let lines: Vec<_> = lines.iter().map(Wanted::zone_line).collect();
    format!(
        "; records for {domain}; once they are there: debrief admin mail-domain check --domain {domain}\n{}",
        lines.join("\n"),
        domain = row.domain,
    )
}

/// What a check found; a failure if the domain may not be sent from, so that a script can tell.
fn report(checked: &Checked) -> anyhow::Result<()> {
    let mut lines = String::new();
    for (wanted, found) in &checked.findings {
        let (kind, name) = (wanted.kind(), &wanted.name);
        let _ = match found {
            Found::Good => writeln!(lines, "ok       {kind} {name}"),
            Found::Missing => writeln!(lines, "missing  {kind} {name}\n         add: {}", wanted.zone_line()),
            Found::Other(what) => {
                writeln!(lines, "wrong    {kind} {name}: {what}\n         want: {}", wanted.zone_line())
            }
            Found::Unknown(why) => writeln!(lines, "unknown  {kind} {name}: {why}"),
        };
    }
    let domain = &checked.domain.domain;
    if checked.domain.verified_at.is_none() {
        print(&lines)?;
        anyhow::bail!("{domain} is not verified: its agency's mail does not come from it");
    }
    print(&format!("{lines}{domain} is verified: its agency's mail comes from it"))
}

fn line(row: &MailDomain, agency: &str) -> String {
    let state =
        row.verified_at.map_or_else(|| "not verified".to_owned(), |at| format!("verified since {at}"));
    let mut lines = format!("{}  {agency}  {state}\n", row.domain);
    for key in &row.keys.0 {
        let _ = writeln!(lines, "  {}  {}", key.selector, state_of(key));
    }
    lines
}

fn state_of(key: &DkimKey) -> String {
    match (key.retired_at, key.published_at) {
        (Some(at), _) => format!("retired {at}"),
        (None, Some(at)) => format!("published since {at}"),
        (None, None) => "not seen in the DNS".to_owned(),
    }
}
