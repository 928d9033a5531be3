//! The settings of the relay.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::word;

/// The relay of notes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// Where messages go.
    #[serde(deserialize_with = "word")]
    pub transport: MailTransport,
    /// How the service names itself in mail.
    pub service_name: String,
    /// The domain of the sender and of message ids where an agency has none of its own.
    pub from_domain: String,
    /// The domains of agencies that send from their own.
    pub domains: MailDomainSettings,
    /// What comes back.
    pub inbound: InboundSettings,
    /// How long an approved note can be taken back before it goes, in seconds.
    pub undo_window_seconds: u32,
    /// The mail server that takes our mail.
    pub smtp: SmtpSettings,
    /// The worker that sends.
    pub relay: RelaySettings,
}

/// The domains of agencies that send from their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailDomainSettings {
    /// The host that takes what comes back; empty for `from_domain`.
    pub bounce_host: String,
    /// The SPF record that lets our mail server send; empty for one that names it.
    pub spf: String,
    /// The name server that is asked, with its port; empty for those of this machine.
    pub name_server: String,
}

/// What comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundSettings {
    /// The file that holds the key with which a mail server hands it on by HTTP; empty for no such way.
    pub key_file: PathBuf,
    /// How long it is known what came, in days.
    pub keep_days: u16,
}

/// Where messages go.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MailTransport {
    /// To the mail server of [`SmtpSettings`].
    Smtp,
    /// Into files in the data folder, and to nobody.
    File,
    /// Nowhere.
    Discard,
}

/// The mail server that takes our mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Host name or address.
    pub host: String,
    /// Port: 587 for STARTTLS, 465 for implicit TLS.
    pub port: u16,
    /// How the connection is protected.
    #[serde(deserialize_with = "word")]
    pub tls: SmtpTls,
    /// Whether [`SmtpTls::None`] may be used to another machine.
    pub allow_plaintext: bool,
    /// A file of certificates (PEM) to trust besides the well-known authorities; empty for none.
    pub root_certificate_file: PathBuf,
    /// The name to sign in with; empty for none.
    pub username: String,
    /// The file that holds the password; empty for none.
    pub password_file: PathBuf,
    /// Connections at once.
    pub max_connections: u16,
    /// Messages after which a connection is closed.
    pub messages_per_connection: u32,
    /// Age at which a connection is closed, in seconds.
    pub connection_seconds: u32,
    /// How long each step of the conversation may take, in seconds.
    pub step_timeout_seconds: u32,
}

/// How a connection to the mail server is protected.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// STARTTLS (RFC 3207), required.
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// The worker that sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    /// Messages taken up at once.
    pub workers: u16,
    /// Messages taken up at once for one destination.
    pub per_destination: u16,
    /// Messages of one agency that are sent in a minute; 0 for no limit.
    pub agency_messages_per_minute: u32,
    /// How often the queue is looked at unasked, in seconds.
    pub poll_interval_seconds: u32,
    /// How long a worker owns a message without a sign of life, in seconds.
    pub lease_seconds: u32,
    /// How often a worker gives a sign of life, in seconds.
    pub renew_seconds: u32,
    /// How often abandoned messages are looked for, in seconds.
    pub sweep_seconds: u32,
    /// Waits before the first attempts after a failure, in minutes.
    pub backoff_minutes: Vec<u32>,
    /// The wait before every later one, in minutes.
    pub then_every_minutes: u32,
    /// How far a wait is moved at random, in percent either way.
    pub jitter_percent: u32,
    /// How long after its first attempt a message is given up, in hours; and how long a mail server may
    /// let nobody in.
    pub give_up_hours: u32,
}
