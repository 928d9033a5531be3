//! The wording review: of a text that is not kept, and of a note.

use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Desk, id, on_both};

fn rules(review: &Value) -> Vec<&str> {
    review["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

on_both! {
    async fn a_text_is_reviewed_and_not_kept(app: TestApp) {
        let auditor = app.user(Role::Auditor).await;
        let text = "😀 Thank you. I look forward to it. You asked about lead times: it was a disaster.";
        let (statements, answer) = app.statements(auditor.post("/v1/reviews/wording", json!({"text": text, "kind": "note", "language": "en-GB"}))).await;
        assert_eq!(statements, 0);
        let review = answer.expect(200);
        assert_eq!((&review["word_count"], &review["language"]), (&json!(16), &json!("en")));
        assert_eq!(review["findings"], json!([{
            "rule": "catastrophic_words", "severity": "warning", "field": null,
            "start": 73, "end": 81, "start_character": 72, "end_character": 80,
            "message": "A slip told as a catastrophe: the reader remembers the word, not the slip.",
            "suggestion": "Name the one thing that went wrong, in its real size.",
        }]));
        let units: Vec<u16> = text.encode_utf16().collect();
        assert_eq!(String::from_utf16(&units[73..81]).unwrap(), "disaster");
    }

    async fn a_language_without_a_lexicon_is_told(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"text": "Liebe Frau [Name], 0170 1234567", "kind": "note", "language": "de"});
        let review = ann.post("/v1/reviews/wording", body).await.expect(200);
        assert_eq!(rules(&review), ["placeholder", "contact_details"]);
        assert_eq!((&review["language"], &review["rules"]), (&json!(null), &json!(["length", "contact_details", "placeholder"])));
        let feedback = json!({"text": "I am sorry, so sorry. I was useless.", "kind": "candidate_feedback"});
        assert_eq!(rules(&ann.post("/v1/reviews/wording", feedback).await.expect(200)), ["self_deprecation"]);
    }

    async fn every_fault_of_a_text_is_named_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let path = "/v1/reviews/wording";
        let faults = ann.post(path, json!({"text": "", "kind": "poem", "language": "auf Deutsch", "mend": true})).await.faults();
        assert_eq!(faults, ["/kind unknown_word", "/language invalid_language", "/mend unknown_field", "/text blank"]);
        assert_eq!(ann.post(path, json!({"kind": "note"})).await.faults(), ["/text required"]);
        assert_eq!(ann.post(path, json!({"kind": "note", "text": " \n"})).await.faults(), ["/text blank"]);
        assert_eq!(ann.post(path, json!({"kind": "note", "text": "x\u{7}"})).await.faults(), ["/text control_character"]);
        assert_eq!(ann.post(path, json!({"kind": "note", "text": "x".repeat(20_001)})).await.faults(), ["/text too_long"]);
        ann.post(path, json!({"kind": "note", "text": "é".repeat(20_000)})).await.expect(200);
        app.nobody().post(path, json!({"kind": "note", "text": "x"})).await.problem(401, "unauthorized");
    }

    async fn a_note_is_reviewed_with_its_names_in_view(app: TestApp) {
        let desk = Desk::set(&app).await;
        for name in ["Siemens AG", "Nordwind", "Herrera & Co", "Unheard Ltd"] {
            desk.ann.made("/v1/clients", json!({"name": name})).await;
        }
        let gone = desk.ann.made("/v1/clients", json!({"name": "Bygone"})).await;
        desk.ann.delete(&format!("/v1/clients/{}", id(&gone))).await.expect(204);
        let eve = app.stranger(Role::Admin).await;
        eve.made("/v1/clients", json!({"name": "Foreign"})).await;

        let mut text = desk.text(&[&desk.scene.manager]);
        text["subject"] = json!("My [Role] interview");
        text["body"] = json!("Dear Ines Okafor,\n\nthank you. At Nordwind Logistics I would love to do what Siemens, Bygone and Foreign never did: to run a night shift without overtime.\n\nTomás Herrera");
        let note = desk.ann.made(&format!("/v1/debriefs/{}/notes", desk.debrief), text).await;
        let path = format!("/v1/notes/{}/review", id(&note));
        let auditor = app.user(Role::Auditor).await;
        let (statements, answer) = app.statements(auditor.get(&path)).await;
        assert_eq!(statements, 4);
        let etag = answer.header("etag");
        let review = answer.expect(200);
        let places: Vec<_> = review["findings"].as_array().unwrap().iter().map(|f| (&f["field"], &f["rule"], &f["start"])).collect();
        assert_eq!(places, [(&json!("subject"), &json!("placeholder"), &json!(3)), (&json!("body"), &json!("other_company"), &json!(76))], "{review:#}");
        assert!(review["findings"][1]["suggestion"].as_str().unwrap().contains("Siemens AG"));
        assert!(review["rules"].as_array().unwrap().contains(&json!("other_company")));

        let known = desk.ann.with("If-None-Match", &etag).get(&path).await;
        assert_eq!((known.status.as_u16(), known.header("etag")), (304, etag.clone()));
        let note_path = format!("/v1/notes/{}", id(&note));
        desk.ann.at(&note["version"]).patch(&note_path, json!({"subject": "Thank you, TODO"})).await.expect(200);
        let changed = desk.ann.with("If-None-Match", &etag).get(&path).await;
        assert_ne!(changed.header("etag"), etag);
        assert_eq!(changed.expect(200)["findings"][0]["start"], 11);
        assert_eq!(desk.note(&note).await["version"], 2, "a review changes nothing");
        eve.get(&path).await.problem(404, "not_found");
    }

    async fn a_note_without_a_capital_letter_names_no_company(app: TestApp) {
        let desk = Desk::set(&app).await;
        desk.ann.made("/v1/clients", json!({"name": "Siemens"})).await;
        let mut text = desk.text(&[&desk.scene.peer]);
        text["subject"] = json!("thanks");
        text["body"] = json!("thank you. siemens made the lamp that we spoke of, and it still works well.");
        text["language"] = json!("de");
        let note = desk.ann.made(&format!("/v1/debriefs/{}/notes", desk.debrief), text).await;
        let review = desk.ann.get(&format!("/v1/notes/{}/review", id(&note))).await.expect(200);
        assert_eq!((&review["findings"], &review["language"]), (&json!([]), &json!(null)));
        assert_eq!(review["rules"], json!(["length", "contact_details", "other_company", "placeholder"]));
    }
}
