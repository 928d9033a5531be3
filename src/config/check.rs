//! What the types cannot say: ranges, and keys that need each other.

use super::database_url::is_this_machine;
use super::{MailTransport, Settings, SmtpTls};

/// A shorter key could be guessed.
const SHORTEST_KEY: usize = 16;

/// Everything that is wrong, each problem with its key.
pub(super) fn problems(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    ranges(settings, &mut found);
    database(settings, &mut found);
    auth(settings, &mut found);
    mail(settings, &mut found);
    if let Err(cause) = tracing_subscriber::EnvFilter::try_new(&settings.log.filter) {
        found.push(format!("log.filter: {cause}"));
    }
    found
}

fn ranges(settings: &Settings, found: &mut Vec<String>) {
    let Settings { server, database, auth, mail, webhooks, .. } = settings;
    let (smtp, relay, limits) = (&mail.smtp, &mail.relay, &settings.rate_limits);
    for (key, value, least, most) in [
        ("server.body_limit_bytes", server.body_limit_bytes, 1024, 64 << 20),
        ("server.request_timeout_seconds", server.request_timeout_seconds, 1, 600),
        ("server.keep_alive_seconds", server.keep_alive_seconds, 1, 3600),
        ("server.shutdown_timeout_seconds", server.shutdown_timeout_seconds, 0, 3600),
        ("server.workers", server.workers.into(), 0, 512),
        ("database.readers", database.readers.into(), 1, 64),
        ("database.pool_size", database.pool_size.into(), 2, 1000),
        ("database.acquire_timeout_seconds", database.acquire_timeout_seconds, 1, 300),
        ("database.sqlite_busy_timeout_seconds", database.sqlite_busy_timeout_seconds, 0, 300),
        ("auth.access_token_seconds", auth.access_token_seconds, 60, 3600),
        ("auth.refresh_token_days", auth.refresh_token_days, 1, 365),
        ("auth.hashing_threads", auth.hashing_threads.into(), 1, 64),
        ("auth.argon2.memory_kib", auth.argon2.memory_kib, 19_456, 4 << 20),
        ("auth.argon2.iterations", auth.argon2.iterations, 2, 100),
        ("auth.argon2.parallelism", auth.argon2.parallelism, 1, 64),
        ("rate_limits.credential.requests", limits.credential.requests, 0, 10_000_000),
        ("rate_limits.credential.seconds", limits.credential.seconds, 1, 86_400),
        ("rate_limits.sign_in.requests", limits.sign_in.requests, 0, 10_000_000),
        ("rate_limits.sign_in.seconds", limits.sign_in.seconds, 1, 86_400),
        ("rate_limits.account.requests", limits.account.requests, 0, 10_000_000),
        ("rate_limits.account.seconds", limits.account.seconds, 1, 86_400),
        ("mail.undo_window_seconds", mail.undo_window_seconds, 0, 86_400),
        ("mail.inbound.keep_days", mail.inbound.keep_days.into(), 1, 3650),
        ("mail.smtp.port", smtp.port.into(), 1, 65_535),
        ("mail.smtp.max_connections", smtp.max_connections.into(), 1, 100),
        ("mail.smtp.messages_per_connection", smtp.messages_per_connection, 1, 10_000),
        ("mail.smtp.connection_seconds", smtp.connection_seconds, 1, 3600),
        ("mail.smtp.step_timeout_seconds", smtp.step_timeout_seconds, 1, 600),
        ("mail.relay.workers", relay.workers.into(), 1, 1_000),
        ("mail.relay.per_destination", relay.per_destination.into(), 1, 1_000),
        ("mail.relay.poll_interval_seconds", relay.poll_interval_seconds, 1, 300),
        ("mail.relay.lease_seconds", relay.lease_seconds, 2, 3600),
        ("mail.relay.renew_seconds", relay.renew_seconds, 1, relay.lease_seconds / 2),
        ("mail.relay.sweep_seconds", relay.sweep_seconds, 1, 3600),
        ("mail.relay.then_every_minutes", relay.then_every_minutes, 1, 10_080),
        ("mail.relay.jitter_percent", relay.jitter_percent, 0, 50),
        ("mail.relay.give_up_hours", relay.give_up_hours, 1, 720),
        ("imports.receive_timeout_seconds", settings.imports.receive_timeout_seconds, 1, 86_400),
        ("imports.keep_days", settings.imports.keep_days, 1, 3650),
        ("webhooks.concurrency", webhooks.concurrency.into(), 1, 256),
        ("webhooks.concurrency_per_endpoint", webhooks.concurrency_per_endpoint.into(), 1, 256),
        ("webhooks.timeout_seconds", webhooks.timeout_seconds, 1, 30),
        ("retry_requests.answer_days", settings.retry_requests.answer_days, 1, 365),
    ] {
        if value < least || value > most {
            found.push(format!("{key}: must be between {least} and {most}, not {value}"));
        }
    }
    if settings.imports.body_limit_bytes < 1024 {
        found.push(format!(
            "imports.body_limit_bytes: must be at least 1024, not {}",
            settings.imports.body_limit_bytes
        ));
    }
    if !relay.backoff_minutes.iter().all(|minutes| (1..=10_080).contains(minutes)) {
        found.push("mail.relay.backoff_minutes: every wait must be between 1 and 10080 minutes".to_owned());
    }
}

fn database(settings: &Settings, found: &mut Vec<String>) {
    let database = &settings.database;
    let key = settings.database_key();
    if key == "database.url_file" && !database.url.is_empty() {
        found.push("database.url: is set and so is database.url_file; set one of them".to_owned());
    }
    if let Err(problem) = settings.database_url() {
        found.push(format!("{key}: {problem}"));
    }
}

fn auth(settings: &Settings, found: &mut Vec<String>) {
    for (key, value) in [("auth.issuer", &settings.auth.issuer), ("auth.audience", &settings.auth.audience)] {
        if value.trim().is_empty() {
            found.push(format!("{key}: must not be empty"));
        }
    }
    if settings.server.data_dir.as_os_str().is_empty() {
        found.push("server.data_dir: must not be empty; the working folder is \".\"".to_owned());
    }
}

fn mail(settings: &Settings, found: &mut Vec<String>) {
    let (mail, smtp) = (&settings.mail, &settings.mail.smtp);
    if mail.service_name.trim().is_empty() || mail.service_name.chars().any(char::is_control) {
        found.push("mail.service_name: must be a name on one line".to_owned());
    }
    let ascii = idna::domain_to_ascii_strict(&mail.from_domain);
    if !ascii.is_ok_and(|domain| domain.contains('.') && domain.len() <= 253) {
        found.push("mail.from_domain: must be a domain name with a dot".to_owned());
    }
    if !mail.inbound.key_file.as_os_str().is_empty() {
        match super::read_secret(&mail.inbound.key_file) {
            Ok(key) if key.len() >= SHORTEST_KEY => {}
            Ok(_) => found.push(format!("mail.inbound.key_file: holds fewer than {SHORTEST_KEY} characters")),
            Err(cause) => found.push(format!("mail.inbound.key_file: {cause}")),
        }
    }
    let domains = &mail.domains;
    if !domains.spf.is_empty() && !domains.spf.starts_with("v=spf1 ") {
        found.push("mail.domains.spf: must be a record that begins with \"v=spf1 \"".to_owned());
    }
    if !domains.bounce_host.is_empty() && idna::domain_to_ascii_strict(&domains.bounce_host).is_err() {
        found.push("mail.domains.bounce_host: must be the name of a host".to_owned());
    }
    if !domains.name_server.is_empty() && domains.name_server.parse::<std::net::SocketAddr>().is_err() {
        found.push(
            "mail.domains.name_server: must be an address with a port, such as 192.0.2.1:53".to_owned(),
        );
    }
    if smtp.username.is_empty() != smtp.password_file.as_os_str().is_empty() {
        found.push(
            "mail.smtp.password_file: needs mail.smtp.username beside it, and it needs this".to_owned(),
        );
    }
    if mail.transport != MailTransport::Smtp {
        return;
    }
    if smtp.host.trim().is_empty() {
        found.push("mail.smtp.host: mail.transport is \"smtp\", which needs a host".to_owned());
    } else if !is_this_machine(&smtp.host) {
        if smtp.tls == SmtpTls::None && !smtp.allow_plaintext {
            found.push(
                "mail.smtp.tls: \"none\" would send notes and the password readable to another machine; if that \
                 network is safe, set mail.smtp.allow_plaintext = true"
                    .to_owned(),
            );
        }
        if mail.from_domain.ends_with(".localhost") {
            found.push(
                "mail.from_domain: must be a domain of yours, which mail can come from and bounces go to"
                    .to_owned(),
            );
        }
    }
    if !smtp.password_file.as_os_str().is_empty() {
        match super::read_secret(&smtp.password_file) {
            Ok(password) if password.is_empty() => {
                found.push("mail.smtp.password_file: holds no password".to_owned());
            }
            Ok(_) => {}
            Err(cause) => found.push(format!("mail.smtp.password_file: {cause}")),
        }
    }
    if !smtp.root_certificate_file.as_os_str().is_empty() {
        match std::fs::read_to_string(&smtp.root_certificate_file) {
            Ok(pem) if pem.contains("-----BEGIN CERTIFICATE-----") => {}
            Ok(_) => found.push("mail.smtp.root_certificate_file: has no certificate in it (PEM)".to_owned()),
            Err(cause) => {
                let file = smtp.root_certificate_file.display();
                found.push(format!("mail.smtp.root_certificate_file: {file}: {cause}"));
            }
        }
    }
}
