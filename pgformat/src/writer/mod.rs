//! Writes an archive: header and table of contents first, then one block after the other.

mod blocks;
mod chunks;
mod contents;
mod data;
mod folder;
mod place;
mod script;
mod tar;

use std::collections::{HashMap, HashSet};
use std::io::{Seek, Write};

use crate::compression::{Joint, Piece, PieceEncoder};
use crate::error::{Direction, Error, ErrorKind, Fault, Result};
use crate::files::NewFiles;
use crate::header::{Format, Header};
use crate::toc::{self, DumpId, Entry};
use place::Place;

pub use contents::ContentsWriter;
pub use data::{DataWriter, LargeObjectsWriter};
pub use script::ScriptWriter;

/// Writes an archive in custom, directory or tar format.
///
/// The table of contents is known from the start (or written by a [`ContentsWriter`]); the data follows in its order. There
/// are three ways to write the data of a table, from the simplest to the most capable:
/// - [`Writer::data`], which compresses as it goes;
/// - [`Writer::begin_data`] and then [`Writer::piece`] for pieces that other threads compressed;
/// - [`Writer::begin_data`] and then [`Writer::chunk`] for a whole stream that was compressed elsewhere.
///
/// An archive is complete after [`Writer::finish`], and only then. What is dropped before that is no archive.
///
/// What is out of turn is an error of kind [`ErrorKind::Protocol`], and writes nothing. After any other error the archive
/// is lost, and every further call says so.
#[derive(Debug)]
pub struct Writer<W> {
    place: Place<W>,
    header: Header,
    entries: Vec<Entry>,
    index: HashMap<DumpId, usize>,
    state: BlockState,
    /// No block may be written for an entry before this one.
    next: usize,
    stream: Stream,
    joint: Joint,
    encoder: Option<(PieceEncoder, Piece)>,
    buffer: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockState {
    Idle,
    /// In the stream of a table's data.
    Data(usize),
    /// After it.
    DataEnded(usize),
    /// In a block of large objects, between two of them.
    LargeObjects(usize),
    /// In the stream of one.
    LargeObject(usize, u32),
    /// In the script of a tar file, or after it.
    Script,
    ScriptEnded,
    /// Writing failed in the middle of something.
    Broken,
}

/// What the open stream consists of so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Empty,
    Chunks,
    Pieces,
}

impl<W: Write> Writer<W> {
    /// Writes the header and the table of contents to an output that need not seek. The archive will not say where its
    /// data is, so readers have to look for it.
    ///
    /// Of entries with [`Entry::has_data`], those of the kind `BLOBS` get a block of large objects, all others a block of
    /// data; all others get none.
    ///
    /// # Errors
    /// The version cannot carry the compression or an entry; two entries have one number; writing fails.
    pub fn new(out: W, header: Header, entries: Vec<Entry>) -> Result<Self> {
        Self::start(Format::Custom, header, entries, |header, count| ContentsWriter::new(out, header, count))
    }

    /// As [`Writer::new`], to an output that can seek: [`Writer::finish`] goes back and fills in where the data is, as
    /// pg_dump does. Offsets count from where the output stands now.
    ///
    /// # Errors
    /// As [`Writer::new`]; seeking fails.
    pub fn seekable(out: W, header: Header, entries: Vec<Entry>) -> Result<Self>
    where
        W: Seek,
    {
        Self::start(Format::Custom, header, entries, |header, count| ContentsWriter::seekable(out, header, count))
    }

    /// As [`Writer::new`], for an archive in tar format, which its header says ([`Header::in_tar`]), to an output that can seek. All
    /// members say that they were changed at `modified`, in seconds since 1970. [`ContentsWriter::tar_stream`] begins one in an output
    /// that cannot.
    ///
    /// # Errors
    /// As [`Writer::new`]; seeking fails.
    pub fn tar(out: W, header: Header, entries: Vec<Entry>, modified: u64) -> Result<Self>
    where
        W: Seek,
    {
        Self::start(Format::Tar, header, entries, |header, count| ContentsWriter::tar(out, header, count, modified))
    }

    /// As [`Writer::new`], for an archive in directory format, which its header says ([`Header::in_folder`]).
    ///
    /// # Errors
    /// As [`Writer::new`]; a file cannot be made.
    pub fn folder(
        files: Box<dyn NewFiles<File = W> + Send + Sync>,
        header: Header,
        entries: Vec<Entry>,
    ) -> Result<Self> {
        Self::start(Format::Directory, header, entries, |header, count| ContentsWriter::folder(files, header, count))
    }

    /// All is checked before anything is written.
    fn start(
        format: Format,
        header: Header,
        entries: Vec<Entry>,
        begin: impl FnOnce(Header, usize) -> Result<ContentsWriter<W>>,
    ) -> Result<Self> {
        let refuse = |kind| Error::new(Direction::Writing, "the table of contents", 0, kind);
        header.check(format).map_err(|kind| Error::new(Direction::Writing, "the header", 0, kind))?;
        let mut numbers = HashSet::with_capacity(entries.len());
        for entry in &entries {
            toc::check(entry, header.version).map_err(refuse)?;
            if !numbers.insert(entry.dump_id) {
                return Err(refuse(toc::two_of(entry.dump_id)));
            }
        }
        let lists = entries.iter().filter(|entry| entry.has_data && entry.holds_large_objects()).count();
        toc::check_lists(lists, &header).map_err(refuse)?;
        let mut contents = begin(header, entries.len())?;
        for entry in entries {
            contents = contents.entry(entry)?;
        }
        contents.finish()
    }

    /// A writer of the data, after the table of contents.
    fn begin_with(place: Place<W>, header: Header, entries: Vec<Entry>, index: HashMap<DumpId, usize>) -> Self {
        Self {
            joint: match place {
                Place::Blocks(_) => Joint::of_blocks(header.compression),
                Place::Folder(_) | Place::Tar(_) => Joint::of_files(header.compression),
            },
            place,
            header,
            entries,
            index,
            state: BlockState::Idle,
            next: 0,
            stream: Stream::Empty,
            encoder: None,
            buffer: Vec::new(),
        }
    }

    /// Has what must be compressed here, and cannot be before, compressed on so many threads: streams of zstd of more than
    /// one piece. Without it, nothing here begins a thread. A stream is the same whatever the number, but for 0. Where no
    /// thread is to be had, it goes on without.
    pub fn compress_on(&mut self, threads: u32) {
        self.joint.set_threads(threads);
    }

    /// The header as written.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many bytes the archive has so far; in directory format, its table of contents.
    pub fn offset(&self) -> u64 {
        self.place.contents().offset()
    }

    /// The output, to look at it; in directory format, that of the table of contents. Some of what was written may still be held back.
    pub fn get_ref(&self) -> &W {
        self.place.contents().inner()
    }

    /// Begins the block of a table's data: then come chunks or pieces, [`Writer::end_stream`] and [`Writer::end_block`].
    ///
    /// # Errors
    /// There is no such entry, it has no data or holds large objects, its block is already there, or one of an entry
    /// that comes after it (pg_restore can read a pipe only if blocks are in order); another block is open; writing fails.
    pub fn begin_data(&mut self, dump_id: DumpId) -> Result<()> {
        self.begin(dump_id, false)?;
        self.stream = Stream::Empty;
        Ok(())
    }

    /// Begins a block of large objects: then [`Writer::large_object`] for each, and [`Writer::end_block`].
    ///
    /// # Errors
    /// As [`Writer::begin_data`], for an entry of another kind than `BLOBS`.
    pub fn begin_large_objects(&mut self, dump_id: DumpId) -> Result<()> {
        self.begin(dump_id, true)
    }

    /// Begins a large object in the open block: then come chunks or pieces, and [`Writer::end_stream`].
    ///
    /// # Errors
    /// No block of large objects is open, or the one before was not ended; the OID is 0; writing fails.
    pub fn large_object(&mut self, oid: u32) -> Result<()> {
        let BlockState::LargeObjects(at) = self.state else {
            return Err(self.out_of_turn("a large object", "it belongs into an open block of large objects"));
        };
        if oid == 0 {
            return Err(self.out_of_turn("a large object", "no large object has the OID 0"));
        }
        self.state = BlockState::LargeObject(at, oid);
        self.write(|place| place.large_object(oid))?;
        self.stream = Stream::Empty;
        Ok(())
    }

    /// Adds stored bytes to the open stream, as they are: together the chunks of a stream must be one whole stream of the
    /// archive's compression, where gzip is a zlib stream, but in directory format a gzip file. An empty chunk adds nothing. pg_restore reads a frame of zstd only up to its end within a
    /// chunk, so another frame needs another chunk.
    ///
    /// # Errors
    /// No stream is open, or it consists of pieces; writing fails.
    pub fn chunk(&mut self, stored: &[u8]) -> Result<()> {
        self.check_stream_is_open("a chunk")?;
        if self.stream == Stream::Pieces {
            return Err(self.out_of_turn("a chunk", "the stream consists of pieces"));
        }
        if stored.is_empty() {
            return Ok(());
        }
        for part in stored.chunks(i32::MAX as usize) {
            self.write(|place| place.chunk(part))?;
        }
        self.stream = Stream::Chunks;
        Ok(())
    }

    /// Adds a piece to the open stream, made by a [`PieceEncoder`] of the archive's compression (in directory format by
    /// [`PieceEncoder::of_files`]) from the data that comes
    /// next, with the dictionary, if any, that is the end of the data so far.
    ///
    /// Chunks are made of the stream as it comes, so that none but the last is shorter than those of pg_dump.
    ///
    /// # Errors
    /// No stream is open, or it consists of chunks; the piece is compressed in another way, or it or the one before is a whole
    /// stream; compressing or writing fails.
    pub fn piece(&mut self, piece: &Piece) -> Result<()> {
        self.check_stream_is_open("a piece")?;
        if matches!(self.stream, Stream::Chunks) {
            return Err(self.out_of_turn("a piece", "the stream consists of chunks that were compressed elsewhere"));
        }
        if !piece.fits(self.joint.codec()) {
            let why = "it is compressed in another way than the archive is, or in the form of another format";
            return Err(self.out_of_turn("a piece", why));
        }
        self.begin_pieces()?;
        if !self.joint.takes(piece) {
            return Err(self.out_of_turn("a piece", "it is a whole stream, or comes after one"));
        }
        match self.joint.add(piece) {
            Ok(bytes) => {
                let written = self.place.add(bytes);
                self.check_written(written)
            }
            Err(error) => Err(self.lost(error)),
        }
    }

    /// Ends the stream of a table's data or of a large object. A stream of pieces gets its end here, and one of which
    /// nothing was written is a stream of no data.
    ///
    /// # Errors
    /// No stream is open; writing fails.
    pub fn end_stream(&mut self) -> Result<()> {
        self.check_stream_is_open("the end of a stream")?;
        let is_of_chunks = self.stream == Stream::Chunks;
        if !is_of_chunks {
            self.begin_pieces()?;
            match self.joint.end() {
                Ok(end) => {
                    let written = self.place.add(end);
                    self.check_written(written)?;
                }
                Err(error) => return Err(self.lost(error)),
            }
        }
        self.write(|place| place.end_stream(is_of_chunks))?;
        self.stream = Stream::Empty;
        self.state = match self.state {
            BlockState::Data(at) => BlockState::DataEnded(at),
            BlockState::LargeObject(at, _) => BlockState::LargeObjects(at),
            other => other,
        };
        Ok(())
    }

    /// Ends the open block.
    ///
    /// # Errors
    /// No block is open, or a stream in it is; writing fails.
    pub fn end_block(&mut self) -> Result<()> {
        match self.state {
            BlockState::DataEnded(_) => {}
            BlockState::LargeObjects(_) => self.write(Place::end_large_objects)?,
            BlockState::Data(_) | BlockState::LargeObject(..) => {
                return Err(self.out_of_turn("the end of a block", "a stream in it is still open"));
            }
            BlockState::Idle | BlockState::Script | BlockState::ScriptEnded | BlockState::Broken => {
                return Err(self.out_of_turn("the end of a block", "no block is open"));
            }
        }
        self.state = BlockState::Idle;
        Ok(())
    }

    /// Begins the block of a table's data, and gives a [`Write`] that compresses it; it must be
    /// [finished](DataWriter::finish).
    ///
    /// # Errors
    /// As [`Writer::begin_data`].
    pub fn data(&mut self, dump_id: DumpId) -> Result<DataWriter<'_, W>> {
        self.begin_data(dump_id)?;
        DataWriter::new(self, true)
    }

    /// Begins a block of large objects, and gives what writes them; it must be [finished](LargeObjectsWriter::finish).
    ///
    /// # Errors
    /// As [`Writer::begin_large_objects`].
    pub fn large_objects(&mut self, dump_id: DumpId) -> Result<LargeObjectsWriter<'_, W>> {
        self.begin_large_objects(dump_id)?;
        Ok(LargeObjectsWriter { writer: self })
    }

    /// Begins the script `restore.sql` that pg_dump puts into a tar file after all data, for people; it must be
    /// [finished](ScriptWriter::finish). No reader needs it, and an archive may do without.
    ///
    /// # Errors
    /// Another format has none; data is missing; there is one already; writing fails.
    pub fn script(&mut self) -> Result<ScriptWriter<'_, W>> {
        let what = "the script";
        if self.state != BlockState::Idle {
            return Err(self.out_of_turn(what, "a block is still open, or it is written already"));
        }
        self.check_no_data_is_missing(self.entries.len())?;
        self.next = self.entries.len();
        self.state = BlockState::Script;
        let begun = self.place.begin_script();
        match self.check_written(begun)? {
            true => Ok(ScriptWriter { writer: self }),
            false => {
                self.state = BlockState::Idle;
                Err(self.out_of_turn(what, "only an archive in tar format has one"))
            }
        }
    }

    /// Completes the archive and gives the output back, flushed. Where that can seek, it is left standing at its end.
    ///
    /// # Errors
    /// A block is open, or an entry that has data got none; writing fails.
    pub fn finish(self) -> Result<W> {
        if !matches!(self.state, BlockState::Idle | BlockState::ScriptEnded) {
            return Err(self.out_of_turn("the end of the archive", "a block is still open"));
        }
        self.check_no_data_is_missing(self.entries.len())?;
        self.place.finish()
    }

    fn begin(&mut self, dump_id: DumpId, large_objects: bool) -> Result<()> {
        let what = "the beginning of a block";
        match self.state {
            BlockState::Idle => {}
            BlockState::Script | BlockState::ScriptEnded => {
                return Err(self.out_of_turn(what, "the script is written, which comes last"));
            }
            _ => return Err(self.out_of_turn(what, "another block is still open")),
        }
        let Some(&at) = self.index.get(&dump_id) else {
            return Err(self.out_of_turn(what, &format!("there is no entry {dump_id}")));
        };
        let label = self.entries[at].label();
        if !self.entries[at].has_data {
            return Err(self.out_of_turn(what, &format!("{label} has no data, by the table of contents")));
        }
        match (self.entries[at].holds_large_objects(), large_objects) {
            (true, false) => return Err(self.out_of_turn(what, &format!("{label} holds large objects"))),
            (false, true) => return Err(self.out_of_turn(what, &format!("{label} does not hold large objects"))),
            _ => {}
        }
        if at < self.next {
            let why = format!("{label} is written already, or one that comes after it");
            return Err(self.out_of_turn(what, &why));
        }
        self.check_no_data_is_missing(at)?;
        self.state = if large_objects { BlockState::LargeObjects(at) } else { BlockState::Data(at) };
        self.next = at + 1;
        let begun = self.place.begin(at, &self.entries[at]);
        self.check_written(begun)
    }

    /// Whether every entry before the one at `end` that says it has data got its block.
    fn check_no_data_is_missing(&self, end: usize) -> Result<()> {
        match self.entries[self.next..end].iter().find(|entry| entry.has_data) {
            Some(entry) => {
                let why = format!("the data of {} was not written, which comes before", entry.label());
                Err(self.out_of_turn("the next block", &why))
            }
            None => Ok(()),
        }
    }

    fn check_stream_is_open(&self, what: &str) -> Result<()> {
        match self.state {
            BlockState::Data(_) | BlockState::LargeObject(..) => Ok(()),
            _ => Err(self.out_of_turn(what, "it belongs into an open stream")),
        }
    }

    fn begin_pieces(&mut self) -> Result<()> {
        if self.stream != Stream::Empty {
            return Ok(());
        }
        self.stream = Stream::Pieces;
        self.place.begin_pieces();
        let written = self.place.add(self.joint.start());
        self.check_written(written)
    }

    fn write(&mut self, write: impl FnOnce(&mut Place<W>) -> Result<(), Fault>) -> Result<()> {
        let written = write(&mut self.place);
        self.check_written(written)
    }

    fn check_written<T>(&mut self, written: Result<T, Fault>) -> Result<T> {
        written.map_err(|fault| {
            let error = fault.writing(self.what()).in_file(self.place.file());
            self.lost(error)
        })
    }

    /// After this error there is nothing more to be done.
    fn lost(&mut self, error: Error) -> Error {
        self.state = BlockState::Broken;
        error
    }

    fn what(&self) -> String {
        match self.state {
            BlockState::Idle | BlockState::Broken => "the data".into(),
            BlockState::Script | BlockState::ScriptEnded => "the script".into(),
            BlockState::Data(at) | BlockState::DataEnded(at) => format!("the data of {}", self.entries[at].label()),
            BlockState::LargeObjects(at) => format!("the large objects of {}", self.entries[at].label()),
            BlockState::LargeObject(at, oid) => format!("large object {oid} of {}", self.entries[at].label()),
        }
    }

    fn out_of_turn(&self, what: &str, why: &str) -> Error {
        let why = match self.state {
            BlockState::Broken => "writing failed before, and the archive is lost",
            _ => why,
        };
        let error = Error::new(Direction::Writing, what, self.offset(), ErrorKind::Protocol(why.into()));
        error.in_file(self.place.contents_file())
    }

    fn flush_piece(&mut self, dictionary: usize, is_last: bool) -> Result<()> {
        let (mut encoder, mut piece) = match self.encoder.take() {
            Some(pair) => pair,
            None => (PieceEncoder::of(self.header.compression, self.joint.codec())?, Piece::new()),
        };
        let (before, data) = self.buffer.split_at(dictionary);
        let encoded = match is_last && self.stream == Stream::Empty {
            true => encoder.encode_whole(data, &mut piece),
            false => encoder.encode(before, data, &mut piece),
        };
        let written = encoded.and_then(|()| self.piece(&piece));
        self.encoder = Some((encoder, piece));
        written
    }
}
