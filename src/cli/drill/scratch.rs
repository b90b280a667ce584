//! Places that a drill makes for itself, and that go away with it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use super::drop_scratch::{self, Creation};
use super::leftovers;
use crate::connect::Target;
use crate::postgres::ServerVersion;
use crate::postgres::settings;
use crate::sql::Sql;
use crate::wire::{Connection, Query, sqlstate};
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

/// A database beside the one that the drill is about, with the same encoding and locale; dropped at the end.
pub(super) struct ScratchDatabase {
    target: Target,
    origin: Target,
    making: Arc<Creation>,
    /// Tells others that the drill is on its way.
    life: Connection,
    dropped: bool,
    _registration: Registration,
}

impl ScratchDatabase {
    /// Makes it, for a drill with the database at `origin`. Those that drills which were killed have left are named.
    pub(super) fn new(origin: &Target, reporter: &dyn Reporter) -> Result<Self> {
        let name = leftovers::database_name();
        let mut connection = origin.named(name.as_str()).connect()?;
        leftovers::tell_databases(&mut connection, reporter)?;
        let create = statement(&mut connection, &name)?;
        let (at, mine) = (origin.clone(), name.clone());
        let making = Arc::new(Creation::new(connection.cancel_handle()));
        let its = Arc::clone(&making);
        let end = move |deadline| drop_scratch::end(&at, &mine, &its, deadline);
        let registration = reporter.cancellation().last_words_for_all(end)?;
        let target = origin.with_database(name.as_str());
        let mut made = Self {
            target,
            origin: origin.clone(),
            making,
            life: connection,
            dropped: false,
            _registration: registration,
        };
        // What fails may have made it all the same; it is dropped with this value.
        let result = made.making.make(|| drop_scratch::alone(origin, &mut made.life, create.as_bstr()));
        result.map_err(|e| match e.server() {
            Some(report) if report.is(sqlstate::INSUFFICIENT_PRIVILEGE) => {
                e.hint("a drill makes a scratch database: the role needs the right to (ALTER ROLE ... CREATEDB)")
            }
            _ => e,
        })?;
        // It has nothing to say until the end, and must not be ended for that.
        let settings = settings::writing(&made.life);
        made.life.set_up(&settings)?;
        made.open(&name)?;
        Ok(made)
    }

    /// Lets the drill connect to it, and no other role: functions that run with their owner's rights belong to the one who makes the
    /// drill there, and everybody may call them, because owners and privileges are not restored.
    fn open(&mut self, name: &str) -> Result<()> {
        let sql = format!(
            "REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO SESSION_USER; \
             ALTER DATABASE {name} ALLOW_CONNECTIONS true"
        );
        Ok(self.life.execute(sql.as_bytes())?)
    }

    /// How to connect to it.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Drops it.
    pub(super) fn remove(mut self) -> Result<()> {
        self.dropped = true;
        drop_scratch::drop_database(&self.origin, &self.target.database().to_string())
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        // After a signal, it is being dropped already.
        if !self.dropped && !self.making.is_ended() {
            // The error that led here matters more.
            let _ = drop_scratch::drop_database(&self.origin, &self.target.database().to_string());
        }
    }
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
