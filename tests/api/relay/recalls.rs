//! Notes that are called back, or that nobody may be sent any more.

use chrono::TimeDelta;
use serde_json::json;

use super::{UNDO_WINDOW, until};
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, history, id, on_both, relay};

on_both! {
    async fn a_recall_within_the_undo_window_is_never_lost(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!((&recalled["state"], &recalled["deliveries"][0]["state"], &recalled["deliveries"][1]["next_attempt_at"]), (&json!("recalled"), &json!("recalled"), &json!(null)));
        desk.later(&app, TimeDelta::days(1));
        assert_eq!(relay(&app, &peer).run_once().await.unwrap(), 0);
        assert_eq!(peer.connections(), 0);
        desk.draft(&[&desk.scene.manager]).await;
        let problem = desk.act(&recalled, "recall", json!({})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("recalled"), &json!([])));
    }

    async fn what_has_left_stays_and_the_rest_comes_back(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Recipient, Act::Reply("450 4.2.0 later"))]).await;
        let relay = relay(&app, &peer);
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay.run_once().await.unwrap();
        let mut fates = desk.fates(&note).await;
        fates.sort();
        assert_eq!(fates, ["deferred", "sent"]);
        let path = format!("/v1/notes/{}", id(&note));
        desk.ann.at(&note["version"]).patch(&path, json!({"body": "Other words."})).await.problem(409, "invalid_transition");

        // The note's own version is still the one that was seen: what its emails do is no edit.
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!(recalled["state"], "recalled");
        let fate = |i: usize| recalled["deliveries"][i]["state"].as_str().unwrap().to_owned();
        let contact = |state: &str| recalled["contact_ids"][(0..2).find(|i| fate(*i) == state).unwrap()].as_str().unwrap().to_owned();
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        desk.ann.post(&path, desk.text(&[&contact("sent")])).await.problem(409, "already_exists");
        desk.draft(&[&contact("recalled")]).await;
    }

    async fn everything_that_has_left_cannot_be_recalled(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &peer).run_once().await.unwrap();
        let problem = desk.act(&note, "recall", json!({})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("sent"), &json!([])));
        assert_eq!(desk.note(&note).await["state"], "queued");
    }

    async fn a_recall_is_heard_up_to_the_commit_point(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([(At::Data, Act::Hang)]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let relay = relay(&app, &peer);
        let sending = actix_web::rt::spawn(async move { relay.run_once().await.unwrap() });
        until(|| peer.commands().iter().any(|command| command == "DATA")).await;
        assert_eq!(desk.fates(&note).await, ["sending"]);
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!(recalled["deliveries"][0]["state"], "recalled");
        sending.abort();
        let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(&note["deliveries"][0]))).await.expect(200);
        assert_eq!(attempts["data"][0]["outcome"], "recalled");
        assert_eq!(peer.taken(), []);
    }

    async fn a_contact_who_went_off_limits_is_not_written_to(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        desk.ann.patch(&format!("/v1/contacts/{}", desk.scene.peer), json!({"off_limits": true})).await.expect(200);
        app.clock.advance(UNDO_WINDOW);
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["sent", "recalled"]);
        assert_eq!(desk.note(&note).await["deliveries"][1]["last_reply"]["text"], "the contact is off-limits by now");
        assert!(history(&app, &desk.debrief).contains(&"note.called_off".to_owned()));
        assert_eq!(peer.taken().len(), 1);
    }

    async fn what_was_called_off_is_not_followed_by_thanks(app: TestApp) {
        let desk = Desk::set(&app).await;
        let peer = SmtpPeer::start([]).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        let interview = format!("/v1/interviews/{}", id(&desk.interview));
        desk.ann.patch(&interview, json!({"status": "no_show"})).await.expect(200);
        app.clock.advance(UNDO_WINDOW);
        assert_eq!(relay(&app, &peer).run_once().await.unwrap(), 0);
        let delivery = desk.note(&note).await["deliveries"][0].clone();
        assert_eq!((&delivery["state"], &delivery["last_reply"]["text"]), (&json!("recalled"), &json!("the debrief was cancelled")));
    }
}
