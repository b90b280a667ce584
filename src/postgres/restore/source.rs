//! The data of an archive that is being read.

use std::io::Read;
use std::ops::ControlFlow;

use pgformat::{Block, DataPosition, DumpId, Reader};

use super::execute::{Data, TakeObject, TakeRows};
use super::summary::EntryName;
use crate::{Error, ErrorKind, Result};

/// An error of the archive's, met while `doing`.
pub fn archive_error(doing: impl Into<String>, error: pgformat::Error) -> Error {
    let (kind, hint) = match error.kind() {
        pgformat::ErrorKind::Io(_) => (ErrorKind::Io, None),
        pgformat::ErrorKind::NotFound(_) => (
            ErrorKind::Archive,
            Some("data in another order than the table of contents needs an input that can seek: give the file itself"),
        ),
        _ => (ErrorKind::Archive, None),
    };
    let error = Error::new(kind, doing).source(error);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Sees to it that an archive goes on to its end, before the target is touched: what is cut off shows in the last block,
/// or in its not being there. Of an archive that says where its blocks are only the last one is gone through, and nothing
/// is decompressed. An input that cannot seek cannot be looked at beforehand.
///
/// # Errors
/// The archive is cut off, or damaged so that the way to its end is not to be found.
pub(super) fn check_end<R: Read>(archive: &mut Reader<R>) -> Result<()> {
    if !archive.can_seek() {
        return Ok(());
    }
    let positions = archive.entries().iter().filter_map(|e| Some((archive.data_position(e.dump_id)?, e.dump_id)));
    let mut last = None;
    let mut all_known = true;
    for (position, id) in positions {
        match position {
            DataPosition::At(offset) => last = last.max(Some((offset, id.0))),
            DataPosition::NotSet => all_known = false,
            DataPosition::NoData => {}
        }
    }
    let gone_through = match (all_known, last) {
        (true, None) => Ok(()),
        (true, Some((_, id))) => go_through(archive, DumpId(id)),
        (false, _) => go_through_all(archive),
    };
    gone_through.map_err(|error| {
        archive_error("find the end of the archive", error).hint("nothing was changed: take another archive")
    })
}

fn go_through<R: Read>(archive: &mut Reader<R>, id: DumpId) -> pgformat::Result<()> {
    match archive.block(id)? {
        None => Ok(()),
        Some(Block::Data(data)) => data.skip(),
        Some(Block::LargeObjects(mut objects)) => {
            while objects.next()?.is_some() {}
            Ok(())
        }
    }
}

fn go_through_all<R: Read>(archive: &mut Reader<R>) -> pgformat::Result<()> {
    while archive.next_block()?.is_some() {}
    Ok(())
}

impl<R: Read> Data for Reader<R> {
    fn table(&mut self, id: DumpId, take: &mut TakeRows<'_>) -> Result<()> {
        let doing = doing(self, id);
        let failed = |error| archive_error(doing.clone(), error);
        match self.block(id).map_err(failed)? {
            // The program that made the archive says that there is nothing.
            None => Ok(()),
            Some(Block::Data(mut data)) => loop {
                let piece = data.fill().map_err(failed)?;
                if piece.is_empty() {
                    return Ok(());
                }
                let len = piece.len();
                if take(piece)?.is_break() {
                    return Ok(());
                }
                data.consume(len);
            },
            Some(Block::LargeObjects(_)) => {
                Err(Error::new(ErrorKind::Archive, doing).why("the archive has large objects in their place"))
            }
        }
    }

    fn large_objects(&mut self, id: DumpId, take: &mut TakeObject<'_>) -> Result<()> {
        let doing = doing(self, id);
        let failed = |error| archive_error(doing.clone(), error);
        let mut objects = match self.block(id).map_err(failed)? {
            None => return Ok(()),
            Some(Block::LargeObjects(objects)) => objects,
            Some(Block::Data(_)) => {
                return Err(Error::new(ErrorKind::Archive, doing).why("the archive has rows in their place"));
            }
        };
        while let Some((oid, mut data)) = objects.next().map_err(failed)? {
            let mut flow = take(oid, &[])?;
            while flow.is_continue() {
                let piece = data.fill().map_err(failed)?;
                if piece.is_empty() {
                    break;
                }
                let len = piece.len();
                flow = take(oid, piece)?;
                data.consume(len);
            }
            if let ControlFlow::Break(()) = flow {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn doing<R: Read>(reader: &Reader<R>, id: DumpId) -> String {
    match reader.entry(id) {
        Some(entry) => format!("read {} from the archive", EntryName::of(entry)),
        None => format!("read the data of entry {} from the archive", id.0),
    }
}
