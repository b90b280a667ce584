//! Writing the table of contents.

use std::io::Write;

use bstr::BString;
use pgformat::{ContentsWriter, Writer};

use super::super::emit::Contents;
use super::super::objects::relation_statistics::tell_unreadable;
use super::super::objects::statistics_reader::Reader;
use super::super::session::Session;
use crate::error::{Context, ErrorKind, Result};
use crate::progress::{Phase, Reporter, Unit};

/// Writes all entries, and reads meanwhile what is not known of them yet. `keep` says whether they are wanted again after that.
///
/// # Errors
/// The server refuses, or the archive cannot be written.
pub(super) fn write<W: Write>(
    mut writer: ContentsWriter<W>,
    (contents, keep): (&mut Contents, bool),
    session: &mut Session,
    reporter: &dyn Reporter,
) -> Result<Writer<W>> {
    let doing = || "write the archive's table of contents";
    if !contents.statistics.is_empty() || !contents.extended_statistics.is_empty() {
        reporter.phase(Phase::new("reading statistics", Unit::Steps));
    }
    tell_unreadable(&contents.statistics, &contents.unreadable_statistics, reporter);
    let mut of_columns = Reader::new(&contents.statistics, session);
    let mut extended = Reader::new(&contents.extended_statistics, session);
    let mut entries = std::mem::take(&mut contents.entries);
    if keep {
        contents.entries.clone_from(&entries);
    }
    for mut entry in entries.drain(..) {
        let statements = match of_columns.statements(entry.dump_id, session)? {
            None => extended.statements(entry.dump_id, session)?,
            statements => statements,
        };
        if let Some(statements) = statements {
            entry.definition.get_or_insert_with(BString::default).extend_from_slice(statements.as_bstr());
        }
        writer = writer.entry(entry).context(ErrorKind::Io, doing)?;
    }
    writer.finish().context(ErrorKind::Io, doing)
}
