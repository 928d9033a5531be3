//! The rules of the trade: words, states and calculations. Pure code: no I/O, no clock of its
//! own, no framework. Everything else in the crate may import from here; this imports nothing.

mod words;

pub mod activity;
pub mod actor;
pub mod call_sheet;
pub mod clock;
pub mod comparison;
pub mod csv_cell;
pub mod debrief;
pub mod delivery;
pub mod due;
pub mod event;
pub mod exchange;
pub mod feedback;
pub mod frame;
pub mod idempotency_key;
pub mod ids;
pub mod inbound;
pub mod interview;
pub mod jitter;
pub mod mail_domain;
pub mod mailbox;
pub mod note;
pub mod people;
pub mod record;
pub mod retry_request;
pub mod search;
pub mod state;
pub mod text;
pub mod timestamp;
pub mod webhook;
pub mod wording;
