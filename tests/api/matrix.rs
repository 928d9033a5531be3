//! Every operation of the served document, called by everybody, on everybody's records.
//!
//! What each operation needs stands in [`ROWS`]. An operation without its row fails the suite, and so
//! does a row without its operation: whoever adds a route says here who may call it.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use debrief::domain::people::{Role, Scope, Scopes};
use serde_json::{Value, json};
use strum::VariantArray;

use self::world::World;
use crate::support::{Answer, Caller, Database, Document, Ids, Operation, TestApp};

/// Method, path, what the token needs (`open` is no token at all, `any` is any good one, and no token at
/// all is the key of a mail server), and `own` where a recruiter is refused a colleague's record.
const ROWS: &str = "
GET /.well-known/jwks.json open
GET /healthz open
POST /oauth/token open
GET /readyz open
GET /v1/agency records:read
PATCH /v1/agency admin
GET /v1/api-clients admin
POST /v1/api-clients admin
GET /v1/api-clients/{id} admin
PATCH /v1/api-clients/{id} admin
POST /v1/api-clients/{id}/rotate-secret admin
POST /v1/auth/login open
POST /v1/auth/logout open
POST /v1/auth/refresh open
GET /v1/candidates records:read
POST /v1/candidates records:write
PUT /v1/candidates/by-external-id/{system}/{external_id} records:write
GET /v1/candidates/{id} records:read
PATCH /v1/candidates/{id} records:write
DELETE /v1/candidates/{id} records:write
GET /v1/clients records:read
POST /v1/clients records:write
PUT /v1/clients/by-external-id/{system}/{external_id} records:write
GET /v1/clients/{id} records:read
PATCH /v1/clients/{id} records:write
DELETE /v1/clients/{id} records:write
GET /v1/competencies records:read
POST /v1/competencies admin
PATCH /v1/competencies/{key} admin
GET /v1/contacts records:read
POST /v1/contacts records:write
PUT /v1/contacts/by-external-id/{system}/{external_id} records:write
GET /v1/contacts/{id} records:read
PATCH /v1/contacts/{id} records:write
POST /v1/contacts/{id}/lift-bounce records:write
DELETE /v1/contacts/{id} records:write
GET /v1/debriefs records:read
GET /v1/debriefs/{id} records:read
GET /v1/debriefs/{id}/activities records:read
POST /v1/debriefs/{id}/activities records:write own
GET /v1/debriefs/{id}/call-sheet records:read
POST /v1/debriefs/{id}/cancel records:write own
POST /v1/debriefs/{id}/close records:write own
GET /v1/debriefs/{id}/comparison records:read
POST /v1/debriefs/{id}/feedback records:write own
GET /v1/debriefs/{id}/history records:read
POST /v1/debriefs/{id}/matches records:write own
DELETE /v1/debriefs/{id}/matches/{match_id} records:write own
POST /v1/debriefs/{id}/notes records:write own
POST /v1/debriefs/{id}/release records:write own
POST /v1/debriefs/{id}/reopen records:write own
POST /v1/debriefs/{id}/retry-requests records:write own
GET /v1/deliveries/{id}/attempts records:read
POST /v1/deliveries/{id}/resolve notes:approve own
GET /v1/events events:read
GET /v1/exports/{kind} records:read
GET /v1/feedback/{id} records:read
PATCH /v1/feedback/{id} records:write own
GET /v1/feedback/{id}/revisions records:read
POST /v1/feedback/{id}/submit records:write own
POST /v1/feedback/{id}/waive records:write own
GET /v1/imports records:read
POST /v1/imports records:write
GET /v1/imports/{id} records:read
POST /v1/imports/{id}/cancel records:write
GET /v1/imports/{id}/results records:read
GET /v1/interviews records:read
POST /v1/interviews records:write
PUT /v1/interviews/by-external-id/{system}/{external_id} records:write own
GET /v1/interviews/{id} records:read
PATCH /v1/interviews/{id} records:write own
DELETE /v1/interviews/{id} records:write own
GET /v1/job-orders records:read
POST /v1/job-orders records:write
PUT /v1/job-orders/by-external-id/{system}/{external_id} records:write
GET /v1/job-orders/{id} records:read
PATCH /v1/job-orders/{id} records:write
DELETE /v1/job-orders/{id} records:write
POST /v1/mail/inbound inbound_key
GET /v1/me any
GET /v1/notes records:read
GET /v1/notes/{id} records:read
PATCH /v1/notes/{id} records:write own
POST /v1/notes/{id}/approve notes:approve own
GET /v1/notes/{id}/preview records:read
POST /v1/notes/{id}/recall records:write own
POST /v1/notes/{id}/reject notes:approve own
POST /v1/notes/{id}/request-changes notes:approve own
GET /v1/notes/{id}/review records:read
POST /v1/notes/{id}/submit records:write own
GET /v1/openapi.json open
GET /v1/retry-requests records:read
GET /v1/retry-requests/{id} records:read
POST /v1/retry-requests/{id}/accept records:write own
POST /v1/retry-requests/{id}/counter-propose records:write own
POST /v1/retry-requests/{id}/decline records:write own
POST /v1/retry-requests/{id}/decline-by-agency records:write own
POST /v1/retry-requests/{id}/mark-held records:write own
POST /v1/retry-requests/{id}/mark-moot records:write own
POST /v1/retry-requests/{id}/put-to-client records:write own
POST /v1/retry-requests/{id}/schedule records:write own
POST /v1/retry-requests/{id}/withdraw records:write own
POST /v1/reviews/wording records:read
POST /v1/setup open
GET /v1/users admin
POST /v1/users admin
GET /v1/users/{id} admin
PATCH /v1/users/{id} admin
GET /v1/webhook-endpoints webhooks:manage
POST /v1/webhook-endpoints webhooks:manage
GET /v1/webhook-endpoints/{id} webhooks:manage
PATCH /v1/webhook-endpoints/{id} webhooks:manage
DELETE /v1/webhook-endpoints/{id} webhooks:manage
GET /v1/webhook-endpoints/{id}/deliveries webhooks:manage
POST /v1/webhook-endpoints/{id}/replay webhooks:manage
POST /v1/webhook-endpoints/{id}/rotate-secret webhooks:manage
POST /v1/webhook-endpoints/{id}/test webhooks:manage
";

/// An id that never was, but for its prefix.
const UNKNOWN: &str = "01h2xcejqtf2nbrexx3vqjhp41";

/// What a row says.
#[derive(Clone, Copy)]
struct Row {
    needs: Needs,
    own: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    NoToken,
    AnyToken,
    /// Another secret, which nobody here has.
    Key,
    Scope(Scope),
}

impl Needs {
    fn read(word: &str) -> Self {
        match word {
            "open" => Self::NoToken,
            "any" => Self::AnyToken,
            "inbound_key" => Self::Key,
            scope => Self::Scope(scope.parse().unwrap()),
        }
    }

    /// What the document says.
    fn told(operation: &Operation) -> Self {
        match operation.scope().as_deref() {
            None => Self::NoToken,
            Some("") => Self::AnyToken,
            Some(scope) => Self::read(scope),
        }
    }
}

fn rows() -> BTreeMap<String, Row> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let row = Row { needs: Needs::read(words[2]), own: words.get(3) == Some(&"own") };
        (format!("{} {}", words[0], words[1]), row)
    };
    ROWS.lines().filter(|line| !line.is_empty()).map(row).collect()
}

/// Somebody who calls.
struct Visitor {
    name: String,
    caller: Caller,
    /// What the token allows; none if there is no good one.
    scopes: Option<Scopes>,
    role: Option<Role>,
}

impl Visitor {
    fn of_role(role: Role, caller: Caller) -> Self {
        Self { name: role.to_string(), caller, scopes: Some(role.scopes()), role: Some(role) }
    }
}

/// Everything that is played with.
struct Stage {
    _app: TestApp,
    document: Document,
    rows: BTreeMap<String, Row>,
    visitors: Vec<Visitor>,
    own: World,
    colleague: World,
    foreign: World,
    deleted: Ids,
}

impl Stage {
    async fn set(database: Database) -> Self {
        let app = TestApp::start_with(database, |settings| {
            settings.rate_limits.credential.requests = 0;
            settings.rate_limits.sign_in.requests = 0;
            settings.rate_limits.account.requests = 0;
        })
        .await;
        let own = World::at_home(&app, "own").await;
        let colleague = World::at_home(&app, "colleague").await;
        let foreign = World::elsewhere(&app).await;
        let deleted = own.deleted().await;
        let outsider =
            |name: &str, caller| Visitor { name: name.to_owned(), caller, scopes: None, role: None };
        let mut visitors = vec![outsider("nobody", app.nobody()), outsider("late", app.late().await)];
        visitors.push(Visitor::of_role(Role::Recruiter, own.recruiter.clone()));
        for role in [Role::Auditor, Role::Manager, Role::Admin] {
            visitors.push(Visitor::of_role(role, app.user(role).await));
        }
        for scope in Scope::VARIANTS {
            let scopes = Some(Scopes::from_iter([*scope]));
            let caller = app.integration(*scope).await;
            visitors.push(Visitor { name: format!("integration {scope}"), caller, scopes, role: None });
        }
        let document = Document::of(&app.nobody()).await;
        Self { _app: app, document, rows: rows(), visitors, own, colleague, foreign, deleted }
    }

    /// Calls an operation with the smallest body; `path_ids` are put into the path, `ids` elsewhere.
    async fn call(&self, caller: &Caller, operation: &Operation, path_ids: &Ids, ids: &Ids) -> Answer {
        let body = self.document.body(operation, ids).map(|sample| completed(operation, sample, ids));
        self.send(caller, operation, path_ids, ids, body).await
    }

    async fn send(
        &self,
        caller: &Caller,
        operation: &Operation,
        path_ids: &Ids,
        ids: &Ids,
        body: Option<Value>,
    ) -> Answer {
        let mut caller = caller.clone();
        if operation.parameters("header").any(|parameter| parameter["name"] == "If-Match") {
            caller = caller.with("If-Match", "*");
        }
        let path = self.path(operation, path_ids, ids);
        let content_type = operation.content_type().unwrap_or_default();
        let text = |body: Value| body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        let body = body.map(text).unwrap_or_default().into_bytes();
        caller.send(operation.method.clone(), &path, content_type, body).await
    }

    fn path(&self, operation: &Operation, path_ids: &Ids, ids: &Ids) -> String {
        let mut path = operation.path.clone();
        for parameter in operation.parameters("path") {
            let name = parameter["name"].as_str().unwrap();
            let value = match self.document.prefix(&parameter["schema"]) {
                Some(prefix) => &path_ids[&prefix],
                None if name == "system" => "crm",
                None if name == "external_id" => &ids["external"],
                None => &path_ids[name],
            };
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let required = operation.parameters("query").filter(|parameter| parameter["required"] == true);
        let pairs = required.map(|parameter| {
            let sample = self.document.sample(&parameter["schema"], ids);
            format!("{}={}", parameter["name"].as_str().unwrap(), sample.as_str().unwrap())
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// What stands for records in the path of an operation: prefixes of ids, and `key`.
    fn named(&self, operation: &Operation) -> Vec<String> {
        let name = |parameter: &Value| {
            let name = parameter["name"].as_str().unwrap();
            self.document.prefix(&parameter["schema"]).or((name == "key").then(|| name.to_owned()))
        };
        operation.parameters("path").filter_map(name).collect()
    }
}

/// The smallest body that is right: what the schema cannot say is added.
fn completed(operation: &Operation, mut sample: Value, ids: &Ids) -> Value {
    let more = match operation.name().as_str() {
        "POST /v1/interviews" | "PUT /v1/interviews/by-external-id/{system}/{external_id}" => {
            json!({"ends_at": "2026-11-22T10:30:00Z"})
        }
        "POST /v1/debriefs/{id}/matches" => json!({"points": [ids["pnt"], ids["another point"]]}),
        "POST /v1/users" => json!({"email": format!("{}@hanse.example", rand::random::<u64>())}),
        "POST /v1/competencies" => json!({"key": format!("key_{}", rand::random::<u64>())}),
        "POST /v1/imports" => json!("{\"name\": \"Nordwind\"}\n"),
        "POST /v1/notes/{id}/approve" => json!({"content_hash": "0".repeat(64)}),
        _ => json!({}),
    };
    json_patch::merge(&mut sample, &more);
    sample
}

/// What an answer says, but for the request's id, and with `unknown` wherever it says `id`.
fn said(answer: &Answer, id: &str, unknown: &str) -> (u16, String, String) {
    let mut body = answer.body.clone();
    if let Some(problem) = body.as_object_mut() {
        problem.remove("request_id");
    }
    let passing = ["date", "x-request-id", "content-length"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    (answer.status.as_u16(), headers.join("\n"), body.to_string().replace(id, unknown))
}

macro_rules! on_stage {
    ($($(#[$meta:meta])* async fn $name:ident($stage:ident: Stage) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($stage: Stage) $body

        mod $name {
            $crate::support::both!(|database| {
                super::$name(super::Stage::set(database).await).await;
            });
        }
    )+};
}

on_stage! {
    async fn every_operation_is_for_whom_its_row_says(stage: Stage) {
        assert_eq!(stage.document.dangling(), Vec::<String>::new());
        let operations = stage.document.operations();
        let told = operations.iter().map(|operation| (operation.name(), Needs::told(operation)));
        let told: BTreeSet<_> = told.map(|(name, needs)| format!("{name} {needs:?}")).collect();
        let wanted = stage.rows.iter().map(|(name, row)| format!("{name} {:?}", row.needs)).collect();
        let differences: Vec<_> = told.symmetric_difference(&wanted).collect();
        assert!(differences.is_empty(), "{differences:#?}");
        let mut wrong = Vec::new();
        for operation in &operations {
            let row = stage.rows[&operation.name()];
            for visitor in &stage.visitors {
                for world in [&stage.own, &stage.colleague] {
                    let at = format!("{} by {} on {}'s", operation.name(), visitor.name, world.ids["external"]);
                    let mut path_ids = world.ids.clone();
                    let named = stage.named(operation);
                    let may = match row.needs {
                        Needs::NoToken => true,
                        Needs::Key => false,
                        Needs::AnyToken => visitor.scopes.is_some(),
                        Needs::Scope(scope) => visitor.scopes.is_some_and(|scopes| scopes.contains(scope)),
                    };
                    let is_colleagues = world.ids["external"] == "colleague";
                    let refused = row.own && is_colleagues && visitor.role == Some(Role::Recruiter);
                    if operation.method == "DELETE" && may && !refused {
                        let prefix = named.last().unwrap();
                        path_ids.insert(prefix.clone(), world.fresh(prefix).await);
                    }
                    let answer = stage.call(&visitor.caller, operation, &path_ids, &world.ids).await;
                    let (status, code) = (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default());
                    let is_right = match (status, code) {
                        _ if row.needs == Needs::NoToken => status != 403,
                        (401, "unauthorized") => (visitor.scopes.is_none() || row.needs == Needs::Key) && answer.header("www-authenticate").starts_with("Bearer "),
                        (403, "forbidden") => visitor.scopes.is_some() && (!may || refused),
                        (200..=204 | 409, _) => may && !refused,
                        _ => false,
                    };
                    if !is_right {
                        wrong.push(format!("{at}: {status} {:#}", answer.body));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn what_is_not_the_callers_is_like_what_never_was(stage: Stage) {
        let mut wrong = Vec::new();
        for operation in &stage.document.operations() {
            let named = stage.named(operation);
            for visitor in stage.visitors.iter().filter(|visitor| visitor.scopes.is_some()) {
                for name in &named {
                    let own = &stage.own.ids;
                    let with = |id: &str| Ids::from_iter(own.clone().into_iter().chain([(name.clone(), id.to_owned())]));
                    let unknown = format!("{name}_{UNKNOWN}");
                    let answer = stage.call(&visitor.caller, operation, &with(&unknown), own).await;
                    let at = format!("{} by {} with the {name}", operation.name(), visitor.name);
                    if !matches!(answer.status.as_u16(), 403 | 404) {
                        wrong.push(format!("{at} of nothing: {:#}", answer.body));
                    }
                    let never_was = said(&answer, &unknown, &unknown);
                    let others = [("another agency", &stage.foreign.ids), ("the deleted", &stage.deleted)];
                    for (whose, ids) in others {
                        let Some(id) = ids.get(name) else { continue };
                        let answer = stage.call(&visitor.caller, operation, &with(id), own).await;
                        if said(&answer, id, &unknown) != never_was {
                            wrong.push(format!("{at} of {whose}: {:#}", answer.body));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn what_is_anothers_is_refused_in_bodies_and_queries_like_what_never_was(stage: Stage) {
        let mut wrong = Vec::new();
        let (own, foreign) = (&stage.own.ids, &stage.foreign.ids);
        let caller = &stage.own.admin;
        for operation in &stage.document.operations() {
            for (pointer, prefix) in stage.document.id_pointers(operation) {
                let unknown = format!("{prefix}_{UNKNOWN}");
                let mut answers = Vec::new();
                for id in [&unknown, &foreign[&prefix]] {
                    let body = completed(operation, stage.document.body(operation, own).unwrap(), own);
                    let body = stage.document.with_id(operation, body, own, &pointer, id);
                    let answer = stage.send(caller, operation, own, own, Some(body)).await;
                    answers.push(said(&answer, id, &unknown));
                }
                if answers[0] != answers[1] || answers[0].0 < 400 {
                    wrong.push(format!("{} {pointer}: {answers:#?}", operation.name()));
                }
            }
            for parameter in operation.parameters("query") {
                let Some(prefix) = stage.document.prefix(&parameter["schema"]) else { continue };
                let mut answers = Vec::new();
                let unknown = format!("{prefix}_{UNKNOWN}");
                for id in [&unknown, &foreign[&prefix]] {
                    let path = stage.path(operation, own, own);
                    let path = path.split('?').next().unwrap();
                    let answer = caller.get(&format!("{path}?{}={id}", parameter["name"].as_str().unwrap())).await;
                    answers.push(said(&answer, id, &unknown));
                }
                if answers[0] != answers[1] {
                    wrong.push(format!("{} {}: {answers:#?}", operation.name(), parameter["name"]));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
