//! What a demonstration is to be like, and what was made.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{Datelike, NaiveDate};

use crate::auth::password::Cost;
use crate::domain::ids::AgencyId;
use crate::domain::mail_domain::parse_domain;

/// The agency that is filled if no other is named.
pub const DEFAULT_AGENCY: &str = "Demo Agency";

/// In which years a demonstration can lie.
const YEARS: RangeInclusive<i32> = 1950..=9000;

/// What a demonstration is to be like.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoOptions {
    /// Another seed makes other records; the same one makes the same.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many debriefs there are to be.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(20..=1_000_000))]
    pub debriefs: u64,
    /// The name of the agency that they are for; it is made if there is none.
    #[arg(long, default_value = DEFAULT_AGENCY)]
    pub agency: String,
    /// The day around which everything lies, such as 2026-11-22 [default: today, in UTC].
    #[arg(long, value_parser = day)]
    pub as_of: Option<NaiveDate>,
    /// The password of every user that is made [default: a random one, which is printed].
    #[arg(long, env = "DEBRIEF_DEMO_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// The domain in the sender addresses of the notes.
    #[arg(long, default_value = "demo.example", value_parser = parse_domain)]
    pub mail_domain: String,
    /// Leave every email that could be sent to the relay, which begins at once: for measurements. Their
    /// addresses cannot exist.
    #[arg(long)]
    pub unsent: bool,
    /// The cost of hashing that password; the floor that OWASP gives.
    #[arg(skip = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 })]
    pub password_cost: Cost,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            debriefs: 200,
            agency: DEFAULT_AGENCY.to_owned(),
            as_of: None,
            password: None,
            mail_domain: "demo.example".to_owned(),
            unsent: false,
            password_cost: Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 },
        }
    }
}

/// A day that leaves room for all that lies around it.
fn day(text: &str) -> Result<NaiveDate, String> {
    let day: NaiveDate = text.parse().map_err(|_| "must be a day, such as 2026-11-22".to_owned())?;
    if YEARS.contains(&day.year()) { Ok(day) } else { Err(format!("must lie in {YEARS:?}")) }
}

/// Who can sign in.
#[derive(Debug, Clone)]
pub struct DemoUsers {
    /// The addresses of the users that were made, who can do most first.
    pub emails: Vec<String>,
    /// The password of all of them, if it was made up here.
    pub made_up_password: Option<String>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct DemoSummary {
    /// The agency.
    pub agency: AgencyId,
    /// What it is called.
    pub agency_name: String,
    /// The day around which everything lies.
    pub as_of: NaiveDate,
    /// The users that were made.
    pub users: DemoUsers,
    /// How many hiring companies were made.
    pub clients: u64,
    /// How many candidates.
    pub candidates: u64,
    /// How many debriefs, and as many interviews.
    pub debriefs: u64,
    /// How long it took, the looking at the tables at the end included.
    pub took: Duration,
}

/// The users' names that are worth printing.
const SHOWN_USERS: usize = 6;

impl fmt::Display for DemoSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} ({}) now has {} more debriefs, {} candidates and {} clients, as of {}; it took {:.1} s.",
            self.agency_name,
            self.agency,
            self.debriefs,
            self.candidates,
            self.clients,
            self.as_of,
            self.took.as_secs_f64()
        )
    }
}

impl fmt::Display for DemoUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.emails.is_empty() {
            return writeln!(f, "Its users were there already and keep their passwords.");
        }
        let shown = self.emails.iter().take(SHOWN_USERS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = self.emails.len().saturating_sub(SHOWN_USERS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(f, "Sign in as {shown}{more}.")?;
        match &self.made_up_password {
            Some(password) => writeln!(f, "Password: {password}"),
            None => writeln!(f, "Password: the one that was given."),
        }
    }
}
