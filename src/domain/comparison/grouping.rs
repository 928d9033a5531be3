//! Which points are the same thing: first by the recruiter's hand, then by rule.

use std::collections::HashSet;

use super::{ManualMatch, Placed};
use crate::domain::feedback::PointKind;

/// Two points by their places.
type Pair = (usize, usize);

/// Groups the points, which come in their final order. Groups stand in the order of their first
/// points.
pub(super) fn group<'a>(points: &[Placed<'a>], matches: &[ManualMatch]) -> Vec<Vec<Placed<'a>>> {
    let place = |id| points.iter().position(|placed| placed.point.id == id);
    let by_hand = |same: bool| -> Vec<Pair> {
        let of_kind = matches.iter().filter(|made| made.same == same);
        of_kind.filter_map(|made| place(made.points.0).zip(place(made.points.1))).collect()
    };

    let groups = Groups::of(points.len(), &by_hand(true), &by_hand(false), &by_rule(points));
    groups.collect(points)
}

/// The pairs that the rule would join, those across the sides first: that both sides noticed a
/// thing says more than that two interviewers did.
fn by_rule(points: &[Placed]) -> Vec<Pair> {
    let subjects: Vec<Subject> = points.iter().map(subject).collect();
    let mut pairs = Vec::new();
    for b in 0..points.len() {
        for a in 0..b {
            let accounts = (points[a].account, points[b].account);
            if accounts.0.feedback_id != accounts.1.feedback_id && subjects[a] == subjects[b] {
                pairs.push((accounts.0.side == accounts.1.side, a, b));
            }
        }
    }
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, a, b)| (a, b)).collect()
}

/// What the rule goes by.
#[derive(PartialEq)]
enum Subject<'a> {
    Competency(PointKind, &'a str),
    Words(PointKind, String),
}

fn subject<'a>(placed: &Placed<'a>) -> Subject<'a> {
    let point = placed.point;
    if let Some(competency) = &point.competency {
        return Subject::Competency(point.kind, competency);
    }
    let words: Vec<String> = point.what.split_whitespace().map(str::to_lowercase).collect();
    Subject::Words(point.kind, words.join(" "))
}

/// Disjoint groups of points.
struct Groups {
    /// For each point the place of the first point of its group.
    labels: Vec<usize>,
    /// The labels of groups that are held apart, the lower one first. A rule can ask for more pairs
    /// than could each look through all that is held apart.
    apart: HashSet<Pair>,
}

impl Groups {
    /// Groups of `count` points: those that stand together by hand, and those whom the rule joins
    /// without bringing together what is held apart.
    fn of(count: usize, together: &[Pair], apart: &[Pair], by_rule: &[Pair]) -> Self {
        let apart = apart.iter().map(|(a, b)| in_order(*a, *b)).collect();
        let mut groups = Self { labels: (0..count).collect(), apart };
        for (a, b) in together {
            groups.join(*a, *b);
        }
        for (a, b) in by_rule {
            if !groups.are_apart(*a, *b) {
                groups.join(*a, *b);
            }
        }
        groups
    }

    fn pair(&self, a: usize, b: usize) -> Pair {
        in_order(self.labels[a], self.labels[b])
    }

    fn are_apart(&self, a: usize, b: usize) -> bool {
        self.apart.contains(&self.pair(a, b))
    }

    fn join(&mut self, a: usize, b: usize) {
        let (first, other) = self.pair(a, b);
        if first == other {
            // So it is with most pairs of a large group.
            return;
        }
        let now = |label: usize| if label == other { first } else { label };
        self.labels.iter_mut().for_each(|label| *label = now(*label));
        self.apart = self.apart.iter().map(|(p, q)| in_order(now(*p), now(*q))).collect();
    }

    fn collect<'a>(&self, points: &[Placed<'a>]) -> Vec<Vec<Placed<'a>>> {
        let mut groups = vec![Vec::new(); points.len()];
        for (label, placed) in self.labels.iter().zip(points) {
            groups[*label].push(*placed);
        }
        groups.retain(|members| !members.is_empty());
        groups
    }
}

const fn in_order(a: usize, b: usize) -> Pair {
    if a < b { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POINTS: usize = 12;

    fn pairs(most: usize) -> impl Strategy<Value = Vec<Pair>> {
        proptest::collection::vec((0..POINTS, 0..POINTS), 0..most)
    }

    /// The same word for word: each pair looks through every point and everything that is held apart.
    fn plainly(together: &[Pair], apart: &[Pair], by_rule: &[Pair]) -> Vec<usize> {
        let mut labels: Vec<usize> = (0..POINTS).collect();
        let join = |labels: &mut Vec<usize>, (a, b): Pair| {
            let (first, other) = in_order(labels[a], labels[b]);
            labels.iter_mut().filter(|label| **label == other).for_each(|label| *label = first);
        };
        for pair in together {
            join(&mut labels, *pair);
        }
        for (a, b) in by_rule {
            let wanted = in_order(labels[*a], labels[*b]);
            let held = |(p, q): &Pair| in_order(labels[*p], labels[*q]) == wanted;
            if wanted.0 == wanted.1 || !apart.iter().any(held) {
                join(&mut labels, (*a, *b));
            }
        }
        labels
    }

    proptest! {
        #[test]
        fn the_short_way_leads_to_the_same_groups(
            together in pairs(6), apart in pairs(12), by_rule in pairs(40),
        ) {
            let groups = Groups::of(POINTS, &together, &apart, &by_rule);
            prop_assert_eq!(groups.labels, plainly(&together, &apart, &by_rule));
        }
    }
}
