//! The chunks that a stream is stored in.
//!
//! pg_dump fills chunks of 4,096 bytes, and there are readers that take a shorter one for the last of its stream. So none is
//! shorter but the last one.

use std::io::Write;

use crate::Compression;
use crate::error::Fault;
use crate::primitives::Output;

/// So many bytes a chunk has at least that is not the last of its stream.
const LEAST: usize = 4096;
/// So many bytes of a compressed stream wait for its end: there are readers that find the end only where some data is in the
/// last chunk along with it, and others that want the last chunk to be a short one.
const HELD: usize = 2048;
/// More than what ends a stream besides data: a checksum and the like.
const END: usize = 16;
/// A length is a signed integer of 32 bits for other readers.
const MOST: usize = 1 << 30;

/// The length of chunks that are cut evenly.
const EVEN: usize = 64 * 1024;

/// Where a stream is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Where its pieces end, so that rows are not cut that need not be.
    AsGiven,
    /// There, but for what waits for the end.
    Held,
    /// Into even chunks, because what it is given in depends on how busy the machine is.
    Even,
}

impl Cut {
    pub(super) fn of(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::AsGiven,
            Compression::Gzip(_) | Compression::Lz4 => Self::Held,
            Compression::Zstd(_) => Self::Even,
        }
    }
}

/// Makes chunks of the bytes of one stream after the other.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    held: Vec<u8>,
}

impl Chunks {
    /// Forgets what is left of a stream that was given up.
    pub(super) fn clear(&mut self) {
        self.held.clear();
    }

    /// Adds the next bytes of a stream.
    pub(super) fn add<W: Write>(
        &mut self,
        output: &mut Output<W>,
        int_size: u8,
        bytes: &[u8],
        cut: Cut,
    ) -> Result<(), Fault> {
        let hold = if cut == Cut::AsGiven { 0 } else { HELD };
        for part in bytes.chunks(MOST) {
            if cut == Cut::Even || part.len() < hold || self.held.len() + part.len() < LEAST + hold {
                self.held.extend_from_slice(part);
                self.empty(output, int_size, cut)?;
            } else {
                let (now, later) = part.split_at(part.len() - hold);
                write(output, int_size, &self.held, now)?;
                self.held.clear();
                self.held.extend_from_slice(later);
            }
        }
        Ok(())
    }

    /// Writes what waits, as far as it makes chunks and need not wait.
    fn empty<W: Write>(&mut self, output: &mut Output<W>, int_size: u8, cut: Cut) -> Result<(), Fault> {
        let mut at = 0;
        loop {
            let left = self.held.len() - at;
            let length = match cut {
                Cut::Even => EVEN,
                Cut::Held => left.saturating_sub(HELD),
                Cut::AsGiven => left,
            };
            if length < LEAST || (cut == Cut::Even && left < EVEN + HELD) {
                break;
            }
            write(output, int_size, &self.held[at..at + length], &[])?;
            at += length;
        }
        self.held.drain(..at);
        Ok(())
    }

    /// Ends the stream.
    pub(super) fn end<W: Write>(&mut self, output: &mut Output<W>, int_size: u8) -> Result<(), Fault> {
        let mut rest = self.held.as_slice();
        // The rest of an even chunk may be long, and the last one is to be short, but not without data.
        if rest.len() > LEAST + END {
            let last = (rest.len() - LEAST).min(HELD);
            let (first, later) = rest.split_at(rest.len() - last);
            write(output, int_size, first, &[])?;
            rest = later;
        }
        if !rest.is_empty() {
            write(output, int_size, rest, &[])?;
        }
        self.held.clear();
        output.int(int_size, 0)
    }
}

/// Writes a chunk of two parts.
pub(super) fn write<W: Write>(output: &mut Output<W>, int_size: u8, first: &[u8], second: &[u8]) -> Result<(), Fault> {
    output.int(int_size, i64::try_from(first.len() + second.len()).unwrap_or(i64::MAX))?;
    output.bytes(first)?;
    output.bytes(second)
}
