//! Debriefs: the aftermath of interviews.

pub mod lifecycle;
pub mod meeting;
