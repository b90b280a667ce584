//! What a backup of a database would meet: which server it is, what its role may not read, who holds locks that it would wait for,
//! whether everything in the database is understood. Nothing is locked and no user's table is read for it, but for the few that say
//! which migration was the last (`revision.rs`).
//!
//! What is found holds for the moment in which it was asked for. A backup looks for itself, under its own locks.

mod locks;
mod privileges;
mod revision;

use std::collections::HashSet;
use std::time::Duration;

use bstr::BString;

pub(in crate::postgres) use locks::holders;
pub(crate) use locks::{Holder, LockHolder};
pub(in crate::postgres) use privileges::unreadable;
pub(crate) use privileges::{Unreadable, Why};

use super::dump::{self, DumpOptions, Running, server_version};
use super::session::Session;
use super::table_locks::LockedTable;
use super::{catalog, data};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Phase, Reporter, Unit};
use crate::revision::Revision;
use crate::wire::{Connection, sqlstate};

/// The server, and who one is there.
#[derive(Debug, Clone)]
pub(crate) struct ServerFacts {
    /// Its version, as it says it.
    pub version: BString,
    /// Whether this lifeboat knows it.
    pub is_known: bool,
    /// Whether it is a standby.
    pub is_standby: bool,
    /// Whether something stands between the session and the server: the process that serves it is another than was said at login.
    pub is_pooled: bool,
    /// The role whose rights count.
    pub role: BString,
    /// Whether it is a superuser.
    pub is_superuser: bool,
    /// The size of the database in bytes, if the role may know it.
    pub database_bytes: Option<u64>,
}

/// What the role cannot read of what a backup needs, and who is in the way.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    /// Relations.
    pub relations: Vec<Unreadable>,
    /// The number of large objects, and the OID of the first.
    pub large_objects: Option<(u64, u32)>,
    /// The names of subscriptions, which only superusers may read.
    pub subscriptions: Vec<BString>,
    /// User mappings whose options are not shown: the users, and the foreign servers.
    pub user_mappings: Vec<(BString, BString)>,
    /// Who holds locks on tables that a backup would wait for, or is going to have them before it.
    pub locks: Vec<LockHolder>,
    /// How many tables there are to back up.
    pub tables: usize,
}

impl Obstacles {
    /// Whether the role may read everything.
    fn are_none(&self) -> bool {
        self.relations.is_empty()
            && self.large_objects.is_none()
            && self.subscriptions.is_empty()
            && self.user_mappings.is_empty()
    }
}

/// What an archive would hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    /// Entries of its table of contents.
    pub entries: usize,
    /// The tables whose rows are in it; not known where something cannot be read that it would need.
    pub tables: Option<usize>,
}

/// What was seen of a database and its server.
#[derive(Debug)]
pub(crate) struct Examination {
    /// The connection.
    pub connection: ConnectionFacts,
    /// The server.
    pub server: ServerFacts,
    /// What is in the way of a backup, or why that cannot be told.
    pub obstacles: Result<Obstacles>,
    /// What an archive would hold, or why there would be none.
    pub planned: Result<Planned>,
    /// The newest migrations, or why they cannot be read.
    pub revisions: Result<Vec<Revision>>,
}

/// How the server was reached.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionFacts {
    /// The address, or the file of the socket, if the system tells.
    pub peer: Option<String>,
    /// The version of TLS and the cipher suite.
    pub tls: Option<(&'static str, &'static str)>,
}

/// Somebody else's lock is waited for no longer than this: who holds it is said.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a catalog is read that others seem to change just then, as a backup would; what is broken in it looks the same.
const ATTEMPTS: u32 = 3;

/// Looks at a database and its server as a backup with these options would meet them. What the server and the catalog warn of, the
/// reporter is told.
///
/// # Errors
/// There is no connection, or the server is none that can be backed up, or refuses the role.
pub(crate) fn examine(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    reporter: &dyn Reporter,
) -> Result<Examination> {
    let options = options.clone().lock_wait(Some(PATIENCE));
    reporter.cancellation().run(|| {
        let running = Running::new(reporter.cancellation())?;
        let connection = running.connect(connect)?;
        let facts = ConnectionFacts { peer: connection.peer(), tls: connection.tls() };
        let mut session = Session::new(connection)?;
        dump::pass_on_warnings(&mut session, reporter);
        let server = server(&mut session, &options)?;
        reporter.phase(Phase::new("reading the catalog", Unit::Steps));
        let obstacles = obstacles(&mut session, &options);
        let mut plan = || plan(&mut session, &options, obstacles.as_ref().ok(), reporter).map_err(dump::changed);
        let mut planned = plan();
        let mut attempts = 1;
        while attempts < ATTEMPTS && planned.as_ref().is_err_and(|error| error.kind() == ErrorKind::Changed) {
            planned = plan();
            attempts += 1;
        }
        let revisions = revision::revisions(session, &|| running.connect(connect), &options);
        Ok(Examination { connection: facts, server, obstacles, planned, revisions })
    })
}

fn server(session: &mut Session, options: &DumpOptions) -> Result<ServerFacts> {
    session.within(options, |session| {
        let rows = session.connection().query(
            "SELECT CURRENT_USER::pg_catalog.text AS role, pg_catalog.pg_backend_pid() AS pid, \
             CASE WHEN pg_catalog.has_database_privilege(pg_catalog.current_database()::pg_catalog.name, 'CONNECT') \
             THEN pg_catalog.pg_database_size(pg_catalog.current_database()) END AS size",
            &[],
        )?;
        let row = rows.one()?;
        Ok(ServerFacts {
            version: server_version(session)?,
            is_known: !session.server().is_newer_than_known(),
            is_standby: session.is_standby(),
            is_pooled: row.i32("pid")? != session.connection().backend_pid(),
            role: row.string("role")?,
            is_superuser: session.is_superuser(),
            database_bytes: row.opt_i64("size")?.and_then(|size| u64::try_from(size).ok()),
        })
    })
}

/// Asks what would be in the way of a backup.
fn obstacles(session: &mut Session, options: &DumpOptions) -> Result<Obstacles> {
    session.within(options, |session| {
        let (tables, sequences) = catalog::read_by_a_dump(session, options)?;
        let oids: Vec<u32> = tables.iter().map(|table: &LockedTable| table.oid).collect();
        let mut obstacles = Obstacles { tables: tables.len(), ..Obstacles::default() };
        obstacles.locks = holders(session, &oids)?;
        if session.is_superuser() {
            return Ok(obstacles);
        }
        obstacles.relations = unreadable(session, &oids, &sequences)?;
        if options.with_large_objects() {
            obstacles.large_objects = privileges::large_objects(session)?;
        }
        let is_everything = options.selection.is_everything() && options.definitions;
        if is_everything && options.subscriptions && options.sections.post_data {
            obstacles.subscriptions = privileges::subscriptions(session)?;
        }
        if is_everything && options.user_mappings && options.sections.pre_data {
            obstacles.user_mappings = privileges::user_mappings(session)?;
        }
        Ok(obstacles)
    })
}

/// Plans a backup as far as that goes without locks: reads the whole catalog, checks that nothing in it is left out without a reason,
/// and puts the entries of the archive into their order. What was found to be unreadable is left out.
fn plan(
    session: &mut Session,
    options: &DumpOptions,
    obstacles: Option<&Obstacles>,
    reporter: &dyn Reporter,
) -> Result<Planned> {
    let mut options = options.clone();
    let is_whole = obstacles.is_some_and(Obstacles::are_none);
    if let Some(obstacles) = obstacles {
        options.subscriptions &= obstacles.subscriptions.is_empty();
        options.user_mappings &= obstacles.user_mappings.is_empty();
        if obstacles.relations.iter().any(|relation| relation.is_sequence) {
            options.data = false;
            options.sequence_data = false;
        }
    }
    session.within(&options, |session| {
        let (tables, _) = catalog::read_by_a_dump(session, &options)?;
        // Nothing is copied from them: that they are not locked lets the plan become old, and no more.
        let seen: HashSet<u32> = tables.iter().map(|table| table.oid).collect();
        let contents = dump::plan(session, &options, &seen, reporter)?;
        let is_of_rows = |task: &data::DataTask| matches!(task, data::DataTask::Rows { .. });
        Ok(Planned {
            entries: contents.entries.len(),
            tables: is_whole.then(|| contents.data.iter().filter(|(_, task)| is_of_rows(task)).count()),
        })
    })
}

/// Whether an error says that somebody holds a lock.
pub(crate) fn is_locked_out(error: &Error) -> bool {
    error.server().is_some_and(|report| report.is(sqlstate::LOCK_NOT_AVAILABLE))
}
