//! What is wrong while an archive in directory format is written is an error that names the file.

use std::io::{self, Write};

use pgformat::{Compression, DumpId, Entry, Error, ErrorKind, Header, NewFiles, Piece, PieceEncoder, Version, Writer};

const ROWS: DumpId = DumpId(1);
const OBJECTS: DumpId = DumpId(2);

/// Files of which one cannot be made, or is full at its first byte, or cannot be closed.
#[derive(Clone, Copy)]
struct Failing {
    name: &'static str,
    at: At,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Create,
    Write,
    Close,
}

#[derive(Debug)]
struct Full(bool);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Failing {
    fn fails(self, name: &str, at: At) -> bool {
        self.name == name && self.at == at
    }
}

impl NewFiles for Failing {
    type File = Full;

    fn create(&mut self, name: &str) -> io::Result<Full> {
        if self.fails(name, At::Create) {
            Err(io::ErrorKind::AlreadyExists.into())
        } else {
            Ok(Full(self.fails(name, At::Write)))
        }
    }

    fn close(&mut self, name: &str, _: Full) -> io::Result<()> {
        if self.fails(name, At::Close) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

fn entries() -> Vec<Entry> {
    let data = |id, desc| Entry::new(id, desc).has_data(true).tag("t");
    vec![data(ROWS, "TABLE DATA"), data(OBJECTS, "BLOBS")]
}

fn header(version: Version) -> Header {
    Header::new(version, Compression::GZIP).in_folder()
}

fn write(files: Failing) -> Result<(), Error> {
    let mut writer = Writer::folder(Box::new(files), header(Version::V1_16), entries())?;
    let written = (|| {
        let mut data = writer.data(ROWS)?;
        data.write_all(b"rows").map_err(|error| Error::from_io(error).unwrap())?;
        data.finish()?;
        let mut block = writer.large_objects(OBJECTS)?;
        block.object(7)?.finish()?;
        block.finish()
    })();
    match written {
        Ok(()) => writer.finish().map(|_| ()),
        Err(error) => {
            let lost = writer.begin_data(ROWS).unwrap_err();
            assert!(lost.to_string().contains("the archive is lost"), "{lost}");
            Err(error)
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    assert!(write(Failing { name: "", at: At::Create }).is_ok());
    for name in ["toc.dat", "1.dat.gz", "blobs_2.toc", "blob_7.dat.gz"] {
        for at in [At::Create, At::Write, At::Close] {
            // Whoever has the writer closes that one.
            if name == "toc.dat" && at == At::Close {
                continue;
            }
            let error = write(Failing { name, at }).unwrap_err();
            assert_eq!(error.file(), Some(name), "{error}");
            assert!(matches!(error.kind(), ErrorKind::Io(_)) && error.to_string().contains(name), "{error}");
        }
    }
}

#[test]
fn one_list_is_not_written_over_another() {
    let mut entries = entries();
    entries.push(Entry::new(DumpId(3), "BLOBS").has_data(true));
    let files = Failing { name: "", at: At::Create };
    let error = Writer::folder(Box::new(files), header(Version::V1_15), entries.clone()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)) && error.to_string().contains("takes 1.16"), "{error}");
    assert!(Writer::folder(Box::new(files), header(Version::V1_16), entries.clone()).is_ok());
    assert!(Writer::new(Vec::new(), Header::new(Version::V1_15, Compression::GZIP), entries).is_ok());
}

#[test]
fn a_header_and_a_piece_are_of_the_format() {
    let files = Failing { name: "", at: At::Create };
    let error = Writer::folder(Box::new(files), Header::new(Version::V1_16, Compression::GZIP), entries()).unwrap_err();
    assert!(error.to_string().contains("written in directory format, and the header says custom"), "{error}");
    let error = Writer::new(Vec::new(), header(Version::V1_16), entries()).unwrap_err();
    assert!(error.to_string().contains("written in custom format, and the header says directory"), "{error}");

    let mut writer = Writer::folder(Box::new(files), header(Version::V1_16), entries()).unwrap();
    writer.begin_data(ROWS).unwrap();
    let mut piece = Piece::new();
    PieceEncoder::new(Compression::GZIP).unwrap().encode(b"", b"rows", &mut piece).unwrap();
    assert!(writer.piece(&piece).unwrap_err().to_string().contains("the form of another format"));
    PieceEncoder::of_files(Compression::GZIP).unwrap().encode(b"", b"rows", &mut piece).unwrap();
    writer.piece(&piece).unwrap();
}
