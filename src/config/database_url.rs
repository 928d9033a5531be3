//! Which database a URL means, and whether this build may open it.
//!
//! PostgreSQL's URLs are read here the way libpq reads them (its manual, section 34.1.1.2), because
//! what is checked must be what is then connected to. (`PGHOST` and its kin in the environment are
//! not looked at: whoever sets them for this service has decided.)

use std::net::IpAddr;
use std::path::PathBuf;

/// The database to open.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// SQLite in this file; a relative path counts from the working folder.
    Sqlite(PathBuf),
    /// PostgreSQL at this URL, which may hold a password.
    Postgres(String),
}

/// Why a database URL cannot be used. No text shows the URL: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseUrlError {
    /// The file that should hold the URL cannot be read.
    #[error("cannot read the file that holds the URL: {0}")]
    File(#[source] std::io::Error),
    /// A file that was to hold the URL, and does not: it is no choice of SQLite.
    #[error("the file holds no URL")]
    EmptyFile,
    /// Neither SQLite nor PostgreSQL.
    #[error("must start with sqlite:// or postgres://")]
    Scheme,
    /// `sqlite://` and nothing after it, or parameters, which SQLite's URLs have not.
    #[error("must be sqlite:// and the path of a file, with nothing after it (no `?`)")]
    SqlitePath,
    /// SQLite would read the path as a URI, and take another file, or none.
    #[error("SQLite takes a path that begins with `file:` for something else: put `./` before it")]
    SqliteUri,
    /// A database in memory: every connection would have its own.
    #[error("SQLite must be a file: a database in memory is another one in every connection")]
    InMemory,
    /// Not a URL that libpq would read as we do.
    #[error("is not a PostgreSQL URL: {0}")]
    Malformed(&'static str),
    /// A service file could name any host.
    #[error("must name its host itself: `service` is not supported")]
    Service,
    /// This build has no TLS, and the database is on another machine.
    #[error(
        "PostgreSQL is on another machine ({host}), and this build of debrief has no TLS: passwords and people's \
         data would cross the network readable. Use a build with the feature `pg-tls`, or say that the network is \
         safe with sslmode=disable in the URL"
    )]
    Plaintext {
        /// The host that is not this machine.
        host: String,
    },
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(url) => f.debug_tuple("Postgres").field(&masked(url)).finish(),
        }
    }
}

impl DatabaseUrl {
    /// Reads a URL. `tls` says whether this build can speak TLS to PostgreSQL: one that cannot
    /// refuses another machine, because libpq would fall back to plain text in silence.
    pub fn parse(url: &str, tls: bool) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return sqlite(path);
        }
        let Some(rest) = strip_postgres(url) else { return Err(DatabaseUrlError::Scheme) };
        let target = Target::parse(rest)?;
        let plaintext_is_meant = target.sslmode.as_deref() == Some("disable");
        match target.hosts.into_iter().find(|host| !is_this_machine(host)) {
            Some(host) if !tls && !plaintext_is_meant => return Err(DatabaseUrlError::Plaintext { host }),
            _ => {}
        }
        Ok(Self::Postgres(url.to_owned()))
    }
}

/// What libpq is told unless the URL says otherwise: a server that is gone without a word is given up
/// after half a minute, where the operating system would wait for hours.
const TIME_LIMITS: &str = "connect_timeout=5&keepalives_idle=15&keepalives_interval=5&keepalives_count=3\
    &tcp_user_timeout=30000";

/// A PostgreSQL URL with time limits. Of what is given twice libpq takes the last, so ours come
/// first.
#[must_use]
pub fn with_time_limits(url: &str) -> String {
    let Some(rest) = strip_postgres(url) else { return url.to_owned() };
    let (authority, tail) = split_authority(rest);
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let and = if query.is_empty() { "" } else { "&" };
    format!("postgres://{authority}{path}?{TIME_LIMITS}{and}{query}")
}

/// The URL with its passwords made unreadable.
pub(super) fn masked(url: &str) -> String {
    let Some(rest) = strip_postgres(url) else {
        // A typing error in the scheme must not show what follows it.
        return if url.is_empty() || url.starts_with("sqlite:") { url.to_owned() } else { "***".to_owned() };
    };
    let (authority, tail) = split_authority(rest);
    let (credentials, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(who, hosts)| (Some(who), hosts));
    let mut shown = "postgres://".to_owned();
    if let Some(credentials) = credentials {
        shown += match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:***@"),
            None => format!("{credentials}@"),
        }
        .as_str();
    }
    shown += hosts;
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    shown += path;
    for (position, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if position == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((key, _)) if decoded(key).is_none_or(|key| key.contains("password")) => {
                shown += key;
                shown += "=***";
            }
            _ => shown += pair,
        }
    }
    shown
}

/// Whether `host` is this machine: a loopback address, `localhost`, or the folder of a socket.
pub(super) fn is_this_machine(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn sqlite(path: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    if path.is_empty() || path.ends_with('/') || path.contains(['?', '\0']) {
        return Err(DatabaseUrlError::SqlitePath);
    }
    if path.starts_with(":memory:") {
        return Err(DatabaseUrlError::InMemory);
    }
    if path.starts_with("file:") {
        return Err(DatabaseUrlError::SqliteUri);
    }
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
}

fn strip_postgres(url: &str) -> Option<&str> {
    url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))
}

/// What of a PostgreSQL URL decides where the connection goes.
struct Target {
    hosts: Vec<String>,
    sslmode: Option<String>,
}

impl Target {
    fn parse(rest: &str) -> Result<Self, DatabaseUrlError> {
        // What libpq would refuse it quotes, and it may be part of a password.
        if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(DatabaseUrlError::Malformed("a space is written %20"));
        }
        let (authority, tail) = split_authority(rest);
        let (credentials, hosts) = split_credentials(authority);
        for part in credentials.into_iter().flat_map(|credentials| credentials.splitn(2, ':')) {
            decode(part)?;
        }
        let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
        decode(path)?;
        if hosts.contains('@') || path.contains('@') {
            return Err(DatabaseUrlError::Malformed("an `@` in a password is written %40, and a `/` %2F"));
        }
        let mut target = Self { hosts: Vec::new(), sslmode: None };
        for host in hosts.split(',') {
            target.hosts.push(decode(strip_port(host)?)?);
        }
        for pair in query.filter(|query| !query.is_empty()).into_iter().flat_map(|query| query.split('&')) {
            let (key, value) =
                pair.split_once('=').ok_or(DatabaseUrlError::Malformed("a parameter has no value"))?;
            let value = decode(value)?;
            match decode(key)?.as_str() {
                // Any of these may win, so all of them must be safe.
                "host" | "hostaddr" => target.hosts.extend(value.split(',').map(str::to_owned)),
                "sslmode" => target.sslmode = Some(value),
                "service" | "servicefile" => return Err(DatabaseUrlError::Service),
                _ => {}
            }
        }
        Ok(target)
    }
}

/// Parts the user, password and hosts from the rest. As in libpq the credentials end at the first
/// `@` before any `/`, whatever else they hold.
fn split_authority(rest: &str) -> (&str, &str) {
    let start_of_hosts =
        rest.find(['@', '/']).filter(|at| rest[*at..].starts_with('@')).map_or(0, |at| at + 1);
    let end = rest[start_of_hosts..].find(['/', '?']).map_or(rest.len(), |at| start_of_hosts + at);
    rest.split_at(end)
}

fn split_credentials(authority: &str) -> (Option<&str>, &str) {
    authority.split_once('@').map_or((None, authority), |(credentials, hosts)| (Some(credentials), hosts))
}

fn strip_port(host: &str) -> Result<&str, DatabaseUrlError> {
    let (name, port) = if host.starts_with('[') {
        let end = host.find(']').ok_or(DatabaseUrlError::Malformed("an IPv6 address has no end"))?;
        host.split_at(end + 1)
    } else {
        host.split_at(host.find(':').unwrap_or(host.len()))
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    if port.is_empty() || port.parse::<u16>().is_ok() {
        Ok(name)
    } else {
        Err(DatabaseUrlError::Malformed("its port is not a number"))
    }
}

fn decode(text: &str) -> Result<String, DatabaseUrlError> {
    decoded(text)
        .ok_or(DatabaseUrlError::Malformed("a percent sign is not followed by two hexadecimal digits"))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (digits, after) = tail.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(url: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        DatabaseUrl::parse(url, false)
    }

    #[test]
    fn two_slashes_are_relative_and_three_are_absolute() {
        assert_eq!(plain("sqlite://data/a.sqlite3").unwrap(), DatabaseUrl::Sqlite("data/a.sqlite3".into()));
        assert_eq!(plain("sqlite:///var/a b.db").unwrap(), DatabaseUrl::Sqlite("/var/a b.db".into()));
    }

    #[test]
    fn sqlite_must_be_one_file() {
        for bad in ["sqlite://", "sqlite:///var/", "sqlite://a?mode=ro"] {
            assert!(matches!(plain(bad), Err(DatabaseUrlError::SqlitePath)), "{bad}");
        }
        assert!(matches!(plain("sqlite://:memory:"), Err(DatabaseUrlError::InMemory)));
        assert!(matches!(plain("sqlite://file:a.db"), Err(DatabaseUrlError::SqliteUri)));
        assert!(matches!(plain("sqlite:a.db"), Err(DatabaseUrlError::Scheme)));
        assert!(matches!(plain("mysql://h/d"), Err(DatabaseUrlError::Scheme)));
    }

    #[test]
    fn without_tls_this_machine_is_fine() {
        for url in [
            "postgres://localhost/d",
            "postgres://u:p@127.0.0.1:5433/d",
            "postgresql://u@[::1]:5432/d",
            "postgres:///d",
            "postgres:///d?host=/var/run/postgresql",
            "postgres://%2Fvar%2Frun%2Fpostgresql/d",
            "postgres://127.0.0.1,localhost:6000/d",
            "postgres://u:evil.example@localhost/d",
        ] {
            assert_eq!(plain(url).unwrap(), DatabaseUrl::Postgres(url.to_owned()), "{url}");
        }
    }

    #[test]
    fn without_tls_another_machine_is_refused() {
        for url in [
            "postgres://db.example/d",
            "postgres://u:p@10.0.0.4/d",
            "postgres://localhost,db.example/d",
            "postgres://localhost/d?hostaddr=192.0.2.1",
            "postgres:///d?host=db.example",
            "postgres:///d?ho%73t=db.example",
            "postgres://localhost@db.example/d",
            "postgres://u:a?b#c@db.example/d",
            "postgres://127.0.0.1.example.com/d",
            "postgres://db.example/d?sslmode=prefer",
            "postgres://db.example/d?sslmode=require",
            "postgres://db.example/d?sslmode=disable&sslmode=prefer",
        ] {
            assert!(matches!(plain(url), Err(DatabaseUrlError::Plaintext { .. })), "{url}");
        }
        assert!(plain("postgres://db.example/d?sslmode=disable").is_ok());
        assert!(DatabaseUrl::parse("postgres://db.example/d", true).is_ok());
    }

    #[test]
    fn a_url_that_libpq_would_not_read_is_refused() {
        for bad in [
            "postgres://h:x/d",
            "postgres://[::1/d",
            "postgres://%zz/d",
            "postgres://localhost/d?host",
            "postgres://u:can%zzary@localhost/d",
            "postgres://u:can ary@localhost/d",
            "postgres://u:canary@canary@localhost/d",
            "postgres://u:1/canary@localhost/d",
            "postgres://localhost/%zz",
        ] {
            let refused = plain(bad).unwrap_err();
            assert!(matches!(refused, DatabaseUrlError::Malformed(_)), "{bad}");
            assert!(!refused.to_string().contains("canary"), "{bad}");
        }
        assert!(matches!(plain("postgres:///d?service=x"), Err(DatabaseUrlError::Service)));
    }

    #[test]
    fn what_the_url_says_of_time_comes_last() {
        for (url, limited) in [
            ("postgres://u:p@h:5432/d", format!("postgres://u:p@h:5432/d?{TIME_LIMITS}")),
            ("postgresql://u:a?b@h/d?", format!("postgres://u:a?b@h/d?{TIME_LIMITS}")),
            ("postgres://h?connect_timeout=60", format!("postgres://h?{TIME_LIMITS}&connect_timeout=60")),
        ] {
            assert_eq!(with_time_limits(url), limited);
        }
    }

    #[test]
    fn no_password_is_ever_shown() {
        for (url, shown) in [
            ("postgres://u:canary@h:5432/d?sslmode=disable", "postgres://u:***@h:5432/d?sslmode=disable"),
            ("postgresql://u:can?ary@h/d", "postgres://u:***@h/d"),
            ("postgres://h/d?password=canary&user=u", "postgres://h/d?password=***&user=u"),
            ("postgres://h/d?p%61ssword=canary", "postgres://h/d?p%61ssword=***"),
            ("postgres://h?sslpassword=canary", "postgres://h?sslpassword=***"),
            ("postgres://u:can@ary@h/d", "postgres://u:***@h/d"),
            ("postgers://u:canary@h/d", "***"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("sqlite://a", "sqlite://a"),
            ("", ""),
        ] {
            assert_eq!(masked(url), shown);
        }
        let url = DatabaseUrl::parse("postgres://u:canary@localhost/d", false).unwrap();
        assert!(!format!("{url:?}").contains("canary"));
        let refused = plain("postgres://u:canary@db.example/d").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("canary"));
    }
}
