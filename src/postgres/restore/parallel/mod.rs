//! Carries out a plan over several connections.
//!
//! What comes before the data is made over one connection, in the archive's order. Then the data and what comes after it
//! is handed to workers, each with a connection and a reader of the archive of its own: the largest first, nothing
//! before what it depends on, and never two at a time that would wait for each other's locks. Privileges are given over
//! the first connection again, and what has to come after them is handed out as before.

mod crew;
mod dependencies;
mod hand_out;
mod item;
pub mod schedule;
pub mod team;
#[cfg(test)]
mod tests;
mod worker;

use item::{Item, ItemIndex, Lock, Progress};
use worker::{Context, Done, Order, Worker};
