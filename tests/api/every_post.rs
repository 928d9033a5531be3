//! Every `POST` of the document, sent twice with one key: the second time nothing happens, and the
//! answer is the first one.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::deliveries::unconfirmed;
use crate::support::{Caller, Database, Desk, Scene, TestApp, both, id, on_both};

/// Somebody who says everything twice, and what they have said.
struct Story {
    caller: Caller,
    told: BTreeSet<String>,
}

impl Story {
    /// Posts to a route, of which `id` is a part, twice.
    async fn tell(&mut self, route: &str, id: &str, body: Value) -> Value {
        let body = body.to_string().into_bytes();
        self.send(&self.caller.clone(), route, id, "application/json", body).await
    }

    async fn send(&mut self, caller: &Caller, route: &str, id: &str, kind: &str, body: Vec<u8>) -> Value {
        let key = format!("\"{}\"", self.told.len());
        let (caller, path) =
            (caller.with("Idempotency-Key", key).with("If-Match", "*"), route.replace("{id}", id));
        let first = caller.send(Method::POST, &path, kind, body.clone()).await;
        assert!(first.status.is_success(), "{route}: {:#}", first.body);
        assert_eq!(first.header("idempotency-replayed"), "", "{route}");
        let again = caller.send(Method::POST, &path, kind, body).await;
        assert_eq!(again.header("idempotency-replayed"), "true", "{route}: {:#}", again.body);
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "{route}");
        for header in ["etag", "location", "cache-control", "content-type", "content-length"] {
            assert_eq!(again.header(header), first.header(header), "{route}: {header}");
        }
        let route = route.split('?').next().unwrap_or_default();
        assert!(self.told.insert(route.to_owned()), "{route} was told before");
        first.body
    }

    /// A debrief of an interview that is over.
    async fn debrief(&self, scene: &Scene) -> String {
        let interview = self.caller.made("/v1/interviews", scene.past(json!({}))).await;
        interview["debrief_id"].as_str().unwrap().to_owned()
    }

    async fn sign_in(&mut self, app: &TestApp) {
        let body = json!({
            "token": app.setup_token, "agency_name": "Hanse Personal", "name": "Ada Admin",
            "email": "ada@hanse.example", "password": "correct horse"
        });
        self.tell("/v1/setup", "", body).await;
        let credentials = json!({"email": "ada@hanse.example", "password": "correct horse"});
        let pair = self.tell("/v1/auth/login", "", credentials).await;
        let pair = self.tell("/v1/auth/refresh", "", json!({"refresh_token": pair["refresh_token"]})).await;
        self.tell("/v1/auth/logout", "", json!({"refresh_token": pair["refresh_token"]})).await;
        self.caller = self.caller.with_token(pair["access_token"].as_str().unwrap());
    }

    async fn administer(&mut self, app: &TestApp) {
        let ben = json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"});
        self.tell("/v1/users", "", ben).await;
        self.tell("/v1/competencies", "", json!({"key": "patience", "name": "Patience"})).await;
        let crm = self.tell("/v1/api-clients", "", json!({"name": "CRM", "scopes": ["records:read"]})).await;
        let crm = self.tell("/v1/api-clients/{id}/rotate-secret", &id(&crm), json!({})).await;
        let (client, secret) = (id(&crm), crm["secret"].as_str().unwrap());
        let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        let kind = "application/x-www-form-urlencoded";
        self.send(&app.nobody(), "/oauth/token", "", kind, form.into_bytes()).await;
    }

    async fn listen(&mut self) {
        let endpoint = json!({"url": "https://crm.example/hooks"});
        let endpoint = id(&self.tell("/v1/webhook-endpoints", "", endpoint).await);
        self.tell("/v1/webhook-endpoints/{id}/rotate-secret", &endpoint, json!({})).await;
        self.tell("/v1/webhook-endpoints/{id}/test", &endpoint, json!({})).await;
        // On PostgreSQL an event waits for every transaction that was under way, of any database of the server.
        let first = loop {
            let events = self.caller.get("/v1/events?limit=1").await.expect(200);
            match events["data"][0]["id"].clone() {
                Value::Null => actix_web::rt::time::sleep(Duration::from_millis(20)).await,
                id => break id,
            }
        };
        let range = json!({"after": first});
        self.tell("/v1/webhook-endpoints/{id}/replay", &endpoint, range).await;
    }

    async fn record(&mut self) {
        let client = id(&self.tell("/v1/clients", "", json!({"name": "Nordwind"})).await);
        let contact = json!({"client_id": client, "name": "Ines", "role": "hiring_manager"});
        let contact = id(&self.tell("/v1/contacts", "", contact).await);
        let order = json!({"client_id": client, "title": "Shift lead"});
        let order = id(&self.tell("/v1/job-orders", "", order).await);
        let candidate = id(&self.tell("/v1/candidates", "", json!({"name": "Tomás"})).await);
        let interview = json!({
            "candidate_id": candidate, "job_order_id": order, "contact_ids": [contact], "format": "video",
            "starts_at": "2026-11-20T10:00:00Z", "ends_at": "2026-11-20T11:00:00Z", "time_zone": "Europe/Berlin"
        });
        self.tell("/v1/interviews", "", interview).await;
        let caller = self.caller.with("Prefer", "respond-async");
        let path = "/v1/imports?kind=clients&external_system=crm";
        let import =
            self.send(&caller, path, "", "text/csv", b"external_id,name\n1,Nordwind\n".to_vec()).await;
        self.tell("/v1/imports/{id}/cancel", &id(&import), json!({})).await;
        let text = json!({"text": "Thank you for your time.", "kind": "note"});
        self.tell("/v1/reviews/wording", "", text).await;
    }

    async fn debrief_both_sides(&mut self, scene: &Scene) {
        let debrief = self.debrief(scene).await;
        let slip = |what: &str| json!({"kind": "slip", "competency": "communication", "what": what});
        let account = json!({
            "side": "candidate", "channel": "phone", "verbatim": false, "narrative": "So it went.", "ratings": [],
            "points": [slip("Rambled."), slip("Stuttered.")], "submit": false
        });
        let account = self.tell("/v1/debriefs/{id}/feedback", &debrief, account).await;
        self.tell("/v1/feedback/{id}/submit", &id(&account), json!({})).await;
        let points = json!([account["points"][0]["id"], account["points"][1]["id"]]);
        self.tell("/v1/debriefs/{id}/matches", &debrief, json!({"points": points, "same": true})).await;
        let whole = self.caller.get(&format!("/v1/debriefs/{debrief}")).await.expect(200);
        let asked: Vec<String> = whole["feedback"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|f| f["state"] == "requested")
            .map(id)
            .collect();
        self.tell("/v1/feedback/{id}/waive", &asked[0], json!({"reason": "Has left."})).await;
        let waive = format!("/v1/feedback/{}/waive", asked[1]);
        self.caller.with("If-Match", "*").post(&waive, json!({"reason": "Is away."})).await.expect(200);
        self.tell("/v1/debriefs/{id}/activities", &debrief, json!({"kind": "call", "outcome": "Talked."}))
            .await;
        self.tell("/v1/debriefs/{id}/release", &debrief, json!({})).await;
        self.tell("/v1/debriefs/{id}/close", &debrief, json!({"outcome": "offer"})).await;
        self.tell("/v1/debriefs/{id}/reopen", &debrief, json!({"reason": "They have changed their mind."}))
            .await;
        let debrief = self.debrief(scene).await;
        self.tell("/v1/debriefs/{id}/cancel", &debrief, json!({"reason": "no_show"})).await;
    }

    /// A request in a debrief of its own, put to the client if it has to be.
    async fn wish(&self, scene: &Scene, put: bool) -> String {
        let debrief = self.debrief(scene).await;
        let request = id(&self.caller.made(&format!("/v1/debriefs/{debrief}/retry-requests"), wish()).await);
        if put {
            let asked = json!({"contact_id": scene.manager, "channel": "phone"});
            let path = format!("/v1/retry-requests/{request}/put-to-client");
            self.caller.with("If-Match", "*").post(&path, asked).await.expect(200);
        }
        request
    }

    async fn meet_again(&mut self, app: &TestApp, scene: &Scene) {
        let manager = json!({"contact_id": scene.manager});
        let debrief = self.debrief(scene).await;
        let request = id(&self.tell("/v1/debriefs/{id}/retry-requests", &debrief, wish()).await);
        let asked = json!({"contact_id": scene.manager, "channel": "phone"});
        self.tell("/v1/retry-requests/{id}/put-to-client", &request, asked).await;
        let offered = json!({"contact_id": scene.peer, "proposal": "A call."});
        self.tell("/v1/retry-requests/{id}/counter-propose", &request, offered).await;
        self.tell("/v1/retry-requests/{id}/accept", &request, manager.clone()).await;
        let date = json!({"interview": {"starts_at": "2026-11-20T12:01:00Z", "ends_at": "2026-11-20T12:02:00Z", "format": "phone"}});
        self.tell("/v1/retry-requests/{id}/schedule", &request, date).await;
        app.clock.advance(TimeDelta::minutes(2));
        self.tell("/v1/retry-requests/{id}/mark-held", &request, json!({})).await;
        let request = self.wish(scene, false).await;
        self.tell("/v1/retry-requests/{id}/decline-by-agency", &request, json!({"reason": "Too soon."}))
            .await;
        let request = self.wish(scene, true).await;
        self.tell("/v1/retry-requests/{id}/decline", &request, manager).await;
        for transition in ["withdraw", "mark-moot"] {
            let request = self.wish(scene, true).await;
            self.tell(&format!("/v1/retry-requests/{{id}}/{transition}"), &request, json!({})).await;
        }
    }

    async fn thank(&mut self, app: &TestApp, scene: Scene) {
        let mut interview = self.caller.made("/v1/interviews", scene.past(json!({}))).await;
        let debrief = interview["debrief_id"].as_str().unwrap().to_owned();
        let mut desk = Desk { ann: self.caller.clone(), scene, interview: interview.take(), debrief };
        let text = desk.text(&[&desk.scene.manager]);
        let note = self.tell("/v1/debriefs/{id}/notes", &desk.debrief, text).await;
        let note = self.tell("/v1/notes/{id}/submit", &id(&note), json!({})).await;
        let approval = json!({"content_hash": note["content_hash"]});
        self.tell("/v1/notes/{id}/approve", &id(&note), approval).await;
        self.tell("/v1/notes/{id}/recall", &id(&note), json!({})).await;
        for transition in ["request-changes", "reject"] {
            desk.debrief = self.debrief(&desk.scene).await;
            let note = desk.draft(&[&desk.scene.peer]).await;
            let note = desk.act(&note, "submit", json!({})).await.expect(200);
            self.tell(&format!("/v1/notes/{{id}}/{transition}"), &id(&note), json!({"reason": "Too long."}))
                .await;
        }
        desk.debrief = self.debrief(&desk.scene).await;
        let (_, delivery) = unconfirmed(app, &desk).await;
        self.tell("/v1/deliveries/{id}/resolve", &delivery, json!({"resolution": "sent"})).await;
        let bounce = std::fs::read_to_string("tests/corpus/bounces/postfix-unknown-user.eml").unwrap();
        let bounce = bounce.replace("ines@nordwind.example", "jens@nordwind.example").into_bytes();
        let (server, to) = (app.mail_server(), app.bounce_address(&delivery));
        self.send(&server, "/v1/mail/inbound?recipient={id}", &to, "message/rfc822", bounce).await;
        let lift = "/v1/contacts/{id}/lift-bounce";
        self.tell(lift, &desk.scene.peer, json!({"reason": "It arrives again."})).await;
    }
}

fn wish() -> Value {
    json!({"grounds": "illness", "what_would_differ": "I am well again.", "candidate_words": "I had a fever."})
}

mod every_post_is_done_once {
    use super::*;

    async fn body(database: Database) {
        let app = TestApp::start_empty(database).await;
        let mut story = Story { caller: app.nobody(), told: BTreeSet::new() };
        story.sign_in(&app).await;
        story.administer(&app).await;
        story.listen().await;
        story.record().await;
        let scene = Scene::set(&story.caller).await;
        story.debrief_both_sides(&scene).await;
        story.meet_again(&app, &scene).await;
        story.thank(&app, scene).await;

        let document = app.nobody().get("/v1/openapi.json").await.expect(200);
        let paths = document["paths"].as_object().unwrap();
        let posts = paths.iter().filter(|(_, item)| item.get("post").is_some());
        let posts: BTreeSet<String> = posts.map(|(path, _)| path.clone()).collect();
        assert_eq!(story.told, posts, "a route that posts has its place in this story");
    }

    both!(|database| {
        body(database).await;
    });
}

on_both! {
    async fn the_document_tells_of_the_key_wherever_it_is_taken(app: TestApp) {
        let admin = app.admin().await.with("Idempotency-Key", "two words");
        let document = admin.get("/v1/openapi.json").await.expect(200);
        let mut posts = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let told = operation["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == "Idempotency-Key" && p["in"] == "header");
                assert_eq!(told, method == "post", "{method} {path}");
                if !told {
                    continue;
                }
                posts += 1;
                for status in ["400", "409", "422"] {
                    assert!(operation["responses"].get(status).is_some(), "{path} {status}");
                }
                for (status, response) in operation["responses"].as_object().unwrap() {
                    assert_eq!(response["headers"].get("Idempotency-Replayed").is_some(), status.starts_with('2'), "{path} {status}");
                }
                let id = path.split('/').nth(2).and_then(prefix).map(|prefix| format!("{prefix}_01h2xcejqtf2nbrexx3vqjhp41"));
                let faults = admin.post(&path.replace("{id}", &id.unwrap_or_default()), json!({})).await.faults();
                assert_eq!(faults, ["Idempotency-Key malformed"], "{path}");
            }
        }
        assert!(posts > 30, "{posts}");
        admin.with("Idempotency-Key", "two").post("/v1/clients", json!({})).await.problem(400, "validation_failed");
    }
}

/// How the ids of a noun begin.
fn prefix(noun: &str) -> Option<&'static str> {
    Some(match noun {
        "api-clients" => "app",
        "contacts" => "con",
        "debriefs" => "dbf",
        "feedback" => "fbk",
        "retry-requests" => "rty",
        "notes" => "nte",
        "deliveries" => "dlv",
        "webhook-endpoints" => "whk",
        "imports" => "imp",
        _ => return None,
    })
}
