//! The hiring companies, with their people and vacancies.

use chrono::{DateTime, TimeDelta, Utc};

use super::calendar::Calendar;
use super::dice::{Dice, Stream};
use super::people::{self, Person};
use super::texts::TITLES;
use crate::domain::ids::{ClientId, ContactId, JobOrderId};
use crate::domain::people::{ContactRole, EmailStatus};

/// A hiring company.
#[derive(Debug)]
pub struct ClientPlan {
    /// Its id.
    pub id: ClientId,
    /// What it is called.
    pub name: String,
    /// When it came to the agency.
    pub created: DateTime<Utc>,
    /// Its people, who decides first.
    pub contacts: Vec<ContactPlan>,
    /// Its vacancies, oldest first.
    pub jobs: Vec<JobPlan>,
}

/// Somebody at a hiring company.
#[derive(Debug)]
pub struct ContactPlan {
    /// The id.
    pub id: ContactId,
    /// The person.
    pub person: Person,
    /// Where mail goes.
    pub email: String,
    /// What the person is there.
    pub role: ContactRole,
    /// Not to be written to.
    pub off_limits: bool,
    /// Whether mail arrives.
    pub email_status: EmailStatus,
}

/// A vacancy.
#[derive(Debug)]
pub struct JobPlan {
    /// Its id.
    pub id: JobOrderId,
    /// What it is called.
    pub title: &'static str,
    /// When it came to the agency.
    pub created: DateTime<Utc>,
}

/// The `index`-th of so many clients, with so many interviews to come.
pub fn client(seed: u64, index: usize, interviews: u64, of: usize, calendar: &Calendar) -> ClientPlan {
    let mut dice = Dice::new(seed, Stream::Client, index as u64);
    let age = 60 + 180 * (of - index) as i64 / of as i64;
    let created = calendar.moment(0, 1, -age) + TimeDelta::seconds(dice.between(0, 80_000));
    let culture = dice.index(usize::MAX);
    let boss = people::compatriot(&mut dice, culture);
    // The names begin anywhere, so that not every demonstration has the same largest client.
    let start = usize::try_from(seed % 1200).unwrap_or_default();
    let name = if of <= 1200 {
        people::company((start + index) % 1200, boss.city)
    } else {
        people::company(index, boss.city)
    };
    let domain = format!("{}.example", people::slug(&name));
    let mut contacts = vec![contact(&mut dice, boss, 0, &domain, created)];
    for place in 1..dice.between(2, 4) {
        let person = people::compatriot(&mut dice, culture);
        contacts.push(contact(&mut dice, person, place, &domain, created));
    }
    let jobs = (interviews / 8).max(1);
    let job = |nth| {
        let created = calendar.moment(nth, jobs, -14) + TimeDelta::seconds(dice.between(20_000, 60_000));
        JobPlan { id: dice.id(created), title: TITLES[dice.index(TITLES.len())], created }
    };
    let jobs = (0..jobs).map(job).collect();
    ClientPlan { id: dice.id(created), name, created, contacts, jobs }
}

fn contact(dice: &mut Dice, person: Person, place: i64, domain: &str, created: DateTime<Utc>) -> ContactPlan {
    use ContactRole::{HiringManager, Hr, Interviewer, Other};
    let role = if place == 0 { HiringManager } else { dice.weigh(&[(5, Interviewer), (3, Hr), (1, Other)]) };
    let off_limits = place > 0 && dice.chance(4);
    let bounced = place > 0 && !off_limits && dice.chance(5);
    let email_status = if bounced { EmailStatus::Bounced } else { EmailStatus::Ok };
    let email = format!("{}@{domain}", person.handle);
    ContactPlan { id: dice.id(created), person, email, role, off_limits, email_status }
}
