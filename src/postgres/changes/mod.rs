//! What others changed since the snapshot, of all that cannot be locked.
//!
//! Queries see the snapshot, but what the server puts into words does not: `pg_get_viewdef()` and its like, the output of
//! `regclass` and its like, and COPY, which finds tables by name and writes the labels of enums, see the catalog as it is
//! now. So rows of catalogs that such words are made of are compared: once right after the catalog was read
//! ([`since_snapshot`] with the definitions' [`Watch`]es), and once after the data, with those that data are made of.
//!
//! A row that the snapshot sees and that somebody has updated or deleted since says so itself: its `xmax` is the
//! transaction that did it. That takes one pass over each catalog, in one statement, and gives no row in most backups. Only if
//! there are some, a new snapshot tells what became of them:
//!
//! - One that is gone is no matter: where the server was to put it into words, it said that it is not there, and what is
//!   in use by a table that is locked cannot be dropped.
//! - One that says something else now, in the columns that matter, is a change.
//! - One that says the same may have said something else in between, unless the transaction that replaced the snapshot's
//!   version is the one that made the present one: then there was nothing in between.

mod data;
mod definitions;
mod membership;
mod tables;
mod watch;

use std::collections::HashMap;

use bstr::BString;

use super::session::Session;
use super::version::ServerVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Param, Query, Row};

use data::Used;
pub use data::{DATA, POLICIES};
pub use definitions::DEFINITIONS;
pub use tables::TABLES;
pub use watch::Watches;
use watch::{Now, Watch, When};

/// How many things an error names.
const NAMED: usize = 10;

impl Present {
    /// Whether it is not what it was for the snapshot, or may have been something else in between.
    fn replaces(&self, suspect: &Suspect) -> bool {
        let is_same = self.by == suspect.made_by;
        !is_same && (self.state != suspect.state || suspect.even_if_undone && self.by != suspect.by)
    }
}

/// A row as the snapshot sees it, which was updated or deleted since.
struct Suspect {
    watch: usize,
    oid: u32,
    part: i32,
    name: BString,
    /// The transaction that made it what it is.
    made_by: BString,
    /// The transaction that updated or deleted it, or only locked it.
    by: BString,
    state: BString,
    even_if_undone: bool,
}

/// What has become of a row.
struct Present {
    /// The transaction that made it what it is.
    by: BString,
    state: BString,
}

/// What was changed since the session's snapshot was taken, in words. `tables` are the OIDs that the watches speak of. Where
/// something may have been changed, `fresh` is asked for a session whose snapshot is taken afterwards.
///
/// # Errors
/// A query fails.
pub fn since_snapshot(
    session: &mut Session,
    watches: &[Watches],
    tables: &[u32],
    fresh: impl FnOnce(&mut Session) -> Result<Fresh>,
) -> Result<Vec<String>> {
    let (server, superuser) = (session.server(), session.is_superuser());
    let asks_when = |watches: &Watches| {
        let roles = watches.roles.into_iter();
        watches.rows.iter().map(|watch| watch.when).chain(roles).any(|when| when != When::Always)
    };
    let used = if watches.iter().any(asks_when) { Used::by(tables, session)? } else { Used::default() };
    let rows = watches.iter().flat_map(|watches| watches.rows);
    let rows: Vec<&Watch> = rows.filter(|watch| (superuser || !watch.secret) && used.is(watch.when)).collect();
    let roles = watches.iter().filter_map(|watches| watches.roles).any(|when| used.is(when));
    let now: Vec<&Now> = watches.iter().flat_map(|watches| watches.now).collect();
    let suspects = suspects(session, (&rows, roles, &now), tables, &used)?;
    let kinds = rows.iter().map(|watch| watch.what).chain(["role"]).chain(now.iter().map(|now| now.what));
    let kinds: Vec<&str> = kinds.collect();
    let mut queries = Vec::new();
    for (number, watch) in rows.iter().enumerate() {
        let oids: Vec<u32> = suspects.iter().filter(|s| s.watch == number).map(|s| s.oid).collect();
        if !oids.is_empty() {
            queries.push(watch.present(number, server, &oids));
        }
    }
    let present = match queries.is_empty() {
        true => HashMap::new(),
        false => match fresh(session)? {
            Fresh::Same => present(session, &queries)?,
            Fresh::Another(mut session) => {
                let present = present(&mut session, &queries)?;
                session.end()?;
                present
            }
        },
    };
    let mut changed = Vec::new();
    for suspect in &suspects {
        let watch = rows.get(suspect.watch);
        let matters = match present.get(&(suspect.watch, suspect.oid, suspect.part)) {
            Some(present) => present.replaces(suspect),
            None => watch.is_none_or(|watch| watch.even_if_gone),
        };
        if matters {
            changed.push(format!("{} {}", kinds.get(suspect.watch).unwrap_or(&""), suspect.name));
        }
    }
    changed.sort();
    changed.dedup();
    Ok(changed)
}

/// A session with a snapshot of its own.
pub enum Fresh {
    /// The one that was asked, in another transaction.
    Same,
    /// Another one.
    Another(Box<Session>),
}

/// The error for what was changed while `doing`.
pub fn error(doing: &str, changed: &[String]) -> Error {
    let what = named(changed);
    Error::new(ErrorKind::Changed, "back up everything as it was at one moment")
        .why(format!("somebody changed what cannot be locked while {doing}: {what}"))
        .hint("run the backup again")
}

/// The error for what was changed since something was done, so that it cannot be read any more as it was then.
pub fn error_since(done: &str, changed: &[String]) -> Error {
    let what = named(changed);
    Error::new(ErrorKind::Changed, "back up everything as it was at one moment")
        .why(format!("somebody changed since {done}: {what}"))
        .hint("take a new snapshot")
}

/// The first of them, and how many more there are.
fn named(changed: &[String]) -> String {
    let named = changed.get(..NAMED).unwrap_or(changed).join(", ");
    let more = changed.len().saturating_sub(NAMED);
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    named + &tail
}

impl Watch {
    fn columns(&self, number: usize, server: ServerVersion) -> String {
        let mut matters = self.matters.to_owned();
        for (_, column) in self.newer.iter().filter(|(is_known, _)| is_known(server)) {
            matters += ", ";
            matters += column;
        }
        format!(
            "{number}::pg_catalog.int4 AS watch, {}::pg_catalog.oid AS oid, ({})::pg_catalog.int4 AS part, \
             ROW({matters})::pg_catalog.text AS state",
            self.oid, self.part
        )
    }

    /// Rows that the snapshot sees and that another transaction has updated or deleted since. What it has merely tried to,
    /// or may yet do, does not count; an `xmax` so old that nobody knows of it did not.
    fn suspects(&self, number: usize, server: ServerVersion) -> String {
        // The transaction's number with what counts how often numbers have begun anew, from the number that was next when
        // the snapshot was taken: it is less than half a round away.
        const DONE: &str = "CASE WHEN x.xmax = '0'::pg_catalog.xid THEN false ELSE pg_catalog.pg_xact_status((next.xid \
            + (x.xmax::pg_catalog.text::pg_catalog.int8 - next.xid % 4294967296 + 6442450944) % 4294967296 \
            - 2147483648)::pg_catalog.text::pg_catalog.xid8) IS NOT DISTINCT FROM 'committed' END";
        format!(
            "SELECT {}, ({})::pg_catalog.text AS name, x.xmin::pg_catalog.text AS made_by, \
             x.xmax::pg_catalog.text AS by, ({}) AS even_if_undone FROM {} CROSS JOIN next WHERE x.xmax <> '0'::pg_catalog.xid AND {DONE} AND ({})",
            self.columns(number, server),
            self.name,
            self.even_if_undone,
            self.from,
            self.of
        )
    }

    /// The same rows as they are for another snapshot.
    fn present(&self, number: usize, server: ServerVersion, oids: &[u32]) -> Query {
        let sql = format!(
            "SELECT {}, x.xmin::pg_catalog.text AS by FROM {} WHERE {} = ANY ($1)",
            self.columns(number, server),
            self.from,
            self.oid
        );
        Query::new("what was changed", sql).param(Param::oids(oids))
    }
}

/// The rows that others have updated or deleted, and, as of watches that there are not, the `roles` that have another name now and
/// what is different `now`.
fn suspects(
    session: &mut Session,
    (watches, roles, now): (&[&Watch], bool, &[&Now]),
    tables: &[u32],
    used: &Used,
) -> Result<Vec<Suspect>> {
    let server = session.server();
    let mut parts: Vec<String> = watches.iter().enumerate().map(|(i, watch)| watch.suspects(i, server)).collect();
    if roles {
        parts.push(format!(
            "SELECT {}, x.oid, 0, '', x.rolname, '', '', true FROM pg_catalog.pg_roles AS x \
             WHERE x.rolname <> pg_catalog.pg_get_userbyid(x.oid) \
             AND pg_catalog.pg_get_userbyid(x.oid) !~ '^unknown [(]OID='",
            watches.len()
        ));
    }
    let is_now = |(i, now): (usize, &&Now)| {
        let number = watches.len() + 1 + i;
        format!("SELECT {number}, n.oid, 0, '', n.name, '', '', true FROM (SELECT {}) AS n", now.rows)
    };
    parts.extend(now.iter().enumerate().map(is_now));
    let expected = if now.is_empty() { String::new() } else { format!(", {}", membership::expected(server)) };
    let sql = format!(
        "WITH RECURSIVE next (xid) AS (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())\
         ::pg_catalog.text::pg_catalog.int8), used (oid) AS (SELECT t.oid FROM pg_catalog.unnest($2) AS t (oid)){expected} {} \
         ORDER BY 1, 2, 3",
        parts.join(" UNION ALL ")
    );
    let query = Query::new("what was changed since", sql).param(Param::oids(tables)).param(Param::oids(&used.types));
    let rows = session.connection().run(&query)?;
    rows.iter()
        .map(|row| {
            let (watch, oid, part) = key(row)?;
            Ok(Suspect {
                watch,
                oid,
                part,
                name: row.string("name")?,
                made_by: row.string("made_by")?,
                by: row.string("by")?,
                state: row.string("state")?,
                even_if_undone: row.bool("even_if_undone")?,
            })
        })
        .collect()
}

fn present(session: &mut Session, queries: &[Query]) -> Result<HashMap<(usize, u32, i32), Present>> {
    let mut found = HashMap::new();
    for rows in session.connection().pipeline(queries)? {
        for row in rows.iter() {
            found.insert(key(row)?, Present { by: row.string("by")?, state: row.string("state")? });
        }
    }
    Ok(found)
}

fn key(row: Row<'_>) -> Result<(usize, u32, i32)> {
    let watch = usize::try_from(row.i32("watch")?).unwrap_or(usize::MAX);
    Ok((watch, row.oid("oid")?, row.i32("part")?))
}
