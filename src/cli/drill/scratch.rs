//! Places that a drill makes for itself, and that go away with it.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::leftovers;
use crate::cli::scratch_database::{Purpose, ScratchDatabase};
use crate::connect::Target;
use crate::postgres::ServerVersion;
use crate::sql::Sql;
use crate::wire::{Connection, Query};
use crate::{Registration, Reporter, Result, io_error};

/// A folder that goes away at the end, also if a signal ends the process.
pub(super) struct Scratch {
    folder: tempfile::TempDir,
    /// Tells others that this drill is on its way, until the process ends in whatever way.
    _lock: File,
    _registration: Registration,
}

impl Scratch {
    /// Makes it in `parent`; names those that drills which were killed have left there.
    pub(super) fn new(parent: Option<&Path>, reporter: &dyn Reporter) -> Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        leftovers::tell_folders(&parent, reporter);
        let make = || tempfile::Builder::new().prefix(leftovers::FOLDER).tempdir_in(&parent);
        let made = reporter.cancellation().folder(make);
        let (folder, registration) = made.map_err(|e| {
            let is_missing = e.kind() == std::io::ErrorKind::NotFound;
            let error = io_error(format!("make a scratch folder in {}", parent.display()), &parent, e);
            if is_missing { error.hint("name a folder that is there: --scratch DIR") } else { error }
        })?;
        let path = folder.path().join(leftovers::LOCK);
        let lock = File::create(&path).and_then(|file| match file.try_lock() {
            // A file system without locks has nothing to tell the next drill.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(file),
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => Ok(file),
            Err(TryLockError::Error(e)) => Err(e),
        });
        let lock = lock.map_err(|e| io_error(format!("lock {}", path.display()), &path, e))?;
        Ok(Self { folder, _lock: lock, _registration: registration })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What a drill makes a database for.
static PURPOSE: Purpose =
    Purpose { prefix: "lifeboat_drill", database: "scratch database", work: "the drill", one: "a drill" };

/// Makes a database beside the one at `origin`, with the same encoding and locale, for a drill with that.
pub(super) fn database<'a>(origin: &Target, reporter: &'a dyn Reporter) -> Result<ScratchDatabase<'a>> {
    let create = |connection: &mut Connection, name: &str| Ok(statement(connection, name)?.into_bstring());
    ScratchDatabase::new(&PURPOSE, origin, create, reporter)
}

/// The statement that makes a database `name` like the one that is connected to.
fn statement(connection: &mut Connection, name: &str) -> Result<Sql> {
    let server = ServerVersion::new(connection.server_version());
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
    // Until it is known who may.
    sql.kw(" ALLOW_CONNECTIONS false");
    Ok(sql)
}
