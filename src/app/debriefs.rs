//! Debriefs: the aftermath of interviews.

pub mod activities;
pub mod call_sheet;
pub mod history;
pub mod lifecycle;
pub mod matches;
pub mod meeting;
pub mod transitions;
pub mod view;
pub mod worklist;
