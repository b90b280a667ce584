//! The command line itself: help, usage, exit codes, JSON, the environment.

mod drill;
mod hostile;
mod list;
mod postgres;
mod usage;
mod verify;
