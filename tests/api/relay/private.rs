//! TLS in front of a mail server of the test's.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use debrief::config::SmtpTls;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::support::smtp_peer::{Act, SmtpPeer};

/// The moments before the conversation is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// STARTTLS has come.
    StartTls,
    /// The client's first words of the handshake have come.
    Handshake,
}

/// Speaks TLS in front of the peer: from the first byte, or once it was asked to (RFC 3207). The first client
/// meets the fault. Answers its port and its certificate (PEM).
pub async fn in_private(peer: &SmtpPeer, from: SmtpTls, fault: Option<(Open, Act)>) -> (u16, String) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = peer.address;
    tokio::spawn(async move {
        let mut fault = fault;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), from, behind, fault.take()));
        }
    });
    (port, own.cert.pem())
}

async fn serve(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    from: SmtpTls,
    behind: std::net::SocketAddr,
    fault: Option<(Open, Act)>,
) -> io::Result<u64> {
    if from == SmtpTls::Starttls {
        until_starttls(&mut stream).await?;
        if let Some((Open::StartTls, act)) = fault {
            return instead(stream, act).await;
        }
        stream.write_all(b"220\r\n").await?;
    }
    if let Some((Open::Handshake, act)) = fault {
        // A socket that is closed with something unread in it takes back what was sent.
        let _ = stream.read(&mut [0; 4096]).await?;
        return instead(stream, act).await;
    }
    let (mut from_client, mut to_client) = tokio::io::split(acceptor.accept(stream).await?);
    let (from_peer, mut to_peer) = TcpStream::connect(behind).await?.into_split();
    let mut from_peer = BufReader::new(from_peer);
    if from == SmtpTls::Starttls {
        // There is one greeting, and it was given in the open.
        from_peer.read_until(b'\n', &mut Vec::new()).await?;
    }
    // Whichever side goes first, the other one is cut off without a farewell.
    tokio::select! {
        ended = tokio::io::copy(&mut from_client, &mut to_peer) => ended,
        ended = tokio::io::copy_buf(&mut from_peer, &mut to_client) => ended,
    }
}

/// What is said in the open until STARTTLS has come.
async fn until_starttls(stream: &mut TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    for said in [&b"220 mx.m\xfcller.example ESMTP\r\n"[..], b"250-mx.example\r\n250 STARTTLS\r\n"] {
        stream.get_mut().write_all(said).await?;
        stream.read_until(b'\n', &mut Vec::new()).await?;
    }
    Ok(())
}

/// Does this, and nothing more.
async fn instead(mut stream: TcpStream, act: Act) -> io::Result<u64> {
    let said = match act {
        Act::Reply(text) => format!("{text}\r\n"),
        Act::SayAndDrop(text) | Act::SayAndHang(text) => text.to_owned(),
        _ => String::new(),
    };
    stream.write_all(said.as_bytes()).await?;
    if matches!(act, Act::Drop | Act::SayAndDrop(_)) {
        return Ok(0);
    }
    // Until the client goes.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
}
