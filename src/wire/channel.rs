//! The byte stream under the protocol: a socket, perhaps TLS on it, and the buffer that messages are read from.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendFlags, send};
use rustls::ClientConnection;

/// The read buffer: large, because COPY's rows are taken out of it without another copy in between.
const INPUT: usize = 256 * 1024;
/// A buffer that one long message made larger than this is given back afterwards.
const INPUT_KEPT: usize = 1024 * 1024;
/// The longest message of those whose length does not depend on user data.
const SMALL_MESSAGE: usize = 1024 * 1024;

/// A connected stream socket.
#[derive(Debug)]
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

    /// Sends what the kernel takes at once; never waits.
    fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::DONTWAIT;
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        Ok(send(self.fd(), data, flags)?)
    }

    /// Limits how long a single read may wait; `None` is for ever.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.set_read_timeout(timeout),
            Self::Unix(s) => s.set_read_timeout(timeout),
        }
    }
}

impl Read for &Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(s) => (&*s).read(buf),
            Socket::Unix(s) => (&*s).read(buf),
        }
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

/// A socket with optional TLS and a read buffer. Reads wait; writes go on reading while they wait, so that two sides
/// that both have much to say do not wait for each other for ever.
#[derive(Debug)]
pub struct Channel {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    input: Vec<u8>,
    start: usize,
    end: usize,
    eof: bool,
}

impl Channel {
    /// A channel over `socket`, in the clear.
    pub fn plain(socket: Socket) -> Self {
        Self { socket, tls: None, input: vec![0; INPUT], start: 0, end: 0, eof: false }
    }

    /// A channel over `socket` whose bytes are protected by `tls`; the handshake is done here.
    ///
    /// # Errors
    /// What the operating system says, and what TLS does not accept.
    pub fn tls(socket: Socket, tls: ClientConnection) -> io::Result<Self> {
        let mut channel = Self { tls: Some(Box::new(tls)), ..Self::plain(socket) };
        loop {
            channel.flush_tls()?;
            let Some(tls) = channel.tls.as_mut() else { break };
            if !tls.is_handshaking() {
                break;
            }
            match tls.read_tls(&mut &channel.socket) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            if let Err(e) = tls.process_new_packets() {
                // The alert that says why is for the other side; that it cannot be sent changes nothing here.
                let _ = channel.flush_tls();
                return Err(io::Error::new(io::ErrorKind::InvalidData, e));
            }
        }
        Ok(channel)
    }

    /// The certificate of the server, in DER, where TLS is used.
    pub fn server_certificate(&self) -> Option<&[u8]> {
        Some(self.tls.as_ref()?.peer_certificates()?.first()?.as_ref())
    }

    /// Whether the bytes are protected by TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The socket, for its timeouts.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends all of `data`.
    pub(super) fn send(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            if let Some(tls) = self.tls.as_mut() {
                let n = tls.writer().write(data)?;
                data = &data[n..];
                self.flush_tls()?;
                continue;
            }
            match self.socket.try_write(data) {
                Ok(n) => data = &data[n..],
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.wait_to_write()?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn flush_tls(&mut self) -> io::Result<()> {
        while let Some(tls) = self.tls.as_mut()
            && tls.wants_write()
        {
            match tls.write_tls(&mut &self.socket) {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.wait_to_write()?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn wait_to_write(&mut self) -> io::Result<()> {
        let mut wanted = PollFlags::OUT;
        if !self.eof {
            wanted |= PollFlags::IN;
        }
        let mut fds = [PollFd::from_borrowed_fd(self.socket.fd(), wanted)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
        if fds[0].revents().contains(PollFlags::IN) {
            self.read_some()?;
        }
        Ok(())
    }

    /// Whether bytes can be read without waiting; reads them if so.
    pub(super) fn read_if_ready(&mut self) -> io::Result<bool> {
        if self.eof {
            return Ok(false);
        }
        if self.tls.is_some() {
            // What rustls has decrypted already makes the socket no more readable.
            self.make_room();
            if let Some(tls) = self.tls.as_mut()
                && take_plaintext(tls, &mut self.input, &mut self.end, &mut self.eof)?
            {
                return Ok(true);
            }
        }
        let mut fds = [PollFd::from_borrowed_fd(self.socket.fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(e) => return Err(e.into()),
        }
        self.read_some()
    }

    /// One read of the socket into the buffer; true if it brought bytes of the protocol. The end of the stream is
    /// remembered rather than reported, because what came before it may be the reason for it.
    fn read_some(&mut self) -> io::Result<bool> {
        self.make_room();
        let Some(tls) = self.tls.as_mut() else {
            loop {
                match (&self.socket).read(&mut self.input[self.end..]) {
                    Ok(0) => {
                        self.eof = true;
                        return Ok(false);
                    }
                    Ok(n) => {
                        self.end += n;
                        return Ok(true);
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
        };
        // rustls refuses to read on while decrypted bytes lie in it, so they are taken out before and after.
        let mut got = take_plaintext(tls, &mut self.input, &mut self.end, &mut self.eof)?;
        if got || self.eof {
            return Ok(got);
        }
        match tls.read_tls(&mut &self.socket) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(e) => return Err(e),
        }
        tls.process_new_packets().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        got |= take_plaintext(tls, &mut self.input, &mut self.end, &mut self.eof)?;
        Ok(got)
    }

    fn make_room(&mut self) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.input.len() > INPUT_KEPT {
                self.input.truncate(INPUT);
                self.input.shrink_to_fit();
            }
        } else if self.end == self.input.len() {
            if self.start > 0 {
                self.input.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                // Doubled only when full of bytes that did arrive: a length alone makes nothing be allocated.
                self.input.resize(self.input.len() * 2, 0);
            }
        }
    }

    /// Waits until the buffer holds more bytes than it does now.
    fn read_more(&mut self) -> io::Result<()> {
        loop {
            if self.eof {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.read_some()? {
                return Ok(());
            }
            self.flush_tls()?;
        }
    }

    /// Waits until at least `n` bytes lie in the buffer.
    pub(super) fn need(&mut self, n: usize) -> io::Result<()> {
        while self.end - self.start < n {
            self.read_more()?;
        }
        Ok(())
    }

    /// What lies in the buffer and was not consumed yet.
    #[inline]
    pub(super) fn buffered(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    #[inline]
    pub(super) fn consume(&mut self, n: usize) {
        self.start += n.min(self.end - self.start);
    }

    /// Whether a whole message lies in the buffer.
    pub(super) fn has_message(&self) -> io::Result<bool> {
        let bytes = self.buffered();
        Ok(match header(bytes)? {
            Some((_, len)) => bytes.len() >= 5 + len,
            None => false,
        })
    }

    /// The tag and the length of the body of the next message; nothing is consumed.
    pub(super) fn peek(&mut self) -> io::Result<(u8, usize)> {
        self.need(5)?;
        header(self.buffered())?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The next message, consumed: its tag and where its body lies, until the next read.
    pub(super) fn message(&mut self) -> io::Result<(u8, Range<usize>)> {
        let (tag, len) = self.peek()?;
        self.need(5 + len)?;
        let body = self.start + 5;
        self.start = body + len;
        Ok((tag, body..body + len))
    }

    /// The bytes of a body that [`Channel::message`] told of.
    #[inline]
    pub(super) fn body(&self, range: Range<usize>) -> &[u8] {
        self.input.get(range).unwrap_or_default()
    }

    /// Waits for the other side to close.
    pub(super) fn wait_for_end(&mut self) -> io::Result<()> {
        while !self.eof {
            self.end = 0;
            self.start = 0;
            self.read_some()?;
        }
        Ok(())
    }

    /// Tells the other side that TLS ends here; a failure means that it has gone already.
    pub(super) fn say_goodbye(&mut self) {
        if let Some(tls) = self.tls.as_mut() {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut &self.socket);
        }
    }
}

fn take_plaintext(tls: &mut ClientConnection, input: &mut [u8], end: &mut usize, eof: &mut bool) -> io::Result<bool> {
    let before = *end;
    while *end < input.len() {
        match tls.reader().read(&mut input[*end..]) {
            Ok(0) => {
                *eof = true;
                break;
            }
            Ok(n) => *end += n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            // The connection went away without TLS's farewell. The protocol above has message lengths and its own
            // farewell, so that a stream cut short is noticed there.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                *eof = true;
                break;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(*end > before)
}

/// Tag and length of the body, if the five bytes are there; a length that cannot be is an error.
#[inline]
pub(super) fn header(bytes: &[u8]) -> io::Result<Option<(u8, usize)>> {
    let Some((&tag, rest)) = bytes.split_first() else { return Ok(None) };
    let Some(len) = rest.first_chunk::<4>() else { return Ok(None) };
    let len = i32::from_be_bytes(*len);
    let limit =
        if matches!(tag, b'd' | b'D' | b'T' | b'E' | b'N' | b'A' | b'V') { i32::MAX as usize } else { SMALL_MESSAGE };
    match usize::try_from(len) {
        Ok(len) if (4..=limit).contains(&len) => Ok(Some((tag, len - 4))),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the server sent a message of type {:?} with the impossible length {len}", char::from(tag)),
        )),
    }
}
