//! What comes back for a note: notices, complaints and answers, over HTTP and through a pipe.

use chrono::TimeDelta;
use debrief::app::inbound;
use debrief::domain::people::Role;
use debrief::store::pool::Tx;
use serde_json::{Value, json};

use super::deliveries::unconfirmed;
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Caller, Database, Desk, INBOUND_KEY, TestApp, history, id, on_both, relay, run};

/// A file of the corpus.
fn corpus(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/corpus/bounces/{name}.eml")).unwrap()
}

/// The file about another recipient.
fn about(name: &str, address: &str) -> Vec<u8> {
    String::from_utf8(corpus(name)).unwrap().replace("ines@nordwind.example", address).into_bytes()
}

/// A note to one contact that was sent, and where it bounces to.
async fn sent(app: &TestApp, desk: &Desk) -> (Value, String) {
    let peer = SmtpPeer::start([]).await;
    let note = desk.approved(&[&desk.scene.manager]).await;
    app.clock.advance(TimeDelta::seconds(60));
    assert_eq!(relay(app, &peer).run_once().await.unwrap(), 1);
    let sender = peer.taken()[0].mail.trim_matches(['<', '>']).to_owned();
    (note, sender)
}

/// Hands a message on, as a mail server does.
async fn hand_on(server: &Caller, to: &str, message: Vec<u8>) -> Value {
    let path = format!("/v1/mail/inbound?recipient={to}");
    server.send(actix_web::http::Method::POST, &path, "message/rfc822", message).await.expect(200)
}

async fn status_of(desk: &Desk) -> Value {
    desk.ann.get(&format!("/v1/contacts/{}", desk.scene.manager)).await.expect(200)["email_status"].clone()
}

on_both! {
    async fn a_bounce_ends_a_delivery_and_marks_the_address(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, sender) = sent(&app, &desk).await;
        let server = app.mail_server();
        let delayed = hand_on(&server, &sender, corpus("postfix-delayed")).await;
        assert_eq!((&delayed["taken"], &delayed["delivery_state"]), (&json!(true), &json!("sent")));
        let bounced = hand_on(&server, &sender.to_uppercase(), corpus("postfix-unknown-user")).await;
        assert_eq!(bounced, json!({"taken": true, "delivery_id": note["deliveries"][0]["id"], "delivery_state": "bounced"}));
        let told = history(&app, &desk.debrief);
        assert_eq!(told[told.len() - 3..], ["note.sent", "note.delayed", "note.bounced"]);
        let reply = &desk.note(&note).await["deliveries"][0]["last_reply"];
        assert_eq!((&reply["enhanced_code"], &reply["code"]), (&json!("5.1.1"), &json!(null)));
        assert!(reply["text"].as_str().unwrap().contains("User unknown"), "{reply}");
        assert_eq!(status_of(&desk).await, "bounced");

        // The same again counts once, and so does another that says the same.
        for name in ["postfix-unknown-user", "exim-unknown-user", "postfix-delivered"] {
            let again = hand_on(&server, &sender, corpus(name)).await;
            assert_eq!(again, json!({"taken": true, "delivery_id": note["deliveries"][0]["id"]}), "{name}");
        }
        assert_eq!(history(&app, &desk.debrief), told);

        // Nobody writes there until somebody says that it arrives again; then another note may.
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        desk.ann.post(&path, desk.text(&[&desk.scene.manager])).await.problem(409, "contact_blocked");
        let lift = format!("/v1/contacts/{}/lift-bounce", desk.scene.manager);
        assert_eq!(desk.ann.post(&lift, json!({"reason": " "})).await.faults(), ["/reason blank"]);
        app.user(Role::Auditor).await.post(&lift, json!({"reason": "x"})).await.problem(403, "forbidden");
        app.stranger(Role::Admin).await.post(&lift, json!({"reason": "x"})).await.problem(404, "not_found");
        let lifted = desk.ann.post(&lift, json!({"reason": "She had a typo in it."})).await.expect(200);
        assert_eq!((&lifted["email_status"], &lifted["version"]), (&json!("ok"), &json!(3)));
        desk.ann.post(&lift, json!({"reason": "Again."})).await.problem(409, "invalid_transition");
        desk.ann.made(&path, desk.text(&[&desk.scene.manager])).await;
        let told = app.admin().await.first_event("&types=contact.bounce_lifted").await;
        assert_eq!(told["data"]["id"], json!(desk.scene.manager));
    }

    async fn every_kind_of_notice_has_its_meaning(app: TestApp) {
        let server = app.mail_server();
        for (name, state, status) in [
            ("postfix-delivered", "delivered", "ok"),
            ("postfix-over-quota", "bounced", "ok"),
            ("forwarded-unknown-user", "bounced", "ok"),
            ("qmail", "bounced", "bounced"),
            ("sendmail-ancient", "bounced", "ok"),
            ("complaint", "complained", "bounced"),
        ] {
            let desk = Desk::set(&app).await;
            let (note, sender) = sent(&app, &desk).await;
            hand_on(&server, &sender, corpus(name)).await;
            assert_eq!((desk.fates(&note).await, status_of(&desk).await), (vec![state.to_owned()], json!(status)), "{name}");
        }
        let desk = Desk::set(&app).await;
        let (note, sender) = sent(&app, &desk).await;
        hand_on(&server, &sender, corpus("postfix-delivered")).await;
        hand_on(&server, &sender, corpus("complaint")).await;
        assert_eq!(desk.fates(&note).await, ["complained"]);
        hand_on(&server, &sender, corpus("postfix-relayed")).await;
        assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.complained");
    }

    async fn a_notice_settles_what_nobody_knew(app: TestApp) {
        for (name, state) in [("postfix-delivered", "delivered"), ("postfix-unknown-user", "bounced"), ("postfix-delayed", "sent")] {
            let desk = Desk::set(&app).await;
            let (note, delivery) = unconfirmed(&app, &desk).await;
            let sender = app.bounce_address(&delivery);
            hand_on(&app.mail_server(), &sender, about(name, "jens@nordwind.example")).await;
            assert_eq!(desk.fates(&note).await, [state]);
        }
        // Who hands it on has taken it. Later on that says nothing new.
        for action in ["relayed", "expanded"] {
            let notice = || String::from_utf8(about("postfix-relayed", "jens@nordwind.example")).unwrap();
            let notice = || notice().replace("Action: relayed", &format!("Action: {action}")).into_bytes();
            for (is_let_rest, before, after) in [(false, None, "sent"), (true, None, "sent"), (false, Some("postfix-delivered"), "delivered")] {
                let desk = Desk::set(&app).await;
                let (note, delivery) = unconfirmed(&app, &desk).await;
                if is_let_rest {
                    desk.ann.post(&format!("/v1/deliveries/{delivery}/resolve"), json!({"resolution": "abandon"})).await.expect(200);
                }
                let sender = app.bounce_address(&delivery);
                if let Some(name) = before {
                    hand_on(&app.mail_server(), &sender, about(name, "jens@nordwind.example")).await;
                }
                hand_on(&app.mail_server(), &sender, notice()).await;
                assert_eq!(desk.fates(&note).await, [after], "{action}");
                assert_eq!(history(&app, &desk.debrief).last().unwrap(), &format!("note.{after}"));
                let path = format!("/v1/debriefs/{}/notes", desk.debrief);
                desk.ann.post(&path, desk.text(&[&desk.scene.peer])).await.problem(409, "already_exists");
            }
        }
        // What was let rest had arrived, so nothing takes its place; or has come back, so something may.
        for (name, state, taken) in [("postfix-delivered", "delivered", true), ("postfix-over-quota", "bounced", false)] {
            let desk = Desk::set(&app).await;
            let (note, delivery) = unconfirmed(&app, &desk).await;
            desk.ann.post(&format!("/v1/deliveries/{delivery}/resolve"), json!({"resolution": "abandon"})).await.expect(200);
            hand_on(&app.mail_server(), &app.bounce_address(&delivery), about(name, "jens@nordwind.example")).await;
            assert_eq!(desk.fates(&note).await, [state]);
            let another = desk.ann.post(&format!("/v1/debriefs/{}/notes", desk.debrief), desk.text(&[&desk.scene.peer])).await;
            if taken {
                another.problem(409, "already_exists");
            } else {
                another.expect(201);
            }
        }
        // What is to be sent again had arrived after all.
        let desk = Desk::set(&app).await;
        let (note, delivery) = unconfirmed(&app, &desk).await;
        desk.ann.post(&format!("/v1/deliveries/{delivery}/resolve"), json!({"resolution": "resend"})).await.expect(200);
        hand_on(&app.mail_server(), &app.bounce_address(&delivery), about("postfix-delivered", "jens@nordwind.example")).await;
        assert_eq!(desk.fates(&note).await, ["delivered"]);
        assert_eq!(relay(&app, &SmtpPeer::start([]).await).run_once().await.unwrap(), 0);
    }

    async fn a_notice_about_the_first_copy_counts_whatever_became_of_the_second(app: TestApp) {
        for fate in ["failed", "recalled"] {
            for (name, state) in [("postfix-delivered", "delivered"), ("postfix-relayed", "sent"), ("postfix-over-quota", "bounced")] {
                let desk = Desk::set(&app).await;
                let (note, delivery) = unconfirmed(&app, &desk).await;
                desk.ann.post(&format!("/v1/deliveries/{delivery}/resolve"), json!({"resolution": "resend"})).await.expect(200);
                if fate == "failed" {
                    let peer = SmtpPeer::start([(At::Recipient, Act::Reply("550 5.7.1 not from you"))]).await;
                    relay(&app, &peer).run_once().await.unwrap();
                } else {
                    desk.act(&note, "recall", json!({})).await.expect(200);
                }
                assert_eq!(desk.fates(&note).await, [fate]);
                hand_on(&app.mail_server(), &app.bounce_address(&delivery), about(name, "jens@nordwind.example")).await;
                assert_eq!(desk.fates(&note).await, [state], "{fate}");
                assert_eq!(history(&app, &desk.debrief).last().unwrap(), &format!("note.{state}"));
                let another = desk.ann.post(&format!("/v1/debriefs/{}/notes", desk.debrief), desk.text(&[&desk.scene.peer])).await;
                if state == "bounced" {
                    another.expect(201);
                } else {
                    another.problem(409, "already_exists");
                }
            }
        }
    }

    async fn a_notice_proves_nothing_of_what_was_refused_without_a_doubt(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("550 5.7.1 not from you"))]).await;
        let note = desk.approved(&[&desk.scene.manager]).await;
        app.clock.advance(TimeDelta::seconds(60));
        relay(&app, &peer).run_once().await.unwrap();
        let sender = app.bounce_address(&id(&note["deliveries"][0]));
        hand_on(&app.mail_server(), &sender, corpus("postfix-delivered")).await;
        assert_eq!(desk.fates(&note).await, ["failed"]);
    }

    async fn what_comes_back_after_it_was_delivered_marks_the_address(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, sender) = sent(&app, &desk).await;
        let server = app.mail_server();
        hand_on(&server, &sender, corpus("postfix-delivered")).await;
        let taken = hand_on(&server, &sender, corpus("postfix-unknown-user")).await;
        assert_eq!(taken["delivery_state"], "delivered");
        assert_eq!((desk.fates(&note).await, status_of(&desk).await), (vec!["delivered".to_owned()], json!("bounced")));
        let told = history(&app, &desk.debrief);
        assert_eq!(told[told.len() - 2..], ["note.delivered", "note.bounced"]);
        assert_eq!(desk.note(&note).await["deliveries"][0]["last_reply"]["enhanced_code"], "5.1.1");
        desk.ann.post(&format!("/v1/debriefs/{}/notes", desk.debrief), desk.text(&[&desk.scene.manager])).await.problem(409, "contact_blocked");
    }

    async fn a_private_address_that_fails_is_not_the_contacts(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, sender) = sent(&app, &desk).await;
        let forwarded = String::from_utf8(corpus("forwarded-unknown-user")).unwrap();
        let both = forwarded.replace("Action: failed", "Original-Recipient: rfc822;ines@nordwind.example\r\nAction: failed");
        hand_on(&app.mail_server(), &sender, both.into_bytes()).await;
        assert_eq!((desk.fates(&note).await, status_of(&desk).await), (vec!["bounced".to_owned()], json!("ok")));
    }

    async fn a_bad_address_is_bad_for_whoever_has_it(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (_, sender) = sent(&app, &desk).await;
        let contact = async |caller: &Caller, email: &str| {
            let client = id(&caller.made("/v1/clients", json!({"name": "Twin"})).await);
            let twin = json!({"client_id": client, "name": "Ines", "email": email, "role": "hr"});
            id(&caller.made("/v1/contacts", twin).await)
        };
        let stranger = app.stranger(Role::Admin).await;
        let mut contacts = Vec::new();
        for (caller, email, status) in [
            (&desk.ann, "Ines@Nordwind.example", "bounced"),
            (&desk.ann, "ines@nordwind.example.org", "ok"),
            (&stranger, "ines@nordwind.example", "ok"),
        ] {
            contacts.push((caller, contact(caller, email).await, status));
        }
        hand_on(&app.mail_server(), &sender, corpus("postfix-unknown-user")).await;
        assert_eq!(status_of(&desk).await, "bounced");
        for (caller, contact, status) in contacts {
            let shown = caller.get(&format!("/v1/contacts/{contact}")).await.expect(200);
            assert_eq!((&shown["email_status"], &shown["version"]), (&json!(status), &json!(1 + u8::from(status == "bounced"))));
        }
    }

    async fn an_answer_is_filed_on_the_debrief(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, sender) = sent(&app, &desk).await;
        let server = app.mail_server();
        let filed = hand_on(&server, &sender, corpus("reply")).await;
        hand_on(&server, &sender, corpus("reply")).await;
        app.clock.advance(TimeDelta::seconds(1));
        hand_on(&server, &sender, corpus("out-of-office-exchange")).await;
        let page = desk.ann.get(&format!("/v1/debriefs/{}/activities", desk.debrief)).await.expect(200);
        let [away, answer] = page["data"].as_array().unwrap().as_slice() else { panic!("{page}") };
        assert_eq!((&answer["id"], &answer["kind"], &answer["contact_id"]), (&filed["activity_id"], &json!("reply"), &json!(desk.scene.manager)));
        assert_eq!(answer["summary"], "Thank you for this, it was a pleasure to meet Tomás.\n\nInes");
        assert_eq!((&answer["recorded_by"]["kind"], &away["kind"]), (&json!("system"), &json!("auto_reply")));
        assert_eq!(away["summary"], "I am away until Monday.");
        assert_eq!(desk.fates(&note).await, ["sent"]);
    }

    async fn what_came_is_known_for_a_while(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let (_, sender) = sent(&app, &desk).await;
        for (days, forgotten, filed) in [(0, 0, 1), (29, 0, 1), (1, 1, 2)] {
            desk.later(&app, TimeDelta::days(days));
            let forget = |tx: &mut Tx<'_>| inbound::forget(tx, TimeDelta::days(30), 100);
            assert_eq!(app.context.store.write(forget).unwrap(), forgotten, "after {days} more days");
            hand_on(&app.mail_server(), &sender, corpus("reply")).await;
            let page = desk.ann.get(&format!("/v1/debriefs/{}/activities", desk.debrief)).await.expect(200);
            assert_eq!(page["data"].as_array().unwrap().len(), filed, "after {days} more days");
        }
    }

    async fn who_does_not_know_the_tag_changes_nothing(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, sender) = sent(&app, &desk).await;
        let (server, before) = (app.mail_server(), history(&app, &desk.debrief));
        let (local, domain) = sender.split_once('@').unwrap();
        let delivery = id(&note["deliveries"][0]);
        let other = app.bounce_address("dlv_01h2xcejqtf2nbrexx3vqjhp41");
        for wrong in [
            format!("{}0@{domain}", &local[..local.len() - 1]),
            format!("b.{delivery}@{domain}"), format!("b.{delivery}.@{domain}"), format!("rosa@{domain}"), "x".to_owned(),
        ] {
            if wrong == sender {
                continue;
            }
            assert_eq!(hand_on(&server, &wrong, corpus("postfix-unknown-user")).await, json!({"taken": false}), "{wrong}");
        }
        assert_eq!(hand_on(&server, &other, corpus("qmail")).await["taken"], true, "of a delivery that is gone");
        let path = format!("/v1/mail/inbound?recipient={sender}");
        let post = |caller: Caller, kind: &'static str, body: Vec<u8>| {
            let path = path.clone();
            async move { caller.send(actix_web::http::Method::POST, &path, kind, body).await }
        };
        post(app.nobody(), "message/rfc822", corpus("qmail")).await.problem(401, "unauthorized");
        post(desk.ann.clone(), "message/rfc822", corpus("qmail")).await.problem(401, "unauthorized");
        post(server.with_token(&INBOUND_KEY[1..]), "message/rfc822", corpus("qmail")).await.problem(401, "unauthorized");
        post(server.clone(), "text/plain", corpus("qmail")).await.problem(415, "unsupported_media_type");
        post(server.clone(), "message/rfc822", vec![b'x'; 2 << 20]).await.problem(413, "payload_too_large");
        assert_eq!(server.send(actix_web::http::Method::POST, "/v1/mail/inbound", "message/rfc822", corpus("qmail")).await.status, 400);
        assert_eq!((history(&app, &desk.debrief), desk.fates(&note).await), (before, vec!["sent".to_owned()]));
    }
}

#[actix_web::test]
async fn a_mail_server_may_use_a_pipe() {
    let mut database = Database::sqlite();
    let folder = database.folder();
    let app = TestApp::start(database).await;
    let desk = Desk::set(&app).await;
    let (note, sender) = sent(&app, &desk).await;
    let ingest = |arguments: &[&str], variables: &[(&str, &str)], message: Vec<u8>| {
        let arguments = [&["mail", "ingest"], arguments].concat();
        let variables = [&[("DEBRIEF__SERVER__DATA_DIR", folder.to_str().unwrap())], variables].concat();
        run(app.database(), &arguments, &String::from_utf8(message).unwrap(), &variables)
            .status
            .code()
            .unwrap()
    };
    assert_eq!(ingest(&["--recipient", "rosa@hanse.example"], &[], corpus("qmail")), 0);
    assert_eq!(desk.fates(&note).await, ["sent"]);
    assert_eq!(ingest(&["--recipient", &sender], &[], Vec::new()), 65);
    assert_eq!(
        ingest(
            &["--recipient", &sender],
            &[("DEBRIEF__DATABASE__URL", "postgres://nobody@127.0.0.1:1/none")],
            corpus("qmail")
        ),
        75
    );
    assert_eq!(ingest(&[], &[("ORIGINAL_RECIPIENT", &sender)], corpus("postfix-delayed")), 0);
    assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.delayed");
    let delivered =
        [format!("Delivered-To: {sender}\r\n").into_bytes(), corpus("postfix-delivered")].concat();
    assert_eq!(ingest(&[], &[], delivered), 0);
    assert_eq!(desk.fates(&note).await, ["delivered"]);
}
