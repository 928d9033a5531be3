//! An agency full of made-up records, to try the service out and to measure it.
//!
//! The same seed, number, agency name and day make the same records, to the last byte of their ids
//! and texts; only the hashes of passwords differ. Everything lies around the day of `--as-of`:
//! what has happened did so before that day began (in UTC), the next interviews are today and in
//! the two weeks after. So a worklist is lively on the day itself, which is today if nothing else
//! is said, and a service that runs soon finds today's interviews ended and opens their debriefs.

mod accounts;
mod calendar;
mod companies;
mod deliveries;
mod dice;
mod fate;
mod fill;
mod meeting;
mod notes;
mod options;
mod people;
mod plan;
mod records;
mod retries;
mod said;
mod staff;
mod story;
mod telling;
mod texts;
mod world;

pub use fill::{fill, fill_with_bar};
pub use options::{DemoOptions, DemoSummary, DemoUsers};
