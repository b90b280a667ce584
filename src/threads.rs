//! Threads, of which there may be none to be had: users, containers and services are limited to so many.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::error::{Error, Result};

/// Begins a thread that lives in `scope`. `doing` is what it is for, worded to follow "could not".
///
/// # Errors
/// There is none to be had.
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    doing: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work).map_err(|error| Error::no_thread(doing, error))
}
