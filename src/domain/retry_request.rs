//! The retry request: the candidate's wish to meet the client again, and what became of it.

use super::state::Machine;
use super::words::words;

words! {
    /// Where a retry request stands.
    pub enum RetryState {
        /// The candidate asked the agency.
        Requested,
        /// The agency asked the client.
        PutToClient,
        /// The agency will not ask the client.
        AgencyDeclined,
        /// The client agreed to meet again.
        Accepted,
        /// The client said no.
        Declined,
        /// The client offered something else.
        CounterProposed,
        /// The client did not answer in time.
        Expired,
        /// The new interview has a date.
        Scheduled,
        /// The new interview took place.
        Held,
        /// The candidate no longer wants it.
        Withdrawn,
        /// There is nothing left to meet about: the role is filled.
        Moot,
    }
}

words! {
    /// The ways from one state of a retry request to another.
    pub enum RetryTransition {
        /// The recruiter asks the client.
        PutToClient,
        /// The agency refuses to ask.
        DeclineByAgency,
        /// Yes: the client's, or both sides' to what the client offered instead.
        Accept,
        /// No: the client's, or to what the client offered instead.
        Decline,
        /// The client offers something else.
        CounterPropose,
        /// The time to answer is over.
        Expire,
        /// A new interview is made and linked.
        Schedule,
        /// The new interview took place.
        MarkHeld,
        /// The candidate takes the wish back.
        Withdraw,
        /// The role is filled.
        MarkMoot,
    }
}

words! {
    /// Why the candidate asks for another meeting.
    pub enum Grounds {
        /// Nerves got the better of the candidate.
        Nerves,
        /// The candidate was ill.
        Illness,
        /// The line, the video or the tools failed.
        Technical,
        /// A question was understood otherwise than it was meant.
        MisunderstoodQuestion,
        /// There is something to tell that the client does not know.
        NewInformation,
        /// Anything else; the candidate's own words say what.
        Other,
    }
}

impl Machine for RetryState {
    type Transition = RetryTransition;

    const RECORD: &'static str = "retry request";

    fn is_asked_for(transition: RetryTransition) -> bool {
        transition != RetryTransition::Expire
    }

    fn next(self, transition: RetryTransition) -> Option<Self> {
        use RetryTransition as T;
        match (self, transition) {
            (Self::Requested, T::PutToClient) => Some(Self::PutToClient),
            (Self::Requested, T::DeclineByAgency) => Some(Self::AgencyDeclined),
            (Self::PutToClient | Self::CounterProposed, T::Accept) => Some(Self::Accepted),
            (Self::PutToClient | Self::CounterProposed, T::Decline) => Some(Self::Declined),
            (Self::PutToClient, T::CounterPropose) => Some(Self::CounterProposed),
            (Self::PutToClient, T::Expire) => Some(Self::Expired),
            (Self::Accepted, T::Schedule) => Some(Self::Scheduled),
            (Self::Scheduled, T::MarkHeld) => Some(Self::Held),
            (state, T::Withdraw) if state.is_open() => Some(Self::Withdrawn),
            (state, T::MarkMoot) if state.is_open() => Some(Self::Moot),
            _ => None,
        }
    }
}

impl RetryState {
    /// Whether something may still come of the request. An interview has one open request at a
    /// time; a request that came to its end leaves room for another.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Requested
            | Self::PutToClient
            | Self::Accepted
            | Self::CounterProposed
            | Self::Scheduled => true,
            Self::AgencyDeclined
            | Self::Declined
            | Self::Expired
            | Self::Held
            | Self::Withdrawn
            | Self::Moot => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;
    use crate::domain::state;

    #[test]
    fn the_whole_table() {
        insta::assert_snapshot!(state::table::<RetryState>(), @r"
        requested: put_to_client -> put_to_client, decline_by_agency -> agency_declined, withdraw -> withdrawn, mark_moot -> moot
        put_to_client: accept -> accepted, decline -> declined, counter_propose -> counter_proposed, expire -> expired, withdraw -> withdrawn, mark_moot -> moot
        agency_declined: final
        accepted: schedule -> scheduled, withdraw -> withdrawn, mark_moot -> moot
        declined: final
        counter_proposed: accept -> accepted, decline -> declined, withdraw -> withdrawn, mark_moot -> moot
        expired: final
        scheduled: mark_held -> held, withdraw -> withdrawn, mark_moot -> moot
        held: final
        withdrawn: final
        moot: final
        ");
    }

    #[test]
    fn nobody_is_offered_to_let_time_pass() {
        let offered = RetryState::PutToClient.allowed();
        assert_eq!(offered, ["accept", "decline", "counter_propose", "withdraw", "mark_moot"]);
    }

    #[test]
    fn a_request_is_open_as_long_as_something_can_come_of_it() {
        for state in RetryState::VARIANTS {
            assert_eq!(state.is_open(), !state.allowed().is_empty(), "{state}");
        }
    }
}
