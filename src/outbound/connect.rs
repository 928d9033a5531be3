//! Connections: to an address that was looked at, and with a server that has proved its name.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::NoReply;
use crate::domain::webhook::{Target, is_public};

/// How long one address may take to take a connection, so that the next one is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;

/// Connects to the target: to an address that its name has just been resolved to, and to no other than
/// was judged. A name that leads elsewhere the next time is judged again then.
pub(super) async fn connect(target: &Target, allow_private: bool) -> Result<TcpStream, NoReply> {
    let addresses = resolve(target).await?;
    let allowed: Vec<SocketAddr> =
        addresses.into_iter().filter(|address| allow_private || is_public(address.ip())).collect();
    let mut last = NoReply::Forbidden;
    for address in allowed.into_iter().take(ADDRESSES) {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // What is written is whole: nothing is gained by waiting for more.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = NoReply::Unconnected(error.kind()),
            Err(_) => last = NoReply::Unconnected(std::io::ErrorKind::TimedOut),
        }
    }
    Err(last)
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, NoReply> {
    let host = without_brackets(target);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, target.port())]);
    }
    let found = lookup_host((host, target.port())).await.map_err(|_| NoReply::Unresolved)?;
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() { Err(NoReply::Unresolved) } else { Ok(found) }
}

/// Speaks TLS with the target over a connection to it.
pub(super) async fn secure(
    stream: TcpStream,
    target: &Target,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, NoReply> {
    let name = ServerName::try_from(without_brackets(target).to_owned());
    let name = name.map_err(|error| NoReply::Tls(error.to_string()))?;
    let secured = TlsConnector::from(config).connect(name, stream).await;
    secured.map_err(|error| NoReply::Tls(error.to_string()))
}

/// The host without what a URL puts around an address of IPv6.
fn without_brackets(target: &Target) -> &str {
    target.host().trim_start_matches('[').trim_end_matches(']')
}
