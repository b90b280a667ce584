//! COPY … TO STDOUT: the server's data, as raw bytes, as fast as they come.

use super::channel::header;
use super::connection::Connection;
use super::error::{Error, Result};

const DOING: &str = "copy data out of the server";

impl Connection {
    /// Starts `COPY … TO STDOUT`.
    ///
    /// # Errors
    /// The server's; a statement that is no such COPY.
    pub fn copy_out(&mut self, sql: &[u8]) -> Result<CopyOut<'_>> {
        self.check_usable(DOING)?;
        let (text, before) = self.guarded(sql, DOING)?;
        let is_alone = before > 0;
        let begun = self.put_query(&text).and_then(|()| self.flush(DOING)).and_then(|()| self.await_copy(b'H', DOING));
        if let Err(error) = begun {
            if is_alone {
                self.end_failed()?;
            }
            return Err(error);
        }
        Ok(CopyOut { connection: self, done: false, rows: 0, left: 0, is_alone })
    }

    /// Reads up to the answer that starts a COPY; anything else is an error, after which the connection is usable.
    pub(super) fn await_copy(&mut self, wanted: u8, doing: &str) -> Result<()> {
        let mut failure = None;
        loop {
            let message = self.next(doing)?;
            match message.tag {
                tag if tag == wanted && failure.is_none() => return Ok(()),
                b'G' => {
                    failure.get_or_insert_with(|| no_copy(doing));
                    self.refuse_copy(doing)?;
                }
                b'H' => {
                    failure.get_or_insert_with(|| no_copy(doing));
                }
                b'T' | b'D' | b'C' | b'I' | b'd' | b'c' => {}
                b'E' => self.note_failure(&message, doing, &mut failure)?,
                b'Z' => {
                    self.ready(&message);
                    return Err(failure.unwrap_or_else(|| no_copy(doing)));
                }
                tag => return Err(self.unexpected(tag, doing)),
            }
        }
    }

    /// Reads what follows a COPY, to the end of the exchange; the number of rows.
    pub(super) fn finish_copy(&mut self, doing: &str) -> Result<u64> {
        let mut rows = 0;
        let mut failure = None;
        loop {
            let message = self.next(doing)?;
            match message.tag {
                b'C' => {
                    // A COMMIT may follow.
                    let Some(tag) = self.body(&message).strip_prefix(b"COPY ") else { continue };
                    let digits = tag.split(|b| !b.is_ascii_digit()).rfind(|part| !part.is_empty()).unwrap_or_default();
                    rows = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()).unwrap_or(0);
                }
                b'c' => {}
                b'E' => self.note_failure(&message, doing, &mut failure)?,
                b'Z' => {
                    self.ready(&message);
                    return failure.map_or(Ok(rows), Err);
                }
                tag => return Err(self.unexpected(tag, doing)),
            }
        }
    }
}

fn no_copy(doing: &str) -> Error {
    Error::statement(doing, "the statement is not a COPY in this direction")
}

/// A running `COPY … TO STDOUT`. Dropped before its end it leaves the connection unusable, because the server would go on
/// sending; [`CopyOut::drain`] reads the rest away instead.
#[derive(Debug)]
pub struct CopyOut<'a> {
    connection: &'a mut Connection,
    done: bool,
    rows: u64,
    /// What is still to come of the message that was begun.
    left: usize,
    /// Whether there is a transaction around it that nobody else knows of.
    is_alone: bool,
}

impl CopyOut<'_> {
    /// Appends data to `out` until at least `at_least` bytes were added, or the data end. More are added only to the end of
    /// a message, which in text format is a row, and at most as many again: a longer one is cut, and goes on with the next
    /// call. Returns whether there may be more; after `false` the connection is free.
    ///
    /// # Errors
    /// The server's, after which the connection is usable; a lost connection.
    pub fn fill(&mut self, out: &mut Vec<u8>, at_least: usize) -> Result<bool> {
        let target = out.len().saturating_add(at_least);
        let limit = target.saturating_add(at_least);
        while !self.done {
            if self.left == 0 {
                self.take_buffered(out, target, limit)?;
                if out.len() >= target {
                    return Ok(true);
                }
                self.begin_message()?;
            }
            self.go_on(out, limit)?;
            if out.len() >= limit {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The messages that came so far: in text format, the only one that lifeboat asks for, each is a row. When the data
    /// end, this was compared with the number of rows that the server says it sent.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads the rest of the data away.
    ///
    /// # Errors
    /// As [`CopyOut::fill`].
    pub fn drain(mut self) -> Result<()> {
        let mut scrap = Vec::new();
        while self.fill(&mut scrap, 64 * 1024)? {
            scrap.clear();
        }
        Ok(())
    }

    /// The fast path: whole CopyData messages that lie in the buffer.
    fn take_buffered(&mut self, out: &mut Vec<u8>, target: usize, limit: usize) -> Result<()> {
        let connection = &mut *self.connection;
        let buffered = connection.channel.buffered();
        let mut at = 0;
        while out.len() < target
            && let Some(head) = buffered.get(at..at + 5)
            && head[0] == b'd'
        {
            let len = match header(head) {
                Ok(Some((_, len))) => len,
                Ok(None) => break,
                Err(e) => {
                    self.done = true;
                    return Err(connection.lost(&e, DOING));
                }
            };
            let Some(body) = buffered.get(at + 5..at + 5 + len).filter(|_| out.len() + len <= limit) else { break };
            out.extend_from_slice(body);
            self.rows += 1;
            at += 5 + len;
        }
        connection.channel.consume(at);
        Ok(())
    }

    /// Begins with a message of any kind and any length.
    fn begin_message(&mut self) -> Result<()> {
        let connection = &mut *self.connection;
        match connection.channel.peek() {
            Ok((b'd', len)) => {
                connection.channel.consume(5);
                self.rows += 1;
                self.left = len;
                Ok(())
            }
            Ok(_) => self.other_message(),
            Err(e) => {
                self.done = true;
                Err(connection.lost(&e, DOING))
            }
        }
    }

    /// Takes what comes of the message that was begun, up to its end or to the limit.
    fn go_on(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<()> {
        let connection = &mut *self.connection;
        while self.left > 0 && out.len() < limit {
            if let Err(e) = connection.channel.need(1) {
                self.done = true;
                return Err(connection.lost(&e, DOING));
            }
            let buffered = connection.channel.buffered();
            let part = &buffered[..buffered.len().min(self.left).min(limit - out.len())];
            out.extend_from_slice(part);
            let n = part.len();
            self.left -= n;
            connection.channel.consume(n);
        }
        Ok(())
    }

    fn other_message(&mut self) -> Result<()> {
        let connection = &mut *self.connection;
        // Whatever goes wrong from here on, the COPY is over or the connection is marked as lost.
        self.done = true;
        let (tag, body) = connection.channel.message().map_err(|e| connection.lost(&e, DOING))?;
        if connection.state.absorb(tag, connection.channel.body(body.clone())) {
            self.done = false;
            return Ok(());
        }
        let message = super::connection::Message { tag, body };
        match tag {
            b'c' => {
                let sent = connection.finish_copy(DOING);
                if self.is_alone {
                    connection.end_failed()?;
                }
                let sent = sent?;
                if sent == self.rows {
                    return Ok(());
                }
                Err(Error::lost(DOING, format!("the server says that it sent {sent} rows, and {} came in", self.rows)))
            }
            b'E' => {
                let error = connection.server_error(&message, DOING);
                connection.skip_to_ready(DOING)?;
                if self.is_alone {
                    connection.end_failed()?;
                }
                Err(error)
            }
            tag => Err(connection.unexpected(tag, DOING)),
        }
    }
}

impl Drop for CopyOut<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.connection.mark_broken("it was left in the middle of a COPY");
        }
    }
}
