//! Places that a drill makes for itself, and that go away with it.

use std::path::Path;

use bstr::BStr;

use crate::cleanup::Registration;
use crate::connect::Target;
use crate::error::Result;
use crate::output::io_error;
use crate::postgres::restore::OneSession;
use crate::postgres::version::ServerVersion;
use crate::sql::Sql;
use crate::wire::{Connection, Param, Query};

/// A folder that goes away at the end, also if a signal ends the process.
pub(super) struct Scratch {
    folder: tempfile::TempDir,
    _registration: Registration,
}

impl Scratch {
    pub(super) fn new(parent: Option<&Path>) -> Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let folder = tempfile::Builder::new()
            .prefix("lifeboat-drill-")
            .tempdir_in(&parent)
            .map_err(|e| io_error(format!("make a scratch folder in {}", parent.display()), &parent, e))?;
        let registration = Registration::folder(folder.path());
        Ok(Self { folder, _registration: registration })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A database beside the one that the drill is about, with the same encoding and locale; dropped at the end.
pub(super) struct ScratchDatabase {
    target: Target,
    origin: Target,
    dropped: bool,
    _registration: Registration,
}

impl ScratchDatabase {
    /// Makes it; `connection` is one to the database that the drill is about, which is at `origin`.
    pub(super) fn new(origin: &Target, connection: &mut Connection) -> Result<Self> {
        let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.subsec_nanos());
        let name = format!("lifeboat_drill_{}_{nanos:08x}", std::process::id());
        let create = statement(connection, &name)?;
        let (at, mine) = (origin.clone(), name.clone());
        let registration = Registration::other(move || {
            // There is nobody left to tell.
            let _ = drop_database(&at, &mine);
        });
        let made = alone(origin, connection, create.as_bstr());
        made.map_err(|e| match e.server() {
            Some(report) if report.is("42501") => {
                e.hint("a drill makes a scratch database: the role needs the right to (ALTER ROLE ... CREATEDB)")
            }
            _ => e,
        })?;
        let target = origin.with_database(name);
        Ok(Self { target, origin: origin.clone(), dropped: false, _registration: registration })
    }

    /// How to connect to it.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Drops it.
    pub(super) fn remove(mut self) -> Result<()> {
        self.dropped = true;
        drop_database(&self.origin, &self.target.database().to_string())
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        if !self.dropped {
            // The error that led here matters more.
            let _ = drop_database(&self.origin, &self.target.database().to_string());
        }
    }
}

/// The name is one of [`ScratchDatabase`]'s, which needs no quotes.
fn drop_database(origin: &Target, name: &str) -> Result<()> {
    let mut connection = origin.connect()?;
    let end = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = $1";
    connection.query(end, &[Param::text(name)])?;
    alone(origin, &mut connection, format!("DROP DATABASE IF EXISTS {name}").as_str().into())
}

/// Runs a statement that no transaction can hold, in a session that nothing of the role's or the database's stops it in.
fn alone(origin: &Target, connection: &mut Connection, sql: &BStr) -> Result<()> {
    let session = OneSession::begin(connection, &|database| origin.with_database(database).connect())?;
    let result = connection.run_on_databases(sql);
    result.and(session.end(connection))
}

/// The statement that makes a database `name` like the one that is connected to.
fn statement(connection: &mut Connection, name: &str) -> Result<Sql> {
    let server = ServerVersion(connection.server_version());
    let (provider, locale) = match (server.builtin_locale_provider(), server.icu_locale_column()) {
        (true, _) => ("datlocprovider", "datlocale"),
        (_, true) => ("datlocprovider", "daticulocale"),
        _ => ("'c'::pg_catalog.\"char\"", "NULL::pg_catalog.text"),
    };
    let rules = if server.collation_rules() { "daticurules" } else { "NULL::pg_catalog.text" };
    let query = Query::new(
        "the database's encoding and locale",
        format!(
            "SELECT pg_catalog.pg_encoding_to_char(encoding)::pg_catalog.text AS encoding, \
             datcollate::pg_catalog.text AS collation, datctype::pg_catalog.text AS ctype, {provider} AS provider, \
             {locale} AS locale, {rules} AS rules \
             FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
        ),
    );
    let rows = connection.run(&query)?;
    let row = rows.one()?;
    let mut sql = Sql::new();
    sql.kw("CREATE DATABASE ").ident(name.into()).kw(" TEMPLATE template0 ENCODING ");
    sql.portable_literal(row.text("encoding")?).kw(" LC_COLLATE ").portable_literal(row.text("collation")?);
    sql.kw(" LC_CTYPE ").portable_literal(row.text("ctype")?);
    if let Some(locale) = row.opt_text("locale")? {
        match row.char("provider")? {
            b'i' => _ = sql.kw(" LOCALE_PROVIDER icu ICU_LOCALE ").portable_literal(locale),
            b'b' => _ = sql.kw(" LOCALE_PROVIDER builtin BUILTIN_LOCALE ").portable_literal(locale),
            _ => {}
        }
    }
    if let Some(rules) = row.opt_text("rules")? {
        sql.kw(" ICU_RULES ").portable_literal(rules);
    }
    Ok(sql)
}
