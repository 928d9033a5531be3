//! How much more of the queue may be taken up, so that nobody's mail holds up everybody else's.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::domain::ids::AgencyId;

/// What may still be taken up: in all, to each destination, and of each agency.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Deliveries in all.
    pub left: usize,
    /// Deliveries to destinations that are not `proven`, all together.
    pub unproven: usize,
    /// The destinations that have taken messages, and have not hung since.
    pub proven: Arc<HashSet<String>>,
    /// Deliveries to one proven destination that is not among `destinations`.
    pub each_destination: usize,
    /// Deliveries to one other destination that is not among them.
    pub each_unproven: usize,
    /// What is left for destinations of which something is known.
    pub destinations: HashMap<String, usize>,
    /// Deliveries of one agency that is not among `agencies`; none for no limit.
    pub each_agency: Option<usize>,
    /// What is left for agencies of which something is known.
    pub agencies: HashMap<AgencyId, usize>,
}

/// Some of all there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Among<T> {
    /// These and no others.
    Only(Vec<T>),
    /// Any but these.
    AllBut(Vec<T>),
}

impl Room {
    /// Room for so many, whatever they are.
    #[must_use]
    pub fn of(left: usize) -> Self {
        Self { left, unproven: left, each_destination: left, each_unproven: left, ..Self::default() }
    }

    /// How many deliveries may be under way to a destination that is spoken to as usual.
    #[must_use]
    pub fn share_of(&self, destination: &str) -> usize {
        if self.proven.contains(destination) { self.each_destination } else { self.each_unproven }
    }

    /// Takes a place for a delivery of `agency` to `destination`, if there is one.
    pub fn admit(&mut self, destination: &str, agency: AgencyId) -> bool {
        let is_proven = self.proven.contains(destination);
        let share = self.share_of(destination);
        let to_there = self.destinations.get(destination).copied().unwrap_or(share);
        let of_theirs = self.agencies.get(&agency).copied().or(self.each_agency);
        let is_crowded_out = !is_proven && self.unproven == 0;
        if self.left == 0 || to_there == 0 || of_theirs == Some(0) || is_crowded_out {
            // From now on nobody has to look at these any more.
            self.destinations.entry(destination.to_owned()).or_insert(to_there);
            self.agencies.extend(of_theirs.map(|left| (agency, left)));
            return false;
        }
        self.left -= 1;
        self.unproven -= usize::from(!is_proven);
        self.destinations.insert(destination.to_owned(), to_there - 1);
        self.agencies.extend(of_theirs.map(|left| (agency, left - 1)));
        true
    }

    /// Gives back a place that was taken for a delivery which then was not taken up.
    pub fn give_back(&mut self, destination: &str, agency: AgencyId) {
        self.left += 1;
        self.unproven += usize::from(!self.proven.contains(destination));
        for place in
            [self.destinations.get_mut(destination), self.agencies.get_mut(&agency)].into_iter().flatten()
        {
            *place += 1;
        }
    }

    /// The destinations that something is taken up for.
    #[must_use]
    pub fn destinations(&self) -> Among<String> {
        let is_shut = |destination: &String| self.destinations.get(destination) == Some(&0);
        if self.unproven == 0 {
            return Among::Only(self.proven.iter().filter(|one| !is_shut(one)).cloned().collect());
        }
        Among::AllBut(self.destinations.keys().filter(|one| is_shut(one)).cloned().collect())
    }

    /// The agencies that nothing is taken up of.
    #[must_use]
    pub fn shut_agencies(&self) -> Vec<AgencyId> {
        self.agencies.iter().filter(|(_, left)| **left == 0).map(|(agency, _)| *agency).collect()
    }

    /// Whether anybody's deliveries are left where they are, although there is room in all.
    #[must_use]
    pub fn is_shut_to_some(&self) -> bool {
        let limits = self.destinations.values().chain(self.agencies.values());
        limits.chain([&self.unproven]).any(|left| *left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agency(number: u128) -> AgencyId {
        AgencyId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn everybody_has_their_own_limit() {
        let mut room = Room { each_unproven: 2, each_agency: Some(3), ..Room::of(5) };
        room.destinations.insert("slow.example".into(), 0);
        let (one, two) = (agency(1), agency(2));
        assert!(!room.admit("slow.example", one), "a destination that is known to be slow");
        assert!(room.admit("a.example", one) && room.admit("a.example", two));
        assert!(!room.admit("a.example", two), "a destination that has its share");
        assert!(room.admit("b.example", one) && room.admit("b.example", one));
        assert!(!room.admit("c.example", one), "an agency that has its share");
        let Among::AllBut(mut shut) = room.destinations() else { panic!("{room:?}") };
        shut.sort();
        assert_eq!(shut, ["a.example", "b.example", "slow.example"]);
        assert_eq!(room.shut_agencies(), [one]);
        assert!(room.is_shut_to_some());
        assert!(room.admit("c.example", two) && !room.admit("d.example", two), "there is no room in all");
    }

    #[test]
    fn what_was_not_taken_up_leaves_its_place() {
        let limited = || Room { each_destination: 1, each_unproven: 1, each_agency: Some(1), ..Room::of(1) };
        let (mut room, one) = (limited(), agency(1));
        assert!(room.admit("a.example", one) && !room.admit("b.example", agency(2)));
        room.give_back("a.example", one);
        assert_eq!((room.left, room.unproven), (1, 1));
        assert!(room.admit("a.example", one), "as if it had never been taken");
        let mut room = Room { left: 2, ..limited() };
        assert!(room.admit("a.example", one) && !room.admit("b.example", one));
        assert!(room.is_shut_to_some() && room.destinations() == Among::Only(Vec::new()));
        room.give_back("a.example", one);
        assert!(
            !room.is_shut_to_some() && room.admit("b.example", one),
            "and so do those it had crowded out"
        );
    }

    #[test]
    fn the_last_place_is_for_who_has_taken_messages_before() {
        let proven = Arc::new(HashSet::from(["good.example".to_owned()]));
        let mut room = Room { unproven: 3, proven, each_destination: 2, each_unproven: 1, ..Room::of(9) };
        let fresh = ["a.example", "a.example", "b.example", "c.example", "d.example", "e.example"];
        let admitted: Vec<_> = fresh.into_iter().filter(|name| room.admit(name, agency(1))).collect();
        assert_eq!(admitted, ["a.example", "b.example", "c.example"], "one each, and no more than three");
        assert_eq!(room.destinations(), Among::Only(vec!["good.example".to_owned()]));
        assert!(room.admit("good.example", agency(1)) && room.admit("good.example", agency(1)));
        assert!(!room.admit("good.example", agency(1)));
        assert_eq!(room.destinations(), Among::Only(Vec::new()));
        // One that hangs is one of those who have yet to show that they take anything.
        room.destinations.insert("slow.example".to_owned(), 1);
        assert!(!room.admit("slow.example", agency(1)));
    }

    #[test]
    fn without_limits_there_is_only_the_one_in_all() {
        let mut room = Room::of(2);
        assert!(room.admit("a.example", agency(1)) && room.admit("a.example", agency(1)));
        assert!(!room.admit("b.example", agency(2)));
        assert!(room.shut_agencies().is_empty());
    }
}
