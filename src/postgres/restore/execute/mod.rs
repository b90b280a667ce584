//! Carries out a plan on a server: a client, which is all about the server, and a ledger, which knows what has become of each
//! entry and knows no server. Whatever concerns one subject has a type of its own, whose methods are handed these two.

pub mod batch;
pub mod cascade;
pub mod client;
pub mod data;
pub mod default_privileges;
pub mod drop;
pub mod drop_failures;
pub mod drops;
pub mod entry_state;
pub mod executor;
pub mod extension_rows;
pub mod hold;
pub mod interrupt;
pub mod job;
pub mod large_object_data;
pub mod ledger;
#[cfg(test)]
mod ledger_tests;
pub mod notices;
pub mod object_privileges;
pub mod one_session;
pub mod replace_database;
pub mod required_version;
pub mod rows;
pub mod run;
pub mod savepoint;
pub mod slots;
pub mod sqlstates;
pub mod statement;
pub mod step_runner;
pub mod transaction;
pub mod unmade_rows;
pub mod window;
