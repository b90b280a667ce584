//! Recognising an archive by what it begins with, and reading its table of contents.

use std::io::{self, Read};
use std::sync::Arc;

use super::Reader;
use super::by_name::{ByName, Directory, DynFiles, FileStore, TarFile};
use super::cursor::{Cursor, Position};
use super::custom::CustomFormat;
use super::layout::Layout;
use super::stream::{Framing, Stream};
use super::tar_stream::TarStream;
use crate::Limits;
use crate::compression::Codec;
use crate::error::{ErrorKind, Fault, Result};
use crate::header::{Format, Header, MAGIC};
use crate::names::Name;
use crate::primitives::Input;
use crate::tar::{self, Member, Next};
use crate::toc::Contents;

/// Reads the header and the table of contents of what is in one input.
pub(super) fn one_input<R: Read>(mut input: Input<R>, limits: Limits) -> Result<Reader<R>> {
    let failed = |fault: Fault| fault.reading("the header");
    // What is a header is not waited for to become more.
    if input.peek(MAGIC.len()).map_err(failed)? != MAGIC && tar::is_tar(input.peek(tar::BLOCK).map_err(failed)?) {
        return tar_file(input, limits);
    }
    let header = Header::read(&mut input, Format::Custom, &limits)?;
    let contents = Contents::read(&mut input, &header, &limits)?;
    let layout = Box::new(CustomFormat::new(input.offset()));
    Ok(reader(Stream::new(input), header, contents, limits, layout))
}

/// Reads the header and the table of contents from the folder of an archive.
pub(super) fn folder<R: Read + 'static>(files: Arc<DynFiles<R>>, limits: Limits) -> Result<Reader<R>> {
    let fault = |kind| Fault::new(0, kind).reading("the header").in_file(Some("toc.dat"));
    // The first file makes the input; it is opened twice, for there is no input without a file.
    let mut first = None;
    for (suffix, _) in crate::names::SUFFIXES {
        let open = files.open(&format!("{}{suffix}", Name::Contents));
        first = open.map_err(|error| fault(super::by_name::io_error(error)))?;
        if first.is_some() {
            break;
        }
    }
    let Some(first) = first else {
        let why = "it is a folder, but none of an archive: it has no toc.dat";
        return Err(fault(ErrorKind::NotAnArchive(why.into())));
    };
    let mut stream = Stream::new(Input::streaming(first));
    let mut place = Directory::new(files);
    place.open(Name::Contents, &mut stream).map_err(|fault| fault.reading("the header"))?;
    let (header, contents) = read_contents(&mut stream, Format::Directory, limits)?;
    Ok(reader(stream, header, contents, limits, Box::new(ByName::new(place))))
}

fn tar_file<R: Read>(mut input: Input<R>, limits: Limits) -> Result<Reader<R>> {
    let (member, codec) = find_contents(&mut input)?;
    let can_seek = input.can_seek();
    let mut stream = Stream::new(input);
    let begun = stream.begin(Framing::Length, codec, member.size);
    begun.map_err(|fault| fault.reading("toc.dat in the tar file"))?;
    let (header, contents) = read_contents(&mut stream, Format::Tar, limits)?;
    let layout: Box<dyn Layout<R>> =
        if can_seek { Box::new(ByName::new(TarFile::default())) } else { Box::new(TarStream::after(&member)) };
    Ok(reader(stream, header, contents, limits, layout))
}

fn find_contents<R: Read>(input: &mut Input<R>) -> Result<(Member, Codec)> {
    let what = "the tar file";
    loop {
        let member = match tar::next(input).map_err(|fault| fault.reading(what))? {
            Next::Member(member) => member,
            Next::End => {
                let why = "it is a tar file, but none that pg_dump wrote: it has no toc.dat";
                return Err(Fault::new(input.offset(), ErrorKind::NotAnArchive(why.into())).reading(what));
            }
            Next::Cut => return Err(Fault::new(input.offset(), ErrorKind::Truncated).reading(what)),
        };
        match Name::parse(&member.name) {
            Some((Name::Contents, codec)) => return Ok((member, codec)),
            Some(_) if !input.can_seek() => {
                let why = "toc.dat does not come first, so that it takes an input that can seek";
                return Err(Fault::new(member.start, ErrorKind::NotFound(why.into())).reading(what));
            }
            _ => input.skip(member.next() - member.start).map_err(|fault| fault.reading(what))?,
        }
    }
}

/// Reads a toc.dat, which is the open stream, to its end.
fn read_contents<R: Read>(stream: &mut Stream<R>, format: Format, limits: Limits) -> Result<(Header, Contents)> {
    let file = stream.file.clone();
    let base = if format == Format::Tar && !stream.is_packed() { stream.input.offset() } else { 0 };
    let most = if stream.is_packed() { Limits::PACKED_CONTENTS } else { u64::MAX };
    let limits = Limits { contents: limits.contents.min(most), text: limits.text.min(most), ..limits };
    let mut unpacked = Unpacked { stream, fault: None };
    let mut input = Input::streaming(&mut unpacked).starting_at(base);
    let mut read = || -> Result<(Header, Contents)> {
        let header = Header::read(&mut input, format, &limits)?;
        let contents = Contents::read(&mut input, &header, &limits)?;
        let at = input.offset();
        match input.byte_or_end() {
            Ok(None) => Ok((header, contents)),
            Ok(Some(_)) => {
                let why = "something comes after the table of contents";
                Err(Fault::malformed(at, why).reading("toc.dat"))
            }
            Err(fault) => Err(fault.reading("the end of toc.dat")),
        }
    };
    let result = read();
    drop(input);
    let fault = unpacked.fault;
    result.map_err(|error| {
        let error = error.in_file(file.as_deref());
        match fault {
            // What went wrong below says more than that reading failed.
            Some(fault) => error.with_kind(fault.kind),
            None => error,
        }
    })
}

fn reader<R: Read>(
    stream: Stream<R>,
    header: Header,
    contents: Contents,
    limits: Limits,
    layout: Box<dyn Layout<R>>,
) -> Reader<R> {
    let contents = Arc::new(contents);
    Reader { cursor: Cursor { header, contents, limits, stream, position: Position::Between }, layout }
}

/// The open stream's data, and what went wrong with it.
struct Unpacked<'a, R> {
    stream: &'a mut Stream<R>,
    fault: Option<Fault>,
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = match self.stream.fill() {
            Ok(bytes) => {
                let n = bytes.len().min(out.len());
                out[..n].copy_from_slice(&bytes[..n]);
                n
            }
            Err(fault) => {
                self.fault = Some(fault);
                return Err(io::ErrorKind::InvalidData.into());
            }
        };
        self.stream.consume(n);
        Ok(n)
    }
}
