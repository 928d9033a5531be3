//! A mail server's answer that comes after its delivery was given up, and what was decided meanwhile.

use debrief::app::deliveries::relay::{self as relaying, Claim};
use debrief::domain::delivery::{DeliveryState, Reply};
use debrief::mail::{Outcome, Step};
use serde_json::{Value, json};

use super::{LEASE, UNDO_WINDOW, accepted, claim, finish, write};
use crate::support::smtp_peer::SmtpPeer;
use crate::support::{Desk, TestApp, history, on_both, relay};

on_both! {
    async fn a_late_yes_ends_a_doubt_that_was_decided_otherwise(app: TestApp) {
        for resolution in ["resend", "abandon"] {
            let desk = Desk::set(&app).await;
            let (note, claim) = doubted(&app, &desk).await;
            let path = format!("/v1/deliveries/{}/resolve", claim.id);
            desk.ann.post(&path, json!({"resolution": resolution})).await.expect(200);
            assert_eq!(finish(&app, claim, accepted()), Some(DeliveryState::Sent), "{resolution}");
            assert_eq!(finish(&app, claim, accepted()), None, "an ending is written down once");
            let delivery = desk.note(&note).await["deliveries"][0].clone();
            assert_eq!((&delivery["state"], &delivery["next_attempt_at"], &delivery["last_reply"]["text"]), (&json!("sent"), &json!(null), &json!("late")));
            assert_eq!(outcomes(&desk, claim).await, ["sent"]);
            assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.sent");
            let again = format!("/v1/debriefs/{}/notes", desk.debrief);
            desk.ann.post(&again, desk.text(&[&desk.scene.peer])).await.problem(409, "already_exists");
            let idle = SmtpPeer::start([]).await;
            assert_eq!(relay(&app, &idle).run_once().await.unwrap(), 0, "it is not sent again");
        }
    }

    async fn a_late_yes_does_not_push_out_the_note_that_took_the_place(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, claim) = doubted(&app, &desk).await;
        desk.ann.post(&format!("/v1/deliveries/{}/resolve", claim.id), json!({"resolution": "abandon"})).await.expect(200);
        let other = desk.draft(&[&desk.scene.peer]).await;
        assert_eq!(finish(&app, claim, accepted()), Some(DeliveryState::Sent));
        assert_eq!(desk.fates(&note).await, ["sent"]);
        desk.act(&other, "submit", json!({})).await.expect(200);
    }

    async fn a_late_yes_stops_the_attempt_that_has_begun_since(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, old) = doubted(&app, &desk).await;
        let new = sent_again(&app, &desk, &note, old).await;
        assert_eq!(finish(&app, old, accepted()), Some(DeliveryState::Sent));
        assert!(!write(&app, |tx| relaying::pass_commit_point(tx, new)), "there is no second copy");
        assert_eq!(finish(&app, new, Outcome::Revoked), None);
        assert_eq!((desk.fates(&note).await, outcomes(&desk, old).await), (vec!["sent".to_owned()], vec!["sent".to_owned(), "sent".to_owned()]));
    }

    async fn a_second_copy_is_not_passed_over_in_silence(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, old) = doubted(&app, &desk).await;
        let new = sent_again(&app, &desk, &note, old).await;
        assert!(write(&app, |tx| relaying::pass_commit_point(tx, new)));
        assert_eq!(finish(&app, old, accepted()), Some(DeliveryState::Sent));
        assert_eq!(outcomes(&desk, old).await, ["sent", "unconfirmed"]);
        assert_eq!(finish(&app, new, accepted()), Some(DeliveryState::Sent));
        assert_eq!(finish(&app, new, accepted()), None, "it is told once");
        assert_eq!(outcomes(&desk, old).await, ["sent", "sent"]);
        assert_eq!(history(&app, &desk.debrief).split_off(8), ["note.sent", "note.sent_after_all"]);
    }

    async fn a_late_yes_counts_even_of_what_was_recalled_or_refused_since(app: TestApp) {
        for fate in ["recalled", "failed"] {
            let desk = Desk::set(&app).await;
            let (note, claim) = doubted(&app, &desk).await;
            if fate == "recalled" {
                desk.ann.post(&format!("/v1/deliveries/{}/resolve", claim.id), json!({"resolution": "resend"})).await.expect(200);
                desk.act(&note, "recall", json!({})).await.expect(200);
            } else {
                let again = sent_again(&app, &desk, &note, claim).await;
                let no = Outcome::Refused { step: Step::Recipient, reply: Reply::new(550, "5.7.1 no") };
                finish(&app, again, no);
            }
            assert_eq!(desk.fates(&note).await, [fate]);
            assert_eq!(finish(&app, claim, accepted()), Some(DeliveryState::Sent), "{fate}");
            assert_eq!(outcomes(&desk, claim).await[0], "sent");
            assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.sent");
            let again = format!("/v1/debriefs/{}/notes", desk.debrief);
            desk.ann.post(&again, desk.text(&[&desk.scene.peer])).await.problem(409, "already_exists");
        }
    }

    async fn a_late_no_ends_the_doubt_too(app: TestApp) {
        let refused = |step, code| Outcome::Refused { step, reply: Reply::new(code, "late") };
        for no in [Outcome::Revoked, Outcome::Lost { step: Step::Data, error: "reset".into() }, refused(Step::Recipient, 450), refused(Step::Content, 550)] {
            let desk = Desk::set(&app).await;
            let (note, claim) = doubted(&app, &desk).await;
            assert_eq!(finish(&app, claim, no.clone()), Some(DeliveryState::Queued), "{no:?}");
            assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.requeued");
            assert_eq!(finish(&app, claim, no), None);
            desk.act(&note, "recall", json!({})).await.expect(200);
        }
    }

    async fn what_may_have_been_sent_is_doubted_even_if_the_mark_was_lost(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims = claim(&app, &note);
        let silence = Outcome::Unknown { error: "timed out".into() };
        assert_eq!(finish(&app, claims[0], silence), Some(DeliveryState::Unconfirmed));
        assert_eq!(finish(&app, claims[1], accepted()), Some(DeliveryState::Sent));
    }
}

/// A note whose worker passed the commit point and was then given up, with that worker's claim.
async fn doubted(app: &TestApp, desk: &Desk) -> (Value, Claim) {
    let note = desk.approved(&[&desk.scene.peer]).await;
    app.clock.advance(UNDO_WINDOW);
    let claim = claim(app, &note)[0];
    assert!(write(app, |tx| relaying::pass_commit_point(tx, claim)));
    app.clock.advance(LEASE);
    let idle = SmtpPeer::start([]).await;
    assert_eq!(relay(app, &idle).sweep().await.unwrap(), 1);
    assert_eq!(desk.fates(&note).await, ["unconfirmed"]);
    (note, claim)
}

/// Has a doubted note sent again; the claim of the new attempt.
async fn sent_again(app: &TestApp, desk: &Desk, note: &Value, old: Claim) -> Claim {
    let path = format!("/v1/deliveries/{}/resolve", old.id);
    desk.ann.post(&path, json!({"resolution": "resend"})).await.expect(200);
    claim(app, note)[0]
}

/// What the attempts of a claim's delivery came to.
async fn outcomes(desk: &Desk, claim: Claim) -> Vec<String> {
    let attempts = desk.ann.get(&format!("/v1/deliveries/{}/attempts", claim.id)).await.expect(200);
    let attempts = attempts["data"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap().to_owned()).collect()
}
