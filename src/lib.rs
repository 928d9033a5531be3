//! Debrief: candidate self-feedback and client feedback side by side, the retry meeting, and the
//! thank-you note relayed by email.
//!
//! Imports go one way: [`api`], [`demo`] and `jobs` → [`app`] → [`store`], [`mail`], [`auth`] → [`domain`].
//! `jobs` has [`outbound`] too.
//! [`startup`] puts them together from the [`config`].

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod failpoint;
pub mod jobs;
pub mod mail;
pub mod outbound;
pub mod startup;
pub mod store;
pub mod telemetry;
