//! A whole server, as `pg_dumpall` sees it: what is in no database, and which databases there are.

use bstr::{BStr, BString, ByteSlice};

use super::run::{in_session, read_with};
use super::{Globals, GlobalsOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::select::{PatternFault, database_pattern};
use crate::postgres::session::Session;
use crate::printable;
use crate::progress::Reporter;
use crate::sql::Encoding;
use crate::wire::{Connection, Param, Query};

/// What one snapshot says of a server.
pub struct Cluster {
    /// What is in no database.
    pub globals: Globals,
    /// The databases that can be connected to: `template1` first, and the others by their names.
    pub databases: Vec<BString>,
    /// Those of them that are left out.
    pub excluded: Vec<BString>,
}

/// Reads what is in no database, and which databases there are, without those that match a pattern.
///
/// # Errors
/// They cannot be read, or not completely; a pattern with dots.
pub fn read(
    connect: &dyn Fn() -> Result<Connection>,
    options: &GlobalsOptions,
    exclude: &[BString],
    reporter: &dyn Reporter,
) -> Result<Cluster> {
    let encoding = options.encoding.as_ref().map_or(Encoding::Safe, |name| Encoding::of(name.as_bstr()));
    let expressions =
        exclude.iter().map(|pattern| expression(pattern.as_bstr(), encoding)).collect::<Result<Vec<_>>>()?;
    reporter.cancellation().run(|| {
        let (globals, (databases, excluded)) =
            read_with(connect, options, reporter, |session| read_databases(session, &expressions))?;
        Ok(Cluster { globals, databases, excluded })
    })
}

/// The databases of a server that can be connected to, by their names, but for templates.
///
/// # Errors
/// They cannot be read.
pub fn databases(
    connect: &dyn Fn() -> Result<Connection>,
    options: &GlobalsOptions,
    reporter: &dyn Reporter,
) -> Result<Vec<BString>> {
    // One whose limit is -2 is one that could not be dropped to the end.
    let query = Query::new(
        "the databases",
        "SELECT d.datname FROM pg_catalog.pg_database AS d \
         WHERE d.datallowconn AND d.datconnlimit <> -2 AND NOT d.datistemplate ORDER BY d.datname",
    );
    let read = |session: &mut Session| {
        let rows = session.connection().run(&query)?;
        rows.iter().map(|row| Ok(row.string("datname")?)).collect()
    };
    reporter.cancellation().run(|| in_session(connect, options, reporter, read))
}

fn expression(pattern: &BStr, encoding: Encoding) -> Result<BString> {
    database_pattern(pattern, encoding).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("leave out the databases {}", printable::name(pattern)))
            .source(PatternFault::TooManyDots { what: "databases", pattern: pattern.into() })
    })
}

/// The databases, and those of them that match an expression of `exclude`.
fn read_databases(session: &mut Session, exclude: &[BString]) -> Result<(Vec<BString>, Vec<BString>)> {
    // Nobody changes template0, and a database whose limit is -2 is one that could not be dropped to the end.
    let query = Query::new(
        "the databases",
        "SELECT d.datname, EXISTS (SELECT FROM pg_catalog.unnest($1) AS p (expression) \
           WHERE d.datname OPERATOR(pg_catalog.~) p.expression COLLATE pg_catalog.\"default\") AS is_excluded \
         FROM pg_catalog.pg_database AS d \
         WHERE d.datallowconn AND d.datconnlimit <> -2 AND d.datname <> 'template0' \
         ORDER BY d.datname <> 'template1', d.datname",
    );
    let (mut databases, mut excluded) = (Vec::new(), Vec::new());
    for row in session.connection().run(&query.param(Param::texts(exclude)))?.iter() {
        let list = if row.bool("is_excluded")? { &mut excluded } else { &mut databases };
        list.push(row.string("datname")?);
    }
    Ok((databases, excluded))
}
