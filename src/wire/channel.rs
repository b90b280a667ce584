//! The byte stream under the protocol: a socket, perhaps TLS on it, and the buffer that messages are read from.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::time::Instant;

use rustix::event::PollFlags;
use rustls::ClientConnection;

use super::patience::{Idle, Patience};
use super::socket::Socket;

/// The read buffer: large, because COPY's rows are taken out of it without another copy in between.
const INPUT: usize = 256 * 1024;
/// A buffer that one long message made larger than this is given back afterwards.
const INPUT_KEPT: usize = 1024 * 1024;
/// The longest message of those whose length does not depend on user data.
const SMALL_MESSAGE: usize = 1024 * 1024;
/// The longest row of a query's result. No value of the server's is longer.
const ROW: usize = 1 << 30;
/// How much of an error or a notice is kept. What they say first comes first.
const REPORT: usize = 1024 * 1024;
/// What a server may say before it reads on. One that says more never reads.
const UNREAD: usize = 256 * 1024 * 1024;

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
    patience: Patience,
}

impl Channel {
    /// A channel over `socket`, in the clear.
    pub fn plain(socket: Socket) -> Self {
        let patience = Patience::default();
        Self { socket, tls: None, input: vec![0; INPUT], start: 0, end: 0, eof: false, patience }
    }

    /// After this moment nothing is waited for any more, whatever comes in; `None` is for ever.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.patience.deadline = deadline;
    }

    /// Has nothing happen where the other side says nothing for long.
    pub(super) fn forget_idle(&mut self) {
        self.patience.idle.clear();
    }

    /// Adds to what happens where the other side says nothing for long.
    pub(super) fn add_idle(&mut self, idle: Idle) {
        self.patience.idle.push(idle);
    }

    /// This channel, which must be a fresh one, with its bytes protected by `tls`; the handshake is done here.
    ///
    /// # Errors
    /// What the operating system says, and what TLS does not accept; the deadline is over.
    pub fn with_tls(mut self, tls: ClientConnection) -> io::Result<Self> {
        self.tls = Some(Box::new(tls));
        loop {
            self.flush_tls()?;
            let Some(tls) = self.tls.as_mut() else { break };
            if !tls.is_handshaking() {
                break;
            }
            match tls.read_tls(&mut &self.socket) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.patience.check()?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.patience.wait(&self.socket, PollFlags::IN)?;
                    continue;
                }
                Err(e) => return Err(e),
            }
            if let Err(e) = tls.process_new_packets() {
                // The alert that says why is for the other side; that it cannot be sent changes nothing here.
                let _ = self.flush_tls();
                return Err(io::Error::new(io::ErrorKind::InvalidData, e));
            }
        }
        Ok(self)
    }

    /// The certificate of the server, in DER, where TLS is used.
    pub fn server_certificate(&self) -> Option<&[u8]> {
        Some(self.tls.as_ref()?.peer_certificates()?.first()?.as_ref())
    }

    /// Whether the bytes are protected by TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The protocol that both sides agreed to speak over TLS (ALPN).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.tls.as_ref()?.alpn_protocol()
    }

    /// What was agreed on for TLS, where it is used: the version of the protocol, and the cipher suite.
    pub(super) fn tls_facts(&self) -> Option<(&'static str, &'static str)> {
        let tls = self.tls.as_ref()?;
        let version = match tls.protocol_version()? {
            rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
            rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2",
            other => other.as_str()?,
        };
        Some((version, tls.negotiated_cipher_suite()?.suite().as_str()?))
    }

    /// Who is at the other end.
    pub(super) fn peer(&self) -> Option<String> {
        self.socket.peer()
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
        if self.patience.wait(&self.socket, wanted)?.contains(PollFlags::IN) {
            if self.end - self.start > UNREAD {
                return Err(io::Error::other("the server sends without end, and does not read what is sent to it"));
            }
            self.read_some()?;
        }
        Ok(())
    }

    /// Whether bytes can be read without waiting; reads them if so.
    pub(super) fn read_if_ready(&mut self) -> io::Result<bool> {
        if self.eof { Ok(false) } else { self.read_some() }
    }

    /// One read of the socket into the buffer, without waiting; true if it brought bytes of the protocol. The end of the
    /// stream is remembered rather than reported, because what came before it may be the reason for it.
    fn read_some(&mut self) -> io::Result<bool> {
        self.make_room()?;
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
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
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
            Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => return Ok(false),
            Err(e) => return Err(e),
        }
        tls.process_new_packets().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        got |= take_plaintext(tls, &mut self.input, &mut self.end, &mut self.eof)?;
        Ok(got)
    }

    fn make_room(&mut self) -> io::Result<()> {
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
                let more = self.input.len();
                self.input.try_reserve_exact(more).map_err(|_| io::ErrorKind::OutOfMemory)?;
                self.input.resize(more * 2, 0);
            }
        }
        Ok(())
    }

    /// Waits until the buffer holds more bytes than it does now.
    fn read_more(&mut self) -> io::Result<()> {
        loop {
            if self.eof {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // Whoever sends byte by byte never lets anybody wait.
            self.patience.check()?;
            if self.read_some()? {
                return Ok(());
            }
            if !self.eof {
                self.flush_tls()?;
                self.patience.wait(&self.socket, PollFlags::IN)?;
            }
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

    /// Whether a whole message lies in the buffer, or as much of it as is kept.
    pub(super) fn has_message(&self) -> io::Result<bool> {
        let bytes = self.buffered();
        Ok(match header(bytes)? {
            Some((tag, len)) => bytes.len() >= 5 + kept(tag, len),
            None => false,
        })
    }

    /// The tag and the length of the body of the next message; nothing is consumed.
    pub(super) fn peek(&mut self) -> io::Result<(u8, usize)> {
        self.need(5)?;
        header(self.buffered())?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The next message, consumed: its tag and where its body lies, until the next read. Of a report that is too long to be
    /// one for people, the end is missing. COPY's data is passed over: who wants it takes it out of the buffer.
    pub(super) fn message(&mut self) -> io::Result<(u8, Range<usize>)> {
        let (tag, len) = self.peek()?;
        let kept = kept(tag, len);
        self.need(5 + kept)?;
        self.cut(5 + kept, len - kept)?;
        let body = self.start + 5;
        self.start = body + kept;
        Ok((tag, body..body + kept))
    }

    /// Passes over the next message, whatever its length.
    pub(super) fn skip_message(&mut self) -> io::Result<()> {
        let (_, len) = self.peek()?;
        self.consume(5);
        self.cut(0, len)
    }

    /// Takes `n` bytes out of the stream that come `at` so many bytes after the next one, which are there.
    fn cut(&mut self, at: usize, n: usize) -> io::Result<()> {
        let mut left = n;
        while left > 0 {
            self.need(at + 1)?;
            let from = self.start + at;
            let here = left.min(self.end - from);
            if at == 0 {
                self.start += here;
            } else {
                self.input.copy_within(from + here..self.end, from);
                self.end -= here;
            }
            left -= here;
        }
        Ok(())
    }

    /// The bytes of a body that [`Channel::message`] told of.
    #[inline]
    pub(super) fn body(&self, range: Range<usize>) -> &[u8] {
        self.input.get(range).unwrap_or_default()
    }

    /// Waits for the other side to close.
    pub(super) fn wait_for_end(&mut self) -> io::Result<()> {
        loop {
            self.consume(usize::MAX);
            match self.read_more() {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                result => result?,
            }
        }
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
    let limit = match tag {
        b'd' | b'E' | b'N' => i32::MAX as usize,
        b'D' => ROW,
        _ => SMALL_MESSAGE,
    };
    match usize::try_from(len) {
        Ok(len) if (4..=limit).contains(&len) => Ok(Some((tag, len - 4))),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the server sent a message of type {:?} with the impossible length {len}", char::from(tag)),
        )),
    }
}

/// How much of a message's body is kept.
fn kept(tag: u8, len: usize) -> usize {
    match tag {
        b'd' => 0,
        b'E' | b'N' => len.min(REPORT),
        _ => len,
    }
}
