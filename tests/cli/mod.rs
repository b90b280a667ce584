//! The command line itself: help, usage, exit codes, JSON, the environment.

mod drill;
mod list;
mod postgres;
mod usage;
mod verify;
