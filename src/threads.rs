//! Threads, of which there may be none to be had: users, containers and services are limited to so many.

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

use crate::error::{Error, ErrorKind, Result};

/// Begins a thread that lives in `scope`. `doing` is what it is for, worded to follow "could not".
///
/// # Errors
/// There is none to be had.
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    doing: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work).map_err(|error| none(doing, error))
}

/// Begins a thread that lives as long as it likes. `doing` is what it is for, worded to follow "could not".
///
/// # Errors
/// There is none to be had.
pub fn spawn<T: Send + 'static>(doing: &str, work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
    Builder::new().spawn(work).map_err(|error| none(doing, error))
}

fn none(doing: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, doing)
        .why(format!("there is no thread to be had: {error}"))
        .hint("raise the limit on processes and threads: ulimit -u, TasksMax= of a service, pids.max of a container")
}
