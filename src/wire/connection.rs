//! A session: its state, and how messages go out and come in.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bstr::{BStr, BString};
use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::cancel::{CancelHandle, Dial};
use super::channel::Channel;
use super::error::{Error, NoAnswer, Result, Why};
use super::frame;
use super::patience::{Idle, Watch};
use super::report::{Notice, ServerError};

/// Notices beyond this number, or of more bytes than this together, push out the oldest.
const NOTICES: usize = 1000;
const NOTICE_BYTES: usize = 1024 * 1024;
/// Servers report some fifteen settings; extensions may add to them.
const PARAMETERS: usize = 1000;
/// The longest limit of time that a server takes.
const MOST_MILLISECONDS: u128 = i32::MAX as u128;
/// No setting that a server reports has a value of more than some words.
const PARAMETER_BYTES: usize = 64 * 1024;

/// A connection to a server, ready for statements.
pub struct Connection {
    pub(super) channel: Channel,
    /// Messages that go out with the next flush.
    pub(super) out: BytesMut,
    pub(super) state: Session,
    pub(super) dial: Arc<dyn Dial>,
}

/// What the server told about the session.
#[derive(Default)]
pub(super) struct Session {
    parameters: Vec<(BString, BString)>,
    pub(super) pid: i32,
    pub(super) key: i32,
    pub(super) version: i32,
    /// The names of the settings that limit the time of statements and transactions.
    pub(super) limits: &'static [&'static str],
    /// The one that is not taken away, and what it is instead.
    pub(super) kept_limit: Option<(&'static str, Duration)>,
    pub(super) transaction: u8,
    notices: VecDeque<Notice>,
    notice_bytes: usize,
    /// Whether we began the transaction block, and nobody else has run anything in it.
    pub(super) is_ours: bool,
    /// Whether the session was set up for statements of others.
    pub(super) is_set_up: bool,
    /// How many characters were put before the statement that is being run: no part of it, for errors that tell a place.
    pub(super) before: usize,
    /// Why nothing can be done with the connection any more.
    pub(super) broken: Option<String>,
}

/// One message of the server: its tag, and its body for [`Connection::body`].
pub(super) struct Message {
    pub(super) tag: u8,
    pub(super) body: Range<usize>,
}

impl Connection {
    pub(super) fn over(channel: Channel, dial: Arc<dyn Dial>) -> Self {
        Self { channel, out: BytesMut::new(), state: Session { transaction: b'I', ..Session::default() }, dial }
    }

    /// The server's version as a number: 180006 for 18.6, 90624 for 9.6.24; betas count as .0.
    pub fn server_version(&self) -> i32 {
        self.state.version
    }

    /// The value of a setting that the server reports by itself, such as `server_encoding`.
    pub fn parameter(&self, name: &str) -> Option<&BStr> {
        self.state.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_ref())
    }

    /// The process that serves this connection.
    pub fn backend_pid(&self) -> i32 {
        self.state.pid
    }

    /// `I` outside of a transaction, `T` inside of one, `E` inside of one that has failed.
    pub fn transaction_status(&self) -> u8 {
        self.state.transaction
    }

    /// Whether the connection is protected by TLS.
    pub fn is_tls(&self) -> bool {
        self.channel.is_tls()
    }

    /// The version of TLS by which it is, and the cipher suite, by their names in libpq and in the standard.
    pub fn tls(&self) -> Option<(&'static str, &'static str)> {
        self.channel.tls_facts()
    }

    /// Who is at the other end: an address with its port, or the file of a Unix socket, as far as the system tells.
    pub fn peer(&self) -> Option<String> {
        self.channel.peer()
    }

    /// Whether the connection can be used no more.
    pub fn is_broken(&self) -> bool {
        self.state.broken.is_some()
    }

    /// The notices that came since the last call, oldest first; only the last thousand are kept.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.state.notice_bytes = 0;
        std::mem::take(&mut self.state.notices).into()
    }

    /// Puts notices that were taken back before any that came since.
    pub(super) fn put_back(&mut self, notices: Vec<Notice>) {
        for notice in notices.into_iter().rev() {
            self.state.notice_bytes += notice.size();
            self.state.notices.push_front(notice);
        }
    }

    /// What cancels a statement of this connection from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { dial: Arc::clone(&self.dial), pid: self.state.pid, key: self.state.key }
    }

    /// After this moment no call waits for the server any more, whatever comes in; `None` is for ever.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.channel.set_deadline(deadline);
    }

    /// Where the server says nothing for `limit` while it is waited for, `watch` is asked whether it still works. There may be
    /// several.
    pub fn add_watch(&mut self, limit: Duration, watch: Arc<dyn Watch>) {
        self.channel.add_idle(Idle { limit, watch });
    }

    /// Nobody is asked any more where the server says nothing.
    pub(crate) fn forget_watches(&mut self) {
        self.channel.forget_idle();
    }

    /// Has one of the limits of time that the connection takes away be this one instead, from the next statement of ours on, and
    /// for those of others once the session is set up for them; `None` takes it away again.
    pub fn limit_time(&mut self, name: &'static str, limit: Option<Duration>) {
        self.state.kept_limit = limit.map(|limit| (name, limit));
    }

    /// Ends the session in an orderly way.
    pub fn close(self) {}

    /// Fails if an earlier failure left the conversation where it cannot be taken up again.
    pub(super) fn check_usable(&self, doing: &str) -> Result<()> {
        match &self.state.broken {
            None => Ok(()),
            Some(why) => Err(Error::lost(doing, format!("the connection is lost: {why}"))),
        }
    }

    pub(super) fn mark_broken(&mut self, why: impl Into<String>) {
        if self.state.broken.is_none() {
            self.state.broken = Some(why.into());
        }
    }

    /// Sends what was put into `out`.
    pub(super) fn flush(&mut self, doing: &str) -> Result<()> {
        let result = self.channel.send(&self.out);
        self.out.clear();
        if self.out.capacity() > 1024 * 1024 {
            self.out = BytesMut::new();
        }
        result.map_err(|e| self.lost_while_sending(e, doing))
    }

    /// A server that ends a session says why before it closes, and the write fails first: the reason is looked for.
    pub(super) fn lost_while_sending(&mut self, error: io::Error, doing: &str) -> Error {
        while let Ok((tag, body)) = self.channel.message() {
            if tag == b'E' {
                let report = ServerError::parse(self.channel.body(body));
                self.mark_broken(report.message.to_string());
                return Error::new(doing, Why::Ended(Box::new(report)));
            }
        }
        self.lost(&error, doing)
    }

    /// The error for a stream that failed; nothing can be done with the connection afterwards.
    pub(super) fn lost(&mut self, error: &io::Error, doing: &str) -> Error {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                "the server closed the connection unexpectedly".to_owned()
            }
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                self.mark_broken(NoAnswer.to_string());
                return Error::new(doing, Why::NoAnswer);
            }
            io::ErrorKind::OutOfMemory => "there is no memory left for what the server sends".to_owned(),
            _ => error.to_string(),
        };
        self.mark_broken(why.as_str());
        Error::lost(doing, why)
    }

    /// The error for a message that makes no sense where it came.
    pub(super) fn confused(&mut self, doing: &str, what: &str) -> Error {
        let why = format!("the server broke the protocol: {what}");
        self.mark_broken(why.as_str());
        Error::lost(doing, why)
    }

    pub(super) fn unexpected(&mut self, tag: u8, doing: &str) -> Error {
        self.confused(doing, &format!("a message of type {:?} came where it has no place", char::from(tag)))
    }

    /// The next message that is not for the session as a whole.
    pub(super) fn next(&mut self, doing: &str) -> Result<Message> {
        loop {
            let (tag, body) = self.channel.message().map_err(|e| self.lost(&e, doing))?;
            if !self.state.absorb(tag, self.channel.body(body.clone())) {
                return Ok(Message { tag, body });
            }
        }
    }

    /// As [`Connection::next`], without the rows of a result.
    pub(super) fn next_but_rows(&mut self, doing: &str) -> Result<Message> {
        while self.channel.peek().map_err(|e| self.lost(&e, doing))?.0 == b'D' {
            self.channel.skip_message().map_err(|e| self.lost(&e, doing))?;
        }
        self.next(doing)
    }

    pub(super) fn body(&self, message: &Message) -> &[u8] {
        self.channel.body(message.body.clone())
    }

    /// The error in an ErrorResponse. One that ends the session marks the connection as lost.
    pub(super) fn server_error(&mut self, message: &Message, doing: &str) -> Error {
        let mut report = ServerError::parse(self.body(message));
        report.position = report.position.map(|at| at.saturating_sub(self.state.before));
        if report.severity != "FATAL" && report.severity != "PANIC" {
            return Error::new(doing, Why::Server(Box::new(report)));
        }
        self.mark_broken(report.message.to_string());
        Error::new(doing, Why::Ended(Box::new(report)))
    }

    /// Keeps the error in an ErrorResponse in the middle of an exchange that goes on, if it is the first.
    ///
    /// # Errors
    /// It ends the session, and so the exchange.
    pub(super) fn note_failure(&mut self, message: &Message, doing: &str, failure: &mut Option<Error>) -> Result<()> {
        let error = self.server_error(message, doing);
        if self.is_broken() {
            return Err(error);
        }
        failure.get_or_insert(error);
        Ok(())
    }

    /// Reads on to the end of the exchange after an error; what comes in between belongs to what failed.
    pub(super) fn skip_to_ready(&mut self, doing: &str) -> Result<()> {
        while self.state.broken.is_none() {
            let message = self.next(doing)?;
            if message.tag == b'Z' {
                self.ready(&message);
                break;
            }
        }
        Ok(())
    }

    /// Takes the transaction's status out of a ReadyForQuery.
    pub(super) fn ready(&mut self, message: &Message) {
        if let Some(&status) = self.body(message).first() {
            self.state.transaction = status;
            self.state.is_ours &= status != b'I';
        }
    }

    /// Puts a simple Query into the outgoing messages.
    pub(super) fn put_query(&mut self, sql: &[u8]) -> Result<()> {
        frame::check_zero("a statement", sql)?;
        frame::message(&mut self.out, b'Q', |out| frame::put_cstr(out, sql))
    }
}

impl Session {
    /// The limits of time, each with the value that it is to have, as `SET` takes it.
    pub(super) fn wanted_limits(&self) -> impl Iterator<Item = (&'static str, u128)> {
        let kept = self.kept_limit;
        self.limits.iter().map(move |name| match kept {
            // None would be no limit.
            Some((kept, limit)) if kept == *name => (*name, limit.as_millis().clamp(1, MOST_MILLISECONDS)),
            _ => (*name, 0),
        })
    }

    /// Takes in a message that may come at any time; false if it is another kind of message.
    #[inline]
    pub(super) fn absorb(&mut self, tag: u8, body: &[u8]) -> bool {
        match tag {
            b'N' => {
                let notice = Notice::parse(body);
                self.notice_bytes += notice.size();
                self.notices.push_back(notice);
                let is_full = |n: usize, bytes: usize| n > NOTICES || (n > 1 && bytes > NOTICE_BYTES);
                while is_full(self.notices.len(), self.notice_bytes) {
                    let Some(oldest) = self.notices.pop_front() else { break };
                    self.notice_bytes = self.notice_bytes.saturating_sub(oldest.size());
                }
            }
            b'S' => {
                let mut fields = body;
                if let (Some(name), Some(value)) = (frame::cstr(&mut fields), frame::cstr(&mut fields))
                    && body.len() <= PARAMETER_BYTES
                {
                    let room = self.parameters.len() < PARAMETERS;
                    match self.parameters.iter_mut().find(|(n, _)| n == name) {
                        Some((_, old)) => *old = value.into(),
                        None if room => self.parameters.push((name.into(), value.into())),
                        None => {}
                    }
                }
            }
            b'A' => {}
            _ => return false,
        }
        true
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without this the server logs a lost connection. It is a courtesy: whether it arrives changes nothing.
        if self.state.broken.is_none() {
            self.channel.set_deadline(Some(Instant::now()));
            self.out.clear();
            frontend::terminate(&mut self.out);
            let _ = self.channel.send(&self.out);
            self.channel.say_goodbye();
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("pid", &self.state.pid)
            .field("version", &self.state.version)
            .field("broken", &self.state.broken)
            .finish_non_exhaustive()
    }
}
