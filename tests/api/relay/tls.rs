//! A mail server of one's own, whose certificate no authority has signed.

use std::net::Ipv4Addr;

use chrono::TimeDelta;
use debrief::config::{MailTransport, Settings, SmtpTls};
use debrief::jobs::Relay;
use debrief::startup;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::UNDO_WINDOW;
use super::private::in_private;
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

fn relay_of(app: &TestApp, settings: &Settings) -> Relay {
    Relay::new(app.context.clone(), startup::build_transport(settings).unwrap(), relay_settings())
}

on_both! {
    async fn a_server_of_ones_own_is_trusted_by_its_certificate(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let (port, certificate) = in_private(&peer, SmtpTls::Implicit, None).await;
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
            let (port, certificate) = in_private(&peer, SmtpTls::Implicit, None).await;
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
            let (port, certificate) = in_private(&peer, from, None).await;
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
