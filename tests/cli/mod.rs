//! The command line itself: help, usage, exit codes, JSON, the environment.

mod all_databases;
mod backup_names;
mod check;
mod drill;
mod drill_ended;
mod hostile;
mod list;
mod mangled;
mod manuals;
mod naming;
mod passwords;
mod postgres;
mod prune;
mod status;
mod streams;
mod usage;
mod verify;
