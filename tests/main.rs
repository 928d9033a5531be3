//! The service from outside: real HTTP, a database for each test, SQLite and PostgreSQL.
//!
//! PostgreSQL is used where `DEBRIEF_TEST_POSTGRES_URL` names a server on which databases may be
//! made; without it that half is passed over, or fails if `DEBRIEF_TEST_REQUIRE_POSTGRES` is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod api;
mod cli;
mod demo;
mod mail_domains;
mod migrations;
mod plans;
mod store;
mod support;
