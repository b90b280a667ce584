//! The content of large objects, as calls of the functions that write them.

use std::ops::ControlFlow;

use pgformat::Entry;

use crate::Result;
use crate::postgres::restore::source::Data;
use crate::postgres::script::writer::Script;
use crate::progress::Part;

/// How much one call writes.
const PIECE: usize = 16 * 1024;
/// The mode of opening for writing.
const WRITE: u32 = 0x20000;

impl Script<'_> {
    /// Writes the large objects of an entry. They share one transaction: what opens an object works in one only.
    pub(super) fn large_objects(
        &mut self,
        data: &mut dyn Data,
        entry: &Entry,
        (create, replace): (bool, bool),
        part: &Part<'_>,
    ) -> Result<()> {
        if !self.job.options.in_transactions() {
            self.paragraph(b"BEGIN;")?;
        }
        let mut pending = Vec::with_capacity(PIECE);
        let mut is_open = false;
        data.large_objects(entry.dump_id, &|bytes| part.advance(bytes), &mut |oid, bytes| {
            self.summary.data_bytes += bytes.len() as u64;
            if bytes.is_empty() {
                if std::mem::replace(&mut is_open, true) {
                    self.close(&mut pending)?;
                }
                self.open(oid, create, replace)?;
            }
            let mut rest = bytes;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(PIECE - pending.len()));
                pending.extend_from_slice(now);
                rest = later;
                if pending.len() == PIECE {
                    self.write(&mut pending)?;
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if is_open {
            self.close(&mut pending)?;
        }
        if !self.job.options.in_transactions() {
            self.paragraph(b"COMMIT;")?;
        }
        Ok(())
    }

    fn open(&mut self, oid: u32, create: bool, replace: bool) -> Result<()> {
        if replace {
            self.put(
                format!(
                    "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '{oid}';\n"
                )
                .as_bytes(),
            )?;
        }
        let object = if create { format!("pg_catalog.lo_create('{oid}')") } else { format!("'{oid}'") };
        self.summary.large_objects += 1;
        self.put(format!("SELECT pg_catalog.lo_open({object}, {WRITE});\n").as_bytes())
    }

    fn write(&mut self, pending: &mut Vec<u8>) -> Result<()> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut statement = Vec::with_capacity(2 * pending.len() + 50);
        statement.extend_from_slice(b"SELECT pg_catalog.lowrite(0, '");
        statement.extend_from_slice(if self.job.plan.settings.standard_strings { b"\\x" } else { b"\\\\x" });
        for byte in pending.drain(..) {
            statement.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        statement.extend_from_slice(b"');\n");
        self.put(&statement)
    }

    fn close(&mut self, pending: &mut Vec<u8>) -> Result<()> {
        if !pending.is_empty() {
            self.write(pending)?;
        }
        self.put(b"SELECT pg_catalog.lo_close(0);\n\n")
    }
}
