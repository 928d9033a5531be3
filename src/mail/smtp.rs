//! The transport that hands messages to a mail server (RFC 5321), one recipient at a time.

mod answer;
mod connection;
mod content;
mod conversation;
mod opening;
mod relay;
mod server;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use relay::SmtpRelay;
pub use server::{SetupError, SmtpServer, Timeouts, Tls};
