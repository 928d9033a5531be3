//! Mirrors `src/api`.

mod administration;
mod auth;
mod candidates;
mod clients;
mod contacts;
mod deliveries;
mod docs;
mod health;
mod interview_debriefs;
mod interviews;
mod job_orders;
mod notes;
mod relay;
mod retry_requests;
