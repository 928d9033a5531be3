//! Getting in: TLS, signing in, and to whom plain text may go.

use super::*;

#[tokio::test]
async fn a_refused_sign_in_is_the_relays_fault() {
    const OFFER: Act = Act::Reply("250-peer.example\r\n250 AUTH LOGIN PLAIN");
    const LOGIN: Act = Act::Reply("250-peer.example\r\n250 AUTH LOGIN");
    let scripts = [
        (vec![(At::Ehlo, OFFER)], true),
        (vec![(At::Ehlo, LOGIN)], true),
        (vec![(At::Ehlo, LOGIN), (At::Auth, Act::Reply("504 5.5.4 not that way"))], false),
        (vec![(At::Ehlo, LOGIN), (At::Credentials, Act::Reply("535 5.7.8 wrong password"))], false),
        (vec![(At::Ehlo, OFFER), (At::Auth, Act::Reply("535 5.7.8 wrong password"))], false),
        (vec![(At::Ehlo, OFFER), (At::Auth, Act::Reply("454 4.7.0 not now"))], false),
        (vec![(At::Mail, Act::Reply("530 5.7.0 sign in first"))], false),
        (vec![], false),
    ];
    for (script, accepted) in scripts {
        let peer = SmtpPeer::start(script.clone()).await;
        let username = (!matches!(script.as_slice(), [(At::Mail, _)])).then(|| "us".to_owned());
        let server = SmtpServer { username, password: "secret".into(), ..server(&peer) };
        let outcome = relay(server).relay(&letter("hi"), async || true).await;
        match outcome {
            Outcome::Accepted(_) => assert!(accepted),
            Outcome::Fault(Fault::SignIn(ref said)) => assert!(!accepted && !said.contains("secret")),
            _ => panic!("{script:?}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_recipient_who_wants_a_sign_in_is_refused_alone() {
    for at in [At::Recipient, At::Data] {
        let (outcome, _, _) = attempt([(at, Act::Reply("530 5.7.0 sign in first"))], PATIENT).await;
        assert_eq!(outcome.event(), Some(DeliveryEvent::PermanentReply), "{outcome:?}");
    }
}

#[tokio::test]
async fn replies_slipped_in_before_tls_do_not_count() {
    const OFFER: Act = Act::Reply("250-peer.example\r\n250 STARTTLS");
    const SLIPPED: &str = "220 go ahead\r\n250-peer.example\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 ok\r\n250 ok";
    for (script, refused) in [
        (vec![], "does not offer"),
        (vec![(At::Ehlo, OFFER), (At::StartTls, Act::Reply("454 4.7.0 out of order"))], "out of order"),
        (vec![(At::Ehlo, OFFER), (At::StartTls, Act::Reply(SLIPPED))], "before TLS began"),
    ] {
        let peer = SmtpPeer::start(script).await;
        let outcome = relay(SmtpServer { tls: Tls::StartTls, ..server(&peer) })
            .relay(&letter("hi"), async || true)
            .await;
        let Outcome::Fault(Fault::Tls(said)) = outcome else { panic!("{outcome:?}") };
        assert!(said.contains(refused), "{said}");
    }
}

#[tokio::test]
async fn plain_text_where_tls_is_due_is_the_relays_fault() {
    let peer = SmtpPeer::start([]).await;
    let outcome =
        relay(SmtpServer { tls: Tls::Implicit, ..server(&peer) }).relay(&letter("hi"), async || true).await;
    assert!(matches!(outcome, Outcome::Fault(Fault::Tls(_))), "{outcome:?}");
}

/// The address under which other machines would find this one; none without a network.
fn address_seen_from_outside() -> Option<IpAddr> {
    // Connecting a datagram socket sends nothing: it only asks for the way there.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_loopback())
}

#[tokio::test]
async fn plain_text_leaves_this_machine_only_where_it_is_allowed() {
    let Some(outside) = address_seen_from_outside() else { return };
    let peer = SmtpPeer::start_at(outside, []).await;
    let outcome = relay(server(&peer)).relay(&letter("hi"), async || true).await;
    assert!(matches!(outcome, Outcome::Fault(Fault::Tls(_))), "{outcome:?}");
    assert!(peer.commands().is_empty());

    let allowed = SmtpServer { allow_plaintext: true, ..server(&peer) };
    let outcome = relay(allowed).relay(&letter("hi"), async || true).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[test]
fn a_file_without_a_certificate_is_refused() {
    for file in ["", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"] {
        let server = SmtpServer::plain("mx.example", 465, "us.example");
        let server = SmtpServer { tls: Tls::Implicit, root_certificate: Some(file.into()), ..server };
        assert!(SmtpRelay::new(server).is_err(), "{file:?}");
    }
}
