//! One record of every kind, and who made them.

use std::time::Duration;

use actix_web::http::Method;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Caller, Ids, Scene, TestApp, id};

/// What a recruiter and an administrator of one agency have made.
pub struct World {
    pub recruiter: Caller,
    pub admin: Caller,
    /// The ids of the records, by prefix, and the names of those that go by a name.
    pub ids: Ids,
}

impl World {
    /// A world of the app's agency.
    pub async fn at_home(app: &TestApp, name: &str) -> Self {
        Self::made_by(app.recruiter().await, app.admin().await, name).await
    }

    /// The same of another agency.
    pub async fn elsewhere(app: &TestApp) -> Self {
        let stranger = app.stranger(Role::Admin).await;
        Self::made_by(stranger.clone(), stranger, "elsewhere").await
    }

    /// Makes one record of every kind; `name` tells the worlds apart.
    async fn made_by(recruiter: Caller, admin: Caller, name: &str) -> Self {
        let mut world = Self { recruiter, admin, ids: Ids::new() };
        world.records(name).await;
        world.debrief().await;
        world.note().await;
        world.administration(name).await;
        world
    }

    async fn records(&mut self, name: &str) {
        let scene = Scene::set(&self.recruiter).await;
        let refs = json!([{"system": "crm", "id": name}]);
        let interview = scene.past(json!({"external_refs": refs}));
        let interview = self.recruiter.made("/v1/interviews", interview).await;
        for (path, record) in [
            ("clients", &scene.client),
            ("contacts", &scene.manager),
            ("candidates", &scene.candidate),
            ("job-orders", &scene.order),
        ] {
            let named = json!({"external_refs": refs});
            self.recruiter.patch(&format!("/v1/{path}/{record}"), named).await.expect(200);
        }
        self.keep(&interview);
        self.ids.insert("dbf".to_owned(), interview["debrief_id"].as_str().unwrap().to_owned());
        self.ids.insert("external".to_owned(), name.to_owned());
        for id in [scene.client, scene.manager, scene.candidate, scene.order] {
            self.ids.insert(id[..3].to_owned(), id);
        }
    }

    async fn debrief(&mut self) {
        let slip = |what: &str| json!({"kind": "slip", "competency": "communication", "what": what});
        let account = json!({
            "side": "candidate", "channel": "phone", "narrative": "So it went.",
            "points": [slip("Rambled."), slip("Stuttered.")],
        });
        let account = self.recruiter.made(&self.inside("feedback"), account).await;
        self.ids.insert("pnt".to_owned(), id(&account["points"][0]));
        self.ids.insert("another point".to_owned(), id(&account["points"][1]));
        self.keep(&account);
        let points = json!([account["points"][0]["id"], account["points"][1]["id"]]);
        let same = json!({"points": points, "same": true});
        let same = self.recruiter.made(&self.inside("matches"), same).await;
        self.keep(&same);
        let wish = json!({"grounds": "nerves", "what_would_differ": "Calm.", "candidate_words": "Again."});
        let wish = self.recruiter.made(&self.inside("retry-requests"), wish).await;
        self.keep(&wish);
    }

    async fn note(&mut self) {
        let draft =
            json!({"contact_ids": [self.ids["con"]], "subject": "Thanks", "body": "Thank you.\n\nTomás"});
        let note = self.recruiter.made(&self.inside("notes"), draft).await;
        let any = self.recruiter.with("If-Match", "*");
        let path = format!("/v1/notes/{}", id(&note));
        let note = any.post(&format!("{path}/submit"), json!({})).await.expect(200);
        let approval = json!({"content_hash": note["content_hash"]});
        let note = any.post(&format!("{path}/approve"), approval).await.expect(200);
        self.keep(&note["deliveries"][0]);
        self.keep(&note);
    }

    async fn administration(&mut self, name: &str) {
        let user = json!({
            "name": "Ben", "email": format!("{name}@hanse.example"), "role": "auditor",
            "password": "correct horse",
        });
        for (path, body) in [
            ("/v1/users", user),
            ("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read"]})),
            ("/v1/webhook-endpoints", json!({"url": "https://crm.example/hooks"})),
        ] {
            let made = self.admin.made(path, body).await;
            self.keep(&made);
        }
        let key = format!("key_{name}");
        self.admin.made("/v1/competencies", json!({"key": key, "name": "Patience"})).await;
        self.ids.insert("key".to_owned(), key);
        self.ids.insert("kind".to_owned(), "clients".to_owned());
        let (path, file) = ("/v1/imports?kind=clients", b"name\nNordwind\n".to_vec());
        let later = self.admin.with("Prefer", "respond-async");
        let import = later.send(Method::POST, path, "text/csv", file).await.expect(202);
        self.keep(&import);
        // On PostgreSQL the feed is empty as long as transactions of other tests are under way.
        let event = loop {
            let events = self.admin.get("/v1/events?limit=1").await.expect(200);
            if let Some(event) = events["data"].get(0) {
                break event.clone();
            }
            actix_web::rt::time::sleep(Duration::from_millis(5)).await;
        };
        self.keep(&event);
    }

    /// A record of a kind that may be deleted.
    pub async fn fresh(&self, prefix: &str) -> String {
        let client = &self.ids["cli"];
        let (path, body) = match prefix {
            "cli" => ("/v1/clients".to_owned(), json!({"name": "Nordwind"})),
            "con" => ("/v1/contacts".to_owned(), json!({"client_id": client, "name": "Ines"})),
            "cnd" => ("/v1/candidates".to_owned(), json!({"name": "Tomás"})),
            "job" => ("/v1/job-orders".to_owned(), json!({"client_id": client, "title": "Driver"})),
            "int" => ("/v1/interviews".to_owned(), self.interview()),
            "whk" => ("/v1/webhook-endpoints".to_owned(), json!({"url": "https://crm.example/hooks"})),
            "mat" => {
                let account = format!("/v1/feedback/{}", self.ids["fbk"]);
                let points = &self.admin.get(&account).await.expect(200)["points"];
                let same = json!({"points": [points[0]["id"], points[1]["id"]], "same": true});
                // There may be one already: then this answers 200.
                return id(&self.recruiter.post(&self.inside("matches"), same).await.body);
            }
            _ => panic!("nothing deletes {prefix}"),
        };
        let maker = if prefix == "whk" { &self.admin } else { &self.recruiter };
        id(&maker.made(&path, body).await)
    }

    /// Records of every kind that can be deleted, deleted.
    pub async fn deleted(&self) -> Ids {
        let mut ids = Ids::new();
        for (prefix, noun) in [
            ("cli", "clients"),
            ("con", "contacts"),
            ("cnd", "candidates"),
            ("job", "job-orders"),
            ("whk", "webhook-endpoints"),
        ] {
            let record = self.fresh(prefix).await;
            self.admin.delete(&format!("/v1/{noun}/{record}")).await.expect(204);
            ids.insert(prefix.to_owned(), record);
        }
        // With an interview go its debrief and the accounts that were asked for.
        let interview = self.recruiter.made("/v1/interviews", self.interview()).await;
        let debrief = interview["debrief_id"].as_str().unwrap();
        let whole = self.recruiter.get(&format!("/v1/debriefs/{debrief}")).await.expect(200);
        for record in [id(&interview), debrief.to_owned(), id(&whole["feedback"][0])] {
            ids.insert(record[..3].to_owned(), record);
        }
        self.recruiter.delete(&format!("/v1/interviews/{}", id(&interview))).await.expect(204);
        ids
    }

    fn interview(&self) -> Value {
        json!({
            "candidate_id": self.ids["cnd"], "job_order_id": self.ids["job"], "contact_ids": [self.ids["con"]],
            "starts_at": "2026-11-21T09:00:00Z", "ends_at": "2026-11-21T10:00:00Z", "format": "video",
        })
    }

    fn inside(&self, noun: &str) -> String {
        format!("/v1/debriefs/{}/{noun}", self.ids["dbf"])
    }

    fn keep(&mut self, record: &Value) {
        let id = id(record);
        self.ids.insert(id[..3].to_owned(), id);
    }
}
