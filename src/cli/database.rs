//! Which database is meant.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use super::progress;
use crate::connect::{self, Named, Target};
use crate::console::{secret, terminal_password};
use crate::progress::{Message, Reporter};
use crate::{Cancellation, Database, Environment, Error, ErrorKind, Result};

/// The options that name the database.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The database: sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/name, a connection string of
    /// keywords and values; SQLAlchemy's forms (postgresql+asyncpg://…) are understood. Without it and the options of PostgreSQL's
    /// tools for that (-d, -h, -p, -U), the environment says it (see lifeboat --help)
    #[arg(long, value_name = "URL", conflicts_with_all = ["dbname", "host", "port", "username"])]
    url: Option<OsString>,
    /// A file that holds nothing but the URL: a container's secret, or a credential of systemd's (--url-file %d/url in a unit)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "dbname", "host", "port", "username"])]
    url_file: Option<PathBuf>,
    /// The name of a PostgreSQL database; or a URL or connection string as for --url, which counts before -h, -p and -U
    #[arg(long, short = 'd', value_name = "DBNAME")]
    dbname: Option<OsString>,
    /// The server's host, or the folder of its socket
    #[arg(long, short = 'h', value_name = "HOST", help_heading = CONNECTION)]
    host: Option<OsString>,
    /// The server's port
    #[arg(long, short = 'p', value_name = "PORT", help_heading = CONNECTION)]
    port: Option<OsString>,
    /// The role to log in as
    #[arg(long, short = 'U', value_name = "NAME", help_heading = CONNECTION)]
    username: Option<OsString>,
    /// Never ask for a password (the default)
    #[arg(long, short = 'w', overrides_with = "password", help_heading = CONNECTION)]
    no_password: bool,
    /// Ask for the password at the terminal, before anything else
    #[arg(long, short = 'W', overrides_with = "no_password", help_heading = CONNECTION)]
    password: bool,
    #[command(flatten)]
    silence: SilenceArgs,
}

/// The options of PostgreSQL's own tools.
const CONNECTION: &str = "PostgreSQL: connection";

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

/// Who waits so long for a lock is told who has it.
const IN_THE_WAY: Duration = Duration::from_secs(10);

impl SilenceArgs {
    fn limit(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.idle_timeout.into())).filter(|limit| !limit.is_zero())
    }
}

impl Default for SilenceArgs {
    fn default() -> Self {
        Self { idle_timeout: IDLE_TIMEOUT }
    }
}

impl DatabaseArgs {
    /// The database that is meant, by the options or by the environment.
    ///
    /// # Errors
    /// Nothing says which, or what says it makes no sense; no password can be asked for.
    pub(crate) fn database(&self, cancellation: &Cancellation) -> Result<Database> {
        match self.found()? {
            Database::Postgres(target) => {
                let mut target = target.with_idle_limit(self.silence.limit());
                target = target.with_lock_watch(IN_THE_WAY, |message| progress::tell(&message));
                if self.password {
                    target = target.with_password(terminal_password::ask(cancellation)?);
                }
                Ok(Database::Postgres(Box::new(target)))
            }
            sqlite => Ok(sqlite),
        }
    }

    fn found(&self) -> Result<Database> {
        let environment = Environment::of_process();
        if let Some(path) = &self.url_file {
            let url = connect::read_url(path)?;
            secret::learn_url(&url.to_string());
            return connect::recognise(&url, &environment);
        }
        let named = self.dbname.as_ref().map(|name| name.as_encoded_bytes());
        // What is not PostgreSQL's can only be meant as a whole.
        let is_other = named.is_some_and(|name| {
            bstr::ByteSlice::find(name, "://").is_some()
                && ![&b"postgresql://"[..], b"postgres://"].iter().any(|scheme| name.starts_with(scheme))
        });
        if self.url.is_some() || is_other || !self.is_given() {
            if is_other && (self.host.is_some() || self.port.is_some() || self.username.is_some()) {
                return Err(Error::new(ErrorKind::Usage, "use --host, --port or --username")
                    .why("--dbname is a URL that says all of it")
                    .hint("leave them out, or put them into the URL"));
            }
            let given = self.url.as_ref().map(|url| url.as_encoded_bytes()).or(named);
            let url = connect::find_url(given, &environment)?;
            // It may have come out of a file.
            secret::learn_url(&url.to_string());
            return connect::recognise(&url, &environment);
        }
        let bytes = |text: &Option<OsString>| text.clone().map(OsString::into_vec);
        let named = Named {
            dbname: bytes(&self.dbname),
            host: bytes(&self.host),
            port: bytes(&self.port),
            user: bytes(&self.username),
            program: "lifeboat".to_owned(),
        };
        Ok(Database::Postgres(Box::new(Target::of_names(named, &environment)?)))
    }

    /// Tells what in the URL has no effect here.
    pub(crate) fn tell_notes(database: &Database, reporter: &dyn Reporter) {
        if let Database::Postgres(target) = database {
            target.notes().iter().for_each(|note| reporter.message(Message::warning("connection", note.as_str())));
        }
    }

    /// What says which: an option, or the variables of the environment.
    pub(crate) fn origin(&self) -> String {
        let given = [
            ("--url", self.url.is_some()),
            ("--url-file", self.url_file.is_some()),
            ("--dbname", self.dbname.is_some()),
            ("--host", self.host.is_some()),
            ("--port", self.port.is_some()),
            ("--username", self.username.is_some()),
        ];
        let given: Vec<&str> = given.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option).collect();
        if !given.is_empty() {
            return given.join(", ");
        }
        connect::url_variable(&Environment::of_process()).unwrap_or("the PG* variables").to_owned()
    }

    /// Whether options say which.
    pub(crate) fn is_given(&self) -> bool {
        self.url_file.is_some()
            || [&self.url, &self.dbname, &self.host, &self.port, &self.username].into_iter().any(Option::is_some)
    }

    /// As if `--url` were this.
    pub(crate) fn of(url: OsString, silence: SilenceArgs) -> Self {
        Self { url: Some(url), silence, ..Self::default() }
    }
}
