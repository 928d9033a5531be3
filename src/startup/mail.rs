//! The way of mail, from the settings.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;

use crate::app::letters::MailPolicy;
use crate::auth::token::Tokens;
use crate::config::{MailSettings, MailTransport, Settings, SmtpSettings, SmtpTls, read_secret};
use crate::domain::mail_domain::DnsPolicy;
use crate::mail::{Folder, Resolver, SmtpRelay, SmtpServer, Timeouts, Tls, Transport};

/// The least that a server is given for its answer to a whole message, whatever the settings say:
/// who gives up earlier does not know whether it was taken (RFC 5321, section 4.5.3.2.6).
const CONTENT_TIMEOUT: Duration = Duration::from_secs(600);

pub(super) fn policy(mail: &MailSettings, tokens: Arc<Tokens>) -> anyhow::Result<MailPolicy> {
    let key_file = &mail.inbound.key_file;
    let inbound_key = (!key_file.as_os_str().is_empty()).then(|| read_secret(key_file)).transpose()?;
    let or = |text: &str, otherwise: String| if text.is_empty() { otherwise } else { text.to_owned() };
    let server = or(&mail.smtp.host, mail.from_domain.clone());
    Ok(MailPolicy {
        inbound_key,
        dns: DnsPolicy {
            bounce_host: or(&mail.domains.bounce_host, mail.from_domain.clone()),
            spf: or(&mail.domains.spf, format!("v=spf1 a:{server} ~all")),
        },
        tokens,
        service_name: mail.service_name.clone(),
        from_domain: mail.from_domain.clone(),
        undo_window: TimeDelta::seconds(i64::from(mail.undo_window_seconds)),
    })
}

/// What asks the DNS of agencies' mail domains.
pub fn build_resolver(settings: &Settings) -> anyhow::Result<Resolver> {
    let name_server = &settings.mail.domains.name_server;
    let address = (!name_server.is_empty()).then(|| name_server.parse()).transpose();
    Ok(Resolver::new(address.context("mail.domains.name_server is not an address with a port")?)?)
}

/// The way that mail takes.
pub fn build_transport(settings: &Settings) -> anyhow::Result<Transport> {
    Ok(match settings.mail.transport {
        MailTransport::Smtp => {
            let server = server(&settings.mail.smtp, &settings.mail.from_domain)?;
            Transport::Smtp(Box::new(SmtpRelay::new(server)?))
        }
        MailTransport::File => {
            let folder = settings.mail_dir();
            tracing::warn!(folder = %folder.display(), "mail is written into files and sent to nobody");
            Transport::File(Folder::new(folder))
        }
        MailTransport::Discard => {
            tracing::warn!("mail is thrown away");
            Transport::Discard
        }
    })
}

fn server(smtp: &SmtpSettings, hello_name: &str) -> anyhow::Result<SmtpServer> {
    let step = seconds(smtp.step_timeout_seconds);
    let mut server = SmtpServer::plain(&smtp.host, smtp.port, hello_name);
    server.tls = match smtp.tls {
        SmtpTls::None => Tls::None,
        SmtpTls::Starttls => Tls::StartTls,
        SmtpTls::Implicit => Tls::Implicit,
    };
    server.allow_plaintext = smtp.allow_plaintext;
    if !smtp.username.is_empty() {
        server.username = Some(smtp.username.clone());
        server.password = read_secret(&smtp.password_file)?;
    }
    if !smtp.root_certificate_file.as_os_str().is_empty() {
        let certificates = std::fs::read(&smtp.root_certificate_file)
            .with_context(|| format!("{} cannot be read", smtp.root_certificate_file.display()))?;
        server.root_certificate = Some(certificates);
    }
    server.timeouts = Timeouts {
        connect: step,
        greeting: step,
        command: step,
        data: step,
        content: step.max(CONTENT_TIMEOUT),
    };
    server.max_connections = usize::from(smtp.max_connections);
    server.max_messages = smtp.messages_per_connection;
    server.max_age = seconds(smtp.connection_seconds);
    Ok(server)
}

pub(super) fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_to_another_machine_is_allowed_by_its_setting_alone() {
        for (setting, allowed) in [("false", false), ("true", true)] {
            let variable = ("DEBRIEF__MAIL__SMTP__ALLOW_PLAINTEXT".into(), setting.into());
            let settings = Settings::load_from(None, [variable]).unwrap();
            let server = server(&settings.mail.smtp, "debrief.example").unwrap();
            assert_eq!(server.allow_plaintext, allowed);
        }
    }
}
