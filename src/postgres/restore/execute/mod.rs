//! Carries out a plan on a server: a client, which is all about the server, and a ledger, which knows what has become of each
//! entry and knows no server. An `Executor` has both, and goes through the steps: rows, large objects and the like are methods of
//! it, each subject in a file of its own. What is about a client and a ledger only is a type whose methods are handed these.

mod batch;
mod begun;
mod client;
mod default_privileges;
mod drop;
mod drops;
pub mod entry_state;
mod executor;
mod extension_rows;
mod hold;
mod interrupt;
mod job;
mod large_object_data;
mod ledger;
#[cfg(test)]
mod ledger_tests;
mod object_privileges;
pub mod one_session;
mod replace_database;
mod required_version;
mod reserved;
mod rows;
pub mod run;
mod slots;
pub mod statement;
mod steps;
mod transaction;
mod unmade_rows;
mod window;

pub use client::{Client, Transaction};
pub use executor::{Executor, Learnt};
pub use interrupt::Interrupt;
pub use job::Job;
pub use ledger::{Ledger, Outcome, States};
