//! Reading the catalog: runs the kinds' queries, and what all kinds share.
//!
//! Queries are sets, sent in pipelines: the number of round trips does not grow with the number of objects. The survey
//! (schemas, extensions, relations) comes first, so that tables can be locked; then, in one pipeline, everything else.

mod completeness;
mod dependencies;
mod shared;

use super::dump::DumpOptions;
use super::model::Model;
use super::objects::relation::RelationKind;
use super::objects::{KINDS, Kind, Stage};
use super::select;
use super::session::Session;
use super::version::ServerVersion;
use crate::error::{ErrorKind, Result};
use crate::progress::Reporter;
use crate::sql::Sql;
use crate::wire::{Connection, Query, Rows};

/// What a kind's queries may depend on.
pub struct Scope<'a> {
    /// The server.
    pub server: ServerVersion,
    /// What was asked for.
    pub options: &'a DumpOptions,
    /// Whether the session's role is a superuser, who may read everything.
    pub superuser: bool,
    /// Whether the rows of unlogged tables are wanted and can be read.
    pub unlogged_data: bool,
    /// The OIDs of the relations that the second stage looks into: those of which anything is wanted, and their parents.
    pub relations: Vec<u32>,
    /// The sequences whose values are dumped, with their qualified names.
    pub sequences: Vec<(u32, Sql)>,
}

impl Scope<'_> {
    /// Whether the data of such relations is wanted at all.
    pub fn has_data(&self, kind: RelationKind) -> bool {
        self.options.data || kind == RelationKind::Sequence && self.options.sequence_data
    }
}

/// Reads the catalog of the session's database into a model. On return, the tables that will be dumped are locked
/// against changes of their definition until the transaction ends.
///
/// # Errors
/// A query or a lock fails, or a kind meets something that it cannot account for.
pub fn read(session: &mut Session, options: &DumpOptions, reporter: &dyn Reporter) -> Result<Model> {
    let server = session.server();
    read_catalog(session, options, reporter).map_err(|error| {
        // Its catalog may lack what ours asks for.
        if server.is_newer_than_known() && error.kind() == ErrorKind::Server {
            return error.hint(format!(
                "PostgreSQL {server} is newer than this lifeboat knows: use a newer lifeboat, or the server's own pg_dump"
            ));
        }
        error
    })
}

fn read_catalog(session: &mut Session, options: &DumpOptions, reporter: &dyn Reporter) -> Result<Model> {
    let mut model = Model::new(select::resolve(session.connection(), &options.selection, reporter)?);
    let mut scope = Scope {
        server: session.server(),
        options,
        superuser: session.connection().parameter("is_superuser").is_some_and(|state| state == "on"),
        unlogged_data: options.unlogged_table_data && !session.is_standby()?,
        relations: Vec::new(),
        sequences: Vec::new(),
    };
    shared::read(session.connection(), &scope, &mut model)?;
    run(session.connection(), Stage::Survey, &scope, &mut model)?;
    scope.relations = super::objects::relation::of_interest(&model);
    scope.sequences = super::objects::relation::sequence_names(&model, &scope);
    super::objects::relation::lock(session.connection(), &model, options.lock_wait)?;
    run(session.connection(), Stage::Definitions, &scope, &mut model)?;
    dependencies::read(session.connection(), &mut model)?;
    for kind in KINDS {
        kind.link(&mut model, &scope)?;
    }
    completeness::check(session.connection(), &model, reporter)?;
    Ok(model)
}

fn run(connection: &mut Connection, stage: Stage, scope: &Scope<'_>, model: &mut Model) -> Result<()> {
    let kinds: Vec<&&dyn Kind> = KINDS.iter().filter(|kind| kind.stage() == stage).collect();
    let mut queries: Vec<Query> = Vec::new();
    let mut counts = Vec::with_capacity(kinds.len());
    for kind in &kinds {
        let of_kind = kind.queries(scope);
        counts.push(of_kind.len());
        queries.extend(of_kind);
    }
    let mut results: std::collections::VecDeque<Rows> = connection.pipeline(&queries)?.into();
    for (kind, count) in kinds.iter().zip(counts) {
        let rows: Vec<Rows> = results.drain(..count).collect();
        kind.collect(&rows, scope, model)?;
    }
    Ok(())
}
