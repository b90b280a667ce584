//! What a restore would replace in its target.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::Group;

use super::kinds::{self, text};
use super::options::RestoreOptions;
use super::plan::Plan;
use super::session::Target;
use crate::postgres::version::ServerVersion;
use crate::wire::{Connection, Param};
use crate::{Error, ErrorKind, Result};

impl Target {
    /// What a server of this version understands.
    pub fn of(version: ServerVersion) -> Self {
        Self {
            transaction_timeout: version.transaction_timeout(),
            table_access_methods: version.table_access_methods(),
            subscription_streaming: version.subscription_binary(),
            subscription_run_as_owner: version.subscription_origin(),
            is_script: false,
        }
    }
}

/// A table, view, sequence or the like in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Relation {
    schema: BString,
    name: BString,
}

/// How many names a refusal shows.
const SHOWN: usize = 5;

/// Refuses to go on, unless `force` was given. A restore into a server always wants it, even if nothing is there to be
/// replaced: a command in a cron job must not turn from harmless to destructive by what happens to be in a database.
///
/// # Errors
/// [`ErrorKind::Refused`], with what would be replaced; the server's.
pub fn refuse_unforced(
    plan: &Plan,
    entries: &[Entry],
    options: &RestoreOptions,
    target: &mut Connection,
) -> Result<()> {
    if options.create {
        return refuse_creation(entries, options, target);
    }
    if options.force {
        return Ok(());
    }
    // Names are compared with the archive's, byte by byte.
    target.execute(format!("SET client_encoding = '{}'", plan.settings.encoding).as_bytes())?;
    let present = relations(target)?;
    let database = target.query("SELECT pg_catalog.current_database()::text AS name", &[])?;
    let database = database.one()?.string("name")?;
    let wanted: HashSet<(&[u8], &[u8])> = entries
        .iter()
        .enumerate()
        .filter(|(at, entry)| plan.is_wanted(*at) && kinds::group(entry) == Group::Relation)
        .map(|(_, entry)| (text(&entry.schema).as_bytes(), text(&entry.tag).as_bytes()))
        .collect();
    let replaced: Vec<&Relation> =
        present.iter().filter(|r| wanted.contains(&(r.schema.as_slice(), r.name.as_slice()))).collect();
    let why = if present.is_empty() {
        "the database is empty, and nothing would be replaced".to_owned()
    } else if replaced.is_empty() {
        format!("the database has {}, none of which would be replaced", relation_count(present.len()))
    } else {
        let names: Vec<String> = replaced.iter().take(SHOWN).map(|r| format!("{}.{}", r.schema, r.name)).collect();
        let more = replaced.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verb =
            if options.clean { "be dropped and made anew" } else { "get rows from the archive on top of their own" };
        format!("of its {}, {} would {verb}: {}{more}", relation_count(present.len()), replaced.len(), names.join(", "))
    };
    Err(Error::new(ErrorKind::Refused, format!("restore into database \"{database}\" without --force"))
        .why(why)
        .hint("give --force to go ahead"))
}

/// As [`refuse_unforced`], where the database itself is made. One cannot be made while connected to it.
fn refuse_creation(entries: &[Entry], options: &RestoreOptions, target: &mut Connection) -> Result<()> {
    let Some(entry) = entries.iter().find(|entry| kinds::is(entry, "DATABASE")) else {
        return Err(Error::new(ErrorKind::Usage, "create the database")
            .why("the archive does not say which: it holds a part of one")
            .hint("create it yourself, and restore into it without --create"));
    };
    let name = text(&entry.tag);
    let rows = target.query(
        "SELECT pg_catalog.current_database()::text AS current, \
                EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1::text) AS exists",
        &[Param::text(name)],
    )?;
    let row = rows.one()?;
    if row.string("current")? == *name {
        return Err(Error::new(ErrorKind::Usage, format!("create database \"{name}\""))
            .why("it is the one that the URL leads to")
            .hint("give the URL of another database on the same server, such as postgres"));
    }
    let is_there = row.bool("exists")?;
    if is_there && !options.clean {
        return Err(Error::new(ErrorKind::Refused, format!("create database \"{name}\""))
            .why("there is one of that name")
            .hint("without --no-clean it is dropped before"));
    }
    if options.force {
        return Ok(());
    }
    let why = if is_there { "it would be dropped, with all that is in it" } else { "there is none of that name" };
    Err(Error::new(ErrorKind::Refused, format!("create database \"{name}\" without --force"))
        .why(why)
        .hint("give --force to go ahead"))
}

fn relation_count(count: usize) -> String {
    match count {
        1 => "1 table, view or sequence".to_owned(),
        count => format!("{count} tables, views and sequences"),
    }
}

/// The relations that a user made, except those of extensions.
fn relations(target: &mut Connection) -> Result<Vec<Relation>> {
    let rows = target.query(
        "SELECT n.nspname::text AS schema, c.relname::text AS name \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't' \
         AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'e') \
         ORDER BY c.relkind IN ('r', 'p') DESC, 1, 2",
        &[],
    )?;
    rows.iter().map(|row| Ok(Relation { schema: row.string("schema")?, name: row.string("name")? })).collect()
}
