//! A connected stream socket. Nothing here blocks but [`Socket::wait`], which has an end.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// A connected stream socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Socket {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A Unix domain socket.
    Unix(UnixStream),
}

impl Socket {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(s) => s.as_fd(),
            Self::Unix(s) => s.as_fd(),
        }
    }

    /// Who is at the other end: an address with its port, or the file of a socket. `None` where the system does not tell, and where
    /// the socket has no file.
    pub(super) fn peer(&self) -> Option<String> {
        match self {
            Self::Tcp(s) => Some(s.peer_addr().ok()?.to_string()),
            Self::Unix(s) => Some(s.peer_addr().ok()?.as_pathname()?.display().to_string()),
        }
    }

    /// Sends what the kernel takes at once; never waits.
    pub(super) fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::DONTWAIT;
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        Ok(send(self.fd(), data, flags)?)
    }

    /// Takes what has come; never waits.
    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let (read, _) = recv(self.fd(), buf, RecvFlags::DONTWAIT)?;
        Ok(read)
    }

    /// Waits until something of what is `wanted` can be done, or the other side is gone; empty if the time is over.
    pub(super) fn wait(&self, wanted: PollFlags, until: Option<Instant>) -> io::Result<PollFlags> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let timeout = left.map(timespec);
            let mut fds = [PollFd::from_borrowed_fd(self.fd(), wanted)];
            match poll(&mut fds, timeout.as_ref()) {
                // It may have woken up a little early.
                Ok(0) if until.is_some_and(|until| Instant::now() < until) => {}
                Ok(0) => return Ok(PollFlags::empty()),
                Ok(_) => return Ok(fds[0].revents()),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Sends `request` and reads one byte, and not a byte more: what lies behind it belongs to somebody else.
    ///
    /// # Errors
    /// What the operating system says; the time is over, the other side has closed.
    pub fn ask(&self, mut request: &[u8], until: Option<Instant>) -> io::Result<u8> {
        while !request.is_empty() {
            match self.try_write(request) {
                Ok(n) => request = &request[n..],
                Err(e) => self.wait_after(e, PollFlags::OUT, until)?,
            }
        }
        let mut answer = [0];
        loop {
            match self.try_read(&mut answer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(answer[0]),
                Err(e) => self.wait_after(e, PollFlags::IN, until)?,
            }
        }
    }

    fn wait_after(&self, error: io::Error, wanted: PollFlags, until: Option<Instant>) -> io::Result<()> {
        match error.kind() {
            io::ErrorKind::Interrupted => Ok(()),
            io::ErrorKind::WouldBlock if self.wait(wanted, until)?.is_empty() => Err(io::ErrorKind::TimedOut.into()),
            io::ErrorKind::WouldBlock => Ok(()),
            _ => Err(error),
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() }
}

impl Read for &Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_read(buf)
    }
}

impl Write for &Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.try_write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
