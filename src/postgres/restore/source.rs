//! The data of an archive that is being read.

use std::io::Read;
use std::ops::ControlFlow;

use bstr::BString;
use pgformat::{Block, DataPosition, DataReader, DumpId, Header, Reader};

use crate::postgres::archive::{EntryName, archive_error};
use crate::progress::{Message, Reporter};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// Takes a piece of a table's data, and says whether more is wanted.
pub type TakeRows<'a> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>> + 'a;
/// Takes a piece of a large object, by its OID, and says whether more objects are wanted. An object begins with an
/// empty piece.
pub type TakeObject<'a> = dyn FnMut(u32, &[u8]) -> Result<ControlFlow<()>> + 'a;

pub trait Data {
    /// Hands the data of an entry to `take`, piece by piece. `read` is told how many bytes of the archive were read meanwhile.
    ///
    /// # Errors
    /// Damaged or unreadable data; data that lies behind, in an input that cannot go back; what `take` fails with.
    fn table(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeRows<'_>) -> Result<()>;

    /// Hands the large objects of an entry to `take`; `read` as for [`Data::table`].
    fn large_objects(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeObject<'_>) -> Result<()>;

    /// The statements of an entry of statistics that its definition has not, because they are read only when they are written.
    ///
    /// # Errors
    /// They cannot be read.
    fn statistics(&mut self, _: DumpId) -> Result<Option<BString>> {
        Ok(None)
    }

    /// Whether the data of any entry can be had at any time.
    fn can_go_back(&self) -> bool {
        false
    }
}

/// A reader of the archive for each worker.
pub type Readers = Vec<Box<dyn Data + Send>>;

/// The data of an archive, for everybody who restores it.
pub struct Source<'a> {
    /// For the connection that there always is.
    pub data: &'a mut dyn Data,
    /// How many bytes of the archive the data of each entry takes, in the order of the entries, where that is known.
    pub sizes: Vec<Option<u64>>,
    /// For those that work beside it.
    pub workers: Option<Readers>,
    /// The major version of the server whose database it is; 0 if that is not known.
    pub made_by: i32,
}

/// Sees to it that an archive goes on to its end, before the target is touched. An input that cannot seek cannot be looked
/// at beforehand.
pub fn check_end<R: Read>(archive: &mut Reader<R>) -> Result<()> {
    archive.check_end().map_err(|error| {
        archive_error("find the end of the archive", error).hint("nothing was changed: take another archive")
    })
}

/// Reads what comes after the last data of an archive from a pipe, for the sake of the one who writes into it. There is nothing
/// in it that anyone needs.
pub fn finish<R: Read>(archive: &mut Reader<R>, reporter: &dyn Reporter) {
    if let Err(error) = archive.finish() {
        let text = format!("all data was read, but not what comes after it: {error}");
        reporter.message(Message::warning("the archive", text));
    }
}

/// Checks that several workers can read the archive at the same time.
pub fn check_ways<R: Read>(archive: &Reader<R>, jobs: usize) -> Result<()> {
    if archive.is_random() { Ok(()) } else { Err(one_way(jobs)) }
}

fn one_way(jobs: usize) -> Error {
    Error::new(ErrorKind::Usage, format!("restore over {jobs} connections"))
        .why("the archive comes from a pipe, which can be read from one end to the other only")
        .hint("give the name of a file, or leave " + Choice::Jobs(None) + " out")
}

/// Readers of the archive for so many workers.
pub fn readers<R: Read + Clone + Send + 'static>(archive: &mut Reader<R>, jobs: usize) -> Result<Readers> {
    let another = |_| {
        let reader = archive.another().ok_or_else(|| one_way(jobs))?;
        Ok(Box::new(reader) as Box<dyn Data + Send>)
    };
    (0..jobs).map(another).collect()
}

/// The sizes of the entries' data in the archive, where they can be told before it is read.
pub fn sizes<R: Read>(archive: &mut Reader<R>) -> Result<Vec<Option<u64>>> {
    let mut sizes = vec![None; archive.entries().len()];
    if archive.is_random() {
        let doing = "find out how large the archive's parts are";
        sizes = archive.sizes().map_err(|error| archive_error(doing, error))?;
    }
    for (size, entry) in sizes.iter_mut().zip(archive.entries()) {
        if archive.data_position(entry.dump_id) == Some(DataPosition::NoData) {
            *size = Some(0);
        }
    }
    Ok(sizes)
}

/// The major version of the server whose database it is; 0 where the archive does not say.
pub fn made_by(header: &Header) -> i32 {
    let digits: String =
        header.server_version.iter().map(|c| char::from(*c)).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// The version of the archive's format, as [`plan()`](super::plan()) wants it.
pub fn version(header: &Header) -> (u8, u8) {
    (header.version.major, header.version.minor)
}

impl<R: Read> Data for Reader<R> {
    fn can_go_back(&self) -> bool {
        self.is_random()
    }

    fn table(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeRows<'_>) -> Result<()> {
        let doing = doing(self, id);
        let failed = |error| archive_error(doing.clone(), error);
        let mut progress = Progress::of(self, read);
        match self.block(id).map_err(failed)? {
            // The program that made the archive says that there is nothing.
            None => Ok(()),
            Some(Block::Data(data)) => progress.go_through(data, &failed, take).map(|_| ()),
            Some(Block::LargeObjects(_)) => {
                Err(Error::new(ErrorKind::Archive, doing).why("the archive has large objects in their place"))
            }
        }
    }

    fn large_objects(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeObject<'_>) -> Result<()> {
        let doing = doing(self, id);
        let failed = |error| archive_error(doing.clone(), error);
        let mut progress = Progress::of(self, read);
        let mut objects = match self.block(id).map_err(failed)? {
            None => return Ok(()),
            Some(Block::LargeObjects(objects)) => objects,
            Some(Block::Data(_)) => {
                return Err(Error::new(ErrorKind::Archive, doing).why("the archive has rows in their place"));
            }
        };
        while let Some((oid, data)) = objects.next().map_err(failed)? {
            if take(oid, &[])?.is_break()
                || progress.go_through(data, &failed, &mut |piece| take(oid, piece))?.is_break()
            {
                return Ok(());
            }
        }
        progress.enter(self.offset());
        Ok(())
    }
}

/// Tells how much of the archive is read, from where its reader stands.
struct Progress<'a> {
    read: &'a dyn Fn(u64),
    told: u64,
    /// What is passed over on the way to the data is read, too.
    is_one_way: bool,
}

impl<'a> Progress<'a> {
    fn of<R: Read>(reader: &Reader<R>, read: &'a dyn Fn(u64)) -> Self {
        Self { read, told: reader.offset(), is_one_way: !reader.is_random() }
    }

    /// Hands a stream of data to `take`, until it has no more or no more is wanted.
    fn go_through<R: Read>(
        &mut self,
        mut data: DataReader<'_, R>,
        failed: &dyn Fn(pgformat::Error) -> Error,
        take: &mut TakeRows<'_>,
    ) -> Result<ControlFlow<()>> {
        self.enter(data.offset());
        loop {
            let piece = data.fill().map_err(failed)?;
            let len = piece.len();
            if len > 0 && take(piece)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            data.consume(len);
            self.reach(data.offset());
            if len == 0 {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// A stream of data begins here.
    fn enter(&mut self, offset: u64) {
        if self.is_one_way {
            self.reach(offset);
        }
        self.told = offset;
    }

    /// The archive is read up to here.
    fn reach(&mut self, offset: u64) {
        (self.read)(offset.saturating_sub(self.told));
        self.told = offset;
    }
}

fn doing<R: Read>(reader: &Reader<R>, id: DumpId) -> String {
    match reader.entry(id) {
        Some(entry) => format!("read {} from the archive", EntryName::of(entry)),
        None => format!("read the data of entry {} from the archive", id.0),
    }
}
