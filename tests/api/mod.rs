//! Mirrors `src/api`.

mod administration;
mod auth;
mod candidates;
mod clients;
mod contacts;
mod docs;
mod health;
mod interview_debriefs;
mod interviews;
mod job_orders;
