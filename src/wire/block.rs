//! Where statements of ours are planned: only ever where the search path is known to be empty.
//!
//! An operator or a function that a statement names is looked for along the search path when the statement is planned, and
//! whoever owns a database decides with `ALTER DATABASE … SET search_path` what lies on it. So the path is emptied before
//! anything is planned, by [`Connection`] itself: nobody who has one can go around it.
//!
//! `SET` is not planned and takes no snapshot. It is `SET LOCAL`, in the same message as the `BEGIN`: where a pooler
//! gives each transaction to another connection of the server's, nothing else holds for what follows, and nothing else
//! leaves the pool's connection as it was. Of a block that was begun so, only statements of ours are known; what others'
//! statements ([`Foreign`](super::Foreign)) did to the path is not. Hence the three grounds below.

use bstr::{BStr, BString, ByteSlice};

use super::connection::Connection;
use super::error::{Error, Result};
use super::extended::Query;
use super::param::Param;
use super::rows::Rows;

/// What begins the block that the connection puts around a statement that stands alone.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE";
/// What makes a block ours.
const EMPTY_PATH: &str = "SET LOCAL search_path = ''";
/// How often a block is begun, where the time limit that it takes away is so short that it comes first.
const ATTEMPTS: u32 = 50;

/// Where a statement would be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// In a block that we began, and in which nobody else has run anything: the path is empty.
    Ours,
    /// In a block in which anything may have been set.
    Theirs,
    /// In no block: under what the session has.
    None,
    /// In a block that has failed, where the server plans nothing.
    Failed,
}

/// How a transaction block begins, and what is set in it.
#[derive(Debug, Clone)]
pub struct Begin {
    head: &'static str,
    rest: Vec<u8>,
}

impl Begin {
    /// A block whose statements each see what was committed before, and which may write.
    pub fn read_write() -> Self {
        Self::with("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE")
    }

    /// As [`Begin::read_write`], of statements that only read.
    pub fn read_only() -> Self {
        Self::with("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY, NOT DEFERRABLE")
    }

    /// A block whose statements only read and all see what the first of them sees.
    pub fn snapshot() -> Self {
        Self::with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, NOT DEFERRABLE")
    }

    /// As [`Begin::snapshot`], of what transactions that run one after the other could see. Its first statement waits until it
    /// can be sure.
    pub fn serializable() -> Self {
        Self::with("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE")
    }

    fn with(head: &'static str) -> Self {
        Self { head, rest: Vec::new() }
    }

    /// Has the block see what another session's exported snapshot sees.
    #[must_use]
    pub fn import(mut self, snapshot: &BStr) -> Self {
        self.rest.extend_from_slice(b"; SET TRANSACTION SNAPSHOT ");
        put_literal(&mut self.rest, snapshot);
        self
    }

    /// Sets `name` in the block.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.rest.extend_from_slice(b"; ");
        put_setting(&mut self.rest, "SET LOCAL ", name, value.as_ref().as_bstr());
        self
    }

    /// Takes a role in the block.
    #[must_use]
    pub fn role(mut self, role: &BStr) -> Self {
        self.rest.extend_from_slice(b"; SET LOCAL ROLE ");
        put_quoted(&mut self.rest, role, b"\"");
        self
    }

    /// Has the block run as the role that the session began with: in a pool's connection, somebody may have taken another.
    #[must_use]
    pub fn own_role(mut self) -> Self {
        self.rest.extend_from_slice(b"; SET LOCAL role TO DEFAULT");
        self
    }

    fn text(&self, opening: &[&str]) -> Vec<u8> {
        let mut text = [&[self.head], opening].concat().join("; ").into_bytes();
        text.extend_from_slice(&self.rest);
        text
    }
}

/// Appends a literal that means the same whatever `standard_conforming_strings` is.
fn put_literal(out: &mut Vec<u8>, text: &[u8]) {
    if text.contains(&b'\\') {
        out.push(b'E');
    }
    put_quoted(out, text, b"'\\");
}

/// Appends a text between two of the first of these marks; in it, each of them is doubled.
fn put_quoted(out: &mut Vec<u8>, text: &[u8], marks: &[u8]) {
    out.push(marks[0]);
    for &byte in text {
        out.extend(marks.contains(&byte).then_some(byte));
        out.push(byte);
    }
    out.push(marks[0]);
}

/// Appends a statement that sets something.
pub(super) fn put_setting(out: &mut Vec<u8>, verb: &str, name: &str, value: &BStr) {
    out.extend_from_slice(verb.as_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b" = ");
    put_literal(out, value);
}

impl Connection {
    /// Begins a transaction block with an empty search path and without limits of time, and sets what `begin` says, all in
    /// one message. No snapshot is taken.
    ///
    /// # Errors
    /// There is a block already; the server refuses a setting, and then no block is open.
    pub fn begin(&mut self, begin: &Begin) -> Result<()> {
        let doing = "begin a transaction";
        if self.ground() != Ground::None {
            return Err(Error::program(doing, "there is one already"));
        }
        let opening = self.opening();
        let text = begin.text(&opening.iter().map(String::as_str).collect::<Vec<_>>());
        self.insist(&text, doing)?;
        self.state.is_ours = self.state.transaction == b'T';
        Ok(())
    }

    /// Sets `name` until the end of the block.
    ///
    /// # Errors
    /// There is no block of ours; the server's.
    pub fn set_local(&mut self, name: &'static str, value: impl AsRef<[u8]>) -> Result<()> {
        let mut text = Vec::new();
        put_setting(&mut text, "SET LOCAL ", name, value.as_ref().as_bstr());
        match self.ground() {
            Ground::Ours | Ground::Failed if name != "search_path" => self.send_text(&text, "change a setting"),
            _ => Err(Error::program(format!("set {name}"), "it can only be set in a transaction of lifeboat's own")),
        }
    }

    /// Takes a role until the end of the block.
    ///
    /// # Errors
    /// There is no block of ours; the server's.
    pub fn take_role(&mut self, role: &BStr) -> Result<()> {
        let mut text = b"SET LOCAL ROLE ".to_vec();
        put_quoted(&mut text, role, b"\"");
        match self.ground() {
            Ground::Ours | Ground::Failed => self.send_text(&text, "take a role"),
            _ => Err(Error::program("take a role", "it can only be in a transaction of lifeboat's own")),
        }
    }

    /// Gives `name` back the value that the session began with.
    ///
    /// # Errors
    /// It is the search path; the server's.
    pub fn reset(&mut self, name: &'static str) -> Result<()> {
        if name == "search_path" {
            return Err(Error::program("reset a setting", "the path stays empty"));
        }
        self.send_text(format!("RESET {name}").as_bytes(), "reset a setting")
    }

    /// Commits the block. A server answers with success even where it rolls back, because the block had failed:
    /// [`Connection::transaction_status`] tells beforehand.
    ///
    /// # Errors
    /// The server's.
    pub fn commit(&mut self) -> Result<()> {
        self.send_text(b"COMMIT", "commit a transaction")
    }

    /// Rolls the block back.
    ///
    /// # Errors
    /// The server's.
    pub fn rollback(&mut self) -> Result<()> {
        self.send_text(b"ROLLBACK", "roll a transaction back")
    }

    /// Begins a part of the block that can be undone by itself.
    ///
    /// # Errors
    /// The server's.
    pub fn savepoint(&mut self) -> Result<()> {
        self.send_text(b"SAVEPOINT lifeboat", "begin a part of a transaction")
    }

    /// Ends the part that [`Connection::savepoint`] began, and keeps what was done in it.
    ///
    /// # Errors
    /// The server's.
    pub fn release(&mut self) -> Result<()> {
        self.send_text(b"RELEASE SAVEPOINT lifeboat", "end a part of a transaction")
    }

    /// Ends the part that [`Connection::savepoint`] began, and undoes what was done in it.
    ///
    /// # Errors
    /// The server's.
    pub fn undo(&mut self) -> Result<()> {
        let text = b"ROLLBACK TO SAVEPOINT lifeboat; RELEASE SAVEPOINT lifeboat";
        self.send_text(text, "undo a part of a transaction")
    }

    /// Runs `CREATE DATABASE` or `DROP DATABASE`, which no transaction can hold. They are not planned.
    ///
    /// # Errors
    /// The text is another statement; the server's.
    pub fn run_on_databases(&mut self, sql: &[u8]) -> Result<()> {
        let doing = "run a statement outside of a transaction";
        let is_known = [b"CREATE DATABASE ".as_slice(), b"DROP DATABASE "].iter().any(|head| sql.starts_with(head));
        if !is_known || self.ground() != Ground::None {
            return Err(Error::program(doing, "it is none that must be run so"));
        }
        self.send_text(sql, doing)
    }

    /// What a block begins with, so that it is ours.
    fn opening(&self) -> Vec<String> {
        let limits = self.state.wanted_limits();
        let mut opening: Vec<String> = limits.map(|(name, limit)| format!("SET LOCAL {name} = {limit}")).collect();
        opening.push(EMPTY_PATH.to_owned());
        opening
    }

    /// Where a statement would be planned now.
    pub(super) fn ground(&self) -> Ground {
        // Servers from 18 on tell what the path is.
        let is_empty = self.parameter("search_path").is_none_or(|path| path.is_empty() || path == "\"\"");
        match self.state.transaction {
            b'T' if self.state.is_ours && is_empty => Ground::Ours,
            b'T' => Ground::Theirs,
            b'E' => Ground::Failed,
            _ => Ground::None,
        }
    }

    /// The text of ours as it is to be sent, with a block around it where there is none, and how much was put before it.
    ///
    /// # Errors
    /// It begins or ends a transaction or changes a setting, which has methods of its own; it would be planned among
    /// others' statements.
    pub(super) fn guarded(&self, sql: &[u8], doing: &str) -> Result<(Vec<u8>, usize)> {
        check_word(sql, &[], doing)?;
        match self.ground() {
            Ground::Ours | Ground::Failed => Ok((sql.to_vec(), 0)),
            Ground::Theirs => {
                Err(Error::program(doing, "it would be planned under a search path that an archive may have set"))
            }
            Ground::None => {
                let mut text = format!("{BEGIN}; {}; ", self.opening().join("; ")).into_bytes();
                let before = text.len();
                text.extend_from_slice(sql);
                // The newline ends a comment that the text may end with.
                text.extend_from_slice(b"\n; COMMIT");
                Ok((text, before))
            }
        }
    }

    /// Sends settings, again where a limit of time that they take away comes first.
    pub(super) fn insist(&mut self, text: &[u8], doing: &str) -> Result<()> {
        let mut attempts = 1;
        loop {
            let Err(error) = self.send_text(text, doing) else { return Ok(()) };
            self.end_failed()?;
            if !is_cut_off(&error) || attempts == ATTEMPTS {
                return Err(error);
            }
            attempts += 1;
        }
    }

    /// Closes a block that failed, if it was put around a statement: nobody else knows of it.
    pub(super) fn end_failed(&mut self) -> Result<()> {
        if self.is_broken() || self.state.transaction == b'I' { Ok(()) } else { self.rollback() }
    }

    /// Runs queries of ours in as few round trips as possible, where the path is empty.
    pub(super) fn guarded_pipeline(&mut self, queries: &[Query]) -> Result<Vec<Rows>> {
        let mut results = Vec::with_capacity(queries.len());
        self.guarded_pipeline_each(queries, &mut |rows| results.push(rows))?;
        Ok(results)
    }

    /// The same, and hands each result on: when it is there, in a transaction of ours, and else when all are.
    pub(super) fn guarded_pipeline_each(&mut self, queries: &[Query], take: &mut dyn FnMut(Rows)) -> Result<()> {
        for query in queries {
            // A server that waits for data takes what follows for the end of the conversation.
            check_word(&query.sql, &["COPY"], &query.doing())?;
        }
        let results = match self.ground() {
            Ground::Ours | Ground::Failed => return self.exchange_each(queries, take),
            Ground::Theirs => self.among_theirs(queries)?,
            Ground::None => self.alone(queries)?,
        };
        results.into_iter().for_each(take);
        Ok(())
    }

    fn alone(&mut self, queries: &[Query]) -> Result<Vec<Rows>> {
        let mut opening = self.opening();
        opening.insert(0, BEGIN.to_owned());
        let mut all: Vec<Query> = opening.iter().map(|sql| Query::new("a transaction", sql.as_str())).collect();
        all.extend_from_slice(queries);
        all.push(Query::new("the end of a transaction", "COMMIT"));
        let mut attempts = 1;
        loop {
            match self.exchange_all(&all) {
                Ok(mut results) => {
                    results.truncate(opening.len() + queries.len());
                    return Ok(results.split_off(opening.len()));
                }
                Err((done, error)) => {
                    self.end_failed()?;
                    if done >= opening.len() || !is_cut_off(&error) || attempts == ATTEMPTS {
                        return Err(error);
                    }
                    attempts += 1;
                }
            }
        }
    }

    /// What others' statements have set holds again afterwards. Where a query fails, so does the block.
    fn among_theirs(&mut self, queries: &[Query]) -> Result<Vec<Rows>> {
        const PATH: &str = "the search path";
        let mut all = vec![Query::new(PATH, "SHOW search_path"), Query::new(PATH, EMPTY_PATH)];
        all.extend_from_slice(queries);
        let mut results = self.exchange_all(&all).map_err(|(_, error)| error)?;
        let path: BString = results[0].one()?.raw(0).unwrap_or_default().into();
        let results = results.split_off(2);
        let back = Query::new(PATH, "SELECT pg_catalog.set_config('search_path', $1, true)");
        self.exchange_all(&[back.param(Param::text(path))]).map_err(|(_, error)| error)?;
        Ok(results)
    }
}

/// Refuses statements that have a way of their own: what begins or ends transactions or changes settings, and `others`.
fn check_word(sql: &[u8], others: &[&str], doing: &str) -> Result<()> {
    const RESERVED: [&str; 11] =
        ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "SET", "RESET", "DISCARD"];
    let sql = sql.trim_ascii_start();
    let end = sql.iter().position(|c| !c.is_ascii_alphabetic()).unwrap_or(sql.len());
    let is = |word: &&&str| sql[..end].eq_ignore_ascii_case(word.as_bytes());
    match RESERVED.iter().chain(others).find(is) {
        None => Ok(()),
        Some(word) => Err(Error::program(doing, format!("{word} has another way of its own"))),
    }
}

/// Whether a limit of time or a request to cancel ended a statement.
fn is_cut_off(error: &Error) -> bool {
    error.server().is_some_and(|report| report.is(super::sqlstate::QUERY_CANCELED))
}
