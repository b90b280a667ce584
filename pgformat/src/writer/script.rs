//! The script in a tar file.

use std::io::{self, Write};

use super::{BlockState, Writer};
use crate::error::Result;

/// Writes the script of an archive in tar format, a file without meaning for readers.
///
/// Dropping it without [`ScriptWriter::finish`] leaves it open, and the archive cannot be finished.
#[derive(Debug)]
pub struct ScriptWriter<'a, W: Write> {
    pub(super) writer: &'a mut Writer<W>,
}

impl<W: Write> ScriptWriter<'_, W> {
    /// Ends the script.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(self) -> Result<()> {
        self.writer.write(|place| place.end_stream(false))?;
        self.writer.state = BlockState::ScriptEnded;
        Ok(())
    }
}

impl<W: Write> Write for ScriptWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(|place| place.add(bytes))?;
        Ok(bytes.len())
    }

    /// Does nothing: what was written goes out with the rest of the archive.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
