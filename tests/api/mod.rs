//! Mirrors `src/api`.

mod clients;
mod health;
