//! Mirrors `src/api`.

mod candidates;
mod clients;
mod contacts;
mod health;
mod interview_debriefs;
mod interviews;
mod job_orders;
