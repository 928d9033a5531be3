//! Deliveries of which nobody knows what became of them, and the workers that left them.

mod late;
mod model;

use chrono::TimeDelta;
use debrief::app::deliveries::relay::{self as relaying, Claim, Ended, Ending};
use debrief::domain::delivery::{DeliveryState, Reply, Room, Schedule};
use debrief::domain::people::Role;
use debrief::mail::{Outcome, Step};
use debrief::store::connection::DbConn;
use debrief::store::pool::{Location, Tx};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, TestApp, history, id, on_both, relay};

const UNDO_WINDOW: TimeDelta = TimeDelta::seconds(60);
const LEASE: TimeDelta = TimeDelta::seconds(60);

on_both! {
    async fn a_silence_after_the_last_dot_is_put_to_the_recruiter(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let (note, delivery) = unconfirmed(&app, &desk).await;
        assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.unconfirmed");
        let listed = desk.ann.get("/v1/notes?delivery_state=unconfirmed").await.expect(200);
        assert_eq!(listed["data"][0]["id"], note["id"]);
        desk.later(&app, TimeDelta::days(1));
        let idle = SmtpPeer::start([]).await;
        assert_eq!(relay(&app, &idle).run_once().await.unwrap(), 0, "nothing is sent twice in silence");
        desk.act(&note, "recall", json!({})).await.problem(409, "invalid_transition");

        let path = format!("/v1/deliveries/{delivery}/resolve");
        assert_eq!(desk.ann.post(&path, json!({"resolution": "perhaps"})).await.faults(), ["/resolution unknown_word"]);
        app.user(Role::Auditor).await.post(&path, json!({"resolution": "sent"})).await.problem(403, "forbidden");
        app.stranger(Role::Admin).await.post(&path, json!({"resolution": "sent"})).await.problem(404, "not_found");
        let resolved = desk.ann.post(&path, json!({"resolution": "sent"})).await.expect(200);
        assert_eq!((&resolved["state"], &resolved["sent_at"]), (&json!("sent"), &json!("2026-11-21T12:01:00Z")));
        assert_eq!(history(&app, &desk.debrief).last().unwrap(), "note.sent");
        let problem = desk.ann.post(&path, json!({"resolution": "resend"})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("sent"), &json!([])));
    }

    async fn a_note_that_was_taken_back_is_not_sent_again(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (_, delivery) = unconfirmed(&app, &desk).await;
        // As a recall leaves it whose other message was still waiting.
        let recall = "UPDATE notes SET state = 'recalled'";
        execute(&app, recall, recall);
        let path = format!("/v1/deliveries/{delivery}/resolve");
        let problem = desk.ann.post(&path, json!({"resolution": "resend"})).await.problem(409, "invalid_transition");
        assert_eq!(problem["detail"], "resend is not possible while the delivery's note is recalled");
        desk.ann.post(&path, json!({"resolution": "sent"})).await.expect(200);
    }

    async fn it_is_sent_again_when_the_recruiter_says_so(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (note, delivery) = unconfirmed(&app, &desk).await;
        let path = format!("/v1/deliveries/{delivery}/resolve");
        let contact = format!("/v1/contacts/{}", desk.scene.peer);
        desk.ann.patch(&contact, json!({"off_limits": true})).await.expect(200);
        desk.ann.post(&path, json!({"resolution": "resend"})).await.problem(409, "contact_blocked");
        desk.ann.patch(&contact, json!({"off_limits": false, "email": "jens.brandt@nordwind.example"})).await.expect(200);
        let problem = desk.ann.post(&path, json!({"resolution": "resend"})).await.problem(409, "contact_blocked");
        assert!(problem["detail"].as_str().unwrap().ends_with("has another email address by now"), "{problem}");
        desk.ann.patch(&contact, json!({"email": "Jens@nordwind.example"})).await.expect(200);
        let resolved = desk.ann.post(&path, json!({"resolution": "resend"})).await.expect(200);
        assert_eq!((&resolved["state"], &resolved["next_attempt_at"]), (&json!("queued"), &json!("2026-11-20T12:01:00Z")));
        let peer = SmtpPeer::start([]).await;
        assert_eq!(relay(&app, &peer).run_once().await.unwrap(), 1);
        assert_eq!(desk.fates(&note).await, ["sent"]);
        let attempts = desk.ann.get(&format!("/v1/deliveries/{delivery}/attempts?limit=1")).await.expect(200);
        assert_eq!(attempts["data"][0]["outcome"], "unconfirmed");
        let next = attempts["next_cursor"].as_str().unwrap();
        let attempts = desk.ann.get(&format!("/v1/deliveries/{delivery}/attempts?limit=1&cursor={next}")).await.expect(200);
        assert_eq!((&attempts["data"][0]["number"], &attempts["data"][0]["outcome"], &attempts["next_cursor"]), (&json!(2), &json!("sent"), &json!(null)));
    }

    async fn it_is_left_when_the_recruiter_says_so(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (_, delivery) = unconfirmed(&app, &desk).await;
        let path = format!("/v1/deliveries/{delivery}/resolve");
        let resolved = desk.ann.post(&path, json!({"resolution": "abandon"})).await.expect(200);
        assert_eq!(resolved["state"], "abandoned");
        desk.draft(&[&desk.scene.peer]).await;
    }

    async fn a_dead_worker_is_found_out(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims = claim(&app, &note);
        assert_eq!((claims.len(), desk.fates(&note).await), (2, vec!["sending".to_owned(), "sending".to_owned()]));
        assert_eq!(claim(&app, &note).len(), 0, "what is claimed is nobody else's");
        // One of the two had passed the commit point when the worker died.
        assert!(write(&app, |tx| relaying::pass_commit_point(tx, claims[1])));
        assert!(!write(&app, |tx| relaying::pass_commit_point(tx, claims[1])), "once only");
        let peer = SmtpPeer::start([]).await;
        let relay = relay(&app, &peer);
        assert_eq!(relay.sweep().await.unwrap(), 0);
        app.clock.advance(LEASE);
        assert_eq!(relay.sweep().await.unwrap(), 2);
        assert_eq!(desk.fates(&note).await, ["deferred", "unconfirmed"]);

        // The worker was not dead after all. What it knows ends the doubt; what it wants is refused.
        assert!(!write(&app, |tx| relaying::pass_commit_point(tx, claims[0])));
        assert!(!write(&app, |tx| relaying::renew(tx, claims[0], LEASE)));
        assert_eq!(finish(&app, claims[0], Outcome::Revoked), None);
        assert_eq!(finish(&app, claims[1], accepted()), Some(DeliveryState::Sent));
        assert_eq!(finish(&app, claims[1], accepted()), None, "an ending is written down once");
        assert_eq!(desk.fates(&note).await, ["deferred", "sent"]);
    }

    async fn a_lease_that_is_renewed_is_not_swept(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims = claim(&app, &note);
        app.clock.advance(TimeDelta::seconds(45));
        assert!(write(&app, |tx| relaying::renew(tx, claims[0], LEASE)));
        app.clock.advance(TimeDelta::seconds(45));
        let peer = SmtpPeer::start([]).await;
        assert_eq!(relay(&app, &peer).sweep().await.unwrap(), 0);
        assert_eq!(desk.fates(&note).await, ["sending"]);
        // Found by a sweep a moment before its renewal.
        assert_eq!(write(&app, |tx| relaying::finish(tx, &Ended { claim: claims[0], ending: Ending::LeaseRanOut, random: 0.0 }, &Schedule::default())), None);
    }

    async fn a_restart_picks_up_at_once_what_only_it_can_have_left(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        claim(&app, &note);
        let peer = SmtpPeer::start([]).await;
        let recovered = relay(&app, &peer).recover().await.unwrap();
        let alone = matches!(app.context.store.location(), Location::Sqlite(_));
        assert_eq!(recovered, usize::from(alone));
        assert_eq!(desk.fates(&note).await, [if alone { "deferred" } else { "sending" }]);
    }

    async fn a_relay_that_starts_beside_another_leaves_it_its_work(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([]).await;
        let (first, second, third) = (relay(&app, &peer), relay(&app, &peer), relay(&app, &peer));
        assert_eq!(first.recover().await.unwrap(), 0);
        claim(&app, &note);
        assert_eq!(second.recover().await.unwrap(), 0, "the first one may be sending it");
        drop(first);
        assert_eq!(third.recover().await.unwrap(), 0, "the second one may be sending it");
        assert_eq!(desk.fates(&note).await, ["sending"]);
        drop((second, third));
        let alone = matches!(app.context.store.location(), Location::Sqlite(_));
        assert_eq!(relay(&app, &peer).recover().await.unwrap(), usize::from(alone));
    }

    async fn one_that_cannot_be_picked_up_does_not_keep_back_the_others(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        claim(&app, &note);
        app.clock.advance(LEASE);
        let peer = SmtpPeer::start([]).await;
        let relay = relay(&app, &peer);
        stick_the_first(&app);
        assert_eq!(relay.sweep().await.unwrap(), 1);
        assert_eq!(desk.fates(&note).await, ["sending", "deferred"]);
    }

    async fn an_old_claim_is_fenced_off(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let old = claim(&app, &note)[0];
        app.clock.advance(LEASE);
        let peer = SmtpPeer::start([]).await;
        relay(&app, &peer).sweep().await.unwrap();
        app.clock.advance(TimeDelta::minutes(2));
        let new = claim(&app, &note)[0];
        assert!(new.token > old.token);
        assert!(!write(&app, |tx| relaying::pass_commit_point(tx, old)));
        assert!(!write(&app, |tx| relaying::renew(tx, old, LEASE)));
        assert_eq!(finish(&app, old, Outcome::Revoked), None);
        assert!(write(&app, |tx| relaying::pass_commit_point(tx, new)));
        assert_eq!(desk.fates(&note).await, ["sending"]);
    }

    async fn a_recall_and_a_commit_point_exclude_each_other(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims = claim(&app, &note);
        assert!(write(&app, |tx| relaying::pass_commit_point(tx, claims[0])));
        let recalled = desk.act(&note, "recall", json!({})).await.expect(200);
        assert_eq!((&recalled["deliveries"][0]["state"], &recalled["deliveries"][1]["state"]), (&json!("sending"), &json!("recalled")));
        assert!(!write(&app, |tx| relaying::pass_commit_point(tx, claims[1])), "a recall that was accepted is never sent");
        assert_eq!(finish(&app, claims[1], Outcome::Revoked), None);
        let accepted = Outcome::Accepted(Reply::new(250, "2.0.0 taken"));
        assert_eq!(finish(&app, claims[0], accepted), Some(DeliveryState::Sent));
        assert_eq!(desk.fates(&note).await, ["sent", "recalled"]);
    }

    async fn what_was_on_its_way_at_a_recall_is_not_tried_again(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims = claim(&app, &note);
        assert!(write(&app, |tx| relaying::pass_commit_point(tx, claims[0])));
        desk.act(&note, "recall", json!({})).await.expect(200);
        let refused = Outcome::Refused { step: Step::Content, reply: Reply::new(451, "4.3.0 later") };
        assert_eq!(finish(&app, claims[0], refused), Some(DeliveryState::Deferred));
        app.clock.advance(TimeDelta::minutes(5));
        let peer = SmtpPeer::start([]).await;
        relay(&app, &peer).run_once().await.unwrap();
        assert_eq!(desk.fates(&note).await, ["recalled", "recalled"]);
        assert!(peer.taken().is_empty());
    }

    async fn several_workers_and_recalls_do_not_get_in_each_others_way(app: TestApp) {
        let desk = Desk::set(&app).await;
        let mut notes = Vec::new();
        for _ in 0..6 {
            let interview = desk.ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
            let path = format!("/v1/debriefs/{}/notes", interview["debrief_id"].as_str().unwrap());
            let note = desk.ann.made(&path, desk.text(&[&desk.scene.manager, &desk.scene.peer])).await;
            let note = desk.act(&note, "submit", json!({})).await.expect(200);
            let approval = json!({"content_hash": note["content_hash"]});
            notes.push(desk.act(&note, "approve", approval).await.expect(200));
        }
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([]).await;
        let (one, two, three) = (relay(&app, &peer), relay(&app, &peer), relay(&app, &peer));
        let recalls = async {
            for note in &notes {
                let answer = desk.act(note, "recall", json!({})).await;
                assert!([200, 409].contains(&answer.status.as_u16()), "{:#}", answer.body);
            }
        };
        let (a, b, c, ()) = tokio::join!(one.run_once(), two.run_once(), three.run_once(), recalls);
        a.and(b).and(c).unwrap();
        one.run_once().await.unwrap();
        let taken: Vec<String> = peer.taken().into_iter().map(|t| String::from_utf8(t.bytes).unwrap()).collect();
        for note in &notes {
            for delivery in desk.note(note).await["deliveries"].as_array().unwrap() {
                let copies = taken.iter().filter(|text| text.contains(delivery["message_id"].as_str().unwrap())).count();
                let expected = match delivery["state"].as_str().unwrap() {
                    "sent" => 1,
                    "recalled" => 0,
                    other => panic!("left {other}"),
                };
                assert_eq!(copies, expected, "{delivery:#}");
            }
        }
    }

    async fn a_commit_point_after_the_lease_is_too_late(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims = claim(&app, &note);
        app.clock.advance(LEASE);
        assert!(!write(&app, |tx| relaying::pass_commit_point(tx, claims[0])));
    }
}

/// A note whose message the server took without a word: with it, the delivery's id.
pub(super) async fn unconfirmed(app: &TestApp, desk: &Desk) -> (Value, String) {
    let peer = SmtpPeer::start([(At::Dot, Act::TakeAndDrop)]).await;
    let note = desk.approved(&[&desk.scene.peer]).await;
    app.clock.advance(UNDO_WINDOW);
    relay(app, &peer).run_once().await.unwrap();
    assert_eq!(desk.fates(&note).await, ["unconfirmed"]);
    let delivery = id(&note["deliveries"][0]);
    (note, delivery)
}

/// Makes the database refuse whatever is written to a note's first delivery.
fn stick_the_first(app: &TestApp) {
    let sqlite = "CREATE TRIGGER stuck BEFORE UPDATE ON deliveries WHEN OLD.position = 0 \
        BEGIN SELECT RAISE(ABORT, 'stuck'); END";
    let postgres = "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql \
        AS $$ BEGIN RAISE EXCEPTION 'stuck'; END $$; \
        CREATE TRIGGER stuck BEFORE UPDATE ON deliveries FOR EACH ROW WHEN (OLD.position = 0) \
        EXECUTE FUNCTION stuck()";
    execute(app, sqlite, postgres);
}

fn execute(app: &TestApp, sqlite: &str, postgres: &str) {
    write(app, |tx| match &mut **tx {
        DbConn::Sqlite(c) => Ok(c.batch_execute(sqlite)?),
        DbConn::Postgres(c) => Ok(c.batch_execute(postgres)?),
    });
}

fn accepted() -> Outcome {
    Outcome::Accepted(Reply::new(250, "2.0.0 late"))
}

/// Claims what is due, as a worker of the test's own; in the order of the note.
fn claim(app: &TestApp, note: &Value) -> Vec<Claim> {
    let mut claimed = write(app, |tx| relaying::claim(tx, "test", LEASE, &mut Room::of(10)));
    let ids: Vec<String> = note["deliveries"].as_array().unwrap().iter().map(id).collect();
    claimed.sort_by_key(|job| ids.iter().position(|id| *id == job.claim.id.to_string()));
    claimed.into_iter().map(|job| job.claim).collect()
}

fn finish(app: &TestApp, claim: Claim, outcome: Outcome) -> Option<DeliveryState> {
    write(app, |tx| relaying::finish(tx, &ended(claim, outcome), &Schedule::default()))
}

fn ended(claim: Claim, outcome: Outcome) -> Ended {
    Ended { claim, ending: Ending::Outcome(outcome), random: 0.5 }
}

fn write<T>(app: &TestApp, work: impl FnOnce(&mut Tx<'_>) -> Result<T, debrief::app::AppError>) -> T {
    app.context.store.write(work).unwrap()
}
