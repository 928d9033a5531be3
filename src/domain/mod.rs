//! The rules of the trade: words, states and calculations. Pure code: no I/O, no clock of its
//! own, no framework. Everything else in the crate may import from here; this imports nothing.

mod words;

pub mod clock;
pub mod delivery;
pub mod ids;
pub mod state;
pub mod text;
