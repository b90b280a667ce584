//! Asking the server to give up what another connection is doing.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::channel::Channel;
use super::error::{Error, Result};

/// How long one request may take. It is a handful of bytes.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many requests are on their way at a time.
const AT_ONCE: usize = 16;

/// Opens another channel to the server that a connection is to, in the same way: address, TLS.
pub trait Dial: Send + Sync {
    /// A new channel, before any message of the protocol, with `deadline` as its own.
    ///
    /// # Errors
    /// The server cannot be reached, or TLS cannot be agreed on, by the deadline.
    fn dial(&self, deadline: Option<Instant>) -> Result<Channel, Box<dyn std::error::Error + Send + Sync>>;
}

/// Cancels whatever statement its connection is running; can be sent to another thread.
#[derive(Clone)]
pub struct CancelHandle {
    pub(super) dial: Arc<dyn Dial>,
    pub(super) pid: i32,
    pub(super) key: i32,
}

/// Cancels what all these connections are doing, many at a time, and waits no longer than until `deadline`. Whether a
/// request has arrived nobody is told: a server that cannot be reached any more does nothing for this process either.
pub fn cancel_all(handles: &[CancelHandle], deadline: Instant) {
    let cancel = |handles: &[CancelHandle]| {
        for handle in handles {
            let _ = handle.cancel_by(deadline.min(Instant::now() + PATIENCE));
        }
    };
    let Some((first, others)) = handles.split_first() else { return };
    thread::scope(|scope| {
        for share in others.chunks(others.len().div_ceil(AT_ONCE - 1).max(1)) {
            let spawned = thread::Builder::new().name("cancel".into()).spawn_scoped(scope, move || cancel(share));
            if spawned.is_err() {
                cancel(share);
            }
        }
        cancel(std::slice::from_ref(first));
    });
}

impl CancelHandle {
    /// Asks the server to cancel, and waits until it has taken note of it, some seconds at most. That the statement was
    /// still running, and that it did stop, is not known: the connection itself reports it with SQLSTATE 57014.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn cancel(&self) -> Result<()> {
        self.cancel_by(Instant::now() + PATIENCE)
    }

    /// As [`CancelHandle::cancel`], with another end to waiting.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn cancel_by(&self, deadline: Instant) -> Result<()> {
        let lost = |why: &dyn std::fmt::Display| Error::lost("ask the server to cancel a statement", why.to_string());
        let mut channel = self.dial.dial(Some(deadline)).map_err(|e| lost(&e))?;
        let mut request = BytesMut::new();
        frontend::cancel_request(self.pid, self.key, &mut request);
        channel.send(&request).map_err(|e| lost(&e))?;
        match channel.wait_for_end() {
            // A server that resets instead of closing has read the request all the same.
            Err(e) if e.kind() != io::ErrorKind::ConnectionReset => Err(lost(&e)),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelHandle").field("pid", &self.pid).finish_non_exhaustive()
    }
}
