//! The custom format: all streams in one output, as blocks of chunks.

use std::io::Write;

use super::chunks::{self, Chunks, Cut};
use crate::error::Fault;
use crate::header::Header;
use crate::primitives::{DataPosition, Output};
use crate::toc::Entry;

/// The blocks after a table of contents.
#[derive(Debug)]
pub(super) struct Blocks<W> {
    pub(super) output: Output<W>,
    int_size: u8,
    offset_size: u8,
    cut: Cut,
    chunks: Chunks,
    /// Where each entry says the place of its data, and that place.
    places: Vec<(u64, DataPosition)>,
}

impl<W: Write> Blocks<W> {
    /// After the table of contents in `output`, whose entries say at `places` where their data is.
    pub(super) fn new(output: Output<W>, header: &Header, places: Vec<u64>) -> Self {
        Self {
            output,
            int_size: header.int_size,
            offset_size: header.offset_size,
            cut: Cut::of(header.compression),
            chunks: Chunks::default(),
            places: places.into_iter().map(|place| (place, DataPosition::NotSet)).collect(),
        }
    }

    /// Begins the block of the entry at a place of the table of contents.
    pub(super) fn begin(&mut self, at: usize, entry: &Entry) -> Result<(), Fault> {
        if let Some((_, position)) = self.places.get_mut(at) {
            *position = DataPosition::At(self.output.offset());
        }
        self.output.bytes(&[if entry.holds_large_objects() { 3 } else { 1 }])?;
        self.output.int(self.int_size, entry.dump_id.0.into())
    }

    pub(super) fn large_object(&mut self, oid: u32) -> Result<(), Fault> {
        // An OID goes through a signed integer, as in pg_dump.
        self.output.int(self.int_size, oid.cast_signed().into())
    }

    pub(super) fn begin_pieces(&mut self) {
        self.chunks.clear();
    }

    /// Adds to a stream of pieces.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.chunks.add(&mut self.output, self.int_size, bytes, self.cut)
    }

    /// Adds a chunk as it is.
    pub(super) fn chunk(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        chunks::write(&mut self.output, self.int_size, bytes, &[])
    }

    pub(super) fn end_pieces(&mut self) -> Result<(), Fault> {
        self.chunks.end(&mut self.output, self.int_size)
    }

    /// Ends a stream of chunks, or a block of large objects.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.output.int(self.int_size, 0)
    }

    /// Goes back and says in the table of contents where the data is, if that is possible.
    pub(super) fn write_positions(&mut self) -> Result<(), Fault> {
        if !self.output.can_seek() {
            return Ok(());
        }
        let end = self.output.offset();
        for (place, position) in self.places.iter().filter(|(_, position)| *position != DataPosition::NotSet) {
            self.output.go_to(*place)?;
            self.output.position(self.offset_size, *position)?;
        }
        self.output.go_to(end)
    }
}
