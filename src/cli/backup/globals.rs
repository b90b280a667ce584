//! `lifeboat backup --globals`: roles and tablespaces, which are in no database.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::name::Fields;
use crate::cli::amounts::{counted, seconds};
use crate::cli::destination::Destination;
use crate::cli::report::Outcome;
use crate::console::standard_streams;
use crate::postgres::dump::DumpOptions;
use crate::postgres::globals::{self, GlobalsOptions, GlobalsSummary};
use crate::postgres::script::RestrictKey;
use crate::wire::Connection;
use crate::{Existing, Flush, Reporter, Result};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "PostgreSQL: roles and tablespaces")]
pub(super) struct GlobalsArgs {
    /// Save roles, who is a member of whom, their settings, tablespaces and privileges on parameters into this file, as SQL
    /// for psql or lifeboat restore --globals; with --output besides the database, without it alone
    #[arg(long, value_name = "FILE")]
    globals: Option<PathBuf>,
    /// Leave out the roles' passwords, which only superusers may read
    #[arg(long, requires = "globals")]
    no_role_passwords: bool,
}

/// A file of roles and tablespaces that is written, and may not have its name yet.
pub(super) struct Written<'a> {
    path: &'a Path,
    to: Destination,
    summary: GlobalsSummary,
}

impl GlobalsArgs {
    pub(super) fn path(&self) -> Option<&Path> {
        self.globals.as_deref()
    }

    /// The same with what the fields of the file's name stand for.
    pub(super) fn filled(self, fields: &Fields) -> Result<Self> {
        Ok(Self { globals: self.globals.map(|path| fields.fill(&path)).transpose()?, ..self })
    }

    pub(super) fn takes_stdout(&self) -> bool {
        self.path().is_some_and(standard_streams::is_output)
    }

    /// Writes the file, if there is to be one.
    pub(super) fn write(
        &self,
        connect: &dyn Fn() -> Result<Connection>,
        of_database: &DumpOptions,
        existing: Existing,
        reporter: &dyn Reporter,
    ) -> Result<Option<Written<'_>>> {
        let Some(path) = self.path() else { return Ok(None) };
        let options = GlobalsOptions::default()
            .everything(true)
            .passwords(!self.no_role_passwords)
            .comments(of_database.comments)
            .security_labels(of_database.security_labels)
            .accept_unknown(of_database.accept_unknown)
            .role(of_database.role.clone())
            .lock_wait(of_database.lock_wait);
        let key = RestrictKey::random()?;
        let mut to = Destination::open(path, existing, "the roles and tablespaces", reporter)?;
        let write = |out: &mut dyn Write| globals::backup(connect, &options, &key, out, reporter);
        let summary = match &mut to {
            Destination::Stream(out) => write(out)?,
            Destination::File(file) => {
                let written = write(&mut BufWriter::with_capacity(BUFFER, &mut **file));
                written.map_err(|error| file.explain(error))?
            }
        };
        Ok(Some(Written { path, to, summary }))
    }
}

impl Written<'_> {
    /// Gives the file its name, and says what is in it.
    pub(super) fn finish(self) -> Result<GlobalsFacts> {
        match self.to {
            Destination::Stream(out) => {
                standard_streams::finish(out.get_ref(), Flush::Files, "write the roles and tablespaces")?
            }
            Destination::File(file) => {
                file.commit()?;
            }
        }
        let GlobalsSummary { roles, memberships, tablespaces, .. } = self.summary;
        Ok(GlobalsFacts { file: self.path.to_string_lossy().into_owned(), roles, memberships, tablespaces })
    }
}

impl Written<'_> {
    /// Gives the file its name, and reports it as all that there is.
    pub(super) fn alone(self, took: Duration) -> Result<Outcome> {
        let globals = self.finish()?;
        let lines = vec!["lifeboat: backup complete".to_owned(), "backend: postgresql".to_owned(), globals.line()];
        Outcome::new(lines, AloneFacts { backend: "postgresql", globals, seconds: seconds(took) })
    }
}

#[derive(Serialize)]
struct AloneFacts {
    backend: &'static str,
    globals: GlobalsFacts,
    seconds: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct GlobalsFacts {
    file: String,
    roles: usize,
    memberships: usize,
    tablespaces: usize,
}

impl GlobalsFacts {
    /// The line about it for people.
    pub(super) fn line(&self) -> String {
        let roles = counted(self.roles as u64, "role", "roles");
        let tablespaces = counted(self.tablespaces as u64, "tablespace", "tablespaces");
        format!("globals: {} ({roles}, {tablespaces})", self.file)
    }
}
