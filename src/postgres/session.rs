//! A dump's session: its settings, its transaction, its snapshot.

use bstr::{BString, ByteSlice};

use super::dump::DumpOptions;
use super::version::{OLDEST_SUPPORTED, ServerVersion};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Sql;
use crate::wire::Connection;

/// A connection inside a read-only transaction with one snapshot, set up so that what it reads is portable.
pub struct Session {
    connection: Connection,
    server: ServerVersion,
    encoding: BString,
    standard_strings: bool,
}

/// What a snapshot is known as to other sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotName(BString);

const RESTRICT_ALL: &str = "SET restrict_nonsystem_relation_kind = 'view, foreign-table'";
const RESTRICT_VIEWS: &str = "SET restrict_nonsystem_relation_kind = 'view'";

impl Session {
    /// Sets `connection` up for a dump and begins its transaction; with a snapshot's name, the transaction sees what that
    /// snapshot sees. Of the options, the role and row security count.
    ///
    /// # Errors
    /// The server is too old, refuses a setting, or does not know the snapshot.
    pub fn begin(mut connection: Connection, options: &DumpOptions, snapshot: Option<&SnapshotName>) -> Result<Self> {
        let server = ServerVersion(connection.server_version());
        if server.is_unsupported() {
            return Err(Error::new(ErrorKind::Incomplete, "back up this server")
                .why(format!("it is PostgreSQL {server}, and {OLDEST_SUPPORTED} is the oldest that is known"))
                .hint("upgrade the server, or use its own pg_dump"));
        }
        let server_encoding = parameter(&connection, "server_encoding")?;
        connection.execute(settings(server, &server_encoding, options).as_bstr())?;
        let mut begin = Sql::new();
        begin.kw("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        connection.execute(begin.as_bstr())?;
        if let Some(SnapshotName(name)) = snapshot {
            let mut import = Sql::new();
            import.kw("SET TRANSACTION SNAPSHOT ").literal(name.as_bstr());
            connection.execute(import.as_bstr())?;
        }
        let standard_strings = parameter(&connection, "standard_conforming_strings")? == "on";
        Ok(Self { connection, server, encoding: server_encoding, standard_strings })
    }

    /// The server's version.
    pub fn server(&self) -> ServerVersion {
        self.server
    }

    /// The encoding of all text that this session reads, by its PostgreSQL name.
    pub fn encoding(&self) -> &BString {
        &self.encoding
    }

    /// Whether backslashes in literals are plain characters in this session.
    pub fn standard_strings(&self) -> bool {
        self.standard_strings
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether the server is a standby, which has no rows of unlogged tables.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn is_standby(&mut self) -> Result<bool> {
        let rows = self.connection.query("SELECT pg_catalog.pg_is_in_recovery() AS standby", &[])?;
        rows.one()?.bool("standby")
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
        self.connection.execute(if allowed { RESTRICT_VIEWS } else { RESTRICT_ALL }.as_bytes())
    }

    /// Checks that no schema has got another's name since the snapshot. Tables are copied by name, and their locks hold
    /// their own names, not those of their schemas: rows would be taken for those of the table that was called so before.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] if one has.
    pub fn check_schema_names(&mut self) -> Result<()> {
        let rows = self.connection.query(
            "SELECT nspname FROM pg_catalog.pg_namespace \
             WHERE pg_catalog.to_regnamespace(pg_catalog.quote_ident(nspname))::pg_catalog.oid <> oid ORDER BY nspname",
            &[],
        )?;
        let Some(row) = rows.iter().next() else { return Ok(()) };
        Err(Error::new(ErrorKind::Changed, format!("back up the schema \"{}\"", row.text("nspname")?))
            .why("another schema got its name while the backup ran, and tables may have been copied in the stead of its own")
            .hint("run the backup again"))
    }

    /// Makes this session's snapshot available to others, for as long as its transaction lasts.
    ///
    /// # Errors
    /// The server refuses.
    pub fn export_snapshot(&mut self) -> Result<SnapshotName> {
        let rows = self.connection.query("SELECT pg_catalog.pg_export_snapshot() AS name", &[])?;
        Ok(SnapshotName(rows.one()?.string("name")?))
    }
}

fn parameter(connection: &Connection, name: &str) -> Result<BString> {
    connection.parameter(name).map(BString::from).ok_or_else(|| {
        Error::new(ErrorKind::Server, format!("find out the server's {name}"))
            .why("it did not report it when the connection was made")
            .hint("a connection pooler in between may swallow it: connect to the server itself")
    })
}

/// Text forms must not depend on the role's or the database's settings, nothing may be found through search_path, and
/// no time limit may cut a long dump short.
fn settings(server: ServerVersion, encoding: &BString, options: &DumpOptions) -> Sql {
    let mut sql = Sql::new();
    sql.kw("SET client_encoding = ").literal(encoding.as_bstr()).kw("; ");
    sql.kw("SELECT pg_catalog.set_config('search_path', '', false); ");
    sql.kw("SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; ");
    sql.kw("SET synchronize_seqscans = off; SET row_security = ");
    sql.kw(if options.row_security { "on; " } else { "off; " });
    sql.kw("SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; ");
    if let Some(role) = &options.role {
        sql.kw("SET ROLE ").ident(role.as_bstr()).kw("; ");
    }
    if server.transaction_timeout() {
        sql.kw("SET transaction_timeout = 0; ");
    }
    if server.restricts_relation_kinds() {
        sql.kw(RESTRICT_ALL).kw("; ");
    }
    sql
}
