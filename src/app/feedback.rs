//! Feedback: one person's account in a debrief, from the first draft to its latest revision.

mod account;
mod held;
mod input;
mod put;
mod read;
mod write;

pub use input::{FeedbackInput, PointInput, WaiveInput};
pub use put::{Read, put};
pub use read::{Feedback, Revision, get, revisions};
pub use write::{create, patch, submit, waive};
