//! A composed message, the same bytes at every attempt.

/// Who a message is from and for, as the servers on the way see it (RFC 5321, section 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go; the domain as A-labels.
    pub sender: String,
    /// The one recipient; the domain as A-labels.
    pub recipient: String,
}

/// A message with its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The Message-ID without its angle brackets.
    pub message_id: String,
    /// Who it is from and for.
    pub envelope: Envelope,
    /// The message (RFC 5322), every line ended by CR LF.
    pub bytes: Vec<u8>,
}

impl Letter {
    /// What the message's envelope is called (ENVID, RFC 3461): the delivery, as in the Message-ID.
    #[must_use]
    pub fn envelope_id(&self) -> &str {
        self.message_id.split('@').next().unwrap_or_default()
    }

    /// True when it can only be handed to a server that offers SMTPUTF8 (RFC 6531): an address
    /// has a local part that is not ASCII. Nothing else in a composed message is ever not ASCII.
    #[must_use]
    pub fn needs_utf8(&self) -> bool {
        !(self.bytes.is_ascii() && self.envelope.sender.is_ascii() && self.envelope.recipient.is_ascii())
    }
}
