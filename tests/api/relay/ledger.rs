//! Marks and outcomes that are written down several at a time.

use chrono::TimeDelta;
use debrief::app::AppError;
use debrief::app::deliveries::relay::{self as relaying, Ended, Ending, Job};
use debrief::domain::delivery::{DeliveryState, Reply, Room, Schedule};
use debrief::mail::{Outcome, Step};
use debrief::store::connection::DbConn;
use debrief::store::deliveries;
use debrief::store::notes;
use debrief::store::pool::{Location, Tx};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use super::{UNDO_WINDOW, start_jobs, until};
use crate::support::smtp_peer::SmtpPeer;
use crate::support::{Desk, TestApp, history, id, on_both};

const LEASE: TimeDelta = TimeDelta::seconds(60);

on_both! {
    async fn several_ends_are_written_down_as_each_alone_would_be(app: TestApp) {
        let desk = Desk::set(&app).await;
        let mut contacts = Vec::new();
        for number in 0..7 {
            let body = json!({"client_id": desk.scene.client, "name": "A Contact", "email": format!("{number}@nordwind.example"), "role": "interviewer"});
            contacts.push(id(&desk.ann.made("/v1/contacts", body).await));
        }
        let note = desk.approved(&contacts.iter().collect::<Vec<_>>()).await;
        app.clock.advance(UNDO_WINDOW);
        let jobs = claim(&app, &note);
        let claims: Vec<_> = jobs.iter().map(|job| job.claim).collect();
        let passed = write(&app, |tx| relaying::pass_commit_points(tx, &claims[..5]));
        assert_eq!(passed.len(), 5);
        assert!(write(&app, |tx| relaying::pass_commit_points(tx, &claims[..5])).is_empty(), "once only");

        let refused = |step, code, text| Outcome::Refused { step, reply: Reply::new(code, text) };
        let outcomes = [
            Outcome::Accepted(Reply::new(250, "2.0.0 first")),
            Outcome::Accepted(Reply::new(250, "2.0.0 second")),
            refused(Step::Content, 451, "4.3.0 later"),
            refused(Step::Content, 554, "5.7.1 never"),
            Outcome::Unknown { error: "reset".into() },
            refused(Step::Recipient, 550, "5.1.1 nobody"),
            Outcome::Fault(debrief::mail::Fault::SignIn("no".into())),
        ];
        let ended = claims.iter().zip(outcomes).map(|(claim, outcome)| Ended { claim: *claim, ending: Ending::Outcome(outcome), random: 0.5 });
        let ended: Vec<_> = ended.collect();
        // One of them comes twice.
        let asked: Vec<_> = ended.iter().chain(&ended[..1]).collect();
        let version = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200)["version"].as_i64().unwrap();
        let states = write(&app, |tx| relaying::finish_at_hand(tx, &asked, &Schedule::default()));
        use DeliveryState::{Deferred, Failed, Sent, Unconfirmed};
        let mut expected = [Sent, Sent, Deferred, Failed, Unconfirmed, Failed, Deferred].map(|state| Some(Some(state)));
        expected[5] = None;
        assert_eq!(states[..7], expected, "nobody waits for a contact that is to be marked");
        assert_eq!(write(&app, |tx| relaying::finish(tx, asked[5], &Schedule::default())), Some(Failed));
        assert_eq!(states[7], None, "the second has to be looked at anew");
        assert_eq!(write(&app, |tx| relaying::finish(tx, asked[7], &Schedule::default())), None);

        let shown = desk.note(&note).await;
        let shown = shown["deliveries"].as_array().unwrap();
        let outline: Vec<_> = shown.iter().map(|d| (d["state"].as_str().unwrap(), d["attempts"].as_i64().unwrap(), d["last_reply"]["text"].as_str().unwrap())).collect();
        assert_eq!(outline, [
            ("sent", 1, "first"), ("sent", 1, "second"), ("deferred", 1, "later"), ("failed", 1, "never"),
            ("unconfirmed", 1, "reset"), ("failed", 1, "nobody"), ("deferred", 0, "sign-in failed: no"),
        ]);
        assert_eq!((&shown[0]["sent_at"], &shown[2]["sent_at"]), (&json!("2026-11-20T12:01:00Z"), &json!(null)));
        assert_eq!((&shown[2]["next_attempt_at"], &shown[6]["next_attempt_at"]), (&json!("2026-11-20T12:02:00Z"), &json!("2026-11-20T12:01:00Z")));
        for (delivery, (attempts, outcome)) in shown.iter().zip([(1, "sent"), (1, "sent"), (1, "deferred"), (1, "failed"), (1, "unconfirmed"), (1, "failed"), (0, "")]) {
            let found = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(delivery))).await.expect(200);
            let found = found["data"].as_array().unwrap();
            assert_eq!(found.len(), attempts, "{delivery}");
            assert!(found.iter().all(|attempt| attempt["outcome"] == outcome), "{found:?}");
        }
        let bounced = async |contact: &str| desk.ann.get(&format!("/v1/contacts/{contact}")).await.expect(200)["email_status"].clone();
        assert_eq!((bounced(&contacts[3]).await, bounced(&contacts[5]).await), (json!("ok"), json!("bounced")));
        assert_eq!(history(&app, &desk.debrief).split_off(6), ["note.sent", "note.sent", "note.failed", "note.unconfirmed", "note.failed"]);
        let after = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200)["version"].as_i64().unwrap();
        assert_eq!(after, version + 2, "one change of the debrief, and that of the one that was alone");
    }

    async fn one_that_cannot_be_written_down_takes_no_other_with_it(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        refuse_that_the_first_is_sent(&app);
        app.clock.advance(UNDO_WINDOW);
        let peer = SmtpPeer::start([]).await;
        let jobs = start_jobs(&app, &peer, std::time::Duration::from_secs(60));
        until_fates(&desk, &note, ["sending", "sent"]).await;
        write(&app, |tx| match &mut **tx {
            DbConn::Sqlite(c) => Ok(c.batch_execute("DROP TRIGGER stuck")?),
            DbConn::Postgres(c) => Ok(c.batch_execute("DROP TRIGGER stuck ON deliveries")?),
        });
        // Nobody but its worker knows, so it tried on.
        until_fates(&desk, &note, ["sent", "sent"]).await;
        jobs.stop().await;
        until(|| peer.taken().len() == 2).await;
    }

    async fn what_somebody_else_holds_is_left_for_later(app: TestApp) {
        // Where there is one writer, nobody holds anything beside it.
        if matches!(app.context.store.location(), Location::Sqlite(_)) {
            return;
        }
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let claims: Vec<_> = claim(&app, &note).iter().map(|job| job.claim).collect();
        let (passed, states) = write(&app, |tx| {
            deliveries::lock(tx, claims[0].agency, claims[0].id)?;
            let passed = write(&app, |tx| relaying::pass_commit_points(tx, &claims));
            let released = claims.iter().map(|claim| Ended { claim: *claim, ending: Ending::Released, random: 0.5 });
            let released: Vec<_> = released.collect();
            let asked: Vec<_> = released.iter().collect();
            Ok((passed, write(&app, |tx| relaying::finish_at_hand(tx, &asked, &Schedule::default()))))
        });
        assert_eq!(passed, [(claims[1].id, claims[1].token)]);
        assert_eq!(states, [None, Some(Some(DeliveryState::Deferred))]);
        assert_eq!(write(&app, |tx| relaying::pass_commit_points(tx, &claims)), [(claims[0].id, claims[0].token)], "the other is at an end");
    }

    async fn what_somebody_else_holds_is_passed_by_and_takes_no_place(app: TestApp) {
        if matches!(app.context.store.location(), Location::Sqlite(_)) {
            return;
        }
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let first = id(&note["deliveries"][0]).parse().unwrap();
        let claim_beside = |room: &mut Room| write(&app, |tx| relaying::claim(tx, "test", LEASE, room)).len();
        write(&app, |tx| {
            deliveries::lock(tx, app.agency(), first)?;
            let mut room = Room::of(1);
            assert_eq!((claim_beside(&mut room), room.left), (1, 0), "the one behind it");
            let mut room = Room::of(1);
            assert_eq!((claim_beside(&mut room), room.left), (0, 1), "there is nothing else");
            Ok(())
        });
        assert_eq!(claim(&app, &note)[0].claim.id, first);
    }

    async fn a_mark_does_not_wait_behind_an_outcome(app: TestApp) {
        if matches!(app.context.store.location(), Location::Sqlite(_)) {
            return;
        }
        let mut desk = Desk::set(&app).await;
        let first = desk.approved(&[&desk.scene.peer]).await;
        let (held, is_held) = std::sync::mpsc::channel();
        let (let_go, is_let_go) = std::sync::mpsc::channel();
        let (store, note) = (app.context.store.clone(), id(&first).parse().unwrap());
        let holder = std::thread::spawn(move || {
            store.write(|tx| {
                let now = tx.now();
                notes::touch(tx, vec![note], now)?;
                held.send(()).unwrap();
                is_let_go.recv().unwrap();
                Ok::<_, AppError>(())
            })
        });
        is_held.recv().unwrap();
        let peer = SmtpPeer::start([]).await;
        let jobs = start_jobs(&app, &peer, std::time::Duration::from_secs(60));
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        until(|| peer.taken().len() == 1).await;

        let interview = desk.ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
        desk.debrief = interview["debrief_id"].as_str().unwrap().to_owned();
        let second = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        app.context.relay_bell.notify_one();
        until(|| peer.taken().len() == 2).await;
        assert_eq!(desk.fates(&first).await, ["sending"], "its note is held");
        let_go.send(()).unwrap();
        holder.join().unwrap().unwrap();
        jobs.stop().await;
        assert_eq!((desk.fates(&first).await, desk.fates(&second).await), (vec!["sent".to_owned()], vec!["sent".to_owned()]));
    }

    async fn a_mark_is_that_of_one_claim(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let old = claim(&app, &note)[0].claim;
        let released = Ended { claim: old, ending: Ending::Released, random: 0.5 };
        assert_eq!(write(&app, |tx| relaying::finish(tx, &released, &Schedule::default())), Some(DeliveryState::Deferred));
        let new = claim(&app, &note)[0].claim;
        assert!(new.id == old.id && new.token > old.token);
        assert_eq!(write(&app, |tx| relaying::pass_commit_points(tx, &[old, new])), [(new.id, new.token)]);
    }
}

/// Claims what is due, in the order of the note.
fn claim(app: &TestApp, note: &Value) -> Vec<Job> {
    let mut jobs = write(app, |tx| relaying::claim(tx, "test", LEASE, &mut Room::of(10)));
    let ids: Vec<String> = note["deliveries"].as_array().unwrap().iter().map(id).collect();
    jobs.sort_by_key(|job| ids.iter().position(|id| *id == job.claim.id.to_string()));
    jobs
}

fn write<T>(app: &TestApp, work: impl FnOnce(&mut Tx<'_>) -> Result<T, AppError>) -> T {
    app.context.store.write(work).unwrap()
}

async fn until_fates(desk: &Desk, note: &Value, fates: [&str; 2]) {
    while desk.fates(note).await != fates {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// Makes the database refuse that a note's first delivery was sent.
fn refuse_that_the_first_is_sent(app: &TestApp) {
    let sqlite = "CREATE TRIGGER stuck BEFORE UPDATE ON deliveries WHEN OLD.position = 0 AND NEW.state = 'sent' \
        BEGIN SELECT RAISE(ABORT, 'stuck'); END";
    let postgres = "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql \
        AS $$ BEGIN RAISE EXCEPTION 'stuck'; END $$; \
        CREATE TRIGGER stuck BEFORE UPDATE ON deliveries FOR EACH ROW \
        WHEN (OLD.position = 0 AND NEW.state = 'sent') EXECUTE FUNCTION stuck()";
    write(app, |tx| match &mut **tx {
        DbConn::Sqlite(c) => Ok(c.batch_execute(sqlite)?),
        DbConn::Postgres(c) => Ok(c.batch_execute(postgres)?),
    });
}
