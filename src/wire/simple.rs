//! The simple query protocol: text with any number of statements.

use super::connection::Connection;
use super::frame;
use super::rows::{Room, Rows};
use crate::{Error, ErrorKind, Result};

impl Connection {
    /// Runs any number of statements and throws their rows away.
    ///
    /// # Errors
    /// The server's, for the first statement that fails; those after it are not run. A COPY from or to the client in
    /// `sql` is an error as well, and leaves the connection usable.
    pub fn execute(&mut self, sql: &[u8]) -> Result<()> {
        self.simple(sql, "run a statement", None).map(|_| ())
    }

    /// As [`Connection::execute`]; the number of rows that the statements inserted, updated and deleted.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub fn execute_counting(&mut self, sql: &[u8]) -> Result<u64> {
        self.simple(sql, "run a statement", None)
    }

    /// Runs any number of statements; one [`Rows`], in text format, for each that returns rows.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub fn simple_query(&mut self, sql: &[u8]) -> Result<Vec<Rows>> {
        let mut results = Vec::new();
        self.simple(sql, "run a statement", Some(&mut results))?;
        Ok(results)
    }

    /// Runs several texts of statements, each as [`Connection::execute`] would, in one round trip; what became of each,
    /// in order. An error in one keeps no other from being run, unless a transaction block that they share fails with it.
    ///
    /// # Errors
    /// A lost connection; a text that cannot be sent, before any is run.
    pub fn execute_each<S: AsRef<[u8]>>(&mut self, texts: &[S]) -> Result<Vec<Result<()>>> {
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
            let result = self.simple_answer("run a statement", None).map(|_| ());
            match result {
                Err(error) if self.is_broken() => return Err(error),
                result => results.push(result),
            }
        }
        Ok(results)
    }

    fn simple(&mut self, sql: &[u8], doing: &str, results: Option<&mut Vec<Rows>>) -> Result<u64> {
        self.check_usable(doing)?;
        self.put_query(sql)?;
        self.flush(doing)?;
        self.simple_answer(doing, results)
    }

    /// Reads the answer to one Query message; the number of rows that were changed.
    fn simple_answer(&mut self, doing: &str, mut results: Option<&mut Vec<Rows>>) -> Result<u64> {
        let mut changed = 0;
        let mut failure = None;
        let mut current: Option<Rows> = None;
        let mut room = Room::default();
        loop {
            let message = if results.is_some() { self.next(doing)? } else { self.next_but_rows(doing)? };
            match message.tag {
                b'T' if results.is_some() => match Rows::describe("the statement", self.body(&message)) {
                    Some(rows) => current = Some(rows),
                    None => return Err(self.confused(doing, "a row description that is cut short")),
                },
                b'D' => {
                    if let Some(rows) = &mut current
                        && let Err(error) = rows.push(self.channel.body(message.body.clone()), &mut room)
                    {
                        return Err(self.too_much(error));
                    }
                }
                b'C' => {
                    changed += rows_changed(self.body(&message));
                    if let (Some(results), Some(rows)) = (results.as_deref_mut(), current.take()) {
                        room.next().map_err(|error| self.too_much(error))?;
                        results.push(rows);
                    }
                }
                b'T' | b'I' | b'd' | b'c' => {}
                b'G' => {
                    failure.get_or_insert_with(|| copy_here(doing, "COPY … FROM STDIN"));
                    frame::message(&mut self.out, b'f', |out| frame::cstr(out, b"no data is sent here"))?;
                    self.flush(doing)?;
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
    Error::new(ErrorKind::Usage, doing).why(format!("{what} cannot be run together with its data in this place"))
}
