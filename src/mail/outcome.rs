//! What came of one attempt, as exactly as it can be known.

use crate::domain::delivery::{DeliveryEvent, Reply, ReplyClass};

/// A step on the way to a delivered message, in the order they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Step {
    /// Finding the server and connecting.
    Connect,
    /// The server's greeting and its answer to EHLO.
    Greeting,
    /// STARTTLS and the handshake.
    StartTls,
    /// AUTH.
    SignIn,
    /// RSET on a connection that is used again.
    Reset,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Recipient,
    /// DATA, up to the server's 354.
    Data,
    /// The content and its final dot.
    Content,
}

/// Why a conversation broke off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The step took longer than it may.
    #[error("timed out")]
    TimedOut,
    /// MAIL, RCPT and DATA went out together, and none was answered in time. A server keeps its replies
    /// back as long as commands wait, so it may hang at any of them.
    #[error("timed out: there was no reply to MAIL, RCPT and DATA, which went out together")]
    NoneAnswered,
    /// Anything else, for a person to read.
    #[error("{0}")]
    Other(String),
}

impl From<String> for Break {
    fn from(error: String) -> Self {
        Self::Other(error)
    }
}

impl From<&str> for Break {
    fn from(error: &str) -> Self {
        Self::Other(error.to_owned())
    }
}

/// Something is wrong with the relay and not with the message: it would fail for every message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The server did not let us sign in, or wants us to.
    #[error("sign-in failed: {0}")]
    SignIn(String),
    /// No connection as private as it must be.
    #[error("TLS failed: {0}")]
    Tls(String),
}

/// What came of one attempt to hand over one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server has taken the message.
    Accepted(Reply),
    /// The server said no, before the content or after it: it does not have the message.
    Refused {
        /// Where it said so.
        step: Step,
        /// What it said.
        reply: Reply,
    },
    /// It broke off before the content was sent: the server does not have the message.
    Lost {
        /// Where it broke off.
        step: Step,
        /// Why.
        error: Break,
    },
    /// It broke off after the content was sent, or while it was: nobody knows.
    Unknown {
        /// Why it broke off.
        error: Break,
    },
    /// The caller did not allow the content to be sent: the server does not have the message.
    Revoked,
    /// Nothing was tried: the relay has to be put right first.
    Fault(Fault),
    /// This server cannot take this message, whoever asks: it has no SMTPUTF8, or the bytes are
    /// no message.
    Unsendable(String),
}

impl Outcome {
    /// What the outcome is to the delivery; `None` when it was revoked, since whoever revoked it
    /// has already moved it on.
    #[must_use]
    pub fn event(&self) -> Option<DeliveryEvent> {
        Some(match self {
            Self::Accepted(_) => DeliveryEvent::Accepted,
            Self::Refused { step, reply } => refusal(*step, reply),
            Self::Unsendable(_) => DeliveryEvent::PermanentReply,
            Self::Lost { .. } | Self::Unknown { .. } => DeliveryEvent::ConnectionLost,
            Self::Fault(_) => DeliveryEvent::TransportPaused,
            Self::Revoked => return None,
        })
    }

    /// Whether the server certainly does not have the message.
    #[must_use]
    pub const fn proves_unsent(&self) -> bool {
        !matches!(self, Self::Accepted(_) | Self::Unknown { .. })
    }

    /// Whether the server let us in: it gave an answer to MAIL.
    #[must_use]
    pub fn was_let_in(&self) -> bool {
        match self {
            Self::Accepted(_) | Self::Unknown { .. } | Self::Revoked => true,
            Self::Refused { step, .. } => *step >= Step::Mail,
            Self::Lost { step, .. } => *step > Step::Mail,
            Self::Fault(_) | Self::Unsendable(_) => false,
        }
    }

    /// Whether the server wants less mail for the recipient's domain than it gets (4.7.x), or kept us
    /// waiting for an answer about the recipient until we gave up. What it says, or does not say, before
    /// that is about us and all that we bring.
    #[must_use]
    pub fn slows_destination(&self) -> bool {
        match self {
            Self::Refused { step, reply } => {
                *step >= Step::Mail && reply.class() == ReplyClass::Transient { slows_domain: true }
            }
            Self::Lost { step, error } => *step >= Step::Recipient && *error == Break::TimedOut,
            Self::Unknown { error } => *error == Break::TimedOut,
            Self::Accepted(_) | Self::Revoked | Self::Fault(_) | Self::Unsendable(_) => false,
        }
    }

    /// Whether the server was silent, and it may be about the recipient as well as about all that we bring.
    #[must_use]
    pub const fn may_slow_destination(&self) -> bool {
        matches!(self, Self::Lost { error: Break::NoneAnswered, .. })
    }

    /// Whether the server turned the recipient's address down for good. What it says of an address at
    /// MAIL, it says of the sender's.
    #[must_use]
    pub fn bounces_address(&self) -> bool {
        matches!(self, Self::Refused { step, reply } if *step >= Step::Recipient
            && reply.class() == ReplyClass::Permanent { bounces_address: true })
    }
}

/// A server that turns everybody away at the door says nothing about this message: only a 5xx
/// within the transaction is for good.
fn refusal(step: Step, reply: &Reply) -> DeliveryEvent {
    let about_the_message = step >= Step::Mail;
    match reply.class() {
        ReplyClass::Permanent { .. } if about_the_message => DeliveryEvent::PermanentReply,
        _ => DeliveryEvent::TransientReply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_permanent_reply_about_the_message_is_for_good() {
        let refused = |step, code| Outcome::Refused { step, reply: Reply::new(code, "no") }.event();
        for step in [Step::Mail, Step::Recipient, Step::Data, Step::Content] {
            assert_eq!(refused(step, 550), Some(DeliveryEvent::PermanentReply));
            assert_eq!(refused(step, 450), Some(DeliveryEvent::TransientReply));
        }
        assert_eq!(refused(Step::Greeting, 554), Some(DeliveryEvent::TransientReply));
        assert_eq!(Outcome::Revoked.event(), None);
    }

    #[test]
    fn who_is_turned_away_at_the_door_was_not_let_in() {
        let refused = |step| Outcome::Refused { step, reply: Reply::new(554, "no") };
        let lost = |step| Outcome::Lost { step, error: "reset".into() };
        for outside in [refused(Step::Greeting), refused(Step::SignIn), lost(Step::Connect), lost(Step::Mail)]
        {
            assert!(!outside.was_let_in(), "{outside:?}");
        }
        for inside in [refused(Step::Mail), refused(Step::Recipient), lost(Step::Recipient)] {
            assert!(inside.was_let_in(), "{inside:?}");
        }
    }

    #[test]
    fn an_address_bounces_once_the_recipient_was_named() {
        let bounces =
            |step, code, text| Outcome::Refused { step, reply: Reply::new(code, text) }.bounces_address();
        for step in [Step::Recipient, Step::Data, Step::Content] {
            assert!(bounces(step, 550, "5.1.1 nobody"), "{step}");
            assert!(!bounces(step, 550, "5.7.1 never") && !bounces(step, 450, "4.1.1 later"), "{step}");
        }
        assert!(!bounces(Step::Mail, 550, "5.1.0 who are you"));
    }

    #[test]
    fn a_destination_is_slow_by_what_is_said_of_a_message_or_not_said() {
        let slows =
            |step, code, text| Outcome::Refused { step, reply: Reply::new(code, text) }.slows_destination();
        for step in [Step::Mail, Step::Recipient, Step::Data, Step::Content] {
            assert!(slows(step, 450, "4.7.1 too much"), "{step}");
            assert!(!slows(step, 450, "4.2.2 full") && !slows(step, 550, "5.7.1 never"), "{step}");
        }
        assert!(!slows(Step::Greeting, 421, "4.7.0 too many of you"));
        let silent = |step| Outcome::Lost { step, error: Break::TimedOut }.slows_destination();
        assert!(silent(Step::Recipient) && !silent(Step::Mail));
        assert!(Outcome::Unknown { error: Break::TimedOut }.slows_destination());
        assert!(!Outcome::Unknown { error: "timed out".into() }.slows_destination());
        let to_all = Outcome::Lost { step: Step::Mail, error: Break::NoneAnswered };
        assert!(to_all.may_slow_destination() && !to_all.slows_destination() && !to_all.was_let_in());
    }

    #[test]
    fn only_a_yes_and_a_silence_leave_room_for_a_message() {
        let no = Outcome::Refused { step: Step::Content, reply: Reply::new(554, "no") };
        assert!(no.proves_unsent() && Outcome::Revoked.proves_unsent());
        assert!(!Outcome::Accepted(Reply::new(250, "ok")).proves_unsent());
        assert!(!Outcome::Unknown { error: "timed out".into() }.proves_unsent());
    }
}
