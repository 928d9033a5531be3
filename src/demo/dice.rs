//! Chance that repeats itself: the same seed, stream and place give the same throws on every
//! machine and in every version. (The generators of libraries promise that only for one version.)

use chrono::{DateTime, Utc};

use crate::domain::ids::Id;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

/// What a row of throws is for, so that two rows of one seed have nothing in common.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// A hiring company with its people and vacancies.
    Client,
    /// A candidate with all interviews.
    Candidate,
    /// What follows an interview.
    Debrief,
    /// The people at the agency.
    Staff,
    /// The agency itself.
    Agency,
}

impl Dice {
    /// The throws for the `index`-th thing of a stream.
    #[must_use]
    pub fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let stream = (stream as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
        let mut dice = Self(seed ^ stream);
        let start = dice.throw() ^ index.wrapping_mul(0x9e6c_63d0_876a_68ee);
        let mut dice = Self(start);
        dice.throw();
        dice
    }

    /// A number for a text: the seed of everything that depends on it.
    #[must_use]
    pub fn mix(seed: u64, text: &str) -> u64 {
        text.bytes().fold(seed, |seed, byte| Self(seed ^ u64::from(byte)).throw())
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to `end`, exclusive.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.throw()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// A number from `first` to `last`, inclusive.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        let span = last.saturating_sub(first).unsigned_abs() + 1;
        first + i64::try_from(self.below(span)).unwrap_or_default()
    }

    /// An index into something of this length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// One of several, each as likely as its weight says.
    pub fn weigh<T: Copy>(&mut self, of: &[(u32, T)]) -> T {
        let sum = of.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.below(sum);
        for (weight, value) in of {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *value,
            }
        }
        of[0].1
    }

    /// An identifier of this moment.
    pub fn id<K>(&mut self, at: DateTime<Utc>) -> Id<K> {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.throw().to_be_bytes());
        random[8..].copy_from_slice(&self.throw().to_be_bytes()[..2]);
        Id::new(at, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_are_the_same_for_ever() {
        let mut dice = Dice::new(1, Stream::Client, 7);
        let throws = [dice.below(1000), dice.below(1000), dice.below(1000)];
        let mut again = Dice::new(1, Stream::Client, 7);
        assert_eq!(throws, [again.below(1000), again.below(1000), again.below(1000)]);
        assert_eq!(Dice(0).throw(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn every_value_of_a_range_comes_up_about_as_often() {
        let mut counts = [0_u32; 6];
        for index in 0..6000 {
            counts[Dice::new(3, Stream::Candidate, index).index(6)] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn heavier_values_come_up_more_often() {
        let mut dice = Dice::new(1, Stream::Staff, 0);
        let heavy = (0..1000).filter(|_| dice.weigh(&[(9, true), (1, false)])).count();
        assert!((850..950).contains(&heavy), "{heavy}");
    }
}
