//! Domains that agencies send mail from: set up at the command line, used by the approval of a note.

use debrief::app::{AppError, mail_domains};
use debrief::domain::mail_domain::Found;
use debrief::mail::Resolver;
use debrief::store::deliveries;
use debrief::store::mail_domains::MailDomain;

use crate::support::name_server::NameServer;
use crate::support::{Database, Desk, TestApp, id, on_both, run};

/// Adds a domain to the agency of the test.
fn add(app: &TestApp, domain: &str) -> MailDomain {
    let keys = mail_domains::generate().unwrap();
    let (agency, tokens) = (app.agency(), &app.context.tokens);
    let add = |tx: &mut debrief::store::pool::Tx<'_>| {
        mail_domains::add(tx, tokens.keys().seals(), agency, domain, None, keys)
    };
    app.context.store.write(add).unwrap()
}

/// Puts what the domain needs into the DNS.
fn publish(app: &TestApp, row: &MailDomain, names: &NameServer) {
    for wanted in mail_domains::wanted(row, &app.context.mail.dns) {
        names.load(&wanted.zone_line());
    }
}

async fn check(app: &TestApp, names: &NameServer, domain: &str) -> (bool, Vec<Found>) {
    let resolver = Resolver::new(Some(names.address)).unwrap();
    let checked = mail_domains::check(&app.context, &resolver, domain).await.unwrap();
    let findings = checked.findings.into_iter().map(|(_, found)| found).collect();
    (checked.domain.verified_at.is_some(), findings)
}

/// The head and the envelope sender of the message to the note's first contact.
async fn sent(app: &TestApp, desk: &Desk) -> (String, String) {
    let note = desk.approved(&[&desk.scene.peer]).await;
    let delivery = id(&note["deliveries"][0]).parse().unwrap();
    let agency = app.agency();
    let read = |conn: &mut _| Ok::<_, AppError>(deliveries::message(conn, agency, delivery)?.unwrap());
    let message = app.context.store.read(read).unwrap();
    let text = String::from_utf8(message.message).unwrap();
    let seen =
        desk.ann.with("Accept", "message/rfc822").get(&format!("/v1/notes/{}/preview", id(&note))).await;
    assert_eq!(String::from_utf8(seen.bytes).unwrap(), text, "the preview is what is sent");
    (text.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " "), message.envelope_from)
}

/// The values of the fields of this name.
fn fields<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.split("\r\n").filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect()
}

on_both! {
    async fn mail_comes_from_a_domain_once_the_dns_says_so(app: TestApp) {
        let names = NameServer::start();
        let row = add(&app, "Agency.example");
        assert_eq!(check(&app, &names, "agency.example").await, (false, vec![Found::Missing; 5]));
        let desk = Desk::set(&app).await;
        let (head, from) = sent(&app, &desk).await;
        assert!(fields(&head, "DKIM-Signature").is_empty());
        assert_eq!(fields(&head, "From"), ["\"Test recruiter (Hanse Personal) via Debrief\" <notes@debrief.localhost>"]);
        assert!(from.ends_with("@debrief.localhost"), "{from}");

        publish(&app, &row, &names);
        names.set("TXT", "bounces.agency.example", Some("v=spf1 -all"));
        let (verified, findings) = check(&app, &names, "agency.example").await;
        assert_eq!((verified, &findings[2]), (false, &Found::Other("v=spf1 -all".to_owned())));
        publish(&app, &row, &names);
        assert_eq!(check(&app, &names, "agency.example").await, (true, vec![Found::Good; 5]));

        let desk = Desk::set(&app).await;
        let (head, from) = sent(&app, &desk).await;
        let me = desk.ann.get("/v1/me").await.expect(200)["email"].as_str().unwrap().to_owned();
        assert_eq!(fields(&head, "From"), [format!("\"Test recruiter\" <{me}>")]);
        assert_eq!(fields(&head, "Reply-To"), fields(&head, "From"));
        assert!(fields(&head, "Message-ID")[0].ends_with("@agency.example>"));
        let signatures = fields(&head, "DKIM-Signature");
        assert!(signatures[0].contains("a=rsa-sha256; c=relaxed/relaxed; d=agency.example; s=debrief1-rsa; t=1795176000;"), "{head}");
        assert!(signatures[1].contains("a=ed25519-sha256; c=relaxed/relaxed; d=agency.example; s=debrief1-ed25519;"), "{head}");
        assert_eq!(signatures.len(), 2);

        // Where it bounces to is nobody else's to make.
        let (local, domain) = from.split_once('@').unwrap();
        let [b, delivery, tag] = local.split('.').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((b, domain, tag.len()), ("b", "bounces.agency.example", 24));
        assert!(app.context.tokens.keys().tags().is_good(delivery.as_bytes(), tag) && local.len() <= 64);

        names.set("TXT", "_dmarc.agency.example", None);
        let (verified, _) = check(&app, &names, "agency.example").await;
        assert!(!verified);
    }

    async fn a_recruiter_of_another_domain_writes_for_the_agency(app: TestApp) {
        let names = NameServer::start();
        let row = add(&app, "hanse.example");
        publish(&app, &row, &names);
        assert!(check(&app, &names, "hanse.example").await.0);
        let (head, from) = sent(&app, &Desk::set(&app).await).await;
        assert_eq!(fields(&head, "From"), ["\"Test recruiter (Hanse Personal)\" <notes@hanse.example>"]);
        assert!(fields(&head, "Reply-To")[0].ends_with("@agency.example>"));
        assert!(from.ends_with("@bounces.hanse.example"));
        // Another agency's mail is not signed for.
        let eve = app.stranger(debrief::domain::people::Role::Admin).await;
        assert_eq!(eve.get("/v1/agency").await.expect(200)["name"], "Hanse Personal");
        let agency = row.agency_id;
        let other = |conn: &mut _| mail_domains::sending(conn, app.context.tokens.keys().seals(), debrief::domain::ids::AgencyId::from_uuid(uuid::Uuid::nil()), "a@hanse.example");
        assert!(app.context.store.read(other).unwrap().is_none());
        let own = |conn: &mut _| mail_domains::sending(conn, app.context.tokens.keys().seals(), agency, "a@hanse.example");
        assert!(app.context.store.read(own).unwrap().is_some());
    }

    async fn new_keys_sign_once_they_are_published(app: TestApp) {
        let names = NameServer::start();
        let row = add(&app, "hanse.example");
        publish(&app, &row, &names);
        assert!(check(&app, &names, "hanse.example").await.0);
        let seals = || app.context.tokens.keys().seals();
        let retire = |selector: &str| app.context.store.write(|tx| mail_domains::retire(tx, "hanse.example", selector));
        assert!(matches!(retire("debrief1-rsa"), Err(AppError::Invalid(_))), "nothing would be left to sign with");

        let keys = mail_domains::generate().unwrap();
        let row = app.context.store.write(|tx| mail_domains::rotate(tx, seals(), "hanse.example", keys)).unwrap();
        let (verified, findings) = check(&app, &names, "hanse.example").await;
        assert_eq!((verified, &findings[2..4]), (true, &[Found::Missing, Found::Missing][..]));
        let (head, _) = sent(&app, &Desk::set(&app).await).await;
        assert!(fields(&head, "DKIM-Signature")[0].contains(" s=debrief1-rsa;"));
        publish(&app, &row, &names);
        assert!(check(&app, &names, "hanse.example").await.0);
        let (head, _) = sent(&app, &Desk::set(&app).await).await;
        assert!(fields(&head, "DKIM-Signature")[1].contains(" s=debrief2-ed25519;"));
        let row = retire("debrief1-rsa").unwrap();
        assert_eq!((row.keys.0[0].sealed.as_str(), row.verified_at.is_some()), ("", true));
        assert!(retire("debrief1-rsa").is_err());
    }
}

#[actix_web::test]
async fn an_operator_sets_a_domain_up() {
    let (mut database, names) = (Database::sqlite(), NameServer::start());
    let (server, folder) = (names.address.to_string(), database.folder());
    let variables = [
        ("DEBRIEF__MAIL__DOMAINS__NAME_SERVER", server.as_str()),
        ("DEBRIEF__SERVER__DATA_DIR", folder.to_str().unwrap()),
    ];
    let admin = |arguments: &[&str]| {
        let arguments = [&["admin", "mail-domain"], arguments].concat();
        let output = run(&database, &arguments, "", &variables);
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let agency =
        ["admin", "create-agency", "--name", "Hanse", "--email", "a@hanse.example", "--password-stdin"];
    assert!(run(&database, &agency, "correct horse battery", &variables).status.success());
    let (_, _, told) = admin(&["add", "--agency", "Nobody", "--domain", "hanse.example"]);
    assert!(told.contains("agency there is no such agency"), "{told}");
    let (done, records, _) = admin(&["add", "--agency", "Hanse", "--domain", "hanse.example"]);
    assert!(done && records.matches(" IN ").count() == 5, "{records}");
    let (done, told, _) = admin(&["check", "--domain", "hanse.example"]);
    assert!(!done && told.contains("missing  MX bounces.hanse.example"), "{told}");
    names.load(&records);
    let (done, told, _) = admin(&["check", "--domain", "hanse.example"]);
    assert!(done && told.contains("hanse.example is verified"), "{told}");
    let (_, told, _) = admin(&["list"]);
    assert!(
        told.contains("hanse.example  Hanse  verified since")
            && told.contains("  debrief1-rsa  published since"),
        "{told}"
    );
    assert!(admin(&["remove", "--domain", "hanse.example"]).0 && admin(&["list"]).1.trim().is_empty());
}
