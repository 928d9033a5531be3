//! The people and the vacancy that most tests need.

use serde_json::{Value, json};

use super::Caller;

/// A client with two contacts, a job order of the client, and a candidate in Berlin; by their ids.
pub struct Scene {
    pub client: String,
    pub manager: String,
    pub peer: String,
    pub order: String,
    pub candidate: String,
}

impl Scene {
    /// Makes it all.
    pub async fn set(caller: &Caller) -> Self {
        let client = id(&caller.made("/v1/clients", json!({"name": "Nordwind Logistics"})).await);
        let contact = |name: &str, email: &str, role: &str| {
            caller.made(
                "/v1/contacts",
                json!({"client_id": client, "name": name, "email": email, "role": role}),
            )
        };
        let manager = id(&contact("Ines Okafor", "ines@nordwind.example", "hiring_manager").await);
        let peer = id(&contact("Jens Brandt", "jens@nordwind.example", "interviewer").await);
        let order =
            id(&caller.made("/v1/job-orders", json!({"client_id": client, "title": "Shift lead"})).await);
        let candidate =
            json!({"name": "Tomás Herrera", "email": "tomas@home.example", "time_zone": "Europe/Berlin"});
        let candidate = id(&caller.made("/v1/candidates", candidate).await);
        Self { client, manager, peer, order, candidate }
    }

    /// The body of an interview with both contacts that ended an hour before the test begins, with
    /// other fields laid over it.
    pub fn past(&self, fields: Value) -> Value {
        self.interview("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", fields)
    }

    /// The body of an interview with both contacts that began half an hour before the test begins and
    /// ends half an hour after, with other fields laid over it.
    pub fn under_way(&self, fields: Value) -> Value {
        self.interview("2026-11-20T11:30:00Z", "2026-11-20T12:30:00Z", fields)
    }

    /// The body of an interview with both contacts on the day after, with other fields laid over it.
    pub fn to_come(&self, fields: Value) -> Value {
        self.interview("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", fields)
    }

    fn interview(&self, starts_at: &str, ends_at: &str, fields: Value) -> Value {
        let mut body = json!({
            "candidate_id": self.candidate, "job_order_id": self.order,
            "contact_ids": [self.manager, self.peer], "format": "video",
            "starts_at": starts_at, "ends_at": ends_at,
        });
        json_patch::merge(&mut body, &fields);
        body
    }
}

/// The id of a record.
#[track_caller]
pub fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}
