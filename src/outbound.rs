//! Requests to servers that somebody else chooses.
//!
//! Whoever chooses where this service connects to must not reach through it what only it can reach. So
//! every connection is opened here: the name is resolved, each address is judged, and exactly the
//! address that was judged is connected to. There is no proxy, no redirect is followed, and little of an
//! answer is read.

mod connect;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::domain::webhook::{Target, TargetFault};

/// How this service calls itself.
const AGENT: &str = concat!("Debrief/", env!("CARGO_PKG_VERSION"));

/// How much of an answer's body is read, so that the connection can end in good order.
const ANSWER_LIMIT: usize = 16 * 1024;

/// How long the body of an answer may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// Where requests may go, and how long they may take.
#[derive(Debug, Clone, Copy)]
pub struct ClientSettings {
    /// Any address, and without TLS too.
    pub allow_private_addresses: bool,
    /// How long the whole of a request may take.
    pub timeout: Duration,
}

/// Sends requests; clones share what they need.
#[derive(Clone)]
pub struct Client {
    settings: ClientSettings,
    tls: Arc<ClientConfig>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Retry-After` as it stands in the answer.
    pub retry_after: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoReply {
    /// The URL cannot be used.
    #[error("the URL {0}")]
    Target(#[from] TargetFault),
    /// The name is not known.
    #[error("the host name could not be resolved")]
    Unresolved,
    /// The name leads to addresses that may not be connected to, and to no other.
    #[error("the host leads to a private, local or reserved address")]
    Forbidden,
    /// There is no connection.
    #[error("no connection: {0}")]
    Unconnected(io::ErrorKind),
    /// The server could not prove that it is the one, or does not speak TLS.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The connection ended, or what came is not HTTP.
    #[error("no answer in HTTP/1.1: {0}")]
    Broken(String),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The request cannot be made.
    #[error("the request cannot be made")]
    Unsendable,
}

impl Client {
    /// A client that trusts the certification authorities that browsers trust.
    pub fn new(settings: ClientSettings) -> Result<Self, tokio_rustls::rustls::Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        Self::trusting(roots, settings)
    }

    fn trusting(roots: RootCertStore, settings: ClientSettings) -> Result<Self, tokio_rustls::rustls::Error> {
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { settings, tls: Arc::new(tls) })
    }

    /// How long the whole of a request may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Posts a JSON document.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: String) -> Result<Reply, NoReply> {
        let target: Target = url.parse()?;
        let mut request = Request::post(target.path())
            .header(HOST, target.authority())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| NoReply::Unsendable)?;
        let limit = self.settings.timeout;
        timeout(limit, self.exchange(&target, request)).await.unwrap_or(Err(NoReply::TimedOut(limit)))
    }

    async fn exchange(&self, target: &Target, request: Request<Full<Bytes>>) -> Result<Reply, NoReply> {
        if !self.settings.allow_private_addresses {
            target.check_public()?;
        }
        let stream = connect::connect(target, self.settings.allow_private_addresses).await?;
        if !target.is_https() {
            return converse(stream, request).await;
        }
        converse(connect::secure(stream, target, self.tls.clone()).await?, request).await
    }
}

/// Sends a request over a connection and answers with the head of what comes back. The connection
/// ends with it, once the body has been read or has had its time.
async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Reply, NoReply>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| NoReply::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut connection = Box::pin(connection);
    let response = {
        let mut answer = std::pin::pin!(sender.send_request(request));
        tokio::select! {
            response = &mut answer => response,
            // Whether it ended well or not, the request knows by now what came of it.
            _ = &mut connection => answer.await,
        }
    }
    .map_err(broken)?;
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let reply = Reply { status: response.status().as_u16(), retry_after: retry_after.map(str::to_owned) };
    tokio::spawn(timeout(BODY_TIMEOUT, async move {
        // The status has told everything; how the body ends does not matter.
        let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect();
        tokio::select! {
            _ = body => {}
            _ = connection => {}
        }
    }));
    Ok(reply)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
