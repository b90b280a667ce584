//! Where the data of an archive lies: one layout for each format, and for tar two.

use std::fmt;

use super::cursor::{BlockKind, Cursor};
use crate::error::Result;

/// Finds blocks and large objects, and opens the stream of what it found.
pub(super) trait Layout<R>: fmt::Debug + Send + Sync {
    /// Goes on to the next block, from between two of them, and enters it; `None` after the last one.
    fn advance(&mut self, cursor: &mut Cursor<R>) -> Result<Option<(usize, BlockKind)>>;

    /// Goes to the block of the entry at `at`, from wherever it is, and enters it.
    fn go_to(&mut self, cursor: &mut Cursor<R>, at: usize) -> Result<BlockKind>;

    /// Goes on to the next large object of the open block and begins its stream; `None` after the last one.
    fn next_object(&mut self, cursor: &mut Cursor<R>) -> Result<Option<u32>>;

    /// Whether the next block is found only by going through the open one.
    fn is_sequence(&self) -> bool;

    /// Whether any block can be had at any time.
    fn is_random(&self, cursor: &Cursor<R>) -> bool;

    /// Whether only what is no data comes after the block that was entered last, in an input that is read once.
    fn has_only_an_end(&self, _: &Cursor<R>) -> bool {
        false
    }

    /// Sees to it that the archive goes on to its end, as far as that can be told without decompressing anything. The
    /// place in the archive is lost by it.
    fn check_end(&mut self, cursor: &mut Cursor<R>) -> Result<()> {
        self.sizes(cursor).map(|_| ())
    }

    /// How many bytes the data of each entry takes in the archive, where that can be told without reading the data.
    fn sizes(&mut self, cursor: &mut Cursor<R>) -> Result<Vec<Option<u64>>>;

    /// The same layout for another reader.
    fn another(&self) -> Box<dyn Layout<R>>;
}
