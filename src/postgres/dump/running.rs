//! Connections whose work is of no use once the end was asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;
use crate::cancellation::{Cancellation, Registration};
use crate::wire::{CancelHandle, Connection, cancel_all};

/// A request to cancel that comes between two statements is lost. So it is repeated, but not for long: the work may be waiting for
/// something else than a server, such as the reader of its output.
const REPEATED: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(50);

/// Connections that read. A server does not notice that nobody reads what it sends until it sends something, and it may
/// have been told to wait for a lock, or to make up a view, for hours. So what they do is cancelled when the end is asked for.
pub(in crate::postgres) struct Running {
    handles: Arc<Mutex<Vec<CancelHandle>>>,
    is_over: Arc<AtomicBool>,
    cancellation: Cancellation,
    _registration: Registration,
}

impl Running {
    /// None yet.
    pub(in crate::postgres) fn new(cancellation: &Cancellation) -> Result<Self> {
        let handles: Arc<Mutex<Vec<CancelHandle>>> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let (running, ended) = (Arc::clone(&handles), Arc::clone(&is_over));
        let registration = cancellation.other(move |deadline| {
            let last = deadline.min(Instant::now() + REPEATED);
            while !ended.load(Ordering::SeqCst) {
                cancel_all(&running.lock().unwrap_or_else(PoisonError::into_inner), deadline);
                if Instant::now() >= last {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        })?;
        Ok(Self { handles, is_over, cancellation: cancellation.clone(), _registration: registration })
    }

    /// With this connection, which is there.
    pub(in crate::postgres) fn of(connection: &Connection, cancellation: &Cancellation) -> Result<Self> {
        let running = Self::new(cancellation)?;
        running.handles.lock().unwrap_or_else(PoisonError::into_inner).push(connection.cancel_handle());
        Ok(running)
    }

    /// Makes a connection, and counts it among them.
    ///
    /// # Errors
    /// As `connect`; the end was asked for meanwhile.
    pub(in crate::postgres) fn connect(&self, connect: &dyn Fn() -> Result<Connection>) -> Result<Connection> {
        let connection = connect()?;
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(connection.cancel_handle());
        self.cancellation.check()?;
        Ok(connection)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}
