//! The people at the agency. They are the same for every seed, so that a second demonstration in
//! the same agency finds them there.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::dice::{Dice, Stream};
use super::options::DEFAULT_AGENCY;
use super::people::{self, slug};
use crate::domain::people::Role;

/// Somebody who is to work at the agency.
#[derive(Debug, PartialEq, Eq)]
pub struct Colleague {
    /// What the person is called.
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    /// What the person is there.
    pub role: Role,
}

/// An administrator, a manager, an auditor, and as many recruiters as so many debriefs need.
#[must_use]
pub fn colleagues(agency_name: &str, debriefs: u64) -> Vec<Colleague> {
    let recruiters = usize::try_from((debriefs / 400).clamp(4, 60)).unwrap_or(4);
    let mut taken = HashSet::new();
    // An address signs in to one agency only.
    let tag = if agency_name == DEFAULT_AGENCY { String::new() } else { format!("+{}", slug(agency_name)) };
    let mut colleague = |role: Role, place: u64, local: Option<&str>| {
        let person = people::person(&mut Dice::new(0, Stream::Staff, place));
        let local = local.map_or(person.handle, str::to_owned);
        let local = if taken.insert(local.clone()) { local } else { format!("{local}{place}") };
        let local: String = format!("{local}{tag}").chars().take(64).collect();
        let email = format!("{}@demo.example", local.trim_end_matches(['-', '+']));
        Colleague { name: person.name, email, role }
    };
    let mut all = vec![
        colleague(Role::Admin, 0, Some("admin")),
        colleague(Role::Manager, 1, Some("manager")),
        colleague(Role::Auditor, 2, Some("auditor")),
    ];
    let first = 3_u64;
    all.extend((first..).take(recruiters).map(|place| colleague(Role::Recruiter, place, None)));
    all
}

/// The throws for a new user's id.
pub fn dice_of(seed: u64, place: usize, created: DateTime<Utc>) -> crate::domain::ids::UserId {
    Dice::new(seed, Stream::Staff, place as u64).id(created)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::check_email;

    #[test]
    fn everybody_has_an_address_of_their_own() {
        for agency in [DEFAULT_AGENCY, "Hanse Personal", "Ö", &"long ".repeat(40)] {
            let all = colleagues(agency, 1_000_000);
            let addresses: HashSet<_> = all.iter().map(|one| &one.email).collect();
            assert_eq!(addresses.len(), 63, "{agency}");
            assert!(all.iter().all(|one| check_email(&one.email).is_ok()), "{all:?}");
        }
        assert_eq!(colleagues(DEFAULT_AGENCY, 20)[0].email, "admin@demo.example");
        assert_eq!(colleagues("Hanse Personal", 20)[0].email, "admin+hanse-personal@demo.example");
    }
}
