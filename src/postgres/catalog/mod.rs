//! Reading the catalog: runs the kinds' queries, and what all kinds share.
//!
//! Queries are sets, sent in pipelines: the number of round trips does not grow with the number of objects. The survey
//! (schemas, extensions, relations) comes first, once to find the tables that have to be locked, and again in the snapshot
//! that is taken after that; then, in one pipeline, everything else.

mod completeness;
mod dependencies;
mod of_users;
mod shared;

pub(super) use completeness::known_columns;
pub(super) use shared::read_roles;

use std::collections::{HashSet, VecDeque};

use super::dump::DumpOptions;
use super::kind::{Kind, Listed, Scope, Stage};
use super::model::Model;
use super::objects::KINDS;
use super::select;
use super::session::Session;
use super::table_locks::{self, LockedTable};
use crate::error::{ErrorKind, Result};
use crate::progress::{Reporter, Silent};
use crate::wire::{Connection, Query, Rows};
use of_users::Untouched;

/// Finds the tables that have to be locked before the catalog is read, as they are just now.
///
/// # Errors
/// A query fails, or what was asked for makes no sense.
pub fn tables(session: &mut Session, options: &DumpOptions) -> Result<Vec<LockedTable>> {
    explained(session, |session| {
        let (model, _) = survey(session, options, &Silent, shared::read_roles)?;
        Ok(to_be_locked(&model))
    })
}

/// Finds what a dump reads rows or values of, as it is just now: the tables that have to be locked, and the OIDs of the sequences.
///
/// # Errors
/// As [`tables`].
pub fn read_by_a_dump(session: &mut Session, options: &DumpOptions) -> Result<(Vec<LockedTable>, Vec<u32>)> {
    explained(session, |session| {
        let (model, mut scope) = survey(session, options, &Silent, shared::read_roles)?;
        for Listed { kind, .. } in KINDS {
            kind.narrow(&model, &mut scope);
        }
        Ok((to_be_locked(&model), scope.sequences.into_iter().map(|(oid, _)| oid).collect()))
    })
}

/// Reads the catalog of the session's database, as its snapshot shows it, into a model. `locked` are the OIDs of the
/// tables that were locked before the snapshot was taken, so that nothing of them can change.
///
/// # Errors
/// A query fails, a table that is wanted is not locked, or a kind meets something that it cannot account for.
pub fn read(
    session: &mut Session,
    options: &DumpOptions,
    locked: &HashSet<u32>,
    reporter: &dyn Reporter,
) -> Result<Model> {
    explained(session, |session| read_catalog(session, options, locked, reporter))
}

fn explained<T>(session: &mut Session, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
    let server = session.server();
    work(session).map_err(|error| {
        // Its catalog may lack what ours asks for.
        if server.is_newer_than_known() && error.kind() == ErrorKind::Server {
            return error.hint(format!(
                "PostgreSQL {server} is newer than this lifeboat knows: use a newer lifeboat, or the server's own pg_dump"
            ));
        }
        error
    })
}

/// What was asked for, and the schemas, extensions and relations: whatever decides which tables there are to dump.
/// `read_shared` reads as much of what kinds share as is needed.
fn survey<'a>(
    session: &mut Session,
    options: &'a DumpOptions,
    reporter: &dyn Reporter,
    read_shared: fn(&mut Connection, &mut Model) -> Result<()>,
) -> Result<(Model, Scope<'a>)> {
    let encoding = session.style().encoding;
    let selected = select::resolve(session.connection(), &options.selection, encoding, reporter)?;
    let mut model = Model::new(selected);
    let scope = Scope {
        server: session.server(),
        options,
        superuser: session.is_superuser(),
        unlogged_data: options.unlogged_table_data && !session.is_standby(),
        relations: Vec::new(),
        sequences: Vec::new(),
    };
    read_shared(session.connection(), &mut model)?;
    run(session.connection(), Stage::Survey, &scope, &Untouched::default(), &mut model)?;
    Ok((model, scope))
}

fn read_catalog(
    session: &mut Session,
    options: &DumpOptions,
    locked: &HashSet<u32>,
    reporter: &dyn Reporter,
) -> Result<Model> {
    let (mut model, mut scope) = survey(session, options, reporter, shared::read)?;
    table_locks::check(&to_be_locked(&model), locked)?;
    for Listed { kind, .. } in KINDS {
        kind.narrow(&model, &mut scope);
    }
    let untouched = Untouched::read(session.connection())?;
    run(session.connection(), Stage::Definitions, &scope, &untouched, &mut model)?;
    dependencies::read(session.connection(), &mut model)?;
    for Listed { kind, .. } in KINDS {
        kind.link(&mut model, &scope)?;
    }
    completeness::check(session.connection(), &model, &untouched, options, reporter)?;
    Ok(model)
}

fn to_be_locked(model: &Model) -> Vec<LockedTable> {
    KINDS.iter().flat_map(|listed| listed.kind.to_be_locked(model)).collect()
}

fn run(
    connection: &mut Connection,
    stage: Stage,
    scope: &Scope<'_>,
    untouched: &Untouched,
    model: &mut Model,
) -> Result<()> {
    let is_asked = |kind: &&dyn Kind| {
        kind.stage() == stage && !kind.rows_of_users_in().is_some_and(|catalog| untouched.has(catalog))
    };
    let kinds = KINDS.iter().map(|listed| listed.kind).filter(is_asked);
    let mut queries: Vec<Query> = Vec::new();
    let mut awaited = VecDeque::new();
    for kind in kinds {
        let of_kind = kind.queries(scope);
        awaited.push_back((kind, of_kind.len()));
        queries.extend(of_kind);
    }
    let mut collecting = Collecting { awaited, rows: Vec::new(), scope, model, result: Ok(()) };
    collecting.go_on();
    connection.pipeline_each(&queries, &mut |rows| {
        collecting.rows.push(rows);
        collecting.go_on();
    })?;
    collecting.result
}

/// Has kinds collect their results, each when it has all, while the server works on those of the next.
struct Collecting<'a, 's> {
    /// The kinds, in their order, and how many results each is to have.
    awaited: VecDeque<(&'static dyn Kind, usize)>,
    /// What there is of the first one's.
    rows: Vec<Rows>,
    scope: &'a Scope<'s>,
    model: &'a mut Model,
    /// The first error; nothing is collected after it.
    result: Result<()>,
}

impl Collecting<'_, '_> {
    fn go_on(&mut self) {
        while let Some((kind, count)) = self.awaited.front()
            && self.rows.len() >= *count
        {
            if self.result.is_ok() {
                self.result = kind.collect(&self.rows, self.scope, self.model);
            }
            self.rows.clear();
            self.awaited.pop_front();
        }
    }
}
