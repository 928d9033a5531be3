//! The HTTP side: each handler takes what a caller sent, calls the use case, and answers.

pub mod access;
pub mod cursor;
pub mod error;
pub mod etag;
pub mod input;
pub mod metrics;
pub mod page;
pub mod request;
