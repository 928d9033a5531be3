//! The transport that hands messages to a mail server (RFC 5321), one recipient at a time.

mod connection;
mod content;
mod relay;
mod server;
mod stream;

#[cfg(test)]
mod tests;

pub use relay::SmtpRelay;
pub use server::{SetupError, SmtpServer, Timeouts, Tls};
