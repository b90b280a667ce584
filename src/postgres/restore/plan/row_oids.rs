//! Tables whose rows had OIDs, which PostgreSQL 11 was the last to have.

use std::io::Read;

use pgformat::Reader;

use crate::postgres::archive::EntryName;
use crate::postgres::restore::plan::Plan;
use crate::progress::{Message, Reporter};

/// Says of which tables the OIDs of rows are not restored: no server that is restored into has them, so that a table made
/// `WITH OIDS` comes back without the column `oid`. Rows that were dumped with their OIDs are refused by the server.
pub fn tell<R: Read>(archive: &Reader<R>, plan: &Plan, reporter: &dyn Reporter) {
    for (entry, wanted) in archive.entries().iter().zip(&plan.wanted) {
        if wanted.definition && archive.has_row_oids(entry.dump_id) {
            reporter.message(Message::warning(
                EntryName::of(entry).to_string(),
                "its rows had OIDs, which servers have no more: it is restored without the column oid",
            ));
        }
    }
}
