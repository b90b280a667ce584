//! Which database is meant.

use std::ffi::OsString;
use std::time::Duration;

use crate::{Database, Environment, Result, connect};

/// The option that names the database.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The database: sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/name, a connection string of
    /// keywords and values; SQLAlchemy's forms (postgresql+asyncpg://…) are understood. Without it, the environment says
    /// it (see lifeboat --help)
    #[arg(long, short = 'd', visible_alias = "dbname", value_name = "URL")]
    url: Option<OsString>,
    #[command(flatten)]
    silence: SilenceArgs,
}

/// The option that says how long a server may be silent.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SilenceArgs {
    /// After so many seconds without an answer, ask the server over another connection whether it still works, and give
    /// up if it does not; 0 is never. Slow statements are not cut off
    // A heading of the whole struct would be that of the options after it, too. What a variable holds is text of others.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "LIFEBOAT_IDLE_TIMEOUT",
        hide_env_values = true,
        default_value_t = IDLE_TIMEOUT,
        help_heading = "PostgreSQL"
    )]
    idle_timeout: u32,
}

/// Longer than most statements take, and shorter than anybody waits for a job that hangs.
const IDLE_TIMEOUT: u32 = 300;

impl SilenceArgs {
    fn limit(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.idle_timeout.into())).filter(|limit| !limit.is_zero())
    }
}

impl DatabaseArgs {
    /// The database that is meant, by `--url` or by the environment.
    pub(crate) fn database(&self) -> Result<Database> {
        let environment = Environment::of_process();
        let given = self.url.as_ref().map(|url| url.as_encoded_bytes());
        Ok(match connect::recognise(&connect::find_url(given, &environment)?, &environment)? {
            Database::Postgres(target) => Database::Postgres(Box::new(target.with_idle_limit(self.silence.limit()))),
            sqlite => sqlite,
        })
    }

    /// Whether `--url` says which.
    pub(crate) fn is_given(&self) -> bool {
        self.url.is_some()
    }

    /// As if `--url` were this.
    pub(crate) fn of(url: OsString, silence: SilenceArgs) -> Self {
        Self { url: Some(url), silence }
    }
}
