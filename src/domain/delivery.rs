//! One note on its way to one recipient: its states, and the one question that decides what may
//! be done after a failure: had the message been handed over when it happened?
//!
//! Up to the *commit point* (the server has answered 354, the content is about to follow) a
//! server must throw away a transaction that breaks off (RFC 5321, section 4.1.1.4), so the
//! message is provably unsent and is tried again. Between that point and the server's last reply
//! nobody can know, and a person is asked.

mod lateness;
mod reply;
mod room;
mod schedule;

pub use lateness::Lateness;
pub use reply::{Reply, ReplyClass};
pub use room::{Among, Room};
pub use schedule::Schedule;

use super::state::Machine;
use super::words::words;

words! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// Waiting for its time and for a worker.
        Queued,
        /// A worker holds it under a lease.
        Sending,
        /// An attempt failed, the next one is planned.
        Deferred,
        /// The recipient's mail server took it.
        Sent,
        /// A delivery status notification says that it reached the mailbox.
        Delivered,
        /// A delivery status notification says that it will never arrive.
        Bounced,
        /// The recipient reported it as unwanted.
        Complained,
        /// Refused for good, or given up after too long.
        Failed,
        /// It cannot be known whether the server took it: a person decides.
        Unconfirmed,
        /// Taken back before it was sent.
        Recalled,
        /// An unconfirmed one that nobody will send again.
        Abandoned,
    }
}

words! {
    /// What can happen to a delivery.
    pub enum DeliveryEvent {
        /// A worker took it up under a new lease.
        Claim,
        /// The server is ready for the content, and the mark that says so is durable.
        CommitPoint,
        /// A 2xx reply to the final dot.
        Accepted,
        /// A 4xx reply, at whatever step.
        TransientReply,
        /// A 5xx reply, at whatever step.
        PermanentReply,
        /// No connection, a time-out, a reset, an end of stream.
        ConnectionLost,
        /// The worker died, or did not renew its lease.
        LeaseLost,
        /// The relay itself is at fault (sign-in, TLS): nothing was tried.
        TransportPaused,
        /// The schedule has no next attempt, or its end has passed before there could be one.
        GiveUp,
        /// A person takes the note back.
        Recall,
        /// A person knows that it arrived.
        ResolveSent,
        /// A person wants it sent again.
        ResolveResend,
        /// A person lets it rest.
        ResolveAbandon,
        /// A log or a late reply shows that the server took it.
        EvidenceSent,
        /// A log or a late reply shows that the server never took it.
        EvidenceUnsent,
        /// A status notification: still trying.
        NotifiedDelay,
        /// A status notification: delivered.
        NotifiedDelivered,
        /// A status notification: failed.
        NotifiedBounced,
        /// A feedback report: the recipient complained.
        NotifiedComplaint,
    }
}

words! {
    /// What a person decides about an unconfirmed delivery.
    pub enum Resolution {
        /// It arrived.
        Sent,
        /// Send it again, at the risk of a second copy.
        Resend,
        /// Leave it.
        Abandon,
    }
}

impl Resolution {
    /// The event that carries the decision out.
    #[must_use]
    pub const fn event(self) -> DeliveryEvent {
        match self {
            Self::Sent => DeliveryEvent::ResolveSent,
            Self::Resend => DeliveryEvent::ResolveResend,
            Self::Abandon => DeliveryEvent::ResolveAbandon,
        }
    }
}

/// A state and, while sending, the side of the commit point that the attempt is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Progress {
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// Past the commit point of the present attempt. Means something while sending only.
    pub transmitting: bool,
}

impl Progress {
    /// A delivery that no attempt is at work on.
    #[must_use]
    pub const fn at(state: DeliveryState) -> Self {
        Self { state, transmitting: false }
    }
}

impl From<Progress> for &'static str {
    fn from(progress: Progress) -> Self {
        progress.state.into()
    }
}

impl Machine for Progress {
    type Transition = DeliveryEvent;

    const RECORD: &'static str = "delivery";

    fn is_asked_for(event: DeliveryEvent) -> bool {
        use DeliveryEvent as E;
        matches!(event, E::Recall | E::ResolveSent | E::ResolveResend | E::ResolveAbandon)
    }

    fn next(self, event: DeliveryEvent) -> Option<Self> {
        use DeliveryEvent as E;
        use DeliveryState as S;
        let next = match (self.state, self.transmitting, event) {
            (S::Queued | S::Deferred, _, E::Claim) => S::Sending,
            (S::Sending, false, E::CommitPoint) => return Some(Self { transmitting: true, ..self }),
            (S::Sending, true, E::Accepted) => S::Sent,
            (S::Sending, _, E::TransientReply) => S::Deferred,
            (S::Sending, _, E::PermanentReply) => S::Failed,
            (S::Sending, false, E::ConnectionLost | E::LeaseLost | E::TransportPaused) => S::Deferred,
            (S::Sending, true, E::ConnectionLost | E::LeaseLost) => S::Unconfirmed,
            (S::Queued | S::Deferred, _, E::GiveUp) => S::Failed,
            (S::Queued | S::Deferred, _, E::Recall) | (S::Sending, false, E::Recall) => S::Recalled,
            (S::Unconfirmed, _, E::ResolveSent) => S::Sent,
            (S::Unconfirmed, _, E::ResolveResend | E::EvidenceUnsent) => S::Queued,
            // However it was decided while nobody knew, and whatever became of it since: another attempt may
            // be under way, or have been refused, or taken back.
            (
                S::Queued
                | S::Sending
                | S::Deferred
                | S::Unconfirmed
                | S::Abandoned
                | S::Failed
                | S::Recalled,
                _,
                E::EvidenceSent,
            ) => S::Sent,
            (S::Unconfirmed, _, E::ResolveAbandon) => S::Abandoned,
            // A notification about an unconfirmed one answers the question and goes on from there.
            (S::Sent | S::Unconfirmed, _, E::NotifiedDelay) => S::Sent,
            (S::Sent | S::Unconfirmed, _, E::NotifiedDelivered) => S::Delivered,
            (S::Sent | S::Unconfirmed, _, E::NotifiedBounced) => S::Bounced,
            (S::Sent | S::Unconfirmed | S::Delivered, _, E::NotifiedComplaint) => S::Complained,
            _ => return None,
        };
        Some(Self::at(next))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::VariantArray;

    use super::*;

    const SENDING: Progress = Progress::at(DeliveryState::Sending);
    const TRANSMITTING: Progress = Progress { state: DeliveryState::Sending, transmitting: true };

    fn next(from: Progress, event: DeliveryEvent) -> Option<DeliveryState> {
        from.next(event).map(|p| p.state)
    }

    #[test]
    fn a_failure_before_the_commit_point_is_tried_again() {
        use DeliveryEvent::{ConnectionLost, LeaseLost, TransientReply, TransportPaused};
        for event in [ConnectionLost, LeaseLost, TransientReply, TransportPaused] {
            assert_eq!(next(SENDING, event), Some(DeliveryState::Deferred), "{event}");
        }
        assert_eq!(next(SENDING, DeliveryEvent::PermanentReply), Some(DeliveryState::Failed));
        assert_eq!(next(SENDING, DeliveryEvent::Accepted), None, "nothing had been handed over");
    }

    #[test]
    fn past_the_commit_point_only_a_reply_decides() {
        use DeliveryEvent as E;
        for (event, state) in [
            (E::Accepted, Some(DeliveryState::Sent)),
            (E::TransientReply, Some(DeliveryState::Deferred)),
            (E::PermanentReply, Some(DeliveryState::Failed)),
            (E::ConnectionLost, Some(DeliveryState::Unconfirmed)),
            (E::LeaseLost, Some(DeliveryState::Unconfirmed)),
            (E::Recall, None),
            (E::CommitPoint, None),
            (E::TransportPaused, None),
        ] {
            assert_eq!(next(TRANSMITTING, event), state, "{event}");
        }
    }

    #[test]
    fn a_person_or_evidence_settles_an_unconfirmed_one() {
        let unconfirmed = Progress::at(DeliveryState::Unconfirmed);
        for (resolution, state) in [
            (Resolution::Sent, DeliveryState::Sent),
            (Resolution::Resend, DeliveryState::Queued),
            (Resolution::Abandon, DeliveryState::Abandoned),
        ] {
            assert_eq!(next(unconfirmed, resolution.event()), Some(state));
            assert_eq!(next(Progress::at(DeliveryState::Sent), resolution.event()), None);
        }
        assert_eq!(next(unconfirmed, DeliveryEvent::Claim), None, "never sent again in silence");
        assert_eq!(next(unconfirmed, DeliveryEvent::NotifiedBounced), Some(DeliveryState::Bounced));
    }

    #[test]
    fn proof_that_it_was_sent_outweighs_every_guess() {
        use DeliveryState::{Abandoned, Deferred, Failed, Queued, Recalled, Unconfirmed};
        for state in [Queued, Deferred, Unconfirmed, Abandoned, Failed, Recalled] {
            let found = next(Progress::at(state), DeliveryEvent::EvidenceSent);
            assert_eq!(found, Some(DeliveryState::Sent), "{state}");
        }
        for progress in [SENDING, TRANSMITTING] {
            assert_eq!(next(progress, DeliveryEvent::EvidenceSent), Some(DeliveryState::Sent));
        }
        for state in DeliveryState::VARIANTS.iter().filter(|state| **state != Unconfirmed) {
            assert_eq!(next(Progress::at(*state), DeliveryEvent::EvidenceUnsent), None, "{state}");
        }
    }

    #[test]
    fn a_refused_transition_says_what_can_be_asked_for() {
        let refused = TRANSMITTING.apply(DeliveryEvent::Recall).unwrap_err();
        assert_eq!(refused.to_string(), "recall is not possible while the delivery is sending");
        assert!(refused.allowed.is_empty(), "what the server says is nobody's to ask for");
        let offered = Progress::at(DeliveryState::Unconfirmed).allowed();
        assert_eq!(offered, ["resolve_sent", "resolve_resend", "resolve_abandon"]);
    }

    #[test]
    fn what_is_over_stays_over() {
        use DeliveryState::{Bounced, Complained, Failed, Recalled};
        for state in [Bounced, Complained, Failed, Recalled] {
            for event in DeliveryEvent::VARIANTS {
                let after = next(Progress::at(state), *event);
                // An attempt before the last one may have got through.
                let is_proof = matches!(state, Failed | Recalled) && *event == DeliveryEvent::EvidenceSent;
                assert_eq!(after, is_proof.then_some(DeliveryState::Sent), "{state}, {event}");
            }
        }
    }

    proptest! {
        /// Whatever happens, in whatever order: a second hand-over needs a reply that refused the
        /// first one, or a decision; and a recall that was accepted is never followed by one.
        #[test]
        fn nothing_is_handed_over_twice_in_silence(
            events in prop::collection::vec(prop::sample::select(DeliveryEvent::VARIANTS), 0..60)
        ) {
            let mut now = Progress::at(DeliveryState::Queued);
            let (mut handed_over, mut recalled) = (false, false);
            for event in events {
                let Some(after) = now.next(event) else { continue };
                prop_assert!(!recalled || after.state != DeliveryState::Sending);
                prop_assert!(after.state == DeliveryState::Sending || !after.transmitting);
                match event {
                    DeliveryEvent::CommitPoint => {
                        prop_assert!(!handed_over);
                        handed_over = true;
                    }
                    DeliveryEvent::TransientReply
                    | DeliveryEvent::ResolveResend
                    | DeliveryEvent::EvidenceUnsent => handed_over = false,
                    DeliveryEvent::Recall => recalled = true,
                    DeliveryEvent::ConnectionLost | DeliveryEvent::LeaseLost => {
                        let expected =
                            if handed_over { DeliveryState::Unconfirmed } else { DeliveryState::Deferred };
                        prop_assert_eq!(after.state, expected);
                    }
                    _ => {}
                }
                now = after;
            }
        }
    }
}
