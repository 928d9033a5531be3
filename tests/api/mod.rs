//! Mirrors `src/api`.

mod administration;
mod auth;
mod clients;
mod docs;
mod health;
