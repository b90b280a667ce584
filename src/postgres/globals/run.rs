//! A backup of what is in no database.

use std::io::Write;

use super::script::unwritten;
use super::{Frame, Globals, GlobalsOptions, end};
use crate::error::Result;
use crate::postgres::dump::Running;
use crate::postgres::script::RestrictKey;
use crate::postgres::session::{Session, View};
use crate::progress::{Phase, Reporter, Unit};
use crate::wire::Connection;

/// What a backup of what is in no database consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlobalsSummary {
    /// Roles.
    pub roles: usize,
    /// Grants of a role to another.
    pub memberships: usize,
    /// Tablespaces, without the server's own.
    pub tablespaces: usize,
}

/// Writes a script that makes the roles and tablespaces of the server that `connect` connects to, as one snapshot shows them.
///
/// # Errors
/// They cannot be read, or not completely; what writing fails with.
pub fn backup(
    connect: &dyn Fn() -> Result<Connection>,
    options: &GlobalsOptions,
    key: &RestrictKey,
    out: &mut dyn Write,
    reporter: &dyn Reporter,
) -> Result<GlobalsSummary> {
    reporter.cancellation().run(|| {
        let (globals, ()) = read_with(connect, options, reporter, |_| Ok(()))?;
        globals.write(options, &Frame::new(key), out)?;
        end(None, out)?;
        out.flush().map_err(unwritten)?;
        Ok(globals.summary())
    })
}

impl Globals {
    /// How much there is.
    pub fn summary(&self) -> GlobalsSummary {
        GlobalsSummary {
            roles: self.roles.len(),
            memberships: self.memberships.len(),
            tablespaces: self.tablespaces.iter().filter(|one| !one.is_the_servers()).count(),
        }
    }
}

/// Reads what is in no database, and in the same snapshot what `more` reads.
pub(super) fn read_with<T>(
    connect: &dyn Fn() -> Result<Connection>,
    options: &GlobalsOptions,
    reporter: &dyn Reporter,
    more: impl FnOnce(&mut Session) -> Result<T>,
) -> Result<(Globals, T)> {
    reporter.phase(Phase::new("reading roles and tablespaces", Unit::Steps));
    in_session(connect, options, reporter, |session| Ok((Globals::read(session, options)?, more(session)?)))
}

/// Reads something in one snapshot.
pub(super) fn in_session<T>(
    connect: &dyn Fn() -> Result<Connection>,
    options: &GlobalsOptions,
    reporter: &dyn Reporter,
    read: impl FnOnce(&mut Session) -> Result<T>,
) -> Result<T> {
    let running = Running::new(reporter.cancellation())?;
    let mut session = Session::new(running.connect(connect)?)?;
    let of_session = options.session();
    session.begin(&of_session, View::Now)?;
    session.look(&of_session)?;
    let read = read(&mut session)?;
    session.end()?;
    Ok(read)
}
