//! The extended query protocol: parameters, binary results, and many queries in one round trip.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use postgres_protocol::message::frontend::{self, BindError};

use super::connection::{Connection, Message};
use super::error::{Error, Result};
use super::frame;
use super::param::Param;
use super::rows::{Room, Rows};

/// How many bytes of queries may be on their way before the results of the first must have come back. More than what
/// fits into the sockets' buffers would have both sides wait for the other to read.
const WINDOW: usize = 32 * 1024;

/// A query with its parameters.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Query {
    /// What it is about, worded to follow "query": "the tables". Errors name it.
    pub what: Cow<'static, str>,
    /// The statement, exactly one, in the session's client encoding.
    pub sql: Vec<u8>,
    /// What `$1`, `$2`, … stand for.
    pub params: Vec<Param>,
}

impl Query {
    /// A query about `what` without parameters.
    pub fn new(what: impl Into<Cow<'static, str>>, sql: impl Into<Vec<u8>>) -> Self {
        Self { what: what.into(), sql: sql.into(), params: Vec::new() }
    }

    /// Adds the next parameter.
    #[must_use]
    pub fn param(mut self, param: Param) -> Self {
        self.params.push(param);
        self
    }

    pub(super) fn doing(&self) -> String {
        format!("query {}", self.what)
    }

    /// Appends all messages of the query but the Sync.
    fn put(&self, out: &mut BytesMut) -> Result<()> {
        frame::check_zero(&self.what, &self.sql)?;
        let Ok(count) = u16::try_from(self.params.len()) else {
            return Err(Error::statement(self.doing(), "it has more than 65,535 parameters"));
        };
        frame::message(out, b'P', |out| {
            frame::put_cstr(out, b"");
            frame::put_cstr(out, &self.sql);
            out.put_u16(count);
            for param in &self.params {
                out.put_u32(param.declared.oid());
            }
        })?;
        // One format for all parameters, and one for all columns of the result: binary.
        frontend::bind("", "", [1], &self.params, Param::put, [1], out).map_err(|error| match error {
            BindError::Conversion(why) => Error::statement(self.doing(), why.to_string()),
            BindError::Serialization(_) => frame::too_long(),
        })?;
        frame::appended(frontend::describe(b'P', "", out))?;
        frame::appended(frontend::execute("", 0, out))
    }
}

impl Connection {
    /// Runs one statement with parameters and returns its rows; one round trip.
    ///
    /// # Errors
    /// The server's; a COPY.
    pub fn query(&mut self, sql: impl AsRef<[u8]>, params: &[Param]) -> Result<Rows> {
        let query = Query { what: Cow::Borrowed("the server"), sql: sql.as_ref().to_vec(), params: params.to_vec() };
        self.run(&query)
    }

    /// Runs one query.
    ///
    /// # Errors
    /// The server's, naming the query; a COPY.
    pub fn run(&mut self, query: &Query) -> Result<Rows> {
        let mut rows = self.pipeline(std::slice::from_ref(query))?;
        rows.pop().ok_or_else(|| Error::program(query.doing(), "it gave no result"))
    }

    /// Runs all queries in as few round trips as possible; their results, in order. Outside of a transaction block they
    /// are one transaction together.
    ///
    /// # Errors
    /// That of the first query which fails, naming it; those after it are not run. A COPY is an error, too.
    pub fn pipeline(&mut self, queries: &[Query]) -> Result<Vec<Rows>> {
        let Some(first) = queries.first() else { return Ok(Vec::new()) };
        self.check_usable(&first.doing())?;
        self.guarded_pipeline(queries)
    }

    /// As [`Connection::pipeline`], and hands each result to `take` when it is there, while the server goes on with the next.
    ///
    /// # Errors
    /// As [`Connection::pipeline`]; results of queries before the one that fails were handed on then.
    pub fn pipeline_each(&mut self, queries: &[Query], take: &mut dyn FnMut(Rows)) -> Result<()> {
        let Some(first) = queries.first() else { return Ok(()) };
        self.check_usable(&first.doing())?;
        self.guarded_pipeline_each(queries, take)
    }

    /// Runs all queries as they are, in as few round trips as possible; their results, or an error and how many came
    /// before it.
    pub(super) fn exchange_all(&mut self, queries: &[Query]) -> Result<Vec<Rows>, (usize, Error)> {
        let mut results = Vec::with_capacity(queries.len());
        match self.exchange_each(queries, &mut |rows| results.push(rows)) {
            Ok(()) => Ok(results),
            Err(error) => Err((results.len(), error)),
        }
    }

    /// As [`Connection::exchange_all`], with each result handed on when it is there.
    pub(super) fn exchange_each(&mut self, queries: &[Query], take: &mut dyn FnMut(Rows)) -> Result<()> {
        let result = self.exchange(queries, take);
        // What was not sent belongs to queries after the one that failed.
        self.out.clear();
        let Err((doing, failure)) = result else { return self.sync("finish the queries") };
        if !self.is_broken()
            && let Err(lost) = self.sync(&doing)
            && self.is_broken()
        {
            return Err(lost);
        }
        Err(failure)
    }

    fn exchange(&mut self, queries: &[Query], take: &mut dyn FnMut(Rows)) -> Result<(), (String, Error)> {
        let mut sizes = Vec::with_capacity(queries.len());
        let mut in_flight = 0;
        let mut sent = 0;
        let mut room = Room::default();
        for (number, query) in queries.iter().enumerate() {
            let fail = |error| (query.doing(), error);
            while let Some(next) = queries.get(sent) {
                let at = self.out.len();
                next.put(&mut self.out).map_err(|e| (next.doing(), e))?;
                let size = self.out.len() - at;
                if in_flight > 0 && in_flight + size > WINDOW {
                    self.out.truncate(at);
                    break;
                }
                in_flight += size;
                sizes.push(size);
                sent += 1;
            }
            if !self.out.is_empty() {
                // A Sync would end the transaction that the queries are to share; Flush has the results sent.
                frontend::flush(&mut self.out);
                self.flush(&query.doing()).map_err(fail)?;
            }
            take(self.result_of(query, &mut room).map_err(fail)?);
            in_flight -= sizes.get(number).copied().unwrap_or(0);
        }
        Ok(())
    }

    fn result_of(&mut self, query: &Query, room: &mut Room) -> Result<Rows> {
        let doing = query.doing();
        let mut rows: Option<Rows> = None;
        loop {
            let message = self.next(&doing)?;
            match message.tag {
                b'1' | b'2' | b'n' => {}
                b'T' => match Rows::describe(&query.what, self.body(&message)) {
                    Some(described) => rows = Some(described),
                    None => return Err(self.confused(&doing, "a row description that is cut short")),
                },
                b'D' => self.take_row(&message, rows.as_mut(), room, &doing)?,
                b'C' | b'I' => {
                    room.next().map_err(|error| self.too_much(error))?;
                    return Ok(rows.unwrap_or_else(|| Rows::none(&query.what)));
                }
                b'E' => return Err(self.server_error(&message, &doing)),
                b'G' | b'H' => {
                    if message.tag == b'G' {
                        self.refuse_copy(&doing)?;
                    }
                    return Err(Error::statement(doing, "it is a COPY, not a query"));
                }
                tag => return Err(self.unexpected(tag, &doing)),
            }
        }
    }

    fn take_row(&mut self, message: &Message, rows: Option<&mut Rows>, room: &mut Room, doing: &str) -> Result<()> {
        let Some(rows) = rows else { return Err(self.confused(doing, "a row without a description")) };
        rows.push(self.channel.body(message.body.clone()), room).map_err(|error| self.too_much(error))
    }

    /// Passes on why rows are not taken any more. More of them may follow, without end, so that nothing can be done with
    /// the connection afterwards.
    pub(super) fn too_much(&mut self, error: Error) -> Error {
        self.mark_broken(error.to_string());
        error
    }

    /// Ends the exchange: the server forgets an error, and commits or rolls back what no transaction block holds.
    fn sync(&mut self, doing: &str) -> Result<()> {
        frontend::sync(&mut self.out);
        self.flush(doing)?;
        let mut failure = None;
        loop {
            let message = self.next(doing)?;
            match message.tag {
                b'Z' => {
                    self.ready(&message);
                    return failure.map_or(Ok(()), Err);
                }
                // Deferred constraints are checked now.
                b'E' => self.note_failure(&message, doing, &mut failure)?,
                b'G' => {
                    // While it waits for a COPY's data, the server pays no heed to Sync.
                    self.refuse_copy(doing)?;
                    frontend::sync(&mut self.out);
                    self.flush(doing)?;
                }
                _ => {}
            }
        }
    }

    /// Answers a COPY that waits for data.
    pub(super) fn refuse_copy(&mut self, doing: &str) -> Result<()> {
        self.out.clear();
        frame::appended(frontend::copy_fail("no data is sent here", &mut self.out))?;
        self.flush(doing)
    }
}
