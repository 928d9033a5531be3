//! Mirrors `src/api`.

mod administration;
mod auth;
mod body;
mod call_sheet;
mod candidates;
mod clients;
mod clock;
mod contacts;
mod contract;
mod debriefs;
mod deliveries;
mod docs;
mod events;
mod feedback;
mod health;
mod interview_debriefs;
mod interviews;
mod job_orders;
mod notes;
mod rate;
mod relay;
mod retry_requests;
mod reviews;
mod stopping;
mod worklist;
