//! Email: composing a message once and for all, and handing it to the next server so that it is
//! known at any moment whether it can have left.

mod compose;
mod dkim;
mod dns;
mod dsn;
mod file;
mod footer;
mod inbound;
mod leaves;
mod letter;
mod outcome;
mod parts;
mod smtp;
mod transport;

pub use compose::{Author, ComposeError, Note, compose};
pub use dkim::{DkimError, NewKey, Signer, generate};
pub use dns::{Resolver, ResolverError};
pub use dsn::DeliveryStatus;
pub use file::Folder;
pub use inbound::{Content, Incoming};
pub use letter::{Envelope, Letter};
pub use outcome::{Break, Fault, Outcome, Step};
pub use parts::Parts;
pub use smtp::{Answer, SetupError, SmtpRelay, SmtpServer, Timeouts, Tls};
pub use transport::Transport;

#[cfg(test)]
#[path = "../../tests/support/smtp_peer.rs"]
mod smtp_peer;
