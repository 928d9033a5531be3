//! Debriefs: the aftermath of interviews.

pub mod lifecycle;
