//! Mirrors `src/api`.

mod candidates;
mod clients;
mod contacts;
mod health;
mod interviews;
mod job_orders;
