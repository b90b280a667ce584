//! A dump's session: its settings, its transaction, its snapshot.

use bstr::{BStr, BString, ByteSlice};

use super::dump::DumpOptions;
use super::settings;
use super::version::{OLDEST_SUPPORTED, ServerVersion};
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Begin, Connection};

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

const RESTRICTION: &str = "restrict_nonsystem_relation_kind";
const RESTRICT_ALL: &str = "view, foreign-table";
const RESTRICT_VIEWS: &str = "view";

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
        connection.begin(&block(server, server_encoding.as_bstr(), options, snapshot))?;
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
        self.connection.set_local(RESTRICTION, if allowed { RESTRICT_VIEWS } else { RESTRICT_ALL })
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

/// The dump's transaction, with all that must hold in it; the role comes last, for it may be one that may set less.
fn block(server: ServerVersion, encoding: &BStr, options: &DumpOptions, snapshot: Option<&SnapshotName>) -> Begin {
    let mut begin = Begin::snapshot();
    if let Some(SnapshotName(name)) = snapshot {
        begin = begin.import(name.as_bstr());
    }
    begin = settings::reading(begin, server).set("client_encoding", encoding);
    begin = begin.set("row_security", if options.row_security { "on" } else { "off" });
    if server.restricts_relation_kinds() {
        begin = begin.set(RESTRICTION, RESTRICT_ALL);
    }
    match &options.role {
        Some(role) => begin.role(role.as_bstr()),
        None => begin,
    }
}
