//! Asking the server to give up what another connection is doing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::channel::Channel;
use crate::{Context, ErrorKind, Result};

/// Opens another channel to the server that a connection is to, in the same way: address, TLS.
pub trait Dial: Send + Sync {
    /// A new channel, before any message of the protocol.
    ///
    /// # Errors
    /// The server cannot be reached, or TLS cannot be agreed on.
    fn dial(&self) -> Result<Channel>;
}

/// Cancels whatever statement its connection is running; can be sent to another thread.
#[derive(Clone)]
pub struct CancelHandle {
    pub(super) dial: Arc<dyn Dial>,
    pub(super) pid: i32,
    pub(super) key: Vec<u8>,
}

impl CancelHandle {
    /// Asks the server to cancel, and waits until it has taken note of it. That the statement was still running, and
    /// that it did stop, is not known: the connection itself reports it with SQLSTATE 57014.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn cancel(&self) -> Result<()> {
        let mut channel = self.dial.dial()?;
        let mut packet = Vec::with_capacity(16);
        super::frame::body(&mut packet, |out| {
            out.extend_from_slice(&80_877_102_i32.to_be_bytes());
            out.extend_from_slice(&self.pid.to_be_bytes());
            out.extend_from_slice(&self.key);
        })?;
        let doing = || "ask the server to cancel a statement";
        channel.send(&packet).context(ErrorKind::Connection, doing)?;
        channel.socket().set_read_timeout(Some(Duration::from_secs(10))).context(ErrorKind::Connection, doing)?;
        match channel.wait_for_end() {
            Ok(()) => Ok(()),
            // A server that resets instead of closing has read the packet all the same.
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Err(e) => Err(e).context(ErrorKind::Connection, doing),
        }
    }
}

impl std::fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelHandle").field("pid", &self.pid).finish_non_exhaustive()
    }
}
