//! Which points are the same thing: first by the recruiter's hand, then by rule.

use super::{ManualMatch, Placed};
use crate::domain::feedback::PointKind;

/// Groups the points, which come in their final order. Groups stand in the order of their first
/// points.
pub(super) fn group<'a>(points: &[Placed<'a>], matches: &[ManualMatch]) -> Vec<Vec<Placed<'a>>> {
    let place = |id| points.iter().position(|placed| placed.point.id == id);
    let by_hand = |same: bool| -> Vec<(usize, usize)> {
        let of_kind = matches.iter().filter(|made| made.same == same);
        of_kind.filter_map(|made| place(made.points.0).zip(place(made.points.1))).collect()
    };

    let mut groups = Groups::of_one_each(points.len());
    for (a, b) in by_hand(true) {
        groups.join(a, b);
    }
    let apart = by_hand(false);
    for (a, b) in by_rule(points) {
        if !groups.would_bring_together(a, b, &apart) {
            groups.join(a, b);
        }
    }
    groups.collect(points)
}

/// The pairs that the rule would join, those across the sides first: that both sides noticed a
/// thing says more than that two interviewers did.
fn by_rule(points: &[Placed]) -> Vec<(usize, usize)> {
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

/// Disjoint groups of points: each point carries the place of the first point of its group.
struct Groups(Vec<usize>);

impl Groups {
    fn of_one_each(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn join(&mut self, a: usize, b: usize) {
        let (first, other) = (self.0[a].min(self.0[b]), self.0[a].max(self.0[b]));
        for label in &mut self.0 {
            if *label == other {
                *label = first;
            }
        }
    }

    /// Whether joining the groups of `a` and `b` would put two points into one group that are held
    /// apart and stand apart now.
    fn would_bring_together(&self, a: usize, b: usize, apart: &[(usize, usize)]) -> bool {
        let (a, b) = (self.0[a], self.0[b]);
        a != b
            && apart.iter().any(|(p, q)| {
                let held = (self.0[*p], self.0[*q]);
                held == (a, b) || held == (b, a)
            })
    }

    fn collect<'a>(&self, points: &[Placed<'a>]) -> Vec<Vec<Placed<'a>>> {
        let mut groups = vec![Vec::new(); points.len()];
        for (label, placed) in self.0.iter().zip(points) {
            groups[*label].push(*placed);
        }
        groups.retain(|members| !members.is_empty());
        groups
    }
}
