//! The call sheet: what may be raised, what to ask, and what is named without its words.

use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Desk, id, on_both};

/// The words that no sheet may have in it.
const SECRETS: [&str; 6] = ["64,000", "another agency", "commute", "migraine", "shouted", "blew it"];

/// What the candidate tells in the tests.
fn account() -> Value {
    json!({
        "side": "candidate", "channel": "phone", "submit": true, "overall": "no",
        "first_impression": "I blew it.",
        "narrative": "I had a migraine and it showed.",
        "ratings": [{"competency": "preparation", "rating": "no"}, {"competency": "communication", "rating": "yes"}],
        "points": [
            {"kind": "slip", "competency": "preparation", "severity": "serious", "what": "Did not know of the second plant.", "why": "The migraine.", "wished_answer": "You closed it in spring."},
            {"kind": "slip", "competency": "communication", "severity": "minor", "what": "Interrupted once."},
            {"kind": "slip", "competency": "motivation", "severity": "minor", "address": "address", "what": "Said little about the role."},
            {"kind": "slip", "competency": "culture", "what": "My migraine made me slow."},
            {"kind": "circumstance", "what": "The video link broke twice."},
            {"kind": "conduct", "what": "The interviewer shouted at me."},
            {"kind": "strength", "competency": "leadership", "what": "Led a team of twelve."},
        ],
        "agency_only": {"interest_level": "high", "concerns": "The commute.", "other_processes": "With another agency.", "salary": "Would take 64,000."},
    })
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

on_both! {
    async fn the_sheet_tells_what_may_be_said_and_names_the_rest(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}", desk.debrief);
        desk.ann.made(&format!("{path}/feedback"), account()).await;
        let auditor = app.user(Role::Auditor).await;
        let (statements, answer) = app.statements(auditor.get(&format!("{path}/call-sheet"))).await;
        assert_eq!(statements, 2);
        let etag = answer.header("etag");
        let sheet = answer.expect(200);
        assert_eq!((&sheet["client_name"], &sheet["candidate_name"], &sheet["job_title"], &sheet["candidate_heard"]), (&json!("Nordwind Logistics"), &json!("Tomás Herrera"), &json!("Shift lead"), &json!(true)));
        assert_eq!(texts(&sheet["contacts"], "name"), ["Ines Okafor", "Jens Brandt"]);
        assert_eq!(texts(&sheet["raise"], "what"), ["Did not know of the second plant.", "Said little about the role.", "The video link broke twice."]);
        let first = &sheet["raise"][0];
        assert_eq!((&first["suggestion"]["address"], &first["decision"], &first["wished_answer"]), (&json!("address"), &json!(null), &json!("You closed it in spring.")));
        assert_eq!((&sheet["raise"][1]["suggestion"]["address"], &sheet["raise"][1]["decision"]), (&json!("leave"), &json!("address")));
        assert_eq!(sheet["raise"][2]["suggestion"], json!(null));
        assert_eq!(texts(&sheet["leave"], "what"), ["Interrupted once."]);
        assert_eq!(texts(&sheet["strengths"], "what"), ["Led a team of twelve."]);
        assert_eq!(texts(&sheet["ask"], "about"), ["account", "account", "overall", "competency", "competency", "next_step"]);
        assert_eq!(sheet["ask"][0]["question"], "What impression did the candidate make on Ines Okafor?");
        let withheld: Vec<String> = sheet["do_not_pass_on"].as_array().unwrap().iter().map(|row| format!("{} {}", row["kind"].as_str().unwrap(), row["field"].as_str().unwrap())).collect();
        assert_eq!(withheld, [
            "agency_only agency_only/interest_level", "agency_only agency_only/concerns", "agency_only agency_only/other_processes", "agency_only agency_only/salary",
            "health why", "health what", "conduct what", "first_impression first_impression", "health narrative",
        ]);
        let whole = sheet.to_string();
        for secret in SECRETS {
            assert!(!whole.contains(secret), "{secret} stands in {sheet:#}");
        }
        let known = desk.ann.with("If-None-Match", &etag).get(&format!("{path}/call-sheet")).await;
        assert_eq!((known.status.as_u16(), known.header("etag")), (304, etag));
        app.stranger(Role::Admin).await.get(&format!("{path}/call-sheet")).await.problem(404, "not_found");
    }

    async fn what_was_heard_is_not_asked_again(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}", desk.debrief);
        desk.ann.made(&format!("{path}/feedback"), account()).await;
        let client = json!({
            "side": "client", "contact_id": desk.scene.manager, "channel": "phone", "narrative": "Fine.", "overall": "yes", "submit": true,
            "ratings": [{"competency": "preparation", "rating": "strong_yes"}, {"competency": "communication", "rating": "yes"}],
            "points": [{"kind": "slip", "competency": "problem_solving", "what": "Skipped the second case."}],
        });
        desk.ann.made(&format!("{path}/feedback"), client).await;
        desk.ann.patch(&format!("/v1/contacts/{}", desk.scene.peer), json!({"off_limits": true})).await.expect(200);
        let wish = json!({"grounds": "illness", "what_would_differ": "I would be rested.", "candidate_words": "Please."});
        let request = desk.ann.made(&format!("{path}/retry-requests"), wish).await;
        let sheet = desk.ann.get(&format!("{path}/call-sheet")).await.expect(200);
        assert_eq!(texts(&sheet["ask"], "about"), ["competency", "blind_spot", "retry", "next_step"]);
        assert_eq!((&sheet["ask"][0]["competency"], &sheet["ask"][1]["contact_id"]), (&json!("preparation"), &json!(desk.scene.manager)));
        assert_eq!(sheet["ask"][2]["retry_request_id"], json!(id(&request)));
        let heard: Vec<_> = sheet["contacts"].as_array().unwrap().iter().map(|c| (&c["heard"], &c["off_limits"])).collect();
        assert_eq!(heard, [(&json!(true), &json!(false)), (&json!(false), &json!(true))]);
        let of_wish: Vec<_> = sheet["do_not_pass_on"].as_array().unwrap().iter().filter(|row| row["retry_request_id"] == request["id"]).map(|row| &row["field"]).collect();
        assert_eq!(of_wish, [&json!("grounds")]);
        assert!(!sheet.to_string().contains("illness"));
        let problem = &sheet["leave"];
        assert!(texts(problem, "what").contains(&"Interrupted once."), "{problem:#}");
    }

    async fn without_the_candidate_there_is_nothing_to_raise(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}", desk.debrief);
        let mut draft = account();
        draft["submit"] = json!(false);
        desk.ann.made(&format!("{path}/feedback"), draft).await;
        let sheet = desk.ann.get(&format!("{path}/call-sheet")).await.expect(200);
        assert_eq!(sheet["candidate_heard"], false);
        for list in ["raise", "leave", "strengths", "do_not_pass_on"] {
            assert_eq!(sheet[list], json!([]), "{list}");
        }
        assert_eq!(texts(&sheet["ask"], "about"), ["account", "account", "overall", "next_step"]);
    }
}
