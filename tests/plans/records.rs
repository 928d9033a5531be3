//! A hundred thousand debriefs, written by the database itself: believable enough for a planner.

use debrief::domain::ids::{
    CandidateId, ClientId, ContactId, DebriefId, DeliveryId, FeedbackId, Id, JobOrderId, NoteId, UserId,
    WebhookEndpointId,
};
use debrief::store::connection::DbConn;
use debrief::store::pool::StoreError;
use diesel::connection::SimpleConnection;

use crate::support::TestApp;

/// One record of each kind to filter by.
pub struct Records {
    pub client: ClientId,
    pub contact: ContactId,
    pub candidate: CandidateId,
    pub job_order: JobOrderId,
    pub recruiter: UserId,
    pub debrief: DebriefId,
    pub delivery: DeliveryId,
    /// An account without revisions: what fills the table is no account.
    pub feedback: FeedbackId,
    pub note: NoteId,
    pub endpoint: WebhookEndpointId,
}

impl Records {
    /// Those that are there once the database is filled.
    pub fn known() -> Self {
        Self {
            client: id(2, 42),
            contact: id(3, 42),
            candidate: id(4, 42),
            job_order: id(5, 42),
            recruiter: id(1, 7),
            debrief: id(7, 40),
            delivery: id(14, 42),
            feedback: id(8, 30_000),
            note: id(12, 42),
            endpoint: id(15, 42),
        }
    }
}

/// The tables in the order in which they depend on each other: how many rows, and what each row is.
/// `@id(kind, number)` is an identifier, `@at(seconds)` a moment before the clock's, `@json(…)` a
/// document, `@nothing` no bytes; `i` is the row's number.
const ROWS: &[(&str, u32, &str)] = &[
    (
        "users (id, agency_id, email, name, role, password_hash, version, created_at, updated_at)",
        40,
        "@id(1, i), @agency, 'bulk' || i || '@staff.example', 'Recruiter ' || i, 'recruiter', '!', 1, @at(i), @at(i)",
    ),
    (
        "clients (id, agency_id, name, external_refs, version, created_at, updated_at)",
        2000,
        "@id(2, i), @agency, 'Name ' || i, @json('[]'), 1, @at(i * 9000), @at(i * 9000)",
    ),
    (
        "contacts (id, agency_id, client_id, name, email, role, off_limits, email_status, external_refs, version, created_at, updated_at)",
        30000,
        "@id(3, i), @agency, @id(2, 1 + i % 2000), 'Contact ' || i, 'c' || i || '@client.example', 'interviewer', @false, 'ok', @json('[]'), 1, @at(i * 3000), @at(i * 3000)",
    ),
    (
        "candidates (id, agency_id, name, time_zone, external_refs, version, created_at, updated_at)",
        30000,
        "@id(4, i), @agency, 'Name ' || i, 'Europe/Berlin', @json('[]'), 1, @at(i * 600), @at(i * 600)",
    ),
    ("name_parts (agency_id, kind, part, record_id)", 30000, "@agency, 'candidate', 'name ' || i, @id(4, i)"),
    ("name_parts (agency_id, kind, part, record_id)", 2000, "@agency, 'client', 'name ' || i, @id(2, i)"),
    (
        "job_orders (id, agency_id, client_id, title, status, external_refs, version, created_at, updated_at)",
        8000,
        "@id(5, i), @agency, @id(2, 1 + i % 2000), 'Job ' || i, CASE WHEN i % 3 = 0 THEN 'filled' ELSE 'open' END, @json('[]'), 1, @at(i * 2200), @at(i * 2200)",
    ),
    (
        "interviews (id, agency_id, candidate_id, job_order_id, round, format, starts_at, ends_at, time_zone, status, preparation, external_refs, version, created_at, updated_at)",
        100_000,
        "@id(6, i), @agency, @id(4, 1 + i % 30000), @id(5, 1 + i % 8000), 1, 'video', @at(i * 180 + 3600), @at(i * 180), 'Europe/Berlin', CASE WHEN i % 50 = 0 THEN 'cancelled' ELSE 'held' END, @json('[]'), @json('[]'), 1, @at(i * 180), @at(i * 180)",
    ),
    (
        "interview_contacts (interview_id, contact_id, position)",
        100_000,
        "@id(6, i), @id(3, 1 + i % 30000), 0",
    ),
    (
        "debriefs (id, agency_id, interview_id, candidate_id, client_id, job_order_id, recruiter_id, state, interviewed_at, interview_ends_at, due_at, candidate_side, client_side, retry_state, note_state, matches, version, created_at, updated_at)",
        100_000,
        "@id(7, i), @agency, @id(6, i), @id(4, 1 + i % 30000), @id(2, 1 + (1 + i % 8000) % 2000), @id(5, 1 + i % 8000), @id(1, 1 + i % 40), CASE WHEN i % 50 = 0 THEN 'open' WHEN i % 70 = 0 THEN 'ready' ELSE 'closed' END, @at(i * 180 + 3600), @at(i * 180), @at(i * 180 - 7200), CASE WHEN i % 50 = 0 THEN 'missing' ELSE 'in' END, CASE WHEN i % 100 = 0 THEN 'missing' ELSE 'in' END, CASE WHEN i % 20 = 0 THEN 'requested' ELSE NULL END, CASE WHEN i % 20 = 0 THEN 'submitted' ELSE NULL END, @json('[]'), 1, @at(i * 180), @at(i * 180)",
    ),
    (
        "feedback (id, agency_id, debrief_id, side, state, revision, verbatim, narrative, ratings, version, created_at, updated_at)",
        40000,
        "@id(8, i), @agency, @id(7, i), 'candidate', 'submitted', 1, @false, 'It went so so.', @json('[]'), 1, @at(i * 180), @at(i * 180)",
    ),
    (
        "points (id, agency_id, debrief_id, feedback_id, position, kind, competency, what)",
        80000,
        "@id(9, i), @agency, @id(7, 1 + i / 2), @id(8, 1 + i / 2 % 40000), i % 2, 'slip', 'communication', 'Spoke too fast'",
    ),
    (
        "activities (id, agency_id, debrief_id, kind, outcome, conflict_of_interest, occurred_at, recorded_by, created_at, updated_at)",
        10000,
        "@id(10, i), @agency, @id(7, i), 'call', 'reached', @false, @at(i * 180), @json('{\"kind\":\"system\"}'), @at(i * 180), @at(i * 180)",
    ),
    (
        "retry_requests (id, agency_id, debrief_id, interview_id, client_id, state, is_open, grounds, what_would_differ, candidate_words, version, created_at, updated_at)",
        5000,
        "@id(11, i), @agency, @id(7, i * 20), @id(6, i * 20), @id(2, 1 + i % 2000), 'requested', @true, 'nerves', 'Calm', 'Please', 1, @at(i * 3600), @at(i * 3600)",
    ),
    (
        "notes (id, agency_id, debrief_id, contact_ids, state, subject, body, content_hash, version, created_at, updated_at)",
        20000,
        "@id(12, i), @agency, @id(7, i * 5), @json('[]'), 'submitted', 'Thank you', 'Thank you for your time.', 'x', 1, @at(i * 900), @at(i * 900)",
    ),
    (
        "note_contacts (note_id, contact_id, debrief_id, live)",
        20000,
        "@id(12, i), @id(3, 1 + i % 30000), @id(7, i * 5), @true",
    ),
    (
        "deliveries (id, agency_id, debrief_id, note_id, contact_id, position, state, transmitting, withdrawn, attempts, due_at, lease_token, envelope_from, envelope_to, message_id, message, created_at, updated_at)",
        20000,
        "@id(14, i), @agency, @id(7, i * 5), @id(12, i), @id(3, 1 + i % 30000), 0, CASE WHEN i % 400 = 0 THEN 'failed' ELSE 'sent' END, @false, @false, 1, @at(i * 900), 1, 'notes@sender.example', 'c@client.example', 'note' || i, @nothing, @at(i * 900), @at(i * 900)",
    ),
    (
        "delivery_attempts (delivery_id, number, agency_id, host, started_at)",
        20000,
        "@id(14, i), 1, @agency, 'mx.client.example', @at(i * 900)",
    ),
    (
        "feedback_revisions (feedback_id, revision, agency_id, document, recorded_by, recorded_at)",
        20000,
        "@id(8, i), 1, @agency, @json('{}'), @json('{\"kind\":\"system\"}'), @at(i * 180)",
    ),
    (
        "events (id, agency_id, type, record_id, debrief_id, actor, data, occurred_at)",
        100_000,
        "@id(13, i), @agency, 'debrief.created', @id(7, i), @id(7, i), @json('{\"kind\":\"system\"}'), @json('{}'), @at(i * 180)",
    ),
    (
        "webhook_endpoints (id, agency_id, url, event_types, secrets, position_xact, position_seq, version, created_at, updated_at)",
        1000,
        "@id(15, i), @agency, 'https://crm.example/hook', @json('[]'), @json('[]'), 0, 0, 1, @at(i * 9000), @at(i * 9000)",
    ),
    (
        "webhook_deliveries (id, agency_id, endpoint_id, event_id, event_type, body, state, attempts, lease_token, created_at, updated_at)",
        50000,
        "@id(16, i), @agency, @id(15, 1 + i % 1000), @id(13, i), 'debrief.created', '{}', CASE WHEN i % 400 = 0 THEN 'failed' ELSE 'delivered' END, 1, 1, @at(i * 50), @at(i * 50)",
    ),
];

/// Fills the service's database.
pub fn fill(app: &TestApp) -> Records {
    let now = app.clock.now().timestamp();
    let agency = app.agency().uuid().simple().to_string();
    app.context
        .store
        .exclusive(|conn| {
            let is_postgres = matches!(conn, DbConn::Postgres(_));
            let mut script = String::from("BEGIN;");
            for (table, rows, row) in ROWS {
                script.push_str(&format!(
                    "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows}) \
                     INSERT INTO {table} SELECT {} FROM numbers;",
                    spelled(row, is_postgres, now, &agency)
                ));
            }
            script.push_str("COMMIT; ANALYZE;");
            Ok::<_, StoreError>(conn.batch_execute(&script)?)
        })
        .unwrap();
    Records::known()
}

/// The same identifier that `@id` writes.
fn id<K>(kind: u64, number: u64) -> Id<K> {
    let text = format!("{kind:02}{number:014}");
    Id::from_uuid(uuid::Uuid::from_slice(text.as_bytes()).unwrap())
}

/// A row as the database spells it. Identifiers are 16 digits, read as bytes.
fn spelled(row: &str, is_postgres: bool, now: i64, agency: &str) -> String {
    let call = |text: &str, name: &str, with: &dyn Fn(&str) -> String| {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(name) {
            let inside = &rest[at + name.len()..];
            let mut depth = 1;
            let end = inside
                .char_indices()
                .find(|(_, c)| {
                    depth += i32::from(*c == '(') - i32::from(*c == ')');
                    depth == 0
                })
                .unwrap()
                .0;
            out.push_str(&rest[..at]);
            out.push_str(&with(&inside[..end]));
            rest = &inside[end + 1..];
        }
        out + rest
    };
    let row = call(row, "@id(", &|arguments| {
        let (kind, number) = arguments.split_once(',').unwrap();
        let digits = format!("lpad(CAST({kind} AS text), 2, '0') || lpad(CAST({number} AS text), 14, '0')");
        if is_postgres {
            format!("CAST(encode(convert_to({digits}, 'UTF8'), 'hex') AS uuid)")
        } else {
            format!("CAST(printf('%02d%014d', {kind}, {number}) AS BLOB)")
        }
    });
    let row = call(&row, "@at(", &|seconds| {
        if is_postgres {
            format!("to_timestamp({now} - ({seconds}))")
        } else {
            format!("({now} - ({seconds})) * 1000000")
        }
    });
    let row = call(&row, "@json(", &|text| {
        if is_postgres { format!("CAST({text} AS jsonb)") } else { text.to_owned() }
    });
    let nothing = if is_postgres { "CAST('' AS bytea)" } else { "x''" };
    let (yes, no) = if is_postgres { ("TRUE", "FALSE") } else { ("1", "0") };
    let agency = if is_postgres { format!("CAST('{agency}' AS uuid)") } else { format!("x'{agency}'") };
    row.replace("@nothing", nothing).replace("@true", yes).replace("@false", no).replace("@agency", &agency)
}
