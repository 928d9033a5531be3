//! A demonstration holds together: as many rows as were asked for, everything that is kept twice
//! the same twice, and the same seed the same records, whichever the database.

use debrief::auth::password::Cost;
use debrief::demo::{DemoOptions, DemoSummary, fill};
use debrief::domain::clock::Clock;
use debrief::domain::note::content_hash;
use debrief::domain::timestamp::Timestamp;
use debrief::store::candidates::Candidate;
use debrief::store::clients::Client;
use debrief::store::connection::DbConn;
use debrief::store::contacts::Contact;
use debrief::store::debriefs::Debrief;
use debrief::store::deliveries::Delivery;
use debrief::store::feedback::FeedbackRow;
use debrief::store::interviews::InterviewRow;
use debrief::store::notes::Note;
use debrief::store::points::PointRow;
use debrief::store::pool::{Store, StoreError};
use debrief::store::retry_requests::RetryRequest;
use debrief::store::revisions::RevisionRow;
use debrief::store::schema;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;

use crate::support::{Database, on_both};

const AS_OF: &str = "2026-11-20";

fn options(seed: u64) -> DemoOptions {
    DemoOptions {
        seed,
        as_of: Some(AS_OF.parse().unwrap()),
        password: Some("correct horse".to_owned()),
        password_cost: Cost { memory_kib: 64, iterations: 1, parallelism: 1 },
        ..DemoOptions::default()
    }
}

fn filled(database: &Database, seed: u64) -> (Store, DemoSummary) {
    let store = database.open(Clock::system());
    let summary = fill(&store, &options(seed), |_| Ok(()), |_| ()).unwrap();
    (store, summary)
}

fn read<T>(store: &Store, work: impl FnOnce(&mut DbConn) -> QueryResult<T>) -> T {
    store.read(|conn| work(conn).map_err(StoreError::from)).unwrap()
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn number(store: &Store, sql: &str) -> i64 {
    read(store, |conn| diesel::sql_query(sql).get_result::<Number>(conn)).n
}

/// Every row of some tables, as text.
fn dump(store: &Store) -> Vec<String> {
    let mut rows = Vec::new();
    macro_rules! all {
        ($($table:ident by $key:expr => $row:ty;)+) => {$(
            let query = schema::$table::table.order($key).select(<$row>::as_select());
            rows.extend(read(store, |conn| query.load::<$row>(conn)).iter().map(|row| format!("{row:?}")));
        )+};
    }
    all! {
        clients by schema::clients::id => Client;
        contacts by schema::contacts::id => Contact;
        candidates by schema::candidates::id => Candidate;
        interviews by schema::interviews::id => InterviewRow;
        debriefs by schema::debriefs::id => Debrief;
        feedback by schema::feedback::id => FeedbackRow;
        feedback_revisions by (schema::feedback_revisions::feedback_id, schema::feedback_revisions::revision) => RevisionRow;
        points by schema::points::id => PointRow;
        retry_requests by schema::retry_requests::id => RetryRequest;
        notes by schema::notes::id => Note;
        deliveries by schema::deliveries::id => Delivery;
    }
    let parts: Vec<(String, debrief::domain::ids::AnyRecordId)> = read(store, |conn| {
        use schema::name_parts::{part, record_id, table};
        table.order((record_id, part)).select((part, record_id)).load(conn)
    });
    // The two databases sort texts in different orders.
    let mut parts: Vec<String> = parts.into_iter().map(|row| format!("{row:?}")).collect();
    parts.sort_unstable();
    let events: Vec<(String, debrief::domain::ids::AnyRecordId, Timestamp)> = read(store, |conn| {
        use schema::events::{event_type, occurred_at, record_id, seq, table};
        table.order(seq).select((event_type, record_id, occurred_at)).load(conn)
    });
    rows.extend(parts.into_iter().chain(events.into_iter().map(|event| format!("{event:?}"))));
    rows
}

/// Each of these counts what must not be.
const NEVER: &[(&str, &str)] = &[
    (
        "a retry state other than that of the newest request",
        "debriefs d WHERE coalesce(d.retry_state, '-') <> coalesce((SELECT r.state FROM retry_requests r
         WHERE r.debrief_id = d.id ORDER BY r.id DESC LIMIT 1), '-')",
    ),
    (
        "a note state other than that of the newest live note, or of the newest",
        "debriefs d WHERE coalesce(d.note_state, '-') <> coalesce(
         (SELECT n.state FROM notes n WHERE n.debrief_id = d.id AND n.state NOT IN ('rejected', 'recalled')
          ORDER BY n.id DESC LIMIT 1),
         (SELECT n.state FROM notes n WHERE n.debrief_id = d.id ORDER BY n.id DESC LIMIT 1), '-')",
    ),
    (
        "a candidate's side other than its account",
        "debriefs d JOIN feedback f ON f.debrief_id = d.id AND f.side = 'candidate' WHERE d.candidate_side <>
         CASE f.state WHEN 'submitted' THEN 'in' WHEN 'waived' THEN 'waived' ELSE 'missing' END",
    ),
    (
        "a client's side that is in without an account, or missing with one",
        "debriefs d WHERE (d.client_side = 'in') <> EXISTS (SELECT 1 FROM feedback f
         WHERE f.debrief_id = d.id AND f.side = 'client' AND f.state = 'submitted')",
    ),
    (
        "a client's side that is waived while somebody may still speak",
        "debriefs d WHERE d.client_side = 'waived' AND EXISTS (SELECT 1 FROM feedback f
         WHERE f.debrief_id = d.id AND f.side = 'client' AND f.state <> 'waived')",
    ),
    (
        "an overall rating of the candidate other than the account's",
        "debriefs d JOIN feedback f ON f.debrief_id = d.id AND f.side = 'candidate' AND f.state = 'submitted'
         WHERE coalesce(d.candidate_overall, '-') <> coalesce(f.overall, '-')",
    ),
    (
        "a panel without an account, asked for at least, of each",
        "interview_contacts p JOIN debriefs d ON d.interview_id = p.interview_id
         WHERE NOT EXISTS (SELECT 1 FROM feedback f WHERE f.debrief_id = d.id AND f.contact_id = p.contact_id)",
    ),
    (
        "a meeting's time or people other than the debrief's",
        "debriefs d JOIN interviews i ON i.id = d.interview_id JOIN job_orders j ON j.id = i.job_order_id
         WHERE d.interviewed_at <> i.starts_at OR d.interview_ends_at <> i.ends_at OR d.candidate_id <> i.candidate_id
         OR d.job_order_id <> i.job_order_id OR d.client_id <> j.client_id",
    ),
    (
        "a contact of another client",
        "interview_contacts p JOIN debriefs d ON d.interview_id = p.interview_id
         JOIN contacts c ON c.id = p.contact_id WHERE c.client_id <> d.client_id",
    ),
    (
        "a number of revisions other than the account's",
        "feedback f WHERE f.revision <> (SELECT count(*) FROM feedback_revisions r WHERE r.feedback_id = f.id)",
    ),
    ("an outcome without an end, or an end without one", "debriefs WHERE (state = 'closed') <> (outcome IS NOT NULL)"),
    (
        "a state that would move by itself",
        "debriefs WHERE (state = 'open' AND candidate_side <> 'missing' AND client_side <> 'missing')
         OR (state = 'ready' AND (candidate_side = 'missing' OR client_side = 'missing'))",
    ),
    (
        "a cancelled interview whose debrief goes on",
        "debriefs d JOIN interviews i ON i.id = d.interview_id
         WHERE (d.state = 'cancelled') <> (i.status IN ('cancelled', 'no_show'))",
    ),
    (
        "a second chance that is not linked both ways",
        "interviews i JOIN interviews former ON former.id = i.retry_of_interview_id WHERE NOT EXISTS
         (SELECT 1 FROM retry_requests r WHERE r.interview_id = former.id AND r.scheduled_interview_id = i.id
          AND r.state IN ('scheduled', 'held'))",
    ),
    (
        "a request that is agreed on without an interview",
        "retry_requests WHERE (state IN ('scheduled', 'held')) <> (scheduled_interview_id IS NOT NULL)",
    ),
    (
        "a queued note without an email to each of its contacts",
        "note_contacts c JOIN notes n ON n.id = c.note_id WHERE (n.state IN ('queued', 'recalled')) <> EXISTS
         (SELECT 1 FROM deliveries d WHERE d.note_id = n.id AND d.contact_id = c.contact_id)",
    ),
    (
        "a note that is dead for a contact to whom it went, or alive where it came to nothing",
        "note_contacts c JOIN notes n ON n.id = c.note_id LEFT JOIN deliveries d
         ON d.note_id = n.id AND d.contact_id = c.contact_id WHERE c.live = (n.state IN ('rejected', 'recalled')
         OR coalesce(d.state, '-') IN ('failed', 'abandoned'))",
    ),
    (
        "an email to somebody who must not be written to",
        "deliveries d JOIN contacts c ON c.id = d.contact_id WHERE c.off_limits",
    ),
    (
        "a number of attempts other than the delivery's",
        "deliveries d WHERE d.attempts <> (SELECT count(*) FROM delivery_attempts a WHERE a.delivery_id = d.id)",
    ),
    ("a delivery that a worker would have to hold", "deliveries WHERE state = 'sending'"),
    (
        "a waiting delivery without a time, or a time for nothing",
        "deliveries WHERE (state IN ('queued', 'deferred')) <> (next_attempt_at IS NOT NULL)",
    ),
    (
        "a history that goes backwards",
        "events a JOIN events b ON b.debrief_id = a.debrief_id AND b.seq > a.seq WHERE b.occurred_at < a.occurred_at",
    ),
    (
        "a debrief without a beginning",
        "debriefs d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.debrief_id = d.id AND e.type = 'debrief.created')",
    ),
];

fn hold_together(store: &Store) {
    for (table, rows) in [("debriefs", 200), ("interviews", 200), ("clients", 5)] {
        assert_eq!(number(store, &format!("SELECT count(*) AS n FROM {table}")), rows, "{table}");
    }
    for (what, of) in NEVER {
        assert_eq!(number(store, &format!("SELECT count(*) AS n FROM {of}")), 0, "{what}");
    }
    let states = |table: &str| number(store, &format!("SELECT count(DISTINCT state) AS n FROM {table}"));
    assert_eq!(states("debriefs"), 6);
    assert_eq!(states("feedback"), 4);
    assert!(states("notes") >= 4 && states("deliveries") >= 3 && states("retry_requests") >= 5);
    let largest = "SELECT max(n) AS n FROM (SELECT count(*) AS n FROM debriefs GROUP BY client_id) AS sizes";
    assert!(number(store, largest) >= 50);

    let begins: Timestamp = format!("{AS_OF}T00:00:00Z").parse().unwrap();
    read(store, |conn| {
        use schema::{debriefs, events};
        let ahead = events::table.filter(events::occurred_at.gt(begins)).count().get_result::<i64>(conn)?;
        assert_eq!(ahead, 0, "nothing has happened that lies ahead");
        let ended = debriefs::table.filter(debriefs::interview_ends_at.le(begins));
        let waiting = ended.filter(debriefs::state.eq("scheduled")).count().get_result::<i64>(conn)?;
        assert_eq!(waiting, 0, "what has ended is open");
        for note in schema::notes::table.select(Note::as_select()).load(conn)? {
            let hash = content_hash(&note.subject, &note.body, note.language.as_deref(), &note.contact_ids.0);
            assert_eq!(note.content_hash, hash);
        }
        Ok(())
    });
}

#[test]
fn the_same_seed_makes_the_same_records_on_either_database() {
    let (first, second, other) = (Database::sqlite(), Database::sqlite(), Database::sqlite());
    let (store, summary) = filled(&first, 1);
    assert_eq!((summary.debriefs, summary.clients, summary.users.emails.len()), (200, 5, 7));
    hold_together(&store);
    #[derive(QueryableByName)]
    struct Violation {
        #[diesel(sql_type = diesel::sql_types::Text)]
        table: String,
    }
    let violations =
        read(&store, |conn| diesel::sql_query("PRAGMA foreign_key_check").load::<Violation>(conn));
    assert!(violations.is_empty(), "{}", violations[0].table);

    let made = dump(&store);
    assert!(made.len() > 3000);
    assert!(made == dump(&filled(&second, 1).0), "a second SQLite database has other records");
    assert!(made != dump(&filled(&other, 2).0), "another seed makes the same records");
    if let Some(database) = Database::postgres() {
        let (store, _) = filled(&database, 1);
        hold_together(&store);
        for (on_postgres, on_sqlite) in dump(&store).iter().zip(&made) {
            assert_eq!(on_postgres, on_sqlite);
        }
    }
}

#[test]
fn an_agency_takes_another_seed_but_not_the_same_again() {
    let database = Database::sqlite();
    let (store, first) = filled(&database, 1);
    let again = fill(&store, &options(1), |_| Ok(()), |_| ()).unwrap_err();
    assert!(again.to_string().contains("seed 1"), "{again}");
    let mut told = Vec::new();
    let more = fill(&store, &options(2), |_| Ok(()), |written| told.push(written)).unwrap();
    assert_eq!((more.agency, more.users.emails.len(), told.last()), (first.agency, 0, Some(&200)));
    assert_eq!(number(&store, "SELECT count(*) AS n FROM debriefs"), 400);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM users"), 7);
}

on_both! {
    async fn an_agency_that_was_there_is_filled_and_serves_it(app: TestApp) {
        let name = app.admin().await.get("/v1/agency").await.expect(200)["name"].as_str().unwrap().to_owned();
        let (store, options) = (app.context.store.clone(), DemoOptions { agency: name, as_of: None, ..options(1) });
        let summary = actix_web::web::block(move || fill(&store, &options, |_| Ok(()), |_| ())).await.unwrap().unwrap();
        assert_eq!((summary.agency, summary.as_of.to_string().as_str()), (app.agency(), AS_OF));

        let ann = app.recruiter().await;
        let clients = ann.get("/v1/clients").await.expect(200);
        assert_eq!(clients["data"].as_array().unwrap().len(), 5);
        let candidate = ann.get("/v1/candidates?limit=1").await.expect(200)["data"][0].clone();
        let found = ann.get(&format!("/v1/candidates?q={}&limit=200", first_word(&candidate["name"]))).await.expect(200);
        assert!(found["data"].as_array().unwrap().contains(&candidate));
        let interviews = ann.get("/v1/interviews?status=scheduled").await.expect(200);
        assert_ne!(interviews["data"], json!([]));
        let worklist = ann.get("/v1/debriefs?overdue=true&limit=200").await.expect(200);
        let late = worklist["data"].as_array().unwrap();
        assert!(late.len() >= 3, "a lively worklist");
        let whole = ann.get(&format!("/v1/debriefs/{}", late[0]["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(whole["candidate"]["id"], late[0]["candidate"]["id"]);
        let all = ann.get("/v1/debriefs?limit=200").await.expect(200);
        assert_eq!(all["data"].as_array().unwrap().len(), 200);
        for debrief in all["data"].as_array().unwrap() {
            let path = format!("/v1/debriefs/{}", debrief["id"].as_str().unwrap());
            ann.get(&path).await.expect(200);
            ann.get(&format!("{path}/history")).await.expect(200);
        }
    }
}

fn first_word(name: &serde_json::Value) -> String {
    name.as_str().unwrap().split(' ').next().unwrap().chars().filter(char::is_ascii).take(2).collect()
}
