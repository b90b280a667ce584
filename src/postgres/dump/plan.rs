//! The plan of a dump: what the archive will contain, in order.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};
use pgformat::kinds::EntryGroup;
use pgformat::{Entry, Section};

use super::super::archive::{Chosen, Request, kinds, select};
use super::super::emit::{Contents, Emitter, NewEntry, Render};
use super::super::session::Session;
use super::super::{catalog, graph};
use super::DumpOptions;
use crate::error::Result;
use crate::progress::{Phase, Reporter, Unit};
use crate::sql::Sql;

/// Reads the catalog of the session's database and plans the archive. `locked` are the OIDs of the tables that were locked
/// before the session's snapshot was taken.
///
/// # Errors
/// The catalog cannot be read, or holds something that cannot be dumped completely.
pub fn plan(
    session: &mut Session,
    options: &DumpOptions,
    locked: &HashSet<u32>,
    reporter: &dyn Reporter,
) -> Result<Contents> {
    reporter.phase(Phase::new("reading the catalog", Unit::Steps));
    let encoding: BString = session.encoding().clone();
    let mut model = catalog::read(session, options, locked, reporter)?;
    let order = graph::arrange(&mut model, reporter);
    let render = Render { model: &model, server: session.server(), style: session.style(), options };
    let mut out = Emitter::new(&model);
    preamble(&render, &encoding, &mut out);
    for object in order.into_iter().filter_map(|id| model.get(id)).filter(|object| !object.dumped().is_none()) {
        object.body.emit(object, &render, &mut out)?;
    }
    out.finish(&model, |entries| wanted(entries, options))
}

/// The entries that say how the rest is to be read: encoding, string literals, search_path.
fn preamble(render: &Render<'_>, encoding: &BString, out: &mut Emitter) {
    let mut sql = Sql::new();
    sql.kw("SET client_encoding = ").literal(encoding.as_bstr()).kw(";\n");
    out.entry(setting("ENCODING", sql));

    let mut sql = Sql::new();
    let state = if render.style.standard_strings { "on" } else { "off" };
    sql.kw("SET standard_conforming_strings = '").kw(state).kw("';\n");
    out.entry(setting("STDSTRINGS", sql));

    let mut sql = Sql::new();
    sql.kw("SELECT pg_catalog.set_config('search_path', '', false);\n");
    out.entry(setting("SEARCHPATH", sql));
}

fn setting(name: &'static str, definition: Sql) -> NewEntry {
    NewEntry { section: Section::PreData, definition, ..NewEntry::bare(name, name) }
}

/// For each of `entries`, whether the archive is to have it: those that a restore that is asked for the same would make use of, and
/// those about the session and the database itself, which `--create` wants.
fn wanted(entries: &[Entry], options: &DumpOptions) -> Result<Vec<bool>> {
    let useful = select(entries, &Request::of(options.included()))?;
    let is_wanted = |(entry, useful): (&Entry, &Chosen)| match kinds::group(entry) {
        EntryGroup::Session | EntryGroup::Database => true,
        _ if is_about_database(entry) => options.definitions && options.sections.pre_data,
        _ => useful.any(),
    };
    Ok(entries.iter().zip(&useful).map(is_wanted).collect())
}

/// Whether it is a comment on the database, a security label or privileges of it.
fn is_about_database(entry: &Entry) -> bool {
    kinds::is_dependent(entry) && kinds::text(&entry.tag).starts_with(b"DATABASE ")
}
