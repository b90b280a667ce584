//! What all layouts share: the contents, the open stream, and the place in the archive.

use std::io::Read;
use std::sync::Arc;

use super::stream::Stream;
use crate::error::{Error, ErrorKind, Fault, Result};
use crate::header::Header;
use crate::limits::Limits;
use crate::toc::{Contents, DumpId};

/// The place in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Between,
    Data(usize),
    LargeObjects(usize),
    LargeObject(usize, u32),
    /// After the last block.
    End,
    /// After an error: only a seek leads on.
    Lost,
}

/// The two kinds of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    Data,
    LargeObjects,
}

#[derive(Debug)]
pub(super) struct Cursor<R> {
    pub(super) header: Header,
    pub(super) contents: Arc<Contents>,
    pub(super) limits: Limits,
    pub(super) stream: Stream<R>,
    pub(super) position: Position,
}

impl<R: Read> Cursor<R> {
    /// The same archive for another reader.
    pub(super) fn another(&self) -> Self
    where
        R: Clone,
    {
        let input = &self.stream.input;
        let stream = Stream::new(input.another(input.inner().clone()));
        let (header, contents) = (self.header.clone(), Arc::clone(&self.contents));
        Self { header, contents, limits: self.limits, stream, position: Position::Lost }
    }

    /// Data at hand, empty only at the end of the stream.
    pub(super) fn fill_data(&mut self) -> Result<&[u8]> {
        self.check_not_lost()?;
        if self.stream.is_done() {
            return Ok(&[]);
        }
        match self.stream.fill().map(<[u8]>::is_empty) {
            Ok(true) => {
                self.end_stream();
                Ok(&[])
            }
            // The data is in a buffer already, so this does not read.
            Ok(false) => self.stream.fill().map_err(|fault| fault.reading("stored data")),
            Err(fault) => Err(self.stream_error(fault)),
        }
    }

    /// Passes over what is left of the stream, without decompressing it.
    pub(super) fn skip_stream(&mut self) -> Result<()> {
        self.check_not_lost()?;
        if !self.stream.is_done() {
            self.stream.skip().map_err(|fault| self.stream_error(fault))?;
            self.end_stream();
        }
        Ok(())
    }

    fn end_stream(&mut self) {
        self.position = match self.position {
            Position::Data(_) => Position::Between,
            Position::LargeObject(at, _) => Position::LargeObjects(at),
            other => other,
        };
    }

    /// After an error nothing may look like the end of the data.
    pub(super) fn check_not_lost(&mut self) -> Result<()> {
        if self.position != Position::Lost {
            return Ok(());
        }
        let why = "reading failed before, so its place is not known";
        let fault = Fault::new(self.stream.input.offset(), ErrorKind::Protocol(why.into()));
        Err(self.stream_error(fault))
    }

    /// At the end of the archive: one that was cut off between two blocks shows it only by what it lacks.
    pub(super) fn check_all_were_found(&self, is_found: impl Fn(DumpId) -> bool) -> Result<()> {
        match self.contents.with_data().find(|(_, entry)| !is_found(entry.dump_id)) {
            Some((at, _)) => Err(self.error(self.what_of(at), ErrorKind::Truncated)),
            None => Ok(()),
        }
    }

    pub(super) fn what_of(&self, at: usize) -> String {
        match self.contents.entries.get(at) {
            Some(entry) => format!("the data of {}", entry.label()),
            None => "data".into(),
        }
    }

    pub(super) fn error(&self, what: impl Into<String>, kind: ErrorKind) -> Error {
        Fault::new(self.stream.input.offset(), kind).reading(what).in_file(self.stream.file.as_deref())
    }

    pub(super) fn fail(&mut self, what: impl Into<String>, fault: Fault) -> Error {
        self.position = Position::Lost;
        fault.reading(what).in_file(self.stream.file.as_deref())
    }

    pub(super) fn stream_error(&mut self, fault: Fault) -> Error {
        let what = match self.position {
            Position::Data(at) => self.what_of(at),
            Position::LargeObjects(at) => format!("the OID of a large object in {}", self.what_of(at)),
            Position::LargeObject(at, oid) => format!("large object {oid} in {}", self.what_of(at)),
            Position::Between | Position::End | Position::Lost => "data".into(),
        };
        self.fail(what, fault)
    }
}
