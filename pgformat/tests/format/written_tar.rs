//! Archives in tar format as they are written: what is read of them, in outputs that can seek and in those that cannot, and members
//! that are larger than a header says in digits.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgformat::{
    Block, Compression, ContentsWriter, DumpId, Entry, Error, ErrorKind, Header, Piece, PieceEncoder, Reader, Version,
    Writer,
};

const ROWS: DumpId = DumpId(1);
const OBJECTS: DumpId = DumpId(2);
const TIME: u64 = 1_777_777_777;

fn entries() -> Vec<Entry> {
    let data = |id, desc| Entry::new(id, desc).has_data(true).tag("t").definition("x".repeat(1000));
    vec![data(ROWS, "TABLE DATA"), data(OBJECTS, "BLOBS"), data(DumpId(3), "TABLE DATA")]
}

fn header() -> Header {
    Header::new(Version::V1_16, Compression::None).in_tar()
}

fn fill<W: Write>(mut writer: Writer<W>, length: usize) -> W {
    let mut rows = writer.data(ROWS).unwrap();
    rows.write_all(&vec![b'r'; length]).unwrap();
    rows.finish().unwrap();
    let mut objects = writer.large_objects(OBJECTS).unwrap();
    for (oid, content) in [(7, length / 2), (8, 0), (4_000_000_000, 3)] {
        let mut object = objects.object(oid).unwrap();
        object.write_all(&vec![b'o'; content]).unwrap();
        object.finish().unwrap();
    }
    objects.finish().unwrap();
    writer.data(DumpId(3)).unwrap().finish().unwrap();
    let mut script = writer.script().unwrap();
    script.write_all(&vec![b's'; length]).unwrap();
    script.finish().unwrap();
    writer.finish().unwrap()
}

/// The names and sizes of the members, which are found here without the code under test.
fn members(archive: &[u8]) -> Vec<(String, usize)> {
    let (mut members, mut at) = (Vec::new(), 0);
    while archive[at] != 0 {
        let text = |from: usize, to: usize| String::from_utf8_lossy(&archive[at + from..at + to]).into_owned();
        let size = usize::from_str_radix(text(124, 135).as_str(), 8).unwrap();
        members.push((text(0, 100).trim_end_matches('\0').to_owned(), size));
        at += 512 + size.next_multiple_of(512);
    }
    assert!(archive[at..].len() == 1024 && archive[at..].iter().all(|byte| *byte == 0), "no end");
    members
}

#[test]
fn it_is_the_same_whether_the_output_can_seek_or_not() {
    for length in [0, 1, 511, 512, 513, 100_000, 128 * 1024 - 512, 128 * 1024, 300_000, 3_000_000] {
        let seekable = Writer::tar(Cursor::new(Vec::new()), header(), entries(), TIME).unwrap();
        let seekable = fill(seekable, length).into_inner();
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let spool = move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(tempfile()) as Box<dyn pgformat::Spool>)
        };
        let mut contents =
            ContentsWriter::tar_stream(Vec::new(), Box::new(spool), header(), entries().len(), TIME).unwrap();
        for entry in entries() {
            contents = contents.entry(entry).unwrap();
        }
        let streamed = fill(contents.finish().unwrap(), length);
        assert!(streamed == seekable, "{length}");
        // None for what is small, and one for all that is not.
        assert_eq!(made.load(Ordering::Relaxed), usize::from(length >= 128 * 1024), "{length}");
        let names = [
            "toc.dat",
            "1.dat",
            "blob_7.dat",
            "blob_8.dat",
            "blob_4000000000.dat",
            "blobs_2.toc",
            "3.dat",
            "restore.sql",
        ];
        let found = members(&streamed);
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
        assert_eq!((found[1].1, found[2].1, found[7].1), (length, length / 2, length));
        for mut reader in
            [Reader::new(Cursor::new(streamed.clone())).unwrap(), Reader::seekable(Cursor::new(streamed)).unwrap()]
        {
            let mut blocks = 0;
            while let Some(block) = reader.next_block().unwrap() {
                blocks += 1;
                if let Block::Data(mut data) = block {
                    let mut all = Vec::new();
                    data.read_to_end(&mut all).unwrap();
                    assert!(all.len() == if blocks == 1 { length } else { 0 });
                }
            }
            assert_eq!(blocks, 3);
            reader.finish().unwrap();
        }
    }
}

fn tempfile() -> Cursor<Vec<u8>> {
    Cursor::new(Vec::new())
}

#[test]
fn what_is_out_of_turn_is_an_error() {
    let gzip = Header::new(Version::V1_16, Compression::GZIP);
    let error = Writer::tar(Cursor::new(Vec::new()), gzip.clone().in_tar(), entries(), TIME).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unsupported(_)) && error.to_string().contains("not compressed"),
        "{error}"
    );
    let error = Writer::tar(Cursor::new(Vec::new()), Header::new(Version::V1_16, Compression::None), entries(), TIME);
    assert!(error.unwrap_err().to_string().contains("written in tar format, and the header says custom"));

    let protocol = |error: Error, says: &str| {
        assert!(matches!(error.kind(), ErrorKind::Protocol(_)) && error.to_string().contains(says), "{error}");
    };
    let mut custom = Writer::new(Vec::new(), Header::new(Version::V1_16, Compression::None), Vec::new()).unwrap();
    protocol(custom.script().unwrap_err(), "only an archive in tar format has one");
    custom.finish().unwrap();
    let mut writer = Writer::tar(Cursor::new(Vec::new()), header(), entries()[..1].to_vec(), TIME).unwrap();
    protocol(writer.script().unwrap_err(), "was not written");
    writer.begin_data(ROWS).unwrap();
    protocol(writer.script().unwrap_err(), "a block is still open");
    let mut piece = Piece::new();
    PieceEncoder::of_files(Compression::GZIP).unwrap().encode(b"", b"rows", &mut piece).unwrap();
    protocol(writer.piece(&piece).unwrap_err(), "compressed in another way");
    writer.end_stream().unwrap();
    writer.end_block().unwrap();
    writer.script().unwrap().write_all(b"half").unwrap();
    protocol(writer.begin_data(ROWS).unwrap_err(), "the script is written");
    protocol(writer.finish().unwrap_err(), "still open");
}

/// An output of which only what is written in small parts is kept.
#[derive(Debug, Default)]
struct Sparse {
    at: u64,
    length: u64,
    kept: BTreeMap<u64, Vec<u8>>,
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() <= 256 * 1024 {
            self.kept.insert(self.at, bytes.to_vec());
        }
        self.at += bytes.len() as u64;
        self.length = self.length.max(self.at);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = buffer.len().min(usize::try_from(self.length - self.at).unwrap_or(usize::MAX));
        buffer[..n].fill(b'0');
        for (start, bytes) in self.kept.range(..self.at + n as u64) {
            for (place, byte) in bytes.iter().enumerate() {
                let at = start + place as u64;
                if (self.at..self.at + n as u64).contains(&at) {
                    buffer[(at - self.at) as usize] = *byte;
                }
            }
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(to) => to,
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
            SeekFrom::End(by) => self.length.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn members_of_8_gib_and_more_have_their_size() {
    let part = vec![0; 64 << 20];
    for parts in [127, 128, 300] {
        let mut writer = Writer::tar(Sparse::default(), header(), entries()[..1].to_vec(), TIME).unwrap();
        writer.begin_data(ROWS).unwrap();
        for _ in 0..parts {
            writer.chunk(&part).unwrap();
        }
        writer.end_stream().unwrap();
        writer.end_block().unwrap();
        let mut archive = writer.finish().unwrap();
        archive.at = 0;
        let mut reader = Reader::seekable(archive).unwrap();
        assert_eq!(reader.sizes().unwrap(), [Some(parts * (64 << 20))]);
        reader.check_end().unwrap();
    }
}
