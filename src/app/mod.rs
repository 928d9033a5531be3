//! The use cases: each function is one transaction, with everything that belongs to it.

pub mod agencies;
pub mod api_clients;
pub mod candidates;
pub mod clients;
pub mod competencies;
pub mod contacts;
pub mod context;
pub mod debriefs;
pub mod deliveries;
pub mod error;
pub mod events;
pub mod exchange;
pub mod exports;
pub mod faults;
pub mod feed;
pub mod feedback;
pub mod idempotency_keys;
pub mod imports;
pub mod inbound;
pub mod interviews;
pub mod job_orders;
pub mod letters;
pub mod mail_domains;
pub mod notes;
pub mod records;
pub mod retry_requests;
pub mod reviews;
pub mod schema;
pub mod sign_in;
pub mod users;
pub mod webhook_deliveries;
pub mod webhook_endpoints;

pub use context::Context;
pub use error::AppError;
