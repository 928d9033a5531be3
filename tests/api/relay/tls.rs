//! A mail server of one's own, whose certificate no authority has signed.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use chrono::TimeDelta;
use debrief::config::{MailTransport, Settings, SmtpTls};
use debrief::jobs::Relay;
use debrief::startup;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::UNDO_WINDOW;
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, on_both, relay, relay_settings};

/// Settings for a mail server on this machine that speaks TLS from the first byte.
fn privately(app: &TestApp, port: u16) -> Settings {
    let mut settings = app.settings.clone();
    settings.mail.transport = MailTransport::Smtp;
    settings.mail.smtp.host = "localhost".to_owned();
    settings.mail.smtp.port = port;
    settings.mail.smtp.tls = SmtpTls::Implicit;
    settings
}

/// Speaks TLS in front of the peer: from the first byte, or once it was asked to (RFC 3207). Answers its
/// port and its certificate (PEM).
async fn in_private(peer: &SmtpPeer, from: SmtpTls) -> (u16, String) {
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
        while let Ok((mut stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if from == SmtpTls::Starttls {
                    until_starttls(&mut stream).await?;
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
            });
        }
    });
    (port, own.cert.pem())
}

/// What is said in the open before TLS begins.
async fn until_starttls(stream: &mut TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    for said in
        [&b"220 mx.m\xfcller.example ESMTP\r\n"[..], b"250-mx.example\r\n250 STARTTLS\r\n", b"220\r\n"]
    {
        stream.get_mut().write_all(said).await?;
        if said != b"220\r\n" {
            stream.read_until(b'\n', &mut Vec::new()).await?;
        }
    }
    Ok(())
}

fn relay_of(app: &TestApp, settings: &Settings) -> Relay {
    Relay::new(app.context.clone(), startup::build_transport(settings).unwrap(), relay_settings())
}

on_both! {
    async fn a_server_of_ones_own_is_trusted_by_its_certificate(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let (port, certificate) = in_private(&peer, SmtpTls::Implicit).await;
        let mut settings = privately(&app, port);
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

    async fn a_private_connection_that_is_cut_ends_as_an_open_one(app: TestApp) {
        let file = app.settings.server.data_dir.join("mail-server.pem");
        for (at, act, state, copies) in [
            (At::Greeting, Act::Drop, "deferred", 0),
            (At::Recipient, Act::SayAndDrop("250-half a rep"), "deferred", 0),
            (At::Content, Act::Drop, "unconfirmed", 0),
            (At::Dot, Act::TakeAndDrop, "unconfirmed", 1),
        ] {
            let desk = Desk::set(&app).await;
            let peer = SmtpPeer::start([(at, act)]).await;
            let (port, certificate) = in_private(&peer, SmtpTls::Implicit).await;
            std::fs::write(&file, certificate).unwrap();
            let mut settings = privately(&app, port);
            settings.mail.smtp.root_certificate_file = file.clone();
            let note = desk.approved(&[&desk.scene.peer]).await;
            app.clock.advance(UNDO_WINDOW);
            relay_of(&app, &settings).run_once().await.unwrap();
            peer.quiet().await;
            assert_eq!((desk.fates(&note).await, peer.taken().len()), (vec![state.to_owned()], copies), "{at:?}");
            // What waits is sent elsewhere, out of the way of the next one.
            app.clock.advance(TimeDelta::hours(1));
            relay(&app, &SmtpPeer::start([]).await).run_once().await.unwrap();
        }
    }

    async fn whoever_is_asked_to_goes_on_in_private(app: TestApp) {
        let file = app.settings.server.data_dir.join("mail-server.pem");
        for (from, script) in [
            (SmtpTls::Starttls, vec![(At::Dot, Act::Say(b"250"))]),
            (SmtpTls::Implicit, vec![(At::Greeting, Act::Say(b"220 mx.m\xfcller.example")), (At::Dot, Act::Say(b"250"))]),
        ] {
            let desk = Desk::set(&app).await;
            let peer = SmtpPeer::start(script).await;
            let (port, certificate) = in_private(&peer, from).await;
            std::fs::write(&file, certificate).unwrap();
            let mut settings = privately(&app, port);
            settings.mail.smtp.tls = from;
            settings.mail.smtp.root_certificate_file = file.clone();
            let note = desk.approved(&[&desk.scene.peer]).await;
            app.clock.advance(UNDO_WINDOW);
            relay_of(&app, &settings).run_once().await.unwrap();
            assert_eq!((desk.fates(&note).await, peer.taken().len()), (vec!["sent".to_owned()], 1), "{from:?}");
        }
    }

    async fn a_handshake_that_is_cut_has_sent_nothing(app: TestApp) {
        let desk = Desk::set(&app).await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cutting = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // Half of the client's first words, and no more.
                let _ = stream.read_exact(&mut [0; 64]).await;
            }
        });
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay_of(&app, &privately(&app, port)).run_once().await.unwrap();
        cutting.abort();
        assert_eq!(desk.fates(&note).await, ["deferred"]);
    }
}
