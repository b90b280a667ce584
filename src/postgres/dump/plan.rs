//! The plan of a dump: what the archive will contain, in order.

use std::collections::HashSet;

use bstr::BString;

use super::super::emit::{Contents, Emitter, Render};
use super::super::session::Session;
use super::super::{catalog, graph};
use super::{DumpOptions, entries, preamble};
use crate::error::Result;
use crate::progress::{Phase, Reporter, Unit};

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
    let render =
        Render { model: &model, server: session.server(), standard_strings: session.standard_strings(), options };
    let mut out = Emitter::new(&model);
    preamble::emit(&render, &encoding, &mut out);
    for object in order.into_iter().filter_map(|id| model.get(id)).filter(|object| !object.dumped().is_none()) {
        object.body.emit(object, &render, &mut out)?;
    }
    out.finish(&model, |entries| entries::wanted(entries, options))
}
