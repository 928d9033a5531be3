use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;

fn client(allow_private_addresses: bool, roots: RootCertStore) -> Client {
    let settings = ClientSettings { allow_private_addresses, timeout: Duration::from_secs(5) };
    Client::trusting(roots, settings).unwrap()
}

/// A server that speaks TLS under this name and answers once; its port, and a store that trusts it.
async fn tls_server(name: &str) -> (u16, RootCertStore) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let certificate = made.cert.der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
        let mut head = [0; 4];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"POST");
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    (port, roots)
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_posted_to() {
    let (port, roots) = tls_server("localhost").await;
    let reply = client(true, roots).post(&format!("https://localhost:{port}/"), &[], "{}".into()).await;
    assert_eq!(reply.unwrap(), Reply { status: 202, retry_after: None });
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_name_gets_nothing() {
    let (port, roots) = tls_server("elsewhere.example").await;
    let reply = client(true, roots).post(&format!("https://localhost:{port}/"), &[], "{}".into()).await;
    assert!(matches!(reply, Err(NoReply::Tls(_))), "{reply:?}");
    let (port, _) = tls_server("localhost").await;
    let stranger =
        Client::new(ClientSettings { allow_private_addresses: true, timeout: Duration::from_secs(5) });
    let reply = stranger.unwrap().post(&format!("https://localhost:{port}/"), &[], "{}".into()).await;
    assert!(matches!(reply, Err(NoReply::Tls(_))), "{reply:?}");
}

#[tokio::test]
async fn what_is_inside_is_not_connected_to() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = client(false, RootCertStore::empty());
    for url in [
        format!("https://127.0.0.1:{port}/"),
        format!("https://0x7f000001:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("http://localhost:{port}/"),
    ] {
        let reply = client.post(&url, &[], String::new()).await;
        assert!(matches!(reply, Err(NoReply::Target(_))), "{url}: {reply:?}");
    }
    let reply = client.post(&format!("https://localhost:{port}/"), &[], String::new()).await;
    assert!(matches!(reply, Err(NoReply::Forbidden)), "{reply:?}");
    let nobody = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
    assert!(nobody.is_err(), "somebody connected");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_as_such() {
    let reply =
        client(true, RootCertStore::empty()).post("http://nowhere.invalid/", &[], String::new()).await;
    assert!(matches!(reply, Err(NoReply::Unresolved)), "{reply:?}");
}

#[tokio::test]
async fn an_answer_without_an_end_is_an_answer_all_the_same() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
        while stream.write_all(b"5\r\nendle\r\n").await.is_ok() {}
    });
    let client = client(true, RootCertStore::empty());
    let reply = client.post(&format!("http://127.0.0.1:{port}/"), &[], "{}".into()).await;
    assert_eq!(reply.unwrap().status, 200);
}
