//! The HTTP side: each handler takes what a caller sent, calls the use case, and answers.

pub mod access;
pub mod administration;
pub mod auth;
pub mod candidates;
pub mod clients;
pub mod contacts;
pub mod cursor;
pub mod debriefs;
pub mod deliveries;
pub mod docs;
pub mod error;
pub mod etag;
pub mod feedback;
pub mod health;
pub mod input;
pub mod interviews;
pub mod job_orders;
pub mod metrics;
pub mod notes;
pub mod openapi;
pub mod page;
pub mod records;
pub mod request;
pub mod retry_requests;
pub mod routes;
pub mod routing;
