//! Whether a server that says nothing still works: somebody asks it over another connection.
//!
//! The other connection is made as the first one was, to the same address. The server's own list of processes tells whether
//! the one that serves the first connection is there, and whether it works or waits for this side to speak or to read; if
//! it waits, what was said has been lost on the way. Where a pooler or a balancer stands in between, the two connections may
//! lead to different processes or servers, so that the list says nothing; then it is enough that somebody answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::Route;
use crate::wire::{Connection, Param, Seen, Startup, Watch};
use crate::{Error, Result};

/// Names the server's process and start. A pooler makes up the number of the process that it tells while connecting.
const WHO: &str = "SELECT pg_catalog.pg_backend_pid() AS pid, \
     pg_catalog.timestamptz_send(pg_catalog.pg_postmaster_start_time()) AS started, \
     pg_catalog.timestamptz_send(pg_catalog.statement_timestamp()) AS now";
/// The function that the view pg_stat_activity is made of: it looks at no catalog, which somebody may have locked.
const WORK: &str = "SELECT wait_event::pg_catalog.text AS waits FROM pg_catalog.pg_stat_get_activity($1)";

/// Who asks.
#[derive(Clone)]
pub(super) struct ServerProbe {
    route: Route,
    startup: Startup,
    /// The process that serves the connection, its server's start, and when the connection was made, by the server's clock;
    /// nothing if there is a pooler in between.
    served_by: Option<(i32, i64, i64)>,
    patience: Duration,
}

impl ServerProbe {
    /// For a connection that was made by this route with this startup. One question is to take `patience` at most.
    ///
    /// # Errors
    /// The connection is lost.
    pub(super) fn of(connection: &mut Connection, route: Route, startup: Startup, patience: Duration) -> Result<Self> {
        let served_by = match who(connection) {
            Ok((pid, started, now)) => (pid == connection.backend_pid()).then_some((pid, started, now)),
            Err(error) if connection.is_broken() => return Err(error),
            // What does not know these functions is no PostgreSQL, and must not be taken for one.
            Err(_) => None,
        };
        Ok(Self { route, startup, served_by, patience })
    }

    /// The same, with this time for a question at most.
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience: self.patience.min(patience), ..self }
    }

    /// Connects once more.
    fn connect(&self) -> Result<Connection> {
        let channel = self.route.open(Instant::now().checked_add(self.patience))?;
        Ok(Connection::start(channel, &self.startup, Arc::new(self.route.clone()))?)
    }

    /// Connects once more, to the server that works for the connection, and gives the process that does; nothing where that
    /// cannot be known or is another server.
    pub(super) fn beside(&self) -> Result<Option<(Connection, i32)>> {
        let Some((pid, its_start, _)) = self.served_by else { return Ok(None) };
        let mut connection = self.connect()?;
        let (_, started, _) = who(&mut connection)?;
        Ok((started == its_start).then_some((connection, pid)))
    }

    /// What speaks against the server's working for the connection.
    fn ask(&self) -> Result<Option<String>> {
        let mut connection = self.connect()?;
        // A pooler answers by itself, and may have no connection left to pass a question on to.
        let Some((pid, its_start, made)) = self.served_by else { return Ok(None) };
        let (_, started, _) = who(&mut connection)?;
        if started != its_start {
            // Another server's start says nothing; but the same one has begun anew if that was later.
            return Ok((started > made).then(|| "has been started anew since".to_owned()));
        }
        let rows = connection.query(WORK, &[Param::int4(pid)])?;
        let Some(row) = rows.first() else {
            return Ok(Some(format!("its process {pid}, which worked for this connection, is gone")));
        };
        let waits: Option<&[u8]> = row.opt_text("waits")?.map(AsRef::as_ref);
        Ok(match waits {
            Some(b"ClientRead") => Some(format!("its process {pid} waits for something to be sent to it")),
            Some(b"ClientWrite") => Some(format!("its process {pid} waits for its answer to be taken")),
            _ => None,
        })
    }
}

/// The process behind a connection, its server's start, and the server's time.
fn who(connection: &mut Connection) -> Result<(i32, i64, i64)> {
    let rows = connection.query(WHO, &[])?;
    let row = rows.one()?;
    let time = |name| Ok::<_, Error>(row.bytes(name)?.try_into().map(i64::from_be_bytes).unwrap_or_default());
    Ok((row.i32("pid")?, time("started")?, time("now")?))
}

impl Watch for ServerProbe {
    fn look(&self) -> Seen {
        match self.ask() {
            Ok(None) => Seen::Works,
            Ok(Some(doubt)) => Seen::Doubt(doubt),
            // It answers. That it has no room for another connection, say, is nothing against the first one.
            Err(error) if error.server().is_some() => Seen::Works,
            Err(error) => Seen::Doubt(format!("could not be asked what it does ({error})")),
        }
    }
}
