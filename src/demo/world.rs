//! What every record of a demonstration hangs on: the agency, its people, the plan.

use super::plan::Plan;
use crate::domain::actor::Actor;
use crate::domain::ids::{AgencyId, UserId};
use crate::domain::record::ExternalRef;
use crate::store::types::Json;

/// Where a demonstration takes place.
#[derive(Debug)]
pub struct World {
    /// What there is to be.
    pub plan: Plan,
    /// The agency.
    pub agency: AgencyId,
    /// What it is called.
    pub agency_name: String,
    /// The keys of the competencies that it offers.
    pub competencies: Vec<String>,
    /// Its recruiters.
    pub recruiters: Vec<Recruiter>,
    /// Who does what nobody else is there for.
    pub manager: UserId,
    /// The domain that notes are sent from.
    pub mail_domain: String,
    /// Whether the relay is to send every email that can be sent.
    pub unsent: bool,
    /// The seed as it was given: a part of what other systems call the records.
    pub seed: u64,
}

/// A recruiter.
#[derive(Debug, Clone)]
pub struct Recruiter {
    /// The user.
    pub id: UserId,
    /// What the user is called.
    pub name: String,
    /// Where answers go.
    pub email: String,
}

impl World {
    /// The recruiter of this number, counted round and round.
    #[must_use]
    pub fn recruiter(&self, number: usize) -> &Recruiter {
        &self.recruiters[number % self.recruiters.len()]
    }

    /// Who acts for a debrief.
    #[must_use]
    pub fn actor(&self, recruiter: Option<UserId>) -> Actor {
        Actor::User(recruiter.unwrap_or(self.manager))
    }

    /// The key of a competency, if the agency offers it.
    #[must_use]
    pub fn competency(&self, key: &str) -> Option<String> {
        self.competencies.iter().find(|offered| *offered == key).cloned()
    }

    /// What another system calls the record of this number.
    #[must_use]
    pub fn external(&self, system: &str, number: u64) -> Json<Vec<ExternalRef>> {
        Json(vec![ExternalRef { system: system.to_owned(), id: format!("{}-{number:06}", self.seed) }])
    }
}
