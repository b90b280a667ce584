//! What waits in a temporary file for what must come before it.

use std::fmt;
use std::io::{self, Read, Seek, Write};

/// A temporary file.
pub trait Spool: Read + Write + Seek + Send + Sync {}

impl<T: Read + Write + Seek + Send + Sync> Spool for T {}

/// Makes a temporary file, which is asked for once at most, and only for what is too large to wait in memory.
pub type NewSpool = dyn FnMut() -> io::Result<Box<dyn Spool>> + Send + Sync;

/// Bytes that are put aside: the last ones of a buffer, and before them those in the file.
pub(crate) struct Aside {
    new: Box<NewSpool>,
    file: Option<Box<dyn Spool>>,
    /// Where they begin in the buffer, while some are put aside.
    mark: Option<usize>,
    /// How many are in the file, and how many of them were not read back.
    spooled: u64,
    left: u64,
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aside").field("spooled", &self.spooled).finish_non_exhaustive()
    }
}

impl Aside {
    pub(crate) fn new(new: Box<NewSpool>) -> Self {
        Self { new, file: None, mark: None, spooled: 0, left: 0 }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.mark.is_some()
    }

    /// How many bytes are in the file.
    pub(crate) fn spooled(&self) -> u64 {
        self.spooled
    }

    /// Begins to put aside what comes at that place of the buffer.
    pub(crate) fn open(&mut self, mark: usize) {
        self.mark = Some(mark);
    }

    /// Where what is put aside begins in the buffer, which is at its beginning after this.
    pub(crate) fn mark(&mut self) -> Option<usize> {
        self.mark.as_mut().map(std::mem::take)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert((self.new)()?),
        };
        file.write_all(bytes)?;
        self.spooled += bytes.len() as u64;
        Ok(())
    }

    /// Goes back to its beginning, to read it.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        self.left = self.spooled;
        self.file.as_mut().map_or(Ok(()), |file| file.rewind())
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        let n = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        // What an earlier, longer one has left is behind it.
        file.read_exact(buffer.get_mut(..n).unwrap_or_default())?;
        self.left -= n as u64;
        if self.left == 0 {
            file.rewind()?;
        }
        Ok(n)
    }

    /// Ends it: what comes now is not put aside.
    pub(crate) fn close(&mut self) {
        (self.mark, self.spooled, self.left) = (None, 0, 0);
    }
}
