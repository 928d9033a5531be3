//! Emails that should have left long ago.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::UNDO_WINDOW;
use crate::support::smtp_peer::{Act, At, SmtpPeer};
use crate::support::{Desk, id, on_both, relay};

on_both! {
    async fn what_still_waits_after_an_hour_and_after_a_day_is_told_everywhere(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let refusing = SmtpPeer::start([(At::Recipient, Act::Reply("451 4.3.0 not now"))]).await;
        relay(&app, &refusing).run_once().await.unwrap();
        desk.later(&app, TimeDelta::minutes(59));
        assert_eq!(told(&desk, &note).await, (json!([null, null]), json!(null)));
        assert_eq!((listed(&desk, "hour").await, listed(&desk, "day").await), (0, 0));
        let seen = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.header("etag");

        desk.later(&app, TimeDelta::minutes(1));
        let (mut each, all) = told(&desk, &note).await;
        each.as_array_mut().unwrap().sort_by_key(Value::is_null);
        assert_eq!((each, all), (json!(["hour", null]), json!("hour")), "one of the two was sent");
        assert_eq!((listed(&desk, "hour").await, listed(&desk, "day").await), (1, 0));
        desk.ann.with("If-None-Match", &seen).get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200);

        desk.later(&app, TimeDelta::hours(23));
        assert_eq!(told(&desk, &note).await.1, "day");
        assert_eq!((listed(&desk, "hour").await, listed(&desk, "day").await), (1, 1));
        assert_eq!(desk.ann.get("/v1/debriefs?note_late=week").await.status, 400);

        relay(&app, &SmtpPeer::start([]).await).run_once().await.unwrap();
        assert_eq!(told(&desk, &note).await, (json!([null, null]), json!(null)));
        assert_eq!(listed(&desk, "hour").await, 0);
    }

    async fn what_is_to_leave_later_is_late_from_then_on(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let approval = json!({"content_hash": note["content_hash"], "send_at": "2026-11-21T08:00:00Z"});
        let note = desk.act(&note, "approve", approval).await.expect(200);
        desk.later(&app, TimeDelta::hours(20) + TimeDelta::minutes(59));
        assert_eq!(told(&desk, &note).await.1, json!(null));
        desk.later(&app, TimeDelta::minutes(1));
        assert_eq!(told(&desk, &note).await.1, "hour");
    }
}

/// How late each of a note's emails is, and all of them, which the note, the debrief and the worklist
/// tell alike.
async fn told(desk: &Desk, note: &Value) -> (Value, Value) {
    let shown = desk.note(note).await;
    let each = shown["deliveries"].as_array().unwrap().iter().map(|delivery| delivery["late"].clone());
    let whole = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200);
    let page = desk.ann.get("/v1/debriefs").await.expect(200);
    let row = &page["data"][0];
    assert_eq!(
        (&whole["note_late"], &row["note_late"], &whole["notes"][0]["late"]),
        (&shown["late"], &shown["late"], &shown["late"])
    );
    assert_eq!(row["id"], desk.debrief);
    assert_eq!(id(&whole["notes"][0]), id(note));
    (each.collect(), shown["late"].clone())
}

/// How many debriefs the worklist has with an email as late as this.
async fn listed(desk: &Desk, late: &str) -> usize {
    let page = desk.ann.get(&format!("/v1/debriefs?note_late={late}")).await.expect(200);
    page["data"].as_array().unwrap().len()
}
