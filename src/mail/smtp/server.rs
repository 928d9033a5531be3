//! Which server, and how to speak to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// How the connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: accepted only when the server is on this machine, or where plain text is allowed.
    None,
    /// Asked for with STARTTLS (RFC 3207) and insisted on; port 587 or 25.
    StartTls,
    /// From the first byte (RFC 8314); port 465.
    Implicit,
}

/// How long each step may take. The defaults are those of RFC 5321, section 4.5.3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting, for each of the server's addresses; the TLS handshake.
    pub connect: Duration,
    /// The greeting and the answer to EHLO.
    pub greeting: Duration,
    /// AUTH, MAIL, RCPT, RSET.
    pub command: Duration,
    /// DATA, up to 354.
    pub data: Duration,
    /// Sending the content, and the server's reply to it.
    pub content: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(5 * 60),
            command: Duration::from_secs(5 * 60),
            data: Duration::from_secs(2 * 60),
            content: Duration::from_secs(10 * 60),
        }
    }
}

/// A mail server and what is needed to use it.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name or address; the name is what its certificate must be for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: Tls,
    /// Whether [`Tls::None`] is accepted to another machine too.
    pub allow_plaintext: bool,
    /// Certificates (PEM) to trust besides the well-known authorities, for a server of one's own.
    pub root_certificate: Option<Vec<u8>>,
    /// Who signs in (PLAIN or LOGIN); nobody without a name.
    pub username: Option<String>,
    /// The password that belongs to `username`.
    pub password: String,
    /// What we call ourselves in EHLO: a full domain name.
    pub hello_name: String,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// Connections at a time; at least 1.
    pub max_connections: usize,
    /// Messages on one connection before it is replaced.
    pub max_messages: u32,
    /// How old a connection may grow before it is replaced.
    pub max_age: Duration,
}

impl SmtpServer {
    /// A server that wants neither TLS nor a sign-in, with the usual limits.
    #[must_use]
    pub fn plain(host: impl Into<String>, port: u16, hello_name: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            tls: Tls::None,
            allow_plaintext: false,
            root_certificate: None,
            username: None,
            password: String::new(),
            hello_name: hello_name.into(),
            timeouts: Timeouts::default(),
            max_connections: 4,
            max_messages: 100,
            max_age: Duration::from_secs(300),
        }
    }
}

/// The password stays out of the log.
impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Why a server cannot be used as it is described.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It would be said in EHLO as it is, and starts a new command.
    #[error("the name for EHLO must be a domain name: {0:?}")]
    HelloName(String),
    /// The certificate to trust, or the name of the server.
    #[error("the TLS settings are not usable: {0}")]
    Tls(String),
}

/// A server as a connection needs it: everything checked and built.
pub(super) struct Prepared {
    pub server: SmtpServer,
    pub hello: ClientId,
    /// There when `server.tls` asks for TLS.
    pub tls: Option<TlsClient>,
    pub credentials: Option<Credentials>,
}

/// What it takes to speak to a server in private.
pub(super) struct TlsClient {
    pub connector: TlsConnector,
    /// The name that its certificate must be for.
    pub name: ServerName<'static>,
}

impl Prepared {
    pub(super) fn new(server: SmtpServer) -> Result<Self, SetupError> {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if server.hello_name.is_empty() || !server.hello_name.chars().all(fine) {
            return Err(SetupError::HelloName(server.hello_name));
        }
        let tls = if server.tls == Tls::None { None } else { Some(tls(&server).map_err(SetupError::Tls)?) };
        let password = || server.password.clone();
        let credentials = server.username.clone().map(|name| Credentials::new(name, password()));
        Ok(Self { hello: ClientId::Domain(server.hello_name.clone()), tls, credentials, server })
    }
}

fn tls(server: &SmtpServer) -> Result<TlsClient, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    if let Some(pem) = &server.root_certificate {
        let well_known = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if roots.len() == well_known {
            return Err("the file of the root certificate has none in PEM".to_owned());
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(server.host.clone());
    let name = name.map_err(|_| format!("no certificate can be for {:?}", server.host))?;
    Ok(TlsClient { connector: TlsConnector::from(Arc::new(config)), name })
}
