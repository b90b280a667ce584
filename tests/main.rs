//! The one integration test binary of the workspace's root package: what lifeboat does to real databases.
//!
//! `support` gets PostgreSQL installations and starts servers; `docs/TESTING.md` says how to use it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

// First: the others use its macros.
#[macro_use]
mod support;

mod adding_a_kind;
mod beyond_pg_dump;
mod cli;
mod complete_or_loud;
mod configuration_tables;
mod connect;
mod containers;
mod dump;
mod empty_root;
mod extension_scripts;
mod faults;
mod files;
mod globals;
mod harness;
mod interop;
mod library;
mod newest_server;
mod objects;
mod packaging;
pub mod pg_tools;
mod pooler;
mod progress;
mod restore;
mod second_forms;
mod security_labels;
mod selection;
mod settings;
mod sqlite;
mod statements;
mod statistics;
mod takeover;
