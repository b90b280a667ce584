//! A dump's session: its transactions, the settings in them, its snapshot.
//!
//! Everything that must hold is set inside the transaction, in the message that begins it, and read back there before
//! anything is believed: a pooler may give each transaction to another connection of the server's, with what others have
//! left in it. `SET` and `LOCK` take no snapshot; the first query does. So tables are locked between [`Session::begin`]
//! and [`Session::look`], and what the snapshot says of them holds for as long as the transaction does.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::dump::DumpOptions;
use super::settings::{self, Direction};
use super::version::{OLDEST_SUPPORTED, ServerVersion};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::relkind::relkinds;
use crate::sql::quote::quoted;
use crate::sql::{Encoding, Style};
use crate::wire::{Begin, Connection, Param, Query, Row, sqlstate};
use crate::words::Choice;

/// A connection that runs read-only transactions, each with one snapshot, set up so that what it reads is portable.
pub struct Session {
    connection: Connection,
    server: ServerVersion,
    encoding: BString,
    style: Style,
    isolation: &'static str,
    superuser: bool,
    standby: bool,
    /// Whether the transaction has used `age()`, whose answer is the same from then on.
    used_age: bool,
    read_point: ReadPoint,
}

/// What a snapshot is known as to other sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotName(BString);

impl SnapshotName {
    /// The name that another program's session told.
    pub fn given(name: &BStr) -> Self {
        Self(name.into())
    }
}

/// That a server does not take an encoding, or cannot convert what is in the database into it: among the causes of the error that
/// says so.
#[derive(Debug)]
pub struct InvalidEncoding {
    /// What was asked for.
    pub name: BString,
    error: Error,
}

impl fmt::Display for InvalidEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server does not take it")
    }
}

impl std::error::Error for InvalidEncoding {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What a transaction sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View<'a> {
    /// What was committed before its first query.
    Now,
    /// The same, and what could be seen by transactions that run one after the other: the first query may have to wait.
    Serializable,
    /// What another session of the same dump sees.
    Shared(&'a SnapshotName),
    /// What a session of another program's sees.
    Imported(&'a SnapshotName),
}

/// Which server a session is on, in which database, and what it sees there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ReadPoint {
    started: BString,
    database: u32,
    snapshot: BString,
}

const REPEATABLE_READ: &str = "repeatable read";
const SERIALIZABLE: &str = "serializable";

const RESTRICTION: &str = "restrict_nonsystem_relation_kind";
const RESTRICT_ALL: &str = "view, foreign-table";
const RESTRICT_VIEWS: &str = "view";

impl Session {
    /// A session over `connection`, in no transaction yet.
    ///
    /// # Errors
    /// The server is too old, or does not tell its encoding.
    pub fn new(connection: Connection) -> Result<Self> {
        let server = ServerVersion::new(connection.server_version());
        if server.is_unsupported() {
            return Err(Error::new(ErrorKind::Incomplete, "back up this server")
                .why(format!("it is PostgreSQL {server}, and {OLDEST_SUPPORTED} is the oldest that is known"))
                .hint("upgrade the server, or use its own pg_dump"));
        }
        let encoding = connection.parameter("server_encoding").map(BString::from).ok_or_else(|| {
            Error::new(ErrorKind::Server, "find out the server's encoding")
                .why("it did not report it when the connection was made")
                .hint("a connection pooler in between may swallow it: connect to the server itself")
        })?;
        Ok(Self {
            connection,
            server,
            encoding,
            style: Style::default(),
            isolation: REPEATABLE_READ,
            superuser: false,
            standby: false,
            used_age: false,
            read_point: ReadPoint::default(),
        })
    }

    /// Begins a transaction, and sets all that must hold in it. It has no snapshot yet, unless it is to see what another
    /// session's sees. Of the options, those count that are settings: the encoding, the role, row security, the time to wait for
    /// locks, and how names and numbers are written.
    ///
    /// # Errors
    /// The server refuses a setting, or does not know the snapshot.
    pub fn begin(&mut self, options: &DumpOptions, view: View<'_>) -> Result<()> {
        let begin = block(self.server, self.encoding.as_bstr(), options, view);
        self.used_age = false;
        self.isolation = if view == View::Serializable { SERIALIZABLE } else { REPEATABLE_READ };
        self.connection.begin(&begin).map_err(Error::from).map_err(|error| {
            if let Some(role) = options.role.as_ref().filter(|role| is_refused(role.as_bstr(), &error)) {
                return not_taken(role.as_bstr(), error);
            }
            // No such snapshot, under one code or another; that of another database.
            const UNKNOWN: [&str; 3] =
                [sqlstate::UNDEFINED_OBJECT, sqlstate::INVALID_PARAMETER_VALUE, sqlstate::FEATURE_NOT_SUPPORTED];
            let Some(report) = error.server().filter(|report| report.is_any(&UNKNOWN)) else { return error };
            // The name of the setting is in the message, whatever language it is in.
            match (&options.encoding, view) {
                (Some(encoding), _) if report.message.contains_str("client_encoding") => {
                    let doing = format!("back up in the encoding \"{encoding}\"");
                    Error::new(ErrorKind::Usage, doing).source(InvalidEncoding { name: encoding.clone(), error })
                }
                (_, View::Shared(_)) => elsewhere().source(error),
                (_, View::Imported(SnapshotName(name))) => {
                    Error::new(ErrorKind::Usage, format!("back up what the snapshot \"{name}\" shows"))
                        .source(error)
                        .hint("the session that exported it must still be in its transaction, in the same database")
                }
                _ => error,
            }
        })?;
        if let (Some(role), Some(_)) = (&options.role, &options.encoding) {
            // Its name is in the encoding that has only just been set.
            self.connection.take_role(role.as_bstr()).map_err(|error| not_taken(role.as_bstr(), error.into()))?;
        }
        Ok(())
    }

    /// Looks around for the first time in a transaction, which takes its snapshot, and checks that the settings hold.
    ///
    /// # Errors
    /// One does not.
    pub fn look(&mut self, options: &DumpOptions) -> Result<()> {
        let wanted = self.wanted_settings(options);
        let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        let queries = [
            Query::new(
                "the settings",
                "SELECT s.name, pg_catalog.current_setting(s.name) AS value FROM pg_catalog.unnest($1) AS s (name)",
            )
            .param(Param::texts(&names)),
            // Where none was asked for, it is known by its name.
            Query::new("the server", AROUND).param(Param::text(options.encoding.as_ref().unwrap_or(&self.encoding))),
        ];
        let results = self.connection.pipeline(&queries)?;
        let [settings, around] = results.as_slice() else { return Ok(()) };
        for (row, (name, beginning)) in settings.iter().zip(&wanted) {
            check_setting(row, name, beginning)?;
        }
        let around = around.one()?;
        if let Some(role) = &options.role
            && around.text("role")? != role
        {
            return Err(unsettled(&format!("the role is {}, and not {role}", around.text("role")?)));
        }
        let encoding = around.string("encoding")?;
        if !around.bool("is_in_encoding")? {
            let wanted = options.encoding.as_ref().unwrap_or(&self.encoding);
            return Err(unsettled(&format!("client_encoding is '{encoding}', and not '{wanted}'")));
        }
        self.style = Style {
            standard_strings: around.bool("standard_strings")?,
            quote_all: options.quote_all_identifiers,
            dollar_quotes: options.dollar_quoting,
            old_spaces: !options.dialect.fewer_spaces(),
            maintain: options.dialect.maintain_privilege() || self.server.maintain_privilege(),
            encoding: Encoding::of(encoding.as_bstr()),
        };
        self.encoding = encoding;
        self.superuser = around.bool("superuser")?;
        self.standby = around.bool("standby")?;
        self.read_point = ReadPoint {
            started: around.string("started")?,
            database: around.oid("database")?,
            snapshot: around.string("snapshot")?,
        };
        Ok(())
    }

    /// Does `work` in a transaction of its own, with all that holds in a dump's.
    ///
    /// # Errors
    /// As [`Session::begin`], [`Session::look`] and `work`.
    pub fn within<T>(&mut self, options: &DumpOptions, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(options, View::Now)?;
        let done = self.look(options).and_then(|()| work(self));
        // A COPY that was broken off takes the connection along.
        let ended = if self.connection.is_broken() { Ok(()) } else { self.end() };
        let done = done?;
        ended?;
        Ok(done)
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn end(&mut self) -> Result<()> {
        Ok(self.connection.rollback()?)
    }

    /// The server's version.
    pub fn server(&self) -> ServerVersion {
        self.server
    }

    /// The encoding of all text that this session reads, by its PostgreSQL name.
    pub fn encoding(&self) -> &BString {
        &self.encoding
    }

    /// How names and literals are written in what is dumped.
    pub fn style(&self) -> Style {
        self.style
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether the session's role is a superuser, who may read everything.
    pub fn is_superuser(&self) -> bool {
        self.superuser
    }

    /// Whether the server is a standby, which has no rows of unlogged tables.
    pub fn is_standby(&self) -> bool {
        self.standby
    }

    /// Lets the session read foreign tables, or no longer: while the catalog is read nothing may reach out to another
    /// server, for its answers could be anything.
    ///
    /// # Errors
    /// The server refuses.
    pub fn allow_foreign_tables(&mut self, allowed: bool) -> Result<()> {
        if !self.server.restricts_relation_kinds() {
            return Ok(());
        }
        Ok(self.connection.set_local(RESTRICTION, if allowed { RESTRICT_VIEWS } else { RESTRICT_ALL })?)
    }

    /// The OIDs of the relations that the transaction holds locks on: the database's, and those that all databases share.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn locked(&mut self) -> Result<HashSet<u32>> {
        let query = Query::new(
            "the locks that are held",
            "SELECT l.relation FROM pg_catalog.pg_locks AS l \
             WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessShareLock' \
             AND l.database IN ($1, 0) AND l.pid = pg_catalog.pg_backend_pid()",
        );
        let rows = self.connection.run(&query.param(Param::oid(self.read_point.database)))?;
        rows.iter().map(|row| Ok(row.oid("relation")?)).collect()
    }

    /// What in the database is locked by others so that nobody else can read it, or is going to be: relations, and the
    /// processes concerned.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn locked_by_others(&mut self) -> Result<Vec<String>> {
        let query = Query::new(
            "the locks that others hold",
            concat!(
                "SELECT DISTINCT n.nspname, c.relname, l.pid FROM pg_catalog.pg_locks AS l \
             JOIN pg_catalog.pg_class AS c ON c.oid = l.relation \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.database = $1 \
             AND l.pid <> pg_catalog.pg_backend_pid() AND c.relkind NOT IN ",
                relkinds!(not_surveyed),
                " \
             ORDER BY 1, 2, 3 LIMIT 5"
            ),
        );
        let rows = self.connection.run(&query.param(Param::oid(self.read_point.database)))?;
        let name = |row: Row<'_>| {
            Ok(format!("{}.{} (by process {})", row.text("nspname")?, row.text("relname")?, row.i32("pid")?))
        };
        rows.iter().map(name).collect()
    }

    /// Makes this session's snapshot available to others, for as long as its transaction lasts.
    ///
    /// # Errors
    /// The server refuses.
    pub fn export_snapshot(&mut self) -> Result<SnapshotName> {
        let rows = self.connection.query("SELECT pg_catalog.pg_export_snapshot() AS name", &[])?;
        Ok(SnapshotName(rows.one()?.string("name")?))
    }

    /// Whether it is certain that nothing was committed since the transaction's snapshot was taken, which the server says without
    /// looking at any catalog: nobody who could write was in a transaction then, and nobody has begun to write since. False says
    /// nothing. Within one transaction it is true once at most: the server remembers what `age()` went by the first time, so
    /// nothing else in a dump's transactions may call that.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn is_undisturbed(&mut self) -> Result<bool> {
        // The snapshots of a standby do not say who was in a transaction.
        if self.standby || std::mem::replace(&mut self.used_age, true) {
            return Ok(false);
        }
        let rows = self.connection.query(
            "SELECT pg_catalog.pg_snapshot_xmin(s.now) = pg_catalog.pg_snapshot_xmax(s.now) \
               AND pg_catalog.age(pg_catalog.pg_snapshot_xmax(s.now)::pg_catalog.xid) = 0 AS is_quiet \
             FROM pg_catalog.pg_current_snapshot() AS s (now)",
            &[],
        )?;
        Ok(rows.one()?.bool("is_quiet")?)
    }

    /// Checks that both sessions see the same: that they are on the same server, in the same database, and have the same
    /// snapshot. Behind a pooler or a name with several addresses, they need not be.
    ///
    /// # Errors
    /// They do not.
    pub fn check_same_read_point(&self, other: &Session) -> Result<()> {
        if self.read_point == other.read_point {
            return Ok(());
        }
        Err(elsewhere())
    }

    /// The settings without which what is read could not be believed, and how each must begin when it is shown.
    fn wanted_settings(&self, options: &DumpOptions) -> Vec<(&'static str, BString)> {
        let mut wanted: Vec<(&str, BString)> = vec![
            ("transaction_isolation", self.isolation.into()),
            ("transaction_read_only", "on".into()),
            ("search_path", "\"\"".into()),
            ("row_security", if options.row_security { "on" } else { "off" }.into()),
        ];
        let of_options = of_options(options);
        let usual = settings::of(Direction::Read, self.server)
            .filter(|setting| of_options.iter().all(|(name, _)| *name != setting.name));
        wanted.extend(usual.map(|setting| (setting.name, setting.value.into())));
        wanted.extend(of_options);
        if self.server.restricts_relation_kinds() {
            wanted.push((RESTRICTION, "view".into()));
        }
        wanted
    }
}

/// `CURRENT_USER` and the like are key words. `is_superuser` as the server reports it may be that of another connection.
const AROUND: &str = "\
    SELECT CURRENT_USER::pg_catalog.text AS role, \
           coalesce((SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER), false) AS superuser, \
           pg_catalog.pg_is_in_recovery() AS standby, \
           pg_catalog.current_setting('standard_conforming_strings') = 'on' AS standard_strings, \
           pg_catalog.pg_encoding_to_char(e.now) AS encoding, \
           e.now = pg_catalog.pg_char_to_encoding($1::pg_catalog.text::pg_catalog.name) AS is_in_encoding, \
           pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.pg_postmaster_start_time()), \
             'YYYYMMDDHH24MISSUS') AS started, \
           d.oid AS database, pg_catalog.pg_current_snapshot()::pg_catalog.text AS snapshot \
    FROM pg_catalog.pg_database AS d CROSS JOIN (SELECT pg_catalog.pg_char_to_encoding( \
      pg_catalog.current_setting('client_encoding')::pg_catalog.name)) AS e (now) \
    WHERE d.datname = pg_catalog.current_database()";

fn check_setting(row: Row<'_>, name: &str, beginning: &BString) -> Result<()> {
    let value = row.text("value")?;
    if value.starts_with(beginning) {
        return Ok(());
    }
    Err(unsettled(&format!("{name} is '{value}', and not '{beginning}'")))
}

fn elsewhere() -> Error {
    Error::new(ErrorKind::Connection, "read over several connections")
        .why("they do not all lead to the same server and the same snapshot")
        .hint("connect to the server itself, or use " + Choice::Jobs(Some(1)))
}

/// Whether a transaction could not begin because of its role, whose name is in the message then, in quotes as most languages
/// have them.
fn is_refused(role: &BStr, error: &Error) -> bool {
    const CODES: [&str; 2] = [sqlstate::INVALID_PARAMETER_VALUE, sqlstate::INSUFFICIENT_PRIVILEGE];
    let quoted = [b"\"".as_slice(), role, b"\""].concat();
    error.server().is_some_and(|report| report.is_any(&CODES) && report.message.contains_str(&quoted))
}

fn not_taken(role: &BStr, error: Error) -> Error {
    let statement = [b"SET ROLE ".as_slice(), &quoted(role)].concat();
    Error::new(error.kind(), format!("take the role \"{role}\"")).source(error).statement(statement.as_bstr())
}

fn unsettled(why: &str) -> Error {
    Error::new(ErrorKind::Connection, "set up the transaction in which the database is read")
        .why(format!("{why}, although it was set at the transaction's beginning"))
        .hint("a connection pooler in between may not keep a transaction together: connect to the server itself")
}

/// The dump's transaction, with all that must hold in it; the role comes last, for it may be one that may set less.
fn block(server: ServerVersion, encoding: &BStr, options: &DumpOptions, view: View<'_>) -> Begin {
    let mut begin = match view {
        View::Now => Begin::snapshot(),
        View::Serializable => Begin::serializable(),
        View::Shared(SnapshotName(name)) | View::Imported(SnapshotName(name)) => {
            Begin::snapshot().import(name.as_bstr())
        }
    };
    let encoding = options.encoding.as_ref().map_or(encoding, |encoding| encoding.as_bstr());
    begin = settings::reading(begin, server).set("client_encoding", encoding);
    for (name, value) in of_options(options) {
        begin = begin.set(name, value);
    }
    begin = begin.set("row_security", if options.row_security { "on" } else { "off" });
    if let Some(wait) = options.lock_wait {
        begin = begin.set("lock_timeout", milliseconds(wait).to_string());
    }
    if server.restricts_relation_kinds() {
        begin = begin.set(RESTRICTION, RESTRICT_ALL);
    }
    match &options.role {
        Some(role) if options.encoding.is_none() => begin.role(role.as_bstr()),
        _ => begin.own_role(),
    }
}

/// The settings by which the server writes names and numbers as the options say.
fn of_options(options: &DumpOptions) -> Vec<(&'static str, BString)> {
    let mut settings = Vec::new();
    if options.quote_all_identifiers {
        settings.push(("quote_all_identifiers", "on".into()));
    }
    if let Some(digits) = options.extra_float_digits {
        settings.push(("extra_float_digits", digits.to_string().into()));
    }
    settings
}

/// As a setting wants it; none would be no limit.
fn milliseconds(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1)
}
