//! Queries and nothing else: one layer over SQLite and PostgreSQL.
//!
//! A query that is given an id from outside takes the agency's first, after the connection; one that
//! goes on from a row that was found, or that works for all agencies, takes none. What differs
//! between the two databases stays in this folder.

pub mod activities;
pub mod agencies;
pub mod api_clients;
pub mod bulk;
pub mod candidates;
pub mod clients;
#[expect(missing_docs, reason = "what diesel derives has no comments of its own")]
pub mod connection;
pub mod contacts;
pub mod correspondents;
pub mod debrief_view;
pub mod debriefs;
pub mod deliveries;
pub mod events;
pub mod feedback;
pub mod history;
pub mod idempotency_keys;
pub mod imports;
pub mod inbound;
pub mod interviews;
pub mod job_orders;
pub mod kept;
pub mod lock_file;
pub mod mail_domains;
pub mod migrations;
pub mod names;
pub mod notes;
pub mod points;
pub mod pool;
pub mod prepared;
pub mod record;
pub mod retry_requests;
pub mod revisions;
#[expect(missing_docs, reason = "what diesel derives has no comments of its own")]
pub mod schema;
pub mod sign_ins;
pub mod types;
pub mod users;
pub mod webhook_deliveries;
pub mod webhook_endpoints;
pub mod worklist;
