//! Which database is meant.

use std::ffi::OsString;

use crate::connect::{self, Database, Environment};
use crate::error::Result;

/// The option that names the database.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The database: sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/name, a connection string of
    /// keywords and values; SQLAlchemy's forms (postgresql+asyncpg://…) are understood. Without it, the environment says
    /// it (see lifeboat --help)
    #[arg(long, short = 'd', visible_alias = "dbname", value_name = "URL")]
    url: Option<OsString>,
}

impl DatabaseArgs {
    /// The database that is meant, by `--url` or by the environment.
    pub(crate) fn database(&self) -> Result<Database> {
        let environment = Environment::of_process();
        let given = self.url.as_ref().map(|url| url.as_encoded_bytes());
        connect::recognise(&connect::find_url(given, &environment)?, &environment)
    }

    /// Whether `--url` says which.
    pub(crate) fn is_given(&self) -> bool {
        self.url.is_some()
    }

    /// As if `--url` were this.
    pub(crate) fn of(url: OsString) -> Self {
        Self { url: Some(url) }
    }
}
