//! What each operation needs.

use std::collections::BTreeMap;

use debrief::domain::people::Scope;

use crate::support::Operation;

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

/// What a row says.
#[derive(Clone, Copy)]
pub struct Row {
    pub needs: Needs,
    /// A recruiter is refused a colleague's record.
    pub own: bool,
}

/// What the caller has to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
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
    pub fn told(operation: &Operation) -> Self {
        match operation.scope().as_deref() {
            None => Self::NoToken,
            Some("") => Self::AnyToken,
            Some(scope) => Self::read(scope),
        }
    }
}

/// Every row, by its operation.
pub fn rows() -> BTreeMap<String, Row> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let row = Row { needs: Needs::read(words[2]), own: words.get(3) == Some(&"own") };
        (format!("{} {}", words[0], words[1]), row)
    };
    ROWS.lines().filter(|line| !line.is_empty()).map(row).collect()
}
