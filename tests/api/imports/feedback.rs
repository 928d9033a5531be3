//! What people said, from a file.

use serde_json::{Value, json};

use super::*;
use crate::support::on_both;

on_both! {
    async fn feedback_is_told_and_revised(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let row = |narrative: &str, points: Value| json!({
            "interview_id": interview["id"], "side": "candidate", "channel": "phone", "narrative": narrative, "points": points, "submit": true
        });
        let points = json!([{"kind": "slip", "what": "Rambled."}, {"kind": "strength", "what": "Calm."}]);
        let made = ndjson(&ann, "feedback", &[row("So it went.", points.clone()), row("So it went.", points)]).await;
        assert_eq!(statuses(&made), ["created", "unchanged"]);
        let path = format!("/v1/feedback/{}", id(&made[0]));
        let before = ann.get(&path).await.expect(200);
        let points = json!([{"kind": "strength", "what": "Calm."}, {"kind": "slip", "what": "Late."}]);
        assert_eq!(statuses(&ndjson(&ann, "feedback", &[row("On reflection.", points)]).await), ["updated"]);
        let after = ann.get(&path).await.expect(200);
        assert_eq!((&after["revision"], &after["points"][0]["id"]), (&json!(2), &before["points"][1]["id"]), "a point stays itself");
        // What says nothing new is no change, even of a debrief that takes none any more.
        let debrief = format!("/v1/debriefs/{}", interview["debrief_id"].as_str().unwrap());
        let version = ann.get(&debrief).await.expect(200)["version"].clone();
        ann.at(&version).post(&format!("{debrief}/close"), json!({"outcome": "hold"})).await.expect(200);
        let same = json!({"interview_id": interview["id"], "side": "candidate", "narrative": "On reflection."});
        let other = json!({"interview_id": interview["id"], "side": "candidate", "narrative": "No."});
        let results = ndjson(&ann, "feedback", &[same, other]).await;
        assert_eq!(statuses(&results), ["unchanged", "failed"]);
        assert_eq!(faults(&results[1]), ["- invalid_transition"]);
        let bad = [json!({"interview_id": interview["id"], "side": "client"}), json!({"side": "candidate"})];
        let results = ndjson(&ann, "feedback", &bad).await;
        assert_eq!(faults(&results[0]), ["/channel required", "/narrative required"]);
        assert_eq!(faults(&results[1]), ["/interview_id unknown_reference"]);
    }

    async fn an_account_that_moved_on_is_not_written_over(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let row = |more: Value| {
            let mut row = json!({"interview_id": interview["id"], "side": "candidate", "channel": "phone", "narrative": "So it went.", "submit": true});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let made = ndjson(&ann, "feedback", &[row(json!({"version": 7}))]).await;
        assert_eq!(statuses(&made), ["created"], "there was none to move on");
        let read = exported(&ann, "feedback?format=csv").await;
        assert_eq!(statuses(&ndjson(&ann, "feedback", &[row(json!({"narrative": "On reflection."}))]).await), ["updated"]);
        assert_eq!(faults(&csv(&ann, "feedback", &read).await[0]), ["- stale_version"]);
        let account = ann.get(&format!("/v1/feedback/{}", id(&made[0]))).await.expect(200);
        assert_eq!((&account["narrative"], &account["revision"]), (&json!("On reflection."), &json!(2)), "nothing of it stands");
        let current = exported(&ann, "feedback?format=csv").await;
        assert_eq!(statuses(&csv(&ann, "feedback", &current).await), ["unchanged"]);
        assert_eq!(statuses(&csv(&ann, "feedback", &current.replace("On reflection.", "In the end.")).await), ["updated"]);
        let results = ndjson(&ann, "feedback", &[
            row(json!({"narrative": "Once more.", "version": 1})),
            row(json!({"narrative": "Once more.", "version": "3"})),
            row(json!({"narrative": "Of another agency.", "version": 1, "id": "fbk_01h2xcejqtf2nbrexx3vqjhp41"})),
            row(json!({"narrative": "Of another agency.", "version": 1})),
        ]).await;
        assert_eq!(faults(&results[0]), ["- stale_version"]);
        assert_eq!(faults(&results[1]), ["/version wrong_type"]);
        assert_eq!(statuses(&results[2..]), ["updated", "unchanged"]);
        let file = format!("version,interview_id,side,channel,narrative\nthree,{},candidate,phone,Well.\n", id(&interview));
        assert_eq!(faults(&csv(&ann, "feedback", &file).await[0]), ["/version wrong_type"]);
    }
}
