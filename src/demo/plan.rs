//! What there is: a pure function of the seed, the number of debriefs and the day.

use chrono::{DateTime, TimeDelta, Utc};

use super::calendar::{self, Calendar};
use super::companies::{self, ClientPlan};
use super::dice::{Dice, Stream};
use super::people::{self, Person};
use crate::domain::ids::{CandidateId, DebriefId, InterviewId};

/// Everything that stands before the first candidate comes.
#[derive(Debug)]
pub struct Plan {
    /// Seed of everything.
    pub seed: u64,
    /// How many debriefs there are to be.
    pub total: u64,
    /// The time.
    pub calendar: Calendar,
    /// The hiring companies, the largest first.
    pub clients: Vec<ClientPlan>,
    /// For each client the weight of all clients up to it.
    weights: Vec<u64>,
}

/// A candidate with every interview.
#[derive(Debug)]
pub struct Journey {
    /// The candidate's number.
    pub index: u64,
    /// The candidate's id.
    pub id: CandidateId,
    /// Who it is.
    pub person: Person,
    /// When the candidate came to the agency.
    pub created: DateTime<Utc>,
    /// The interviews, in their order.
    pub legs: Vec<Leg>,
}

/// One interview of a candidate.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Its id.
    pub id: InterviewId,
    /// The id of its debrief.
    pub debrief: DebriefId,
    /// The number of the client.
    pub client: usize,
    /// The number of the client's vacancy.
    pub job: usize,
    /// The how-manieth meeting about the vacancy.
    pub round: i32,
    /// When it was agreed.
    pub created: DateTime<Utc>,
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// What it has to do with the interview before it.
    pub follows: Follows,
}

/// What an interview has to do with the same candidate's interview before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Nothing.
    Nothing,
    /// It is the next round for the same vacancy.
    Round,
    /// It is the second chance for it.
    Retry,
}

impl Plan {
    /// The plan for so many debriefs.
    #[must_use]
    pub fn new(seed: u64, total: u64, calendar: Calendar) -> Self {
        let clients = usize::try_from((total / 40).max(3)).unwrap_or(usize::MAX);
        // The second is two thirds of the first, the third one half, and so on: a few are large.
        let weight = |index: usize| 1_000_000_000 / (index as u64 + 2);
        let sum: u64 = (0..clients).map(weight).sum();
        let make = |index| companies::client(seed, index, total * weight(index) / sum, clients, &calendar);
        let weights = (0..clients).scan(0, |up_to, index| {
            *up_to += weight(index);
            Some(*up_to)
        });
        Self { seed, total, calendar, weights: weights.collect(), clients: (0..clients).map(make).collect() }
    }

    /// The candidate whose first interview is the `made`-th of all.
    #[must_use]
    pub fn journey(&self, index: u64, made: u64) -> Journey {
        let mut dice = Dice::new(self.seed, Stream::Candidate, index);
        let person = people::person(&mut dice);
        let as_of = self.calendar.as_of();
        let wanted = dice.weigh(&[(45, 1), (30, 2), (15, 3), (10, 4)]).min(self.total - made);
        let mut legs: Vec<Leg> = Vec::new();
        let mut day = self.calendar.day(made, self.total);
        while (legs.len() as u64) < wanted {
            let (starts, ends) = calendar::meeting(&mut dice, day, person.zone);
            let agreed = match legs.last() {
                None => starts - TimeDelta::minutes(dice.between(3 * 1440, 10 * 1440)),
                Some(last) => last.ends + (starts - last.ends) * 6 / 10,
            };
            let times = (agreed.min(before(as_of, &mut dice)), starts, ends);
            let leg = match legs.last() {
                None => self.first(&mut dice, made, times),
                Some(last) => self.next(&mut dice, made, last, times),
            };
            legs.push(leg);
            // A second interview follows from the first; what is not over has no consequences yet.
            day = calendar::workday(day + TimeDelta::days(dice.between(6, 18)));
            if ends > as_of - TimeDelta::days(3) || day > as_of.date_naive() + TimeDelta::days(12) {
                break;
            }
        }
        let created =
            legs.first().map_or(as_of, |leg| leg.created) - TimeDelta::minutes(dice.between(60, 20_000));
        Journey { index, id: dice.id(created), person, created, legs }
    }

    fn first(&self, dice: &mut Dice, made: u64, times: Times) -> Leg {
        let all = self.weights.last().copied().unwrap_or(1);
        let at = dice.below(all);
        let client = self.weights.partition_point(|up_to| *up_to <= at);
        let jobs = self.clients[client].jobs.len() as u64;
        let job = usize::try_from(made * jobs / self.total.max(1)).unwrap_or_default();
        leg(dice, (client, job), (1, Follows::Nothing), times)
    }

    fn next(&self, dice: &mut Dice, made: u64, last: &Leg, times: Times) -> Leg {
        let retry_allowed = last.follows != Follows::Retry;
        let place = (last.client, last.job);
        match dice.weigh(&[(50, Follows::Round), (20, Follows::Retry), (30, Follows::Nothing)]) {
            Follows::Round => leg(dice, place, (last.round + 1, Follows::Round), times),
            Follows::Retry if retry_allowed => leg(dice, place, (last.round, Follows::Retry), times),
            _ => self.first(dice, made, times),
        }
    }
}

/// When an interview is agreed, when it begins and when it ends.
type Times = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);

fn leg(dice: &mut Dice, place: (usize, usize), how: (i32, Follows), times: Times) -> Leg {
    let ((client, job), (round, follows), (created, starts, ends)) = (place, how, times);
    Leg {
        id: dice.id(created),
        debrief: dice.id(created),
        client,
        job,
        round,
        created,
        starts,
        ends,
        follows,
    }
}

/// Some hours before a moment.
fn before(moment: DateTime<Utc>, dice: &mut Dice) -> DateTime<Utc> {
    moment - TimeDelta::seconds(dice.between(3_600, 30_000))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn plan(total: u64) -> Plan {
        Plan::new(7, total, Calendar::new(NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()))
    }

    fn interviews_per_client(plan: &Plan) -> Vec<usize> {
        let mut counts = vec![0; plan.clients.len()];
        let (mut made, mut index) = (0, 0);
        while made < plan.total {
            let journey = plan.journey(index, made);
            assert!((1..=4).contains(&journey.legs.len()));
            journey.legs.iter().for_each(|leg| counts[leg.client] += 1);
            made += journey.legs.len() as u64;
            index += 1;
        }
        assert_eq!(made, plan.total);
        counts
    }

    #[test]
    fn some_clients_are_large() {
        let counts = interviews_per_client(&plan(400));
        assert!(counts.iter().any(|count| *count >= 50), "{counts:?}");
        let counts = interviews_per_client(&plan(50_000));
        assert!(counts.iter().filter(|count| **count > 500).count() >= 5);
    }

    #[test]
    fn nothing_is_there_before_what_it_hangs_on() {
        let plan = plan(300);
        let (mut made, mut index) = (0, 0);
        while made < plan.total {
            let journey = plan.journey(index, made);
            for (place, leg) in journey.legs.iter().enumerate() {
                let client = &plan.clients[leg.client];
                assert!(client.created < leg.created && client.jobs[leg.job].created < leg.created);
                assert!(journey.created < leg.created && leg.created < leg.starts && leg.starts < leg.ends);
                assert!(leg.created < plan.calendar.as_of());
                let last = place.checked_sub(1).map(|place| &journey.legs[place]);
                assert!(last.is_none_or(|last| last.ends < leg.created));
            }
            made += journey.legs.len() as u64;
            index += 1;
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_plan() {
        let (one, same, other) = (plan(100), plan(100), Plan::new(8, 100, plan(1).calendar));
        assert_eq!(format!("{:?}", one.journey(9, 30)), format!("{:?}", same.journey(9, 30)));
        assert_ne!(one.clients[0].id, other.clients[0].id);
    }
}
