//! What no route knows is refused by every route.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, Desk, id, on_both};

/// The operations of the served document: method, a path that fits, and whether it takes a body.
async fn operations(caller: &Caller) -> Vec<(Method, String, bool)> {
    let document = caller.get("/v1/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let operation = |(method, operation): (&String, &Value)| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            (method, fitting(&document, path, operation), operation.get("requestBody").is_some())
        };
        item.as_object().unwrap().iter().map(operation)
    });
    each.collect()
}

/// A path with a value that could be one in each place of the pattern.
fn fitting(document: &Value, pattern: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.filter(|parameter| parameter["in"] == "path").fold(pattern.to_owned(), |path, parameter| {
        let name = parameter["schema"]["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
        let schema = &document["components"]["schemas"][name];
        let value = schema["examples"][0].as_str().or(schema["enum"][0].as_str()).unwrap_or("x");
        path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), value)
    })
}

/// Whether an answer has just those headers that the document tells of. A page has a link only where
/// another one follows.
#[track_caller]
fn assert_headers(document: &Value, method: &str, path: &str, answer: &Answer) {
    let told = &document["paths"][path][method]["responses"][answer.status.as_str()]["headers"];
    for name in ["ETag", "Location"] {
        assert_eq!(told.get(name).is_some(), !answer.header(name).is_empty(), "{method} {path} {name}");
    }
    let is_page = answer.body.get("next_cursor").is_some();
    assert_eq!(told.get("Link").is_some(), is_page, "{method} {path} Link");
}

on_both! {
    async fn no_route_takes_a_parameter_that_it_does_not_know(app: TestApp) {
        let (admin, server) = (app.admin().await, app.mail_server());
        let all = operations(&admin).await;
        assert!(all.len() > 70, "{all:?}");
        for (method, path, _) in all {
            let caller = if path == "/v1/mail/inbound" { &server } else { &admin };
            let answer = caller.send(method.clone(), &format!("{path}?nonsense=1&limit%20=2"), "application/json", Vec::new()).await;
            assert!(!answer.header("x-request-id").is_empty(), "{method} {path}");
            let unknown: Vec<String> = answer.faults().into_iter().filter(|fault| !fault.ends_with(" required")).collect();
            assert_eq!(unknown, ["nonsense unknown_parameter", "limit  unknown_parameter"], "{method} {path}");
        }
        assert_eq!(admin.get("/v1/clients?limit=1&limit=2").await.faults(), ["limit repeated"]);
        admin.get("/v1/nowhere?nonsense=1").await.problem(404, "not_found");
        admin.delete("/v1/clients?nonsense=1").await.problem(405, "method_not_allowed");
    }

    async fn a_route_without_a_body_takes_none(app: TestApp) {
        let admin = app.admin().await;
        let all = operations(&admin).await;
        let without = all.into_iter().filter(|(method, _, has_body)| *method == Method::POST && !has_body);
        let without: Vec<String> = without.map(|(_, path, _)| path).collect();
        assert!(without.iter().any(|path| path.ends_with("/release")), "{without:?}");
        for path in without {
            assert_eq!(admin.post(&path, json!({"reason": "x", "why": 1})).await.faults(), ["/reason unknown_field", "/why unknown_field"], "{path}");
            admin.post(&path, json!(["x"])).await.problem(400, "malformed_body");
            admin.send(Method::POST, &path, "application/json", b"{".to_vec()).await.problem(400, "malformed_body");
        }
    }

    async fn an_empty_object_is_no_body(app: TestApp) {
        let desk = Desk::set(&app).await;
        for (contact, body) in [(&desk.scene.manager, b"{}".to_vec()), (&desk.scene.peer, Vec::new())] {
            let note = desk.draft(&[contact]).await;
            let path = format!("/v1/notes/{}/submit", note["id"].as_str().unwrap());
            let submitted = desk.ann.at(&note["version"]).send(Method::POST, &path, "application/json", body).await.expect(200);
            assert_eq!(submitted["state"], "submitted");
        }
    }

    async fn the_document_tells_which_operations_insist_on_if_match(app: TestApp) {
        let admin = app.admin().await;
        let document = admin.get("/v1/openapi.json").await.expect(200);
        let mut insisting = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            if !["debriefs", "feedback", "notes", "retry-requests"].contains(&path.split('/').nth(2).unwrap_or_default()) {
                continue;
            }
            for (method, operation) in item.as_object().unwrap() {
                let path = fitting(&document, path, operation);
                let mut parameters = operation["parameters"].as_array().into_iter().flatten();
                let insists = parameters.any(|p| p["name"] == "If-Match" && p["required"] == true);
                let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let answer = admin.send(verb, &path, "application/json", b"{}".to_vec()).await;
                assert_eq!(answer.status.as_u16() == 428, insists, "{method} {path}");
                insisting += usize::from(insists);
            }
        }
        assert_eq!(insisting, 22);
    }

    async fn the_document_tells_of_the_headers_that_are_sent(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (admin, scene) = (app.admin().await, &desk.scene);
        let document = admin.get("/v1/openapi.json").await.expect(200);
        let debrief = desk.debrief.as_str();
        let account = json!({"side": "candidate", "channel": "phone", "verbatim": false, "narrative": "So it went.", "submit": false});
        let wish = json!({"grounds": "nerves", "what_would_differ": "Calm.", "candidate_words": "Once more."});
        let mut known = vec![("/v1/debriefs/{id}", debrief.to_owned())];
        for (path, body, shown) in [
            ("/v1/clients", json!({"name": "Südwind"}), "/v1/clients/{id}"),
            ("/v1/contacts", json!({"client_id": scene.client, "name": "Mia Brandt", "role": "hr"}), "/v1/contacts/{id}"),
            ("/v1/candidates", json!({"name": "Zoë Weiß", "time_zone": "Europe/Berlin"}), "/v1/candidates/{id}"),
            ("/v1/job-orders", json!({"client_id": scene.client, "title": "Driver"}), "/v1/job-orders/{id}"),
            ("/v1/interviews", scene.to_come(json!({})), "/v1/interviews/{id}"),
            ("/v1/users", json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"}), "/v1/users/{id}"),
            ("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read"]}), "/v1/api-clients/{id}"),
            ("/v1/debriefs/{id}/feedback", account, "/v1/feedback/{id}"),
            ("/v1/debriefs/{id}/notes", desk.text(&[&scene.manager]), "/v1/notes/{id}"),
            ("/v1/debriefs/{id}/retry-requests", wish, "/v1/retry-requests/{id}"),
            ("/v1/debriefs/{id}/activities", json!({"kind": "call", "outcome": "Nobody there."}), ""),
            ("/v1/competencies", json!({"key": "negotiation", "name": "Negotiation"}), ""),
        ] {
            let made = admin.post(&path.replace("{id}", debrief), body).await;
            assert_headers(&document, "post", path, &made);
            if !shown.is_empty() {
                assert_eq!(made.header("location"), shown.replace("{id}", &id(&made.body)), "{path}");
                known.push((shown, id(&made.body)));
            }
            assert_eq!(made.status.as_u16(), 201, "{path} {:#}", made.body);
        }
        let any = admin.with("If-Match", "*");
        let of = |shown: &str| known.iter().find(|(path, _)| *path == shown).map(|(path, id)| path.replace("{id}", id)).unwrap();
        let named = "/v1/clients/by-external-id/{system}/{external_id}";
        for (method, path, at, body, status) in [
            ("put", named, "/v1/clients/by-external-id/crm/1".to_owned(), json!({"name": "Nord"}), 201),
            ("put", named, "/v1/clients/by-external-id/crm/1".to_owned(), json!({"name": "Ost"}), 200),
            ("patch", "/v1/agency", "/v1/agency".to_owned(), json!({"name": "Hanse"}), 200),
            ("patch", "/v1/competencies/{key}", "/v1/competencies/negotiation".to_owned(), json!({"name": "Talks"}), 200),
            ("patch", "/v1/notes/{id}", of("/v1/notes/{id}"), json!({"subject": "Thanks"}), 200),
            ("post", "/v1/feedback/{id}/submit", format!("{}/submit", of("/v1/feedback/{id}")), json!({}), 200),
        ] {
            let answer = match method {
                // One that says which version it would change makes none.
                "put" => admin.put(&at, body).await,
                "patch" => any.patch(&at, body).await,
                _ => any.post(&at, body).await,
            };
            assert_headers(&document, method, path, &answer);
            assert_eq!(answer.status.as_u16(), status, "{path} {:#}", answer.body);
        }

        let (mut tagged, mut linked) = (0, 0);
        for (path, item) in document["paths"].as_object().unwrap() {
            let beginning = |(shown, _): &&(&str, String)| path.starts_with(shown);
            let at = match known.iter().find(beginning) {
                Some((_, id)) => path.replace("{id}", id),
                None if path.contains('{') || !path.starts_with("/v1/") => continue,
                None => path.clone(),
            };
            let Some(read) = item.get("get") else { continue };
            let takes = |name: &str| read["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == name);
            let at = if takes("limit") { format!("{at}?limit=1") } else { at };
            let at = if takes("contact_id") && path.ends_with("preview") { format!("{at}?contact_id={}", scene.manager) } else { at };
            let answer = admin.get(&at).await;
            assert_eq!(answer.status.as_u16(), 200, "{at} {:#}", answer.body);
            assert_headers(&document, "get", path, &answer);
            let more = answer.body["next_cursor"].is_string();
            assert_eq!(answer.header("link").contains("rel=\"next\""), more, "{at}");
            let tag = answer.header("etag");
            assert_eq!((takes("If-None-Match"), read["responses"].get("304").is_some()), (!tag.is_empty(), !tag.is_empty()), "{at}");
            if !tag.is_empty() {
                let again = admin.with("If-None-Match", tag).get(&at).await;
                assert_eq!(again.status.as_u16(), 304, "{at}");
                assert_headers(&document, "get", path, &again);
                tagged += 1;
            }
            linked += usize::from(more);
        }
        assert!(tagged >= 13 && linked >= 8, "{tagged} {linked}");
    }

    async fn a_cursor_belongs_to_its_list(app: TestApp) {
        let desk = Desk::set(&app).await;
        let ann = &desk.ann;
        let cursor = |page: Value| page["next_cursor"].as_str().unwrap().to_owned();
        let of_contacts = cursor(ann.get("/v1/contacts?limit=1").await.expect(200));
        ann.get(&format!("/v1/contacts?cursor={of_contacts}")).await.expect(200);
        ann.get(&format!("/v1/contacts?cursor={of_contacts}&limit=7")).await.expect(200);
        for other in ["clients", "interviews", "debriefs", "notes"] {
            ann.get(&format!("/v1/{other}?cursor={of_contacts}")).await.problem(400, "invalid_cursor");
        }
        let of_client = format!("/v1/contacts?client_id={}", desk.scene.client);
        let filtered = cursor(ann.get(&format!("{of_client}&limit=1")).await.expect(200));
        ann.get(&format!("{of_client}&cursor={filtered}")).await.expect(200);
        ann.get(&format!("{of_client}&cursor={of_contacts}")).await.problem(400, "invalid_cursor");
        ann.get(&format!("/v1/contacts?client_id=cli_01h2xcejqtf2nbrexx3vqjhp41&cursor={filtered}")).await.problem(400, "invalid_cursor");

        let history = format!("/v1/debriefs/{}/history", desk.debrief);
        let of_history = cursor(ann.get(&format!("{history}?limit=1")).await.expect(200));
        ann.get(&format!("{history}?cursor={of_history}")).await.expect(200);
        let second = ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
        let other = format!("/v1/debriefs/{}/history", second["debrief_id"].as_str().unwrap());
        ann.get(&format!("{other}?cursor={of_history}")).await.problem(400, "invalid_cursor");
    }

    async fn a_blank_search_is_refused(app: TestApp) {
        let ann = app.recruiter().await;
        ann.made("/v1/clients", json!({"name": "Nordwind"})).await;
        for noun in ["clients", "contacts", "candidates", "job-orders", "debriefs"] {
            for blank in ["", "%20%20", "%09", "%C2%A0"] {
                assert_eq!(ann.get(&format!("/v1/{noun}?q={blank}")).await.faults(), ["q blank"], "{noun} {blank}");
            }
            assert_eq!(ann.get(&format!("/v1/{noun}?q={}", "x".repeat(201))).await.faults(), ["q too_long"]);
            // An accent without its letter is part of no name.
            assert_eq!(ann.get(&format!("/v1/{noun}?q=%CC%81")).await.expect(200)["data"], json!([]));
        }
        assert_eq!(ann.get("/v1/clients?q=%20nord%20").await.expect(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn an_unknown_field_is_refused_even_where_it_says_nothing(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"name": "Nordwind", "notes": null, "nmae": null, "external_refs": [{"system": "crm", "id": "1", "url": null}]});
        assert_eq!(ann.post("/v1/clients", body).await.faults(), ["/external_refs/0/url unknown_field", "/nmae unknown_field"]);
        ann.made("/v1/clients", json!({"name": "Nordwind", "notes": null})).await;
    }
}
