//! What comes back for a delivery: notices of mail servers, complaints, answers of people and of
//! machines.

use super::delivery::{DeliveryEvent, Reply, ReplyClass};
use super::mailbox;
use super::words::words;

words! {
    /// What a message that came back is.
    pub enum InboundKind {
        /// A notice of a mail server.
        Report,
        /// A report that somebody did not want the message.
        Complaint,
        /// What a person answered.
        Reply,
        /// What a machine answered, as while somebody is away.
        AutoReply,
    }
}

words! {
    /// What a mail server did with a message (RFC 3464, section 2.3.3).
    pub enum ReportedAction {
        /// It will never arrive.
        Failed,
        /// It is still tried.
        Delayed,
        /// It is in the mailbox.
        Delivered,
        /// It went on to a server that gives no notice.
        Relayed,
        /// It went on to several mailboxes.
        Expanded,
    }
}

impl ReportedAction {
    /// What it is to the delivery.
    #[must_use]
    pub const fn event(self) -> DeliveryEvent {
        match self {
            Self::Failed => DeliveryEvent::NotifiedBounced,
            Self::Delayed => DeliveryEvent::NotifiedDelay,
            Self::Delivered => DeliveryEvent::NotifiedDelivered,
            // That a server took it is all that sent means.
            Self::Relayed | Self::Expanded => DeliveryEvent::EvidenceSent,
        }
    }

    /// How much it counts beside others of the same message: a failure outweighs everything.
    const fn weight(self) -> u8 {
        match self {
            Self::Failed => 4,
            Self::Delivered => 3,
            Self::Delayed => 2,
            Self::Relayed => 1,
            Self::Expanded => 0,
        }
    }
}

/// What a notice says of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientStatus {
    /// The address that the server dealt with.
    pub final_recipient: Option<String>,
    /// The address that the sender had given.
    pub original_recipient: Option<String>,
    /// What the server did.
    pub action: ReportedAction,
    /// The enhanced status code (RFC 3463).
    pub status: Option<String>,
    /// What a server said, or what went wrong, for a person.
    pub diagnostic: Option<String>,
}

impl RecipientStatus {
    /// Whether the notice is about this address, as far as it says.
    #[must_use]
    pub fn is_about(&self, address: &str) -> bool {
        let mut named = [&self.final_recipient, &self.original_recipient].into_iter().flatten().peekable();
        named.peek().is_none() || named.any(|named| mailbox::is_same(named, address))
    }

    /// Whether this address is the one that failed: mail to it may have gone on to another.
    fn is_final(&self, address: &str) -> bool {
        let named = self.final_recipient.as_deref().or(self.original_recipient.as_deref());
        named.is_none_or(|named| mailbox::is_same(named, address))
    }

    /// Whether the notice shows that nothing will ever arrive at this address.
    #[must_use]
    pub fn bounces(&self, address: &str) -> bool {
        let code = Reply { code: 550, enhanced_code: self.status.clone(), text: String::new() };
        self.action == ReportedAction::Failed
            && self.is_final(address)
            && code.class() == ReplyClass::Permanent { bounces_address: true }
    }
}

/// Of what a notice says of several recipients, what counts for a message that was sent to `address`
/// alone: what is about it, or else the gravest.
#[must_use]
pub fn decisive<'a>(recipients: &'a [RecipientStatus], address: &str) -> Option<&'a RecipientStatus> {
    let own = recipients.iter().filter(|recipient| recipient.is_about(address));
    let gravest = |recipient: &&RecipientStatus| recipient.action.weight();
    own.max_by_key(gravest).or_else(|| recipients.iter().max_by_key(gravest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(address: Option<&str>, action: ReportedAction, status: &str) -> RecipientStatus {
        RecipientStatus {
            final_recipient: address.map(str::to_owned),
            original_recipient: None,
            action,
            status: Some(status.to_owned()),
            diagnostic: None,
        }
    }

    #[test]
    fn what_is_about_the_contact_decides() {
        let all = [
            status(Some("x@b.example"), ReportedAction::Failed, "5.1.1"),
            status(Some("A@b.example"), ReportedAction::Delayed, "4.4.1"),
        ];
        assert_eq!(decisive(&all, "a@b.example").unwrap().action, ReportedAction::Delayed);
        assert_eq!(decisive(&all, "c@b.example").unwrap().action, ReportedAction::Failed);
        assert!(decisive(&[], "a@b.example").is_none());
    }

    #[test]
    fn an_address_is_bad_only_when_it_is_the_one_that_failed() {
        use ReportedAction::{Delayed, Failed};
        for (found, bad) in [
            (status(Some("a@b.example"), Failed, "5.1.1"), true),
            (status(None, Failed, "5.1.10"), true),
            (status(Some("forwarded@c.example"), Failed, "5.1.1"), false),
            (status(Some("a@b.example"), Failed, "5.7.1"), false),
            (status(Some("a@b.example"), Delayed, "5.1.1"), false),
        ] {
            assert_eq!(found.bounces("a@b.example"), bad, "{found:?}");
        }
        // What was forwarded names both. Some name only whom it was for.
        for (address, bad) in
            [(Some("forwarded@c.example"), false), (Some("A@b.example"), true), (None, true)]
        {
            let original_recipient = Some("a@b.example".to_owned());
            let found = RecipientStatus { original_recipient, ..status(address, Failed, "5.1.1") };
            assert!(found.is_about("a@b.example"), "{found:?}");
            assert_eq!(found.bounces("a@b.example"), bad, "{found:?}");
        }
    }
}
