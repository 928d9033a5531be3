//! Mirrors `src/api`.

mod administration;
mod auth;
mod candidates;
mod clients;
mod clients;
mod contacts;
mod contacts;
mod contacts;
mod debriefs;
mod clients;
mod contacts;
mod deliveries;
mod docs;
mod feedback;
mod health;
mod interview_debriefs;
mod interviews;
mod job_orders;
mod worklist;
mod notes;
mod relay;
mod retry_requests;
