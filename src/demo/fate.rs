//! How a debrief stands, seen from the day of the demonstration.

use super::dice::Dice;
use crate::domain::debrief::{DebriefState, Outcome};
use crate::domain::retry_request::RetryState;

/// How far one side has got with its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Nothing was heard.
    Silent,
    /// Something is written, but not given.
    Draft,
    /// It was given.
    Given,
    /// There will be none.
    Waived,
}

/// How a debrief stands.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// Its state.
    pub state: DebriefState,
    /// The candidate's side.
    pub candidate: Voice,
    /// The client's side.
    pub client: Voice,
    /// What came of it, if it is closed.
    pub outcome: Option<Outcome>,
    /// Whether the candidate was given the client's view.
    pub released: bool,
    /// How well it went, from −2 to 2.
    pub mood: i64,
    /// Where the candidate's request for another meeting stands.
    pub retry: Option<RetryState>,
}

/// What is to follow from an interview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequel {
    /// Nothing that is known.
    Open,
    /// There is a next round.
    Round,
    /// There will be a second chance.
    RetryAhead,
    /// There was a second chance.
    RetryHeld,
}

impl Fate {
    /// The fate of an interview that ended so many hours ago (in the future if negative).
    /// `expected` says that it took place, or will.
    pub fn of(dice: &mut Dice, hours: i64, sequel: Sequel, expected: bool) -> Self {
        let mood = dice.weigh(&[(12, -2), (24, -1), (20, 0), (29, 1), (15, 2)]);
        let state = match (hours, sequel) {
            _ if !expected && sequel == Sequel::Open && dice.chance(6) => DebriefState::Cancelled,
            (..=-1, _) => DebriefState::Scheduled,
            (_, Sequel::Round) => DebriefState::Closed,
            (_, Sequel::RetryAhead) => dice.weigh(&[(6, DebriefState::Released), (4, DebriefState::Closed)]),
            (_, Sequel::RetryHeld) => dice.weigh(&[(1, DebriefState::Released), (9, DebriefState::Closed)]),
            (0..30, _) => by_weight(dice, [68, 17, 10, 5]),
            (30..240, _) => by_weight(dice, [26, 15, 24, 35]),
            _ => by_weight(dice, [2, 2, 3, 93]),
        };
        let mut fate = Self {
            state,
            candidate: Voice::Silent,
            client: Voice::Silent,
            outcome: None,
            released: false,
            mood: match sequel {
                Sequel::Round => mood.max(1),
                Sequel::RetryAhead | Sequel::RetryHeld => mood.min(-1),
                Sequel::Open => mood,
            },
            retry: None,
        };
        fate.hear(dice);
        fate.end(dice, sequel);
        fate.ask_again(dice, hours, sequel);
        fate
    }

    /// Decides who has spoken.
    fn hear(&mut self, dice: &mut Dice) {
        use Voice::{Draft, Given, Silent, Waived};
        (self.candidate, self.client) = match self.state {
            DebriefState::Scheduled | DebriefState::Cancelled => (Silent, Silent),
            DebriefState::Open => dice.weigh(&[
                (35, (Silent, Silent)),
                (15, (Draft, Silent)),
                (30, (Given, Silent)),
                (5, (Given, Draft)),
                (15, (Silent, Given)),
            ]),
            // Some are closed without everybody having spoken.
            DebriefState::Closed if dice.chance(6) => {
                dice.weigh(&[(3, (Given, Silent)), (1, (Silent, Silent))])
            }
            _ => dice.weigh(&[(93, (Given, Given)), (4, (Given, Waived)), (3, (Waived, Given))]),
        };
    }

    fn end(&mut self, dice: &mut Dice, sequel: Sequel) {
        let complete = self.candidate != Voice::Silent && self.client != Voice::Silent;
        let told = complete && (sequel != Sequel::Open || dice.chance(85));
        self.released = self.state == DebriefState::Released || (self.state == DebriefState::Closed && told);
        if self.state != DebriefState::Closed {
            return;
        }
        let outcome = match (sequel, self.mood) {
            (Sequel::Round, _) => Outcome::Advance,
            (Sequel::RetryAhead | Sequel::RetryHeld, _) => Outcome::Hold,
            (_, ..=-1) => {
                dice.weigh(&[(80, Outcome::Reject), (12, Outcome::CandidateWithdrew), (8, Outcome::Hold)])
            }
            (_, 0) => {
                dice.weigh(&[(45, Outcome::Reject), (35, Outcome::Hold), (20, Outcome::CandidateWithdrew)])
            }
            _ => dice.weigh(&[
                (40, Outcome::Offer),
                (30, Outcome::Advance),
                (20, Outcome::Reject),
                (10, Outcome::CandidateWithdrew),
            ]),
        };
        self.outcome = Some(outcome);
    }

    fn ask_again(&mut self, dice: &mut Dice, hours: i64, sequel: Sequel) {
        use RetryState as R;
        let asks = self.candidate == Voice::Given && self.mood <= 0 && dice.chance(28);
        self.retry = match sequel {
            Sequel::RetryAhead => Some(R::Scheduled),
            Sequel::RetryHeld => Some(R::Held),
            Sequel::Round => None,
            Sequel::Open if !asks => None,
            Sequel::Open if hours < 240 && self.state != DebriefState::Closed => Some(dice.weigh(&[
                (30, R::Requested),
                (30, R::PutToClient),
                (10, R::CounterProposed),
                (10, R::Accepted),
                (6, R::AgencyDeclined),
                (10, R::Declined),
                (4, R::Withdrawn),
            ])),
            Sequel::Open => Some(dice.weigh(&[
                (38, R::Declined),
                (14, R::AgencyDeclined),
                (12, R::Expired),
                (14, R::Withdrawn),
                (14, R::Moot),
                (2, R::Requested),
                (2, R::PutToClient),
                (2, R::CounterProposed),
                (2, R::Accepted),
            ])),
        };
    }
}

fn by_weight(dice: &mut Dice, [open, ready, released, closed]: [u32; 4]) -> DebriefState {
    use DebriefState::{Closed, Open, Ready, Released};
    dice.weigh(&[(open, Open), (ready, Ready), (released, Released), (closed, Closed)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::dice::Stream;
    use crate::domain::debrief::{SideStatus, follow_up};

    #[test]
    fn nothing_is_left_to_follow_by_itself() {
        let status = |voice| match voice {
            Voice::Given => SideStatus::In,
            Voice::Waived => SideStatus::Waived,
            Voice::Silent | Voice::Draft => SideStatus::Missing,
        };
        let mut dice = Dice::new(1, Stream::Debrief, 0);
        for hours in [-100, 0, 5, 100, 5000] {
            for sequel in [Sequel::Open, Sequel::Round, Sequel::RetryAhead, Sequel::RetryHeld] {
                for _ in 0..200 {
                    let fate = Fate::of(&mut dice, hours, sequel, false);
                    let sides = (status(fate.candidate), status(fate.client));
                    assert_eq!(follow_up(fate.state, hours >= 0, sides.0, sides.1), None, "{fate:?}");
                    assert_eq!(fate.state == DebriefState::Closed, fate.outcome.is_some());
                    assert!(!fate.released || sides.0 != SideStatus::Missing, "{fate:?}");
                }
            }
        }
    }
}
