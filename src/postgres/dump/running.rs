//! Connections whose work is of no use once the end was asked for.

use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use crate::cancellation::{Cancellation, Registration};
use crate::wire::{CancelHandle, Connection, cancel_all};

/// Connections that read. A server does not notice that nobody reads what it sends until it sends something, and it may
/// have been told to wait for a lock, or to make up a view, for hours. So what they do is cancelled when the end is asked for.
pub(super) struct Running {
    handles: Arc<Mutex<Vec<CancelHandle>>>,
    _registration: Registration,
}

impl Running {
    /// None yet.
    pub(super) fn new(cancellation: &Cancellation) -> Result<Self> {
        let handles: Arc<Mutex<Vec<CancelHandle>>> = Arc::default();
        let at_the_end = Arc::clone(&handles);
        let registration = cancellation.other(move |deadline| {
            cancel_all(&at_the_end.lock().unwrap_or_else(PoisonError::into_inner), deadline);
        })?;
        Ok(Self { handles, _registration: registration })
    }

    /// Makes a connection, and counts it among them.
    ///
    /// # Errors
    /// As `connect`.
    pub(super) fn connect(&self, connect: &dyn Fn() -> Result<Connection>) -> Result<Connection> {
        let connection = connect()?;
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(connection.cancel_handle());
        Ok(connection)
    }
}
