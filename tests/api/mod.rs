//! Mirrors `src/api`.

mod administration;
mod auth;
mod body;
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
mod relay;
mod retry_requests;
mod stopping;
mod webhook_deliveries;
mod webhook_endpoints;
mod worklist;
