//! COPY … FROM STDIN: data to the server.

use postgres_protocol::message::frontend;

use super::connection::Connection;
use super::error::{Error, Result};
use super::frame;

const DOING: &str = "copy data into the server";
/// The body of a CopyData message is filled up to this before it is sent.
const BATCH: usize = 128 * 1024;

impl Connection {
    /// Starts `COPY … FROM STDIN`, with the text as it is.
    pub(super) fn begin_copy_in(&mut self, sql: &[u8]) -> Result<CopyIn<'_>> {
        self.check_usable(DOING)?;
        self.put_query(sql)?;
        self.flush(DOING)?;
        self.await_copy(b'G', DOING)?;
        self.out.clear();
        self.out.extend_from_slice(&HEAD);
        Ok(CopyIn { connection: self, done: false })
    }
}

const HEAD: [u8; 5] = [b'd', 0, 0, 0, 0];

/// A running `COPY … FROM STDIN`. Dropped before [`CopyIn::finish`] it is aborted: nothing of it is stored.
#[derive(Debug)]
pub struct CopyIn<'a> {
    connection: &'a mut Connection,
    done: bool,
}

impl CopyIn<'_> {
    /// Sends data, cut in any way. They are gathered into large messages.
    ///
    /// # Errors
    /// The server's, as soon as it is noticed that it refuses the data, perhaps some calls later; the COPY is over then
    /// and the connection usable. A lost connection.
    pub fn send(&mut self, mut data: &[u8]) -> Result<()> {
        self.check()?;
        while !data.is_empty() {
            let room = (BATCH + HEAD.len()).saturating_sub(self.connection.out.len());
            let (now, later) = data.split_at(room.min(data.len()));
            self.connection.out.extend_from_slice(now);
            data = later;
            if self.connection.out.len() >= BATCH + HEAD.len() {
                self.send_batch()?;
                self.look_for_refusal()?;
            }
        }
        Ok(())
    }

    /// Ends the data; the number of rows that the server stored.
    ///
    /// # Errors
    /// The server's, for any row; the connection is usable afterwards. A lost connection.
    pub fn finish(mut self) -> Result<u64> {
        self.check()?;
        self.send_batch()?;
        self.done = true;
        self.connection.out.clear();
        frontend::copy_done(&mut self.connection.out);
        self.connection.flush(DOING)?;
        self.connection.finish_copy(DOING)
    }

    /// Gives the COPY up: the server stores nothing of it, and its log says `reason`.
    ///
    /// # Errors
    /// A lost connection; that the server answers with an error is what was asked for.
    pub fn abort(mut self, reason: &str) -> Result<()> {
        if self.done {
            return Ok(());
        }
        self.give_up(reason)
    }

    fn check(&self) -> Result<()> {
        if self.done {
            return Err(Error::statement(DOING, "this COPY has failed already"));
        }
        Ok(())
    }

    /// Sends the gathered data as one message.
    fn send_batch(&mut self) -> Result<()> {
        let out = &mut self.connection.out;
        if out.len() <= HEAD.len() {
            return Ok(());
        }
        let len = i32::try_from(out.len() - 1).unwrap_or(i32::MAX);
        out[1..5].copy_from_slice(&len.to_be_bytes());
        let sent = self.connection.channel.send(&self.connection.out);
        self.connection.out.truncate(HEAD.len());
        if let Err(e) = sent {
            self.done = true;
            return Err(self.connection.lost_while_sending(e, DOING));
        }
        Ok(())
    }

    /// Takes in what the server has said meanwhile: notices, and that it refuses the data.
    fn look_for_refusal(&mut self) -> Result<()> {
        let connection = &mut *self.connection;
        loop {
            match connection.channel.has_message() {
                Ok(true) => {}
                Ok(false) => match connection.channel.read_if_ready() {
                    Ok(true) => continue,
                    Ok(false) => return Ok(()),
                    Err(e) => {
                        self.done = true;
                        return Err(connection.lost(&e, DOING));
                    }
                },
                Err(e) => {
                    self.done = true;
                    return Err(connection.lost(&e, DOING));
                }
            }
            let (tag, body) = match connection.channel.message() {
                Ok(message) => message,
                Err(e) => {
                    self.done = true;
                    return Err(connection.lost(&e, DOING));
                }
            };
            if connection.state.absorb(tag, connection.channel.body(body.clone())) {
                continue;
            }
            self.done = true;
            connection.out.clear();
            if tag != b'E' {
                return Err(connection.unexpected(tag, DOING));
            }
            let message = super::connection::Message { tag, body };
            let error = connection.server_error(&message, DOING);
            // The server has left COPY by itself; what it still receives of the data it throws away.
            connection.skip_to_ready(DOING)?;
            return Err(error);
        }
    }

    fn give_up(&mut self, reason: &str) -> Result<()> {
        self.done = true;
        let connection = &mut *self.connection;
        connection.out.clear();
        let reason = reason.replace('\0', " ");
        frame::appended(frontend::copy_fail(&reason, &mut connection.out))?;
        connection.flush(DOING)?;
        match connection.finish_copy(DOING) {
            Err(e) if connection.is_broken() => Err(e),
            _ => Ok(()),
        }
    }
}

impl Drop for CopyIn<'_> {
    fn drop(&mut self) {
        if !self.done && !self.connection.is_broken() {
            // A failure marks the connection as lost, and the next use of it says so.
            let _ = self.give_up("the data were not sent to their end");
        }
    }
}
