//! Places that a drill makes for itself, and that go away with it.

use std::path::Path;

use crate::cleanup::Registration;
use crate::connect::Target;
use crate::error::Result;
use crate::output::io_error;
use crate::wire::{Connection, Param};

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
        // By way of jsonb, because the columns for the provider of the locale depend on the server's version.
        let sql = "SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', $1,
                       pg_encoding_to_char(encoding), datcollate, datctype)
                   || CASE facts->>'datlocprovider'
                          WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', locale)
                          WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', locale)
                          ELSE '' END
                   || coalesce(' ICU_RULES ' || quote_literal(facts->>'daticurules'), '') AS sql
                   FROM (SELECT *, to_jsonb(d) AS facts,
                             coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale
                         FROM pg_catalog.pg_database d WHERE datname = current_database()) d";
        let rows = connection.query(sql, &[Param::text(&name)])?;
        let create = rows.one()?.string("sql")?;
        let (at, mine) = (origin.clone(), name.clone());
        let registration = Registration::other(move || {
            // There is nobody left to tell.
            let _ = drop_database(&at, &mine);
        });
        connection.execute(&create).map_err(|e| match e.server() {
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
    connection.execute(format!("DROP DATABASE IF EXISTS {name}").as_bytes())?;
    Ok(())
}
