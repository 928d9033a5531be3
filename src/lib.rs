//! Debrief: candidate self-feedback and client feedback side by side, the retry meeting, and the
//! thank-you note relayed by email.
//!
//! Imports go one way: [`api`], [`demo`] and `jobs` → [`app`] → [`store`], [`mail`], [`auth`] → [`domain`].
//! `jobs` has [`outbound`] too.
//! [`startup`] puts them together from the [`config`].

// `fuzz/` reads mail and needs no more: with its instruments the rest takes many minutes and gigabytes to build.
#[cfg(not(fuzzing))]
pub mod api;
#[cfg(not(fuzzing))]
pub mod app;
#[cfg(not(fuzzing))]
pub mod auth;
#[cfg(not(fuzzing))]
pub mod cli;
#[cfg(not(fuzzing))]
pub mod config;
#[cfg(not(fuzzing))]
pub mod demo;
pub mod domain;
pub mod failpoint;
#[cfg(not(fuzzing))]
pub mod jobs;
pub mod mail;
#[cfg(not(fuzzing))]
pub mod outbound;
#[cfg(not(fuzzing))]
pub mod startup;
#[cfg(not(fuzzing))]
pub mod store;
#[cfg(not(fuzzing))]
pub mod telemetry;
