//! Archives whose data is found by name: the directory format, and tar files that can seek.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use super::cursor::{BlockKind, Cursor, Position};
use super::large_object_list;
use super::layout::Layout;
use super::stream::{Framing, Stream};
use super::tar_index::{Member, TarIndex};
use crate::error::{ErrorKind, Fault};
use crate::files::Files;
use crate::names::{Name, SUFFIXES};
use crate::primitives::DataPosition;

/// The files of a directory archive, wherever they are.
pub(super) type DynFiles<R> = dyn Files<File = R> + Send + Sync;

/// Where files are found by their names.
pub(super) trait FileStore<R>: fmt::Debug + Send + Sync + 'static {
    /// Begins the stream of the file of that name.
    fn open(&mut self, name: Name, stream: &mut Stream<R>) -> Result<(), Fault>;

    /// How long the file of that name is.
    fn size(&mut self, name: Name, stream: &mut Stream<R>) -> Result<u64, Fault>;

    /// The same store for another reader.
    fn another(&self) -> Self;
}

/// The files of an archive in directory format.
pub(super) struct Directory<R> {
    files: Arc<DynFiles<R>>,
}

/// A tar file, whose index is made when it is first needed.
#[derive(Debug, Default, Clone)]
pub(super) struct TarFile {
    index: Option<Arc<TarIndex>>,
}

#[derive(Debug)]
pub(super) struct ByName<P> {
    store: P,
    /// The entry at which to look for the next block.
    next: usize,
    /// The large objects of the open block, and how many of them are behind.
    objects: Vec<u32>,
    behind: usize,
}

/// An error of [`Files`].
pub(super) fn io_error(error: io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::InvalidData => ErrorKind::Malformed(error.to_string()),
        _ => ErrorKind::Io(error),
    }
}

fn io_fault(error: io::Error) -> Fault {
    Fault::new(0, io_error(error))
}

impl<R> Directory<R> {
    pub(super) fn new(files: Arc<DynFiles<R>>) -> Self {
        Self { files }
    }
}

impl<R> fmt::Debug for Directory<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}

impl<R: Read + 'static> FileStore<R> for Directory<R> {
    fn open(&mut self, name: Name, stream: &mut Stream<R>) -> Result<(), Fault> {
        stream.file = None;
        for (suffix, codec) in SUFFIXES {
            let file = format!("{name}{suffix}");
            if let Some(open) = self.files.open(&file).map_err(io_fault)? {
                return stream.begin_file(open, file, codec);
            }
        }
        Err(missing(0, name))
    }

    fn size(&mut self, name: Name, stream: &mut Stream<R>) -> Result<u64, Fault> {
        stream.file = None;
        for (suffix, _) in SUFFIXES {
            if let Some(size) = self.files.size(&format!("{name}{suffix}")).map_err(io_fault)? {
                return Ok(size);
            }
        }
        Err(missing(0, name))
    }

    fn another(&self) -> Self {
        Self::new(Arc::clone(&self.files))
    }
}

impl TarFile {
    fn find<R: Read>(&mut self, name: Name, stream: &mut Stream<R>) -> Result<Member, Fault> {
        let index = match self.index.take() {
            Some(index) => index,
            None => Arc::new(TarIndex::read(&mut stream.input)?),
        };
        let found = index.find(name, stream.input.offset());
        self.index = Some(index);
        found
    }
}

impl<R: Read> FileStore<R> for TarFile {
    fn open(&mut self, name: Name, stream: &mut Stream<R>) -> Result<(), Fault> {
        let member = self.find(name, stream)?;
        stream.input.go_to(member.start)?;
        stream.begin(Framing::Length, member.codec, member.size)
    }

    fn size(&mut self, name: Name, stream: &mut Stream<R>) -> Result<u64, Fault> {
        Ok(self.find(name, stream)?.size)
    }

    fn another(&self) -> Self {
        self.clone()
    }
}

pub(super) fn missing(at: u64, name: Name) -> Fault {
    Fault::new(at, ErrorKind::Missing(format!("the archive has no file {name}")))
}

impl<P> ByName<P> {
    pub(super) fn new(store: P) -> Self {
        Self { store, next: 0, objects: Vec::new(), behind: 0 }
    }

    /// Begins the stream of an entry's data, or of the list of its large objects.
    fn open<R: Read>(&mut self, cursor: &mut Cursor<R>, at: usize) -> crate::Result<()>
    where
        P: FileStore<R>,
    {
        let name = Name::of(&cursor.contents.entries[at], cursor.header.version);
        let opened = self.store.open(name, &mut cursor.stream);
        opened.map_err(|fault| cursor.fail(cursor.what_of(at), fault))
    }

    fn open_list<R: Read>(&mut self, cursor: &mut Cursor<R>, at: usize) -> crate::Result<()>
    where
        P: FileStore<R>,
    {
        self.open(cursor, at)?;
        let objects = large_object_list::read(&mut cursor.stream, cursor.limits.objects);
        let objects = objects
            .map_err(|fault| cursor.fail(format!("the list of large objects of {}", cursor.what_of(at)), fault))?;
        (self.objects, self.behind) = (objects, 0);
        Ok(())
    }
}

impl<R: Read, P: FileStore<R>> Layout<R> for ByName<P> {
    fn advance(&mut self, cursor: &mut Cursor<R>) -> crate::Result<Option<(usize, BlockKind)>> {
        let next = cursor.contents.with_data_from(self.next).next();
        match next {
            Some((at, _)) => Ok(Some((at, self.go_to(cursor, at)?))),
            None => {
                cursor.position = Position::End;
                Ok(None)
            }
        }
    }

    fn go_to(&mut self, cursor: &mut Cursor<R>, at: usize) -> crate::Result<BlockKind> {
        self.next = at + 1;
        cursor.position = Position::Lost;
        if cursor.contents.entries[at].holds_large_objects() {
            self.open_list(cursor, at)?;
            cursor.position = Position::LargeObjects(at);
            return Ok(BlockKind::LargeObjects);
        }
        self.open(cursor, at)?;
        cursor.position = Position::Data(at);
        Ok(BlockKind::Data)
    }

    fn next_object(&mut self, cursor: &mut Cursor<R>) -> crate::Result<Option<u32>> {
        let Position::LargeObjects(at) = cursor.position else { return Ok(None) };
        let Some(&oid) = self.objects.get(self.behind) else { return Ok(None) };
        self.behind += 1;
        cursor.position = Position::LargeObject(at, oid);
        self.store.open(Name::Object(oid), &mut cursor.stream).map_err(|fault| cursor.stream_error(fault))?;
        Ok(Some(oid))
    }

    fn is_sequence(&self) -> bool {
        false
    }

    fn is_random(&self, _: &Cursor<R>) -> bool {
        true
    }

    fn sizes(&mut self, cursor: &mut Cursor<R>) -> crate::Result<Vec<Option<u64>>> {
        let contents = Arc::clone(&cursor.contents);
        let mut sizes = Vec::with_capacity(contents.slots.len());
        for (at, (entry, slot)) in contents.entries.iter().zip(&contents.slots).enumerate() {
            if slot.position == DataPosition::NoData {
                sizes.push(None);
            } else if entry.holds_large_objects() {
                self.open_list(cursor, at)?;
                let mut sum = 0_u64;
                for oid in std::mem::take(&mut self.objects) {
                    let size = self.store.size(Name::Object(oid), &mut cursor.stream);
                    let size = size
                        .map_err(|fault| cursor.fail(format!("large object {oid} in {}", cursor.what_of(at)), fault))?;
                    sum = sum.saturating_add(size);
                }
                sizes.push(Some(sum));
            } else {
                let size = self.store.size(Name::of(entry, cursor.header.version), &mut cursor.stream);
                sizes.push(Some(size.map_err(|fault| cursor.fail(cursor.what_of(at), fault))?));
            }
        }
        Ok(sizes)
    }

    fn another(&self) -> Box<dyn Layout<R>> {
        Box::new(Self::new(self.store.another()))
    }
}
