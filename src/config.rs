//! The settings: `config/default.toml` (inside the binary), over it the file that the command line
//! names, over both the environment (`DEBRIEF__SECTION__KEY`). What each key means is written in
//! that file; here are the types, and how secrets and derived paths are read.

mod check;
mod database_url;
mod load;
mod mail;
mod print;
mod webhooks;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

pub use database_url::{DatabaseUrl, DatabaseUrlError, with_time_limits};
pub use load::ConfigError;
pub use mail::{
    InboundSettings, MailDomainSettings, MailSettings, MailTransport, RelaySettings, SmtpSettings, SmtpTls,
};
pub use webhooks::WebhookSettings;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// HTTP and the data folder.
    pub server: ServerSettings,
    /// The database and its connections.
    pub database: DatabaseSettings,
    /// Tokens and passwords.
    pub auth: AuthSettings,
    /// How often anybody may ask.
    pub rate_limits: RateLimitSettings,
    /// The relay of notes.
    pub mail: MailSettings,
    /// The candidates' wishes to meet a client again.
    pub retry_requests: RetryRequestSettings,
    /// Telling other systems of what happens.
    pub webhooks: WebhookSettings,
    /// The change feed.
    pub events: EventSettings,
    /// Files of records that are taken in.
    pub imports: ImportSettings,
    /// The log.
    pub log: LogSettings,
}

/// HTTP and the data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Host name or address that the API listens on.
    pub host: String,
    /// Port of the API; 0 lets the operating system choose.
    pub port: u16,
    /// Where `/metrics` is served.
    #[serde(deserialize_with = "word")]
    pub metrics: MetricsListener,
    /// Host name or address of the listener for operators, used with [`MetricsListener::Ops`].
    pub ops_host: String,
    /// Port of the listener for operators; 0 lets the operating system choose.
    pub ops_port: u16,
    /// The folder for what the service writes itself.
    pub data_dir: PathBuf,
    /// The largest request body, in bytes.
    pub body_limit_bytes: u32,
    /// How long a client may take to send the head of a request, in seconds.
    pub request_timeout_seconds: u32,
    /// How long an idle connection is kept, in seconds.
    pub keep_alive_seconds: u32,
    /// How long requests under way may take to finish at shutdown, in seconds.
    pub shutdown_timeout_seconds: u32,
    /// Threads that serve HTTP; 0 is one for each core.
    pub workers: u16,
    /// Networks of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Where `/metrics` is served.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MetricsListener {
    /// On a listener of its own.
    Ops,
    /// Beside the API.
    Public,
    /// Nowhere.
    Off,
}

/// The database and its connections.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// The URL as it was set: it may hold a password and may be empty.
    /// [`Settings::database_url`] reads it.
    pub url: String,
    /// A file that holds the URL; empty when [`url`](Self::url) is used.
    pub url_file: PathBuf,
    /// SQLite: connections that read.
    pub readers: u16,
    /// PostgreSQL: connections in all.
    pub pool_size: u16,
    /// How long a caller waits for a free connection, in seconds.
    pub acquire_timeout_seconds: u32,
    /// SQLite: how safely a commit is written.
    #[serde(deserialize_with = "word")]
    pub sqlite_synchronous: SqliteSynchronous,
    /// SQLite: how long a writer waits for another process, in seconds.
    pub sqlite_busy_timeout_seconds: u32,
}

/// SQLite's `PRAGMA synchronous`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SqliteSynchronous {
    /// Every commit survives a power cut.
    Full,
    /// The database survives a power cut; the last commits may not.
    Normal,
}

/// Tokens and passwords.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// The `iss` of access tokens.
    pub issuer: String,
    /// The `aud` of access tokens.
    pub audience: String,
    /// Life of an access token, in seconds.
    pub access_token_seconds: u32,
    /// Life of an unused refresh token, in days.
    pub refresh_token_days: u32,
    /// The Ed25519 signing key (PKCS#8 PEM); may be empty, so read it through
    /// [`Settings::signing_key_file`].
    pub signing_key_file: PathBuf,
    /// Keys that signed before.
    pub previous_key_files: Vec<PathBuf>,
    /// Passwords hashed at once.
    pub hashing_threads: u16,
    /// The cost of a password hash.
    pub argon2: Argon2Settings,
}

/// The cost of a password hash (argon2id, RFC 9106).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argon2Settings {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// How often anybody may ask, for each process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSettings {
    /// Each user and each API client.
    pub credential: RateLimit,
    /// Each address, on the routes that sign in.
    pub sign_in: RateLimit,
    /// Each account that a password is tried for.
    pub account: RateLimit,
}

/// How many requests in how many seconds; they may come all at once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many; 0 is no limit.
    pub requests: u32,
    /// In how many seconds.
    pub seconds: u32,
}

/// The candidates' wishes to meet a client again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryRequestSettings {
    /// How long a client has to answer before a request expires, in days.
    pub answer_days: u32,
}

/// The change feed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSettings {
    /// How far back the feed goes, in days; 0 is for ever.
    pub retention_days: u32,
}

/// Files of records that are taken in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// The largest file, in bytes.
    pub body_limit_bytes: u64,
    /// How long a file may take to arrive, in seconds.
    pub receive_timeout_seconds: u32,
    /// How long it is kept what came of each row, in days.
    pub keep_days: u32,
}

/// The log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Directives of [`tracing_subscriber::EnvFilter`].
    pub filter: String,
    /// How a line is written.
    #[serde(deserialize_with = "word")]
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("url", &database_url::masked(&self.url))
            .field("url_file", &self.url_file)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the settings: the defaults, `file` over them, the process environment over both.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        load::load(file, std::env::vars_os())
    }

    /// The same with the environment given, so that a test (or a tool) decides what is in it.
    pub fn load_from(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ) -> Result<Self, ConfigError> {
        load::load(file, environment)
    }

    /// The database to open.
    ///
    /// # Errors
    /// When the URL cannot be read or cannot be opened safely by this build. [`Settings::load`] has
    /// checked it already, but a file may have changed since, and so may the settings.
    pub fn database_url(&self) -> Result<DatabaseUrl, DatabaseUrlError> {
        let from_file;
        let url = if self.database.url_file.as_os_str().is_empty() {
            self.database.url.as_str()
        } else {
            from_file = read_secret(&self.database.url_file).map_err(DatabaseUrlError::File)?;
            if from_file.is_empty() {
                return Err(DatabaseUrlError::EmptyFile);
            }
            from_file.as_str()
        };
        if url.is_empty() {
            return Ok(DatabaseUrl::Sqlite(self.server.data_dir.join("debrief.sqlite3")));
        }
        DatabaseUrl::parse(url, cfg!(feature = "pg-tls"))
    }

    /// The setting that says where the database is.
    #[must_use]
    pub fn database_key(&self) -> &'static str {
        if !self.database.url_file.as_os_str().is_empty() {
            "database.url_file"
        } else if self.database.url.is_empty() {
            "server.data_dir"
        } else {
            "database.url"
        }
    }

    /// The file that holds the key which signs access tokens.
    #[must_use]
    pub fn signing_key_file(&self) -> PathBuf {
        if self.auth.signing_key_file.as_os_str().is_empty() {
            self.server.data_dir.join("signing-key.pem")
        } else {
            self.auth.signing_key_file.clone()
        }
    }

    /// The folder of [`MailTransport::File`].
    #[must_use]
    pub fn mail_dir(&self) -> PathBuf {
        self.server.data_dir.join("mail")
    }

    /// The same settings without secrets, fit to be shown.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut shown = self.clone();
        shown.database.url = database_url::masked(&self.database.url);
        shown
    }

    /// What is in effect as TOML, without secrets.
    #[must_use]
    pub fn to_toml(&self) -> String {
        print::toml(&self.redacted())
    }
}

/// Reads a secret from a file; the line break that editors put at its end does not belong to it.
///
/// # Errors
/// When the file cannot be read or is not UTF-8; the error names the file.
pub fn read_secret(file: &Path) -> std::io::Result<String> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| std::io::Error::new(cause.kind(), format!("{}: {cause}", file.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads one word of a closed set, and says which there are when it is none of them.
fn word<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr + strum::VariantNames,
{
    String::deserialize(deserializer)?
        .parse()
        .map_err(|_| D::Error::custom(format_args!("must be one of {}", T::VARIANTS.join(", "))))
}

#[cfg(test)]
mod tests;
