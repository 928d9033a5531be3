//! Mirrors `src/api`.

mod administration;
mod auth;
mod clients;
mod docs;
mod candidates;
mod clients;
mod contacts;
mod health;
mod interview_debriefs;
mod interviews;
mod job_orders;
