//! How much more of the queue may be taken up, so that nobody's mail holds up everybody else's.

use std::collections::HashMap;

use crate::domain::ids::AgencyId;

/// What may still be taken up: in all, to each destination, and of each agency.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Deliveries in all.
    pub left: usize,
    /// Deliveries to one destination that is not among `destinations`.
    pub each_destination: usize,
    /// What is left for destinations of which something is known.
    pub destinations: HashMap<String, usize>,
    /// Deliveries of one agency that is not among `agencies`; none for no limit.
    pub each_agency: Option<usize>,
    /// What is left for agencies of which something is known.
    pub agencies: HashMap<AgencyId, usize>,
}

impl Room {
    /// Room for so many, whatever they are.
    #[must_use]
    pub fn of(left: usize) -> Self {
        Self { left, each_destination: left, ..Self::default() }
    }

    /// Takes a place for a delivery of `agency` to `destination`, if there is one.
    pub fn admit(&mut self, destination: &str, agency: AgencyId) -> bool {
        let to_there = self.destinations.get(destination).copied().unwrap_or(self.each_destination);
        let of_theirs = self.agencies.get(&agency).copied().or(self.each_agency);
        if self.left == 0 || to_there == 0 || of_theirs == Some(0) {
            // From now on nobody has to look at these any more.
            self.destinations.entry(destination.to_owned()).or_insert(to_there);
            self.agencies.extend(of_theirs.map(|left| (agency, left)));
            return false;
        }
        self.left -= 1;
        self.destinations.insert(destination.to_owned(), to_there - 1);
        self.agencies.extend(of_theirs.map(|left| (agency, left - 1)));
        true
    }

    /// The destinations that are taken nothing up for.
    #[must_use]
    pub fn shut_destinations(&self) -> Vec<String> {
        let shut = self.destinations.iter().filter(|(_, left)| **left == 0);
        shut.map(|(destination, _)| destination.clone()).collect()
    }

    /// The agencies that nothing is taken up of.
    #[must_use]
    pub fn shut_agencies(&self) -> Vec<AgencyId> {
        self.agencies.iter().filter(|(_, left)| **left == 0).map(|(agency, _)| *agency).collect()
    }

    /// Whether anybody's deliveries are left where they are, although there is room in all.
    #[must_use]
    pub fn is_shut_to_some(&self) -> bool {
        self.destinations.values().chain(self.agencies.values()).any(|left| *left == 0)
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
        let mut room = Room { each_destination: 2, each_agency: Some(3), ..Room::of(5) };
        room.destinations.insert("slow.example".into(), 0);
        let (one, two) = (agency(1), agency(2));
        assert!(!room.admit("slow.example", one), "a destination that is known to be slow");
        assert!(room.admit("a.example", one) && room.admit("a.example", two));
        assert!(!room.admit("a.example", two), "a destination that has its share");
        assert!(room.admit("b.example", one) && room.admit("b.example", one));
        assert!(!room.admit("c.example", one), "an agency that has its share");
        let mut shut = room.shut_destinations();
        shut.sort();
        assert_eq!(shut, ["a.example", "b.example", "slow.example"]);
        assert_eq!(room.shut_agencies(), [one]);
        assert!(room.is_shut_to_some());
        assert!(room.admit("c.example", two) && !room.admit("d.example", two), "there is no room in all");
    }

    #[test]
    fn without_limits_there_is_only_the_one_in_all() {
        let mut room = Room::of(2);
        assert!(room.admit("a.example", agency(1)) && room.admit("a.example", agency(1)));
        assert!(!room.admit("b.example", agency(2)));
        assert!(room.shut_agencies().is_empty());
    }
}
