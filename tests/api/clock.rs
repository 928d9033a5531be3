//! Times that were given out stay true when a later write began earlier, or the clock was set back.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::smtp_peer::SmtpPeer;
use crate::support::{Caller, Desk, id, on_both, relay};

const SET_BACK: TimeDelta = TimeDelta::seconds(-10);
const BEFORE: &str = "2026-11-20T12:00:00Z";

on_both! {
    async fn a_record_is_never_changed_before_it_was(app: TestApp) {
        let desk = Desk::set(&app).await;
        let admin = app.admin().await;
        let key = admin.made("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read"]})).await;
        let scene = &desk.scene;
        let paths = [
            (format!("/v1/clients/{}", scene.client), json!({"name": "Other"})),
            (format!("/v1/contacts/{}", scene.peer), json!({"name": "Other"})),
            (format!("/v1/candidates/{}", scene.candidate), json!({"name": "Other"})),
            (format!("/v1/interviews/{}", id(&desk.interview)), json!({"round": 2})),
            (format!("/v1/api-clients/{}", id(&key)), json!({"name": "Other"})),
            ("/v1/agency".to_owned(), json!({"name": "Other"})),
        ];
        app.clock.advance(SET_BACK);
        for (path, change) in paths {
            let changed = admin.patch(&path, change).await.expect(200);
            assert_eq!(changed["updated_at"], BEFORE, "{path}");
        }
    }

    async fn a_debrief_and_its_note_are_never_changed_before_they_were(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.manager, &desk.scene.peer]).await;
        app.clock.advance(SET_BACK);
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        assert_eq!((&note["updated_at"], updated_at(&desk.ann, &desk.debrief).await), (&json!(BEFORE), json!(BEFORE)));
    }

    async fn what_the_relay_changes_is_never_changed_before_it_was(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(TimeDelta::seconds(60));
        // Seen a second later, and then the clock is set back by one.
        app.clock.advance(TimeDelta::seconds(1));
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        let other = desk.ann.made(&path, desk.text(&[&desk.scene.manager])).await;
        desk.act(&other, "submit", json!({})).await.expect(200);
        let seen = updated_at(&desk.ann, &desk.debrief).await;
        app.clock.advance(TimeDelta::seconds(-1));
        let peer = SmtpPeer::start([]).await;
        assert_eq!(relay(&app, &peer).run_once().await.unwrap(), 1);
        assert_eq!(desk.fates(&note).await, ["sent"]);
        assert_eq!(updated_at(&desk.ann, &desk.debrief).await, seen);
    }
}

async fn updated_at(ann: &Caller, debrief: &str) -> Value {
    ann.get(&format!("/v1/debriefs/{debrief}")).await.expect(200)["updated_at"].clone()
}
