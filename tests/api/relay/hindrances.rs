//! What comes in between while an approved note waits, or while its worker waits for the mail server.

use debrief::jobs::Relay;
use debrief::mail::{SmtpRelay, SmtpServer, Transport};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::UNDO_WINDOW;
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, history, id, on_both, relay, relay_settings};

const ELSEWHERE: &str = "the contact has another email address by now";

on_both! {
    async fn a_note_does_not_follow_a_contact_to_where_they_are_no_more(app: TestApp) {
        let desk = Desk::set(&app).await;
        let other = id(&desk.ann.made("/v1/clients", json!({"name": "S\u{FC}dwind"})).await);
        for (change, fate, why) in [
            (json!({"email": "elsewhere@nordwind.example"}), "recalled", json!(ELSEWHERE)),
            (json!({"email": null}), "recalled", json!("the contact has no email address any more")),
            (json!({"client_id": other}), "recalled", json!("the contact is at another client by now")),
            (json!({"email": "Kim@xn--gre-6ka8i.Example", "name": "Kim"}), "sent", json!("taken")),
        ] {
            let contact = contact(&desk).await;
            let peer = SmtpPeer::start([]).await;
            let note = desk.approved(&[&contact]).await;
            desk.ann.patch(&format!("/v1/contacts/{contact}"), change.clone()).await.expect(200);
            app.clock.advance(UNDO_WINDOW);
            relay(&app, &peer).run_once().await.unwrap();
            let delivery = desk.note(&note).await["deliveries"][0].clone();
            assert_eq!((&delivery["state"], &delivery["last_reply"]["text"]), (&json!(fate), &why), "{change}");
            assert_eq!(peer.taken().len(), usize::from(fate == "sent"), "{change}");
            if fate == "recalled" {
                assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.called_off");
            }
        }
    }

    async fn what_was_put_off_does_not_go_to_an_old_address_either(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("450 4.2.0 later"))]).await;
        let relay = relay(&app, &peer);
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["deferred"]);
        let contact = format!("/v1/contacts/{}", desk.scene.peer);
        desk.ann.patch(&contact, json!({"email": "jens.brandt@nordwind.example"})).await.expect(200);
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        assert_eq!((desk.fates(&note).await, peer.taken().len()), (vec!["recalled".to_owned()], 0));
        // Another note, to where the contact is now, may take its place.
        desk.draft(&[&desk.scene.peer]).await;
    }

    async fn what_hinders_a_note_is_heard_up_to_the_commit_point(app: TestApp) {
        for (record, change, why) in [
            ("contacts", json!({"off_limits": true}), "the contact is off-limits by now"),
            ("contacts", json!({"email": "jens.brandt@nordwind.example"}), ELSEWHERE),
            ("interviews", json!({"status": "no_show"}), "the debrief was cancelled"),
        ] {
            let desk = Desk::set(&app).await;
            let note = desk.approved(&[&desk.scene.peer]).await;
            app.clock.advance(UNDO_WINDOW);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let server = SmtpServer::plain("127.0.0.1", listener.local_addr().unwrap().port(), "debrief.example");
            let transport = Transport::Smtp(Box::new(SmtpRelay::new(server).unwrap()));
            let relay = Relay::new(app.context.clone(), transport, relay_settings());
            let running = tokio::spawn(async move { relay.run_once().await });
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            converse_up_to_data(&mut stream).await;

            let about = if record == "contacts" { desk.scene.peer.clone() } else { id(&desk.interview) };
            desk.ann.patch(&format!("/v1/{record}/{about}"), change).await.expect(200);
            stream.write_all(b"354 go on\r\n").await.unwrap();
            let mut content = Vec::new();
            stream.read_to_end(&mut content).await.unwrap();
            running.await.unwrap().unwrap();
            assert_eq!(content, b"", "{why}");
            let delivery = desk.note(&note).await["deliveries"][0].clone();
            assert_eq!((&delivery["state"], &delivery["last_reply"]["text"]), (&json!("recalled"), &json!(why)));
            assert_eq!(outcome_of(&desk, &delivery).await, "recalled");
            assert!(history(&app, &desk.debrief).contains(&"note.called_off".to_owned()), "{why}");
        }
    }
}

/// A contact of the debrief's client who was no part of the interview.
async fn contact(desk: &Desk) -> String {
    let email = "kim@gr\u{F6}\u{DF}e.example";
    let kim = json!({"client_id": desk.scene.client, "name": "Kim", "email": email, "role": "hr"});
    id(&desk.ann.made("/v1/contacts", kim).await)
}

/// Takes part in a conversation until the content is about to follow.
async fn converse_up_to_data(stream: &mut BufReader<TcpStream>) {
    stream.write_all(b"220 peer.example\r\n").await.unwrap();
    let mut line = String::new();
    while !line.starts_with("DATA") {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        if !line.starts_with("DATA") {
            stream.write_all(b"250 2.0.0 fine\r\n").await.unwrap();
        }
    }
}

/// What the last attempt of a delivery came to.
async fn outcome_of(desk: &Desk, delivery: &Value) -> Value {
    let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(delivery))).await.expect(200);
    attempts["data"].as_array().unwrap().last().unwrap()["outcome"].clone()
}
