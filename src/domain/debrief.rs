//! The debrief: the record of one interview's aftermath, and the rule that moves it along.

use super::feedback::FeedbackState;
use super::state::Machine;
use super::words::words;

words! {
    /// Where a debrief stands.
    pub enum DebriefState {
        /// The interview has not taken place yet.
        Scheduled,
        /// The interview took place; an account is awaited.
        Open,
        /// Both sides are in, or waived.
        Ready,
        /// The candidate has been given the client's view.
        Released,
        /// Done, with an outcome.
        Closed,
        /// The interview did not take place.
        Cancelled,
    }
}

words! {
    /// The ways from one state of a debrief to another.
    pub enum DebriefTransition {
        /// The interview ended. Follows by itself.
        Open,
        /// The last side came in. Follows by itself.
        MakeReady,
        /// A side that was waived wants to speak after all. Follows by itself.
        AwaitSide,
        /// The candidate is given the client's view.
        Release,
        /// It is done.
        Close,
        /// It was not done after all.
        Reopen,
        /// The interview did not take place.
        Cancel,
    }
}

words! {
    /// What came of the interview.
    pub enum Outcome {
        /// The candidate goes on to the next round.
        Advance,
        /// The client has not made up its mind.
        Hold,
        /// The client said no.
        Reject,
        /// The client wants the candidate.
        Offer,
        /// The candidate wants no more of it.
        CandidateWithdrew,
    }
}

words! {
    /// Why a debrief was cancelled.
    pub enum CancelReason {
        /// The interview was called off.
        Cancelled,
        /// Somebody did not come.
        NoShow,
    }
}

words! {
    /// Whether one side of a debrief has spoken.
    pub enum SideStatus {
        /// Its account is awaited.
        Missing,
        /// At least one of its accounts is submitted.
        In,
        /// There will be none.
        Waived,
    }
}

words! {
    /// What may be missing in a debrief that is under way.
    pub enum Missing {
        /// The candidate's account.
        CandidateFeedback,
        /// An account of the client's side.
        ClientFeedback,
        /// A thank-you note that stands for one of its contacts: that reached them, or still may.
        Note,
    }
}

impl Machine for DebriefState {
    type Transition = DebriefTransition;

    const RECORD: &'static str = "debrief";

    fn is_asked_for(transition: DebriefTransition) -> bool {
        use DebriefTransition as T;
        !matches!(transition, T::Open | T::MakeReady | T::AwaitSide)
    }

    fn next(self, transition: DebriefTransition) -> Option<Self> {
        use DebriefTransition as T;
        match (self, transition) {
            (Self::Scheduled, T::Open) | (Self::Ready, T::AwaitSide) | (Self::Closed, T::Reopen) => {
                Some(Self::Open)
            }
            (Self::Open, T::MakeReady) => Some(Self::Ready),
            (Self::Ready, T::Release) => Some(Self::Released),
            (Self::Open | Self::Ready | Self::Released, T::Close) => Some(Self::Closed),
            (Self::Scheduled | Self::Open, T::Cancel) => Some(Self::Cancelled),
            _ => None,
        }
    }
}

impl DebriefState {
    /// Whether accounts are still awaited, or will be once the interview ended.
    #[must_use]
    pub const fn awaits_accounts(self) -> bool {
        matches!(self, Self::Scheduled | Self::Open)
    }

    /// Whether the interview took place and the debrief is not done with.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Open | Self::Ready | Self::Released)
    }
}

impl SideStatus {
    /// What the accounts of one side add up to: one submitted account is enough; the side is waived
    /// only when everybody asked was waived.
    #[must_use]
    pub fn of(accounts: &[FeedbackState]) -> Self {
        if accounts.contains(&FeedbackState::Submitted) {
            Self::In
        } else if !accounts.is_empty() && accounts.iter().all(|state| *state == FeedbackState::Waived) {
            Self::Waived
        } else {
            Self::Missing
        }
    }
}

/// The transition that follows by itself from how things stand, if one does. `ended` says whether
/// the interview took place. One may lead to the next (a side may be in before the end is noticed):
/// ask again after each, until there is none.
///
/// What the candidate has been told cannot be untold, so a released debrief stays released.
#[must_use]
pub fn follow_up(
    state: DebriefState,
    ended: bool,
    candidate: SideStatus,
    client: SideStatus,
) -> Option<DebriefTransition> {
    let complete = candidate != SideStatus::Missing && client != SideStatus::Missing;
    match state {
        DebriefState::Scheduled if ended => Some(DebriefTransition::Open),
        DebriefState::Open if complete => Some(DebriefTransition::MakeReady),
        DebriefState::Ready if !complete => Some(DebriefTransition::AwaitSide),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::VariantArray;

    use super::SideStatus::{In, Missing, Waived};
    use super::*;
    use crate::domain::state;

    #[test]
    fn the_whole_table() {
        insta::assert_snapshot!(state::table::<DebriefState>(), @r"
        scheduled: open -> open, cancel -> cancelled
        open: make_ready -> ready, close -> closed, cancel -> cancelled
        ready: await_side -> open, release -> released, close -> closed
        released: close -> closed
        closed: reopen -> open
        cancelled: final
        ");
    }

    #[test]
    fn what_follows_by_itself_is_not_offered() {
        let offered = |state: DebriefState| state.allowed();
        assert_eq!(offered(DebriefState::Scheduled), ["cancel"]);
        assert_eq!(offered(DebriefState::Open), ["close", "cancel"]);
        assert_eq!(offered(DebriefState::Ready), ["release", "close"]);
    }

    #[test]
    fn what_follows_by_itself() {
        let mut lines = Vec::new();
        for state in DebriefState::VARIANTS {
            for (ended, candidate, client) in
                [(false, Missing, Missing), (true, In, Missing), (true, Missing, Waived), (true, Waived, In)]
            {
                if let Some(transition) = follow_up(*state, ended, candidate, client) {
                    lines.push(format!("{state}, ended {ended}, {candidate} and {client}: {transition}"));
                }
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        scheduled, ended true, in and missing: open
        scheduled, ended true, missing and waived: open
        scheduled, ended true, waived and in: open
        open, ended true, waived and in: make_ready
        ready, ended false, missing and missing: await_side
        ready, ended true, in and missing: await_side
        ready, ended true, missing and waived: await_side
        ");
    }

    #[test]
    fn what_the_accounts_of_a_side_add_up_to() {
        use FeedbackState as F;
        assert_eq!(SideStatus::of(&[]), Missing);
        assert_eq!(SideStatus::of(&[F::Requested, F::Draft]), Missing);
        assert_eq!(SideStatus::of(&[F::Waived, F::Requested]), Missing);
        assert_eq!(SideStatus::of(&[F::Waived, F::Waived]), Waived);
        assert_eq!(SideStatus::of(&[F::Waived, F::Submitted, F::Draft]), In);
    }

    proptest! {
        #[test]
        fn what_follows_is_allowed_and_comes_to_rest(
            mut state in proptest::sample::select(DebriefState::VARIANTS),
            ended: bool,
            candidate in proptest::sample::select(SideStatus::VARIANTS),
            client in proptest::sample::select(SideStatus::VARIANTS),
        ) {
            let mut steps = 0;
            while let Some(transition) = follow_up(state, ended, candidate, client) {
                state = state.apply(transition).unwrap();
                steps += 1;
                prop_assert!(steps <= 2, "still moving at {state}");
            }
        }
    }
}
