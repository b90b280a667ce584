//! Connections whose work is of no use once a signal has ended the process.

use std::sync::{Arc, Mutex, PoisonError};

use super::target::Target;
use crate::Result;
use crate::cleanup::{self, Registration};
use crate::wire::{CancelHandle, Connection, cancel_all};

/// Connections that read. A server does not notice that nobody reads what it sends until it sends something, and it may
/// have been told to wait for a lock, or to make up a view, for hours. So what they do is cancelled when a signal ends the
/// process.
#[derive(Debug)]
pub struct Running {
    handles: Arc<Mutex<Vec<CancelHandle>>>,
    _registration: Registration,
}

impl Running {
    /// None yet.
    pub fn new() -> Self {
        let handles: Arc<Mutex<Vec<CancelHandle>>> = Arc::default();
        let at_the_end = Arc::clone(&handles);
        let registration = Registration::other(move || {
            cancel_all(&at_the_end.lock().unwrap_or_else(PoisonError::into_inner), cleanup::deadline());
        });
        Self { handles, _registration: registration }
    }

    /// Connects, and counts the connection among them.
    ///
    /// # Errors
    /// As [`Target::connect`].
    pub fn connect(&self, target: &Target) -> Result<Connection> {
        let connection = target.connect()?;
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(connection.cancel_handle());
        Ok(connection)
    }
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}
