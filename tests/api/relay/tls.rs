//! A mail server of one's own, whose certificate no authority has signed.

use std::net::Ipv4Addr;
use std::sync::Arc;

use chrono::TimeDelta;
use debrief::config::{MailTransport, Settings, SmtpTls};
use debrief::jobs::Relay;
use debrief::startup;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::UNDO_WINDOW;
use crate::support::smtp_peer::SmtpPeer;
use crate::support::{Desk, TestApp, on_both, relay_settings};

/// Speaks TLS from the first byte in front of the peer. Answers its port and its certificate (PEM).
async fn in_private(peer: &SmtpPeer) -> (u16, String) {
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
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut private = acceptor.accept(stream).await?;
                let mut plain = TcpStream::connect(behind).await?;
                tokio::io::copy_bidirectional(&mut private, &mut plain).await
            });
        }
    });
    (port, own.cert.pem())
}

fn relay_of(app: &TestApp, settings: &Settings) -> Relay {
    Relay::new(app.context.clone(), startup::build_transport(settings).unwrap(), relay_settings())
}

on_both! {
    async fn a_server_of_ones_own_is_trusted_by_its_certificate(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let (port, certificate) = in_private(&peer).await;
        let mut settings = app.settings.clone();
        settings.mail.transport = MailTransport::Smtp;
        settings.mail.smtp.host = "localhost".to_owned();
        settings.mail.smtp.port = port;
        settings.mail.smtp.tls = SmtpTls::Implicit;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay_of(&app, &settings).run_once().await.unwrap();
        assert_eq!((desk.fates(&note).await, peer.connections()), (vec!["deferred".to_owned()], 0), "a stranger");
        assert_eq!(desk.note(&note).await["deliveries"][0]["attempts"], 0, "nothing was tried");

        let file = app.settings.server.data_dir.join("mail-server.pem");
        std::fs::write(&file, certificate).unwrap();
        settings.mail.smtp.root_certificate_file = file;
        app.clock.advance(TimeDelta::minutes(10));
        relay_of(&app, &settings).run_once().await.unwrap();
        assert_eq!((desk.fates(&note).await, peer.taken().len()), (vec!["sent".to_owned()], 1));
    }
}
