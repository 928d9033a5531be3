//! Debriefs: the aftermath of interviews.

pub mod activities;
pub mod history;
pub mod lifecycle;
pub mod meeting;
pub mod worklist;
