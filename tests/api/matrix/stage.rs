//! The world that is played in, and how an operation is called.

use std::collections::BTreeMap;

use debrief::domain::people::{Role, Scope, Scopes};
use serde_json::{Value, json};
use strum::VariantArray;

use super::rows::{Row, rows};
use super::world::World;
use crate::support::{Answer, Caller, Database, Document, Ids, Operation, TestApp};

/// Somebody who calls.
pub struct Visitor {
    pub name: String,
    pub caller: Caller,
    /// What the token allows; none if there is no good one.
    pub scopes: Option<Scopes>,
    pub role: Option<Role>,
}

impl Visitor {
    fn of_role(role: Role, caller: Caller) -> Self {
        Self { name: role.to_string(), caller, scopes: Some(role.scopes()), role: Some(role) }
    }
}

/// Everything that is played with.
pub struct Stage {
    _app: TestApp,
    pub document: Document,
    pub rows: BTreeMap<String, Row>,
    pub visitors: Vec<Visitor>,
    pub own: World,
    pub colleague: World,
    pub foreign: World,
    pub deleted: Ids,
}

impl Stage {
    pub async fn set(database: Database) -> Self {
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
    pub async fn call(&self, caller: &Caller, operation: &Operation, path_ids: &Ids, ids: &Ids) -> Answer {
        let body = self.document.body(operation, ids).map(|sample| completed(operation, sample, ids));
        self.send(caller, operation, path_ids, ids, body).await
    }

    pub async fn send(
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

    pub fn path(&self, operation: &Operation, path_ids: &Ids, ids: &Ids) -> String {
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
    pub fn named(&self, operation: &Operation) -> Vec<String> {
        let name = |parameter: &Value| {
            let name = parameter["name"].as_str().unwrap();
            self.document.prefix(&parameter["schema"]).or((name == "key").then(|| name.to_owned()))
        };
        operation.parameters("path").filter_map(name).collect()
    }
}

/// The smallest body that is right: what the schema cannot say is added.
pub fn completed(operation: &Operation, mut sample: Value, ids: &Ids) -> Value {
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
