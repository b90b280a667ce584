//! The simple query protocol: text with any number of statements.

use super::connection::Connection;
use super::error::{Error, Result};
use super::frame;
use super::report::Notice;

/// From this length on, a text is sent from where it is.
const LONG: usize = 1024 * 1024;

/// What became of a text, and what the server said to it.
pub type Told = (Result<()>, Vec<Notice>);

impl Connection {
    /// Runs any number of statements and throws their rows away; outside of a transaction block, in one.
    ///
    /// # Errors
    /// The server's, for the first statement that fails; those after it are not run. A COPY from or to the client in
    /// `sql` is an error as well, and leaves the connection usable. A statement that begins or ends a transaction or changes
    /// a setting.
    pub fn execute(&mut self, sql: &[u8]) -> Result<()> {
        let doing = "run a statement";
        let (text, before) = self.guarded(sql, doing)?;
        self.state.before = before;
        let result = self.send_text(&text, doing);
        self.state.before = 0;
        if before > 0 {
            self.end_failed()?;
        }
        result
    }

    /// Sends a text as it is.
    pub(super) fn send_text(&mut self, sql: &[u8], doing: &str) -> Result<()> {
        self.simple(sql, doing).map(|_| ())
    }

    /// Sends several texts as they are, each of which succeeds or fails by itself.
    pub(super) fn each<S: AsRef<[u8]>>(&mut self, texts: &[S]) -> Result<Vec<Result<()>>> {
        match self.each_then(texts, |_, result| result)? {
            (results, None) => Ok(results),
            (_, Some(lost)) => Err(lost),
        }
    }

    /// As [`Connection::each`], with what the server said to each text beside its answer. Where the connection is lost, the
    /// answers that had come, and how it was.
    pub(super) fn each_telling<S: AsRef<[u8]>>(&mut self, texts: &[S]) -> Result<(Vec<Told>, Option<Error>)> {
        // What it said before was not about these.
        let before = self.take_notices();
        let results = self.each_then(texts, |connection, result| (result, connection.take_notices()));
        self.put_back(before);
        results
    }

    fn each_then<S: AsRef<[u8]>, T>(
        &mut self,
        texts: &[S],
        mut take: impl FnMut(&mut Self, Result<()>) -> T,
    ) -> Result<(Vec<T>, Option<Error>)> {
        let doing = "run statements";
        self.check_usable(doing)?;
        for text in texts {
            if let Err(error) = self.put_query(text.as_ref()) {
                self.out.clear();
                return Err(error);
            }
        }
        self.flush(doing)?;
        let mut results = Vec::with_capacity(texts.len());
        for _ in texts {
            let result = self.simple_answer("run a statement").map(|_| ());
            match result {
                Err(error) if self.is_broken() => return Ok((results, Some(error))),
                result => results.push(take(self, result)),
            }
        }
        Ok((results, None))
    }

    /// Sends a text as it is, and reads the answer: the number of rows that were changed.
    pub(super) fn simple(&mut self, sql: &[u8], doing: &str) -> Result<u64> {
        self.check_usable(doing)?;
        self.send_query(sql, doing)?;
        self.simple_answer(doing)
    }

    /// Sends a Query message; of a long one, no copy is made.
    fn send_query(&mut self, sql: &[u8], doing: &str) -> Result<()> {
        if sql.len() < LONG {
            self.put_query(sql)?;
            return self.flush(doing);
        }
        frame::check_zero("a statement", sql)?;
        frame::head(&mut self.out, b'Q', sql.len() + 1)?;
        self.flush(doing)?;
        let sent = self.channel.send(sql).and_then(|()| self.channel.send(b"\0"));
        sent.map_err(|e| self.lost_while_sending(e, doing))
    }

    /// Reads the answer to one Query message; the number of rows that were changed.
    fn simple_answer(&mut self, doing: &str) -> Result<u64> {
        let mut changed = 0;
        let mut failure = None;
        loop {
            let message = self.next_but_rows(doing)?;
            match message.tag {
                b'C' => changed += rows_changed(self.body(&message)),
                // A row is passed over before it comes here, unless it came after a notice.
                b'T' | b'D' | b'I' | b'd' | b'c' => {}
                b'G' => {
                    failure.get_or_insert_with(|| copy_here(doing, "COPY … FROM STDIN"));
                    self.refuse_copy(doing)?;
                }
                b'H' => {
                    failure.get_or_insert_with(|| copy_here(doing, "COPY … TO STDOUT"));
                }
                b'E' => self.note_failure(&message, doing, &mut failure)?,
                b'Z' => {
                    self.ready(&message);
                    return failure.map_or(Ok(changed), Err);
                }
                tag => return Err(self.unexpected(tag, doing)),
            }
        }
    }
}

/// The number in the tag of a command that changes rows: `INSERT 0 5`, `UPDATE 3`.
fn rows_changed(tag: &[u8]) -> u64 {
    let tag = tag.strip_suffix(b"\0").unwrap_or(tag);
    if ![b"INSERT ".as_slice(), b"UPDATE ", b"DELETE ", b"MERGE "].iter().any(|verb| tag.starts_with(verb)) {
        return 0;
    }
    tag.rsplit(|byte| *byte == b' ').next().and_then(|n| std::str::from_utf8(n).ok()?.parse().ok()).unwrap_or(0)
}

fn copy_here(doing: &str, what: &str) -> Error {
    Error::statement(doing, format!("{what} cannot be run together with its data in this place"))
}
