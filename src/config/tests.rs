use std::ffi::OsString;
use std::io::Write;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn from_variables(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    Settings::load_from(None, environment(variables))
}

fn from_file(text: &str) -> Result<Settings, ConfigError> {
    from_both(text, &[])
}

fn from_both(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Settings::load_from(Some(file.path()), environment(variables))
}

/// The problems of settings that must not load.
fn refused(settings: Result<Settings, ConfigError>) -> Vec<String> {
    settings.expect_err("should be refused").problems
}

#[test]
fn the_defaults_are_complete_and_right() {
    let settings = from_variables(&[]).unwrap();
    assert_eq!(settings.server.port, 8080);
    assert_eq!(settings.server.metrics, MetricsListener::Ops);
    assert_eq!(settings.mail.transport, MailTransport::File);
    assert_eq!(settings.mail.relay.backoff_minutes, [1, 5, 15, 30, 60, 120]);
    assert_eq!(settings.database_url().unwrap(), DatabaseUrl::Sqlite("data/debrief.sqlite3".into()));
    assert_eq!(settings.signing_key_file(), PathBuf::from("data/signing-key.pem"));
    assert_eq!(settings.mail_dir(), PathBuf::from("data/mail"));
}

#[test]
fn a_file_goes_over_the_defaults_and_the_environment_over_both() {
    let file = "[server]\nport = 9000\nhost = \"::1\"\n[mail.smtp]\nhost = \"from-file\"\n";
    let settings = from_both(
        file,
        &[
            ("DEBRIEF__SERVER__PORT", "9001"),
            ("DEBRIEF__MAIL__SMTP__HOST", "12345"),
            ("DEBRIEF__MAIL__SMTP__ALLOW_PLAINTEXT", "true"),
            ("DEBRIEF__MAIL__RELAY__BACKOFF_MINUTES", "2, 4"),
            ("DEBRIEF__AUTH__PREVIOUS_KEY_FILES", "/a.pem,/b.pem"),
            ("DEBRIEF_TEST_POSTGRES_URL", "not ours"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(settings.server.port, 9001);
    assert_eq!(settings.server.host, "::1");
    assert_eq!(settings.mail.smtp.host, "12345");
    assert!(settings.mail.smtp.allow_plaintext);
    assert_eq!(settings.mail.relay.backoff_minutes, [2, 4]);
    assert_eq!(settings.auth.previous_key_files, [PathBuf::from("/a.pem"), PathBuf::from("/b.pem")]);
    assert_eq!(settings.server.keep_alive_seconds, 75);
}

#[test]
fn an_empty_list_in_the_environment_is_empty() {
    let settings = from_variables(&[("DEBRIEF__MAIL__RELAY__BACKOFF_MINUTES", "")]).unwrap();
    assert!(settings.mail.relay.backoff_minutes.is_empty());
}

#[test]
fn unknown_keys_are_named_all_at_once() {
    let problems = refused(from_both(
        "[server]\nprot = 1\n[mail.smpt]\nhost = \"x\"\n[extra]\n",
        &[
            ("DEBRIEF__SERVER__HOTS", "canary"),
            ("DEBRIEF__SERVER", "canary"),
            ("DEBRIEF__MAIL__SMTP__HOST__X", ""),
        ],
    ));
    let starts: Vec<_> =
        problems.iter().filter_map(|problem| problem.split_once(": ")).map(|(key, _)| key).collect();
    assert_eq!(
        starts,
        [
            "extra",
            "mail.smpt",
            "server.prot",
            "DEBRIEF__MAIL__SMTP__HOST__X",
            "DEBRIEF__SERVER",
            "DEBRIEF__SERVER__HOTS"
        ]
    );
    assert!(problems[2].contains("port"), "{problems:?}");
    assert!(!problems.concat().contains("canary"));
}

#[test]
fn a_value_of_the_wrong_shape_names_its_key() {
    let problems = refused(from_both(
        "[server]\nport = \"8080\"\nhost = 1\n[mail]\nsmtp = 5\n[auth]\nprevious_key_files = \"a\"\n",
        &[("DEBRIEF__SERVER__WORKERS", "many"), ("DEBRIEF__MAIL__SMTP__ALLOW_PLAINTEXT", "1")],
    ));
    assert_eq!(problems.len(), 6, "{problems:?}");
    assert!(problems.contains(&"DEBRIEF__SERVER__WORKERS: must be a whole number".to_owned()));
    assert!(problems.iter().any(|p| p.starts_with("server.port: must be a whole number, not a text")));
}

#[test]
fn a_value_that_does_not_fit_names_its_key() {
    for (variable, value, key) in [
        ("DEBRIEF__SERVER__PORT", "70000", "server.port"),
        ("DEBRIEF__SERVER__PORT", "-1", "server.port"),
        ("DEBRIEF__SERVER__METRICS", "somewhere", "server.metrics"),
        ("DEBRIEF__MAIL__SMTP__TLS", "ssl", "mail.smtp.tls"),
        ("DEBRIEF__MAIL__RELAY__BACKOFF_MINUTES", "1,x", "mail.relay.backoff_minutes[1]"),
        ("DEBRIEF__AUTH__ARGON2__MEMORY_KIB", "1024", "auth.argon2.memory_kib"),
        ("DEBRIEF__MAIL__RELAY__RENEW_SECONDS", "31", "mail.relay.renew_seconds"),
        ("DEBRIEF__LOG__FILTER", "debrief=loud", "log.filter"),
        ("DEBRIEF__DATABASE__URL", "oracle://canary", "database.url"),
        ("DEBRIEF__DATABASE__URL_FILE", "/dev/null", "database.url_file"),
        ("DEBRIEF__DATABASE__URL_FILE", "/nowhere/url", "database.url_file"),
        ("DEBRIEF__MAIL__TRANSPORT", "smtp", "mail.smtp.host"),
        ("DEBRIEF__MAIL__FROM_DOMAIN", "localhost", "mail.from_domain"),
        ("DEBRIEF__MAIL__SMTP__USERNAME", "debrief", "mail.smtp.password_file"),
    ] {
        let problems = refused(from_variables(&[(variable, value)]));
        assert!(problems.len() == 1 && problems[0].contains(key), "{key}: {problems:?}");
        assert!(!problems[0].contains("canary"));
    }
    let problems = refused(from_variables(&[("DEBRIEF__SERVER__METRICS", "somewhere")]));
    assert!(problems[0].contains("ops, public, off"), "{problems:?}");
}

#[test]
fn plain_smtp_to_another_machine_must_be_meant() {
    let base = [
        ("DEBRIEF__MAIL__TRANSPORT", "smtp"),
        ("DEBRIEF__MAIL__SMTP__TLS", "none"),
        ("DEBRIEF__MAIL__FROM_DOMAIN", "mail.example.org"),
    ];
    let with = |more: &[(&str, &str)]| from_variables(&[&base, more].concat());
    assert!(with(&[("DEBRIEF__MAIL__SMTP__HOST", "127.0.0.1")]).is_ok());
    let problems = refused(with(&[("DEBRIEF__MAIL__SMTP__HOST", "smtp.example.org")]));
    assert!(problems.len() == 1 && problems[0].starts_with("mail.smtp.tls"), "{problems:?}");
    let meant = [("DEBRIEF__MAIL__SMTP__HOST", "smtp"), ("DEBRIEF__MAIL__SMTP__ALLOW_PLAINTEXT", "true")];
    assert!(with(&meant).is_ok());
}

#[test]
fn a_broken_file_is_told_without_quoting_it() {
    let problems = refused(from_file("[database]\nurl = \"postgres://u:canary@h/d\n"));
    assert!(problems[0].contains("line 2") && !problems[0].contains("canary"), "{problems:?}");
    let missing = refused(Settings::load_from(Some(Path::new("/nowhere/debrief.toml")), []));
    assert!(missing[0].starts_with("/nowhere/debrief.toml"), "{missing:?}");
}

#[test]
fn the_database_url_can_come_from_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"postgres://u:canary@localhost/d\n").unwrap();
    let path = file.path().to_str().unwrap();
    let settings = from_variables(&[("DEBRIEF__DATABASE__URL_FILE", path)]).unwrap();
    let url = settings.database_url().unwrap();
    assert_eq!(url, DatabaseUrl::Postgres("postgres://u:canary@localhost/d".to_owned()));
    let both = [("DEBRIEF__DATABASE__URL_FILE", path), ("DEBRIEF__DATABASE__URL", "sqlite://a")];
    assert!(refused(from_variables(&both))[0].starts_with("database.url:"));
}

#[test]
fn a_certificate_to_trust_must_be_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let smtp = |path: &str| {
        from_variables(&[
            ("DEBRIEF__MAIL__TRANSPORT", "smtp"),
            ("DEBRIEF__MAIL__SMTP__HOST", "localhost"),
            ("DEBRIEF__MAIL__SMTP__ROOT_CERTIFICATE_FILE", path),
        ])
    };
    for path in [file.path().to_str().unwrap(), "/nowhere/certificate.pem"] {
        let problems = refused(smtp(path));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("mail.smtp.root_certificate_file:"), "{problems:?}");
    }
    std::fs::write(file.path(), "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").unwrap();
    smtp(file.path().to_str().unwrap()).unwrap();
}

#[test]
fn what_is_printed_reads_back_as_the_same_settings_without_the_secret() {
    let settings = from_variables(&[
        ("DEBRIEF__DATABASE__URL", "postgres://u:canary@localhost/d"),
        ("DEBRIEF__MAIL__SERVICE_NAME", "Ann \"A\" Müller\\"),
    ])
    .unwrap();
    let printed = settings.to_toml();
    assert!(!printed.contains("canary") && !format!("{settings:?}").contains("canary"));
    let again = from_file(&printed).unwrap();
    assert_eq!(again.mail.service_name, settings.mail.service_name);
    assert_eq!(again.to_toml(), printed);
}

#[test]
fn the_production_example_has_only_keys_that_exist() {
    let example = include_str!("../../config/production.toml");
    let problems = refused(from_file(example));
    let keys: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
    // Files that are on no machine of ours.
    assert_eq!(keys, ["database.url_file", "mail.smtp.password_file"], "{problems:?}");
}

#[test]
fn a_limit_that_lets_nothing_through_is_refused() {
    let problems =
        refused(from_file("[imports]\nbody_limit_bytes = 0\nreceive_timeout_seconds = 0\nkeep_days = 0\n"));
    let keys: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
    assert_eq!(
        keys,
        ["imports.receive_timeout_seconds", "imports.keep_days", "imports.body_limit_bytes"],
        "{problems:?}"
    );
}

#[test]
fn a_password_file_holds_a_password() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let settings = |path: &str| {
        from_file(&format!(
            "[mail]\ntransport = \"smtp\"\nfrom_domain = \"notes.example\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nusername = \"debrief\"\npassword_file = \"{path}\"\n"
        ))
    };
    let problems = refused(settings(&empty.path().display().to_string()));
    assert_eq!(problems, ["mail.smtp.password_file: holds no password"]);
    let problems = refused(settings("/nowhere/at/all"));
    assert!(problems[0].starts_with("mail.smtp.password_file: "), "{problems:?}");
}
