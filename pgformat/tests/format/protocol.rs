//! What is out of turn is refused, says why, and leaves the archive as it was.

use std::io::{Cursor, Write};

use pgformat::{
    Compression, ContentsWriter, DumpId, Entry, Error, ErrorKind, Header, Piece, PieceEncoder, Reader, Version, Writer,
};

use crate::model::Archive;

const TABLE: DumpId = DumpId(1);
const ROWS: DumpId = DumpId(2);
const BLOBS: DumpId = DumpId(3);
const MORE: DumpId = DumpId(4);

fn entries() -> Vec<Entry> {
    let data = |id, desc| Entry::new(id, desc).has_data(true).tag("t");
    vec![Entry::new(TABLE, "TABLE"), data(ROWS, "TABLE DATA"), data(BLOBS, "BLOBS"), data(MORE, "TABLE DATA")]
}

fn writer() -> Writer<Vec<u8>> {
    Writer::new(Vec::new(), Header::new(Version::V1_14, Compression::GZIP), entries()).unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: pgformat::Result<T>, message: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol(_)), "{error:?}");
    let text = error.to_string();
    let without_offset =
        text.split_once(" at byte ").and_then(|(what, why)| Some((what, why.split_once(": ")?.1))).unwrap();
    assert_eq!(format!("{}: {}", without_offset.0, without_offset.1), message);
}

#[test]
fn what_is_out_of_turn_is_refused_and_writes_nothing() {
    let mut writer = writer();
    let start = writer.offset();
    refused(writer.chunk(b"x"), "writing a chunk: it belongs into an open stream");
    refused(writer.piece(&Piece::new()), "writing a piece: it belongs into an open stream");
    refused(writer.end_stream(), "writing the end of a stream: it belongs into an open stream");
    refused(writer.end_block(), "writing the end of a block: no block is open");
    refused(writer.large_object(1), "writing a large object: it belongs into an open block of large objects");
    refused(writer.begin_data(DumpId(9)), "writing the beginning of a block: there is no entry 9");
    refused(
        writer.begin_data(TABLE),
        "writing the beginning of a block: entry 1 (TABLE) has no data, by the table of contents",
    );
    refused(writer.begin_data(BLOBS), "writing the beginning of a block: entry 3 (BLOBS t) holds large objects");
    refused(
        writer.begin_large_objects(ROWS),
        "writing the beginning of a block: entry 2 (TABLE DATA t) does not hold large objects",
    );
    refused(
        writer.begin_data(MORE),
        "writing the next block: the data of entry 2 (TABLE DATA t) was not written, which comes before",
    );
    assert_eq!(writer.offset(), start);

    writer.begin_data(ROWS).unwrap();
    let start = writer.offset();
    refused(writer.begin_data(MORE), "writing the beginning of a block: another block is still open");
    refused(writer.begin_large_objects(BLOBS), "writing the beginning of a block: another block is still open");
    refused(writer.large_object(1), "writing a large object: it belongs into an open block of large objects");
    refused(writer.end_block(), "writing the end of a block: a stream in it is still open");
    assert_eq!(writer.offset(), start);
    writer.end_stream().unwrap();
    refused(writer.chunk(b"x"), "writing a chunk: it belongs into an open stream");
    refused(writer.end_stream(), "writing the end of a stream: it belongs into an open stream");
    writer.end_block().unwrap();
    refused(
        writer.begin_data(ROWS),
        "writing the beginning of a block: entry 2 (TABLE DATA t) is written already, or one that comes after it",
    );

    writer.begin_large_objects(BLOBS).unwrap();
    refused(writer.chunk(b"x"), "writing a chunk: it belongs into an open stream");
    refused(writer.large_object(0), "writing a large object: no large object has the OID 0");
    writer.large_object(7).unwrap();
    refused(writer.large_object(8), "writing a large object: it belongs into an open block of large objects");
    refused(writer.end_block(), "writing the end of a block: a stream in it is still open");
    writer.end_stream().unwrap();
    writer.end_block().unwrap();

    writer.data(MORE).unwrap().finish().unwrap();
    let archive = Archive::read(Reader::new(writer.finish().unwrap().as_slice()).unwrap()).unwrap();
    assert_eq!(archive.contents.len(), 3);
}

#[test]
fn an_archive_is_not_finished_before_all_data_is_there() {
    refused(
        writer().finish(),
        "writing the next block: the data of entry 2 (TABLE DATA t) was not written, which comes before",
    );
    let mut open = writer();
    open.begin_data(ROWS).unwrap();
    refused(open.finish(), "writing the end of the archive: a block is still open");
    let mut dropped = writer();
    dropped.data(ROWS).unwrap().write_all(b"1\n").unwrap();
    refused(dropped.finish(), "writing the end of the archive: a block is still open");
}

#[test]
fn a_stream_is_of_chunks_or_of_pieces() {
    let mut encoder = PieceEncoder::new(Compression::GZIP).unwrap();
    let mut piece = Piece::new();
    encoder.encode(b"", b"1\n", &mut piece).unwrap();
    let mut writer = writer();
    writer.begin_data(ROWS).unwrap();
    writer.piece(&piece).unwrap();
    refused(writer.chunk(b"x"), "writing a chunk: the stream consists of pieces");
    writer.end_stream().unwrap();
    writer.end_block().unwrap();
    writer.large_objects(BLOBS).unwrap().finish().unwrap();
    writer.begin_data(MORE).unwrap();
    PieceEncoder::new(Compression::Lz4).unwrap().encode(b"", b"1\n", &mut piece).unwrap();
    refused(
        writer.piece(&piece),
        "writing a piece: it is compressed in another way than the archive is, or in the form of another format",
    );
    writer.chunk(b"x").unwrap();
    encoder.encode(b"", b"1\n", &mut piece).unwrap();
    refused(writer.piece(&piece), "writing a piece: the stream consists of chunks that were compressed elsewhere");
}

#[test]
fn what_an_archive_cannot_say_is_refused() {
    let new = |header: Header, entries: Vec<Entry>| Writer::new(Vec::new(), header, entries).unwrap_err().to_string();
    let header = |version, compression| Header::new(version, compression);
    assert_eq!(
        new(header(Version::V1_14, Compression::Lz4), vec![]),
        "writing the header at byte 0: archive version 1.14 cannot say lz4: that takes 1.15"
    );
    assert_eq!(
        new(header(Version { minor: 17, ..Version::V1_16 }, Compression::None), vec![]),
        "writing the header at byte 0: archive version 1.17 is not between 1.10 and 1.16"
    );
    assert_eq!(
        new(header(Version::V1_14, Compression::None).int_size(0), vec![]),
        "writing the header at byte 0: integers and offsets have 1 to 32 bytes"
    );
    let plain = || header(Version::V1_13, Compression::None);
    assert_eq!(
        new(plain(), vec![Entry::new(TABLE, "TABLE"), Entry::new(TABLE, "VIEW")]),
        "writing the table of contents at byte 0: two entries have the number 1"
    );
    assert_eq!(
        new(plain(), vec![Entry::new(DumpId(0), "TABLE")]),
        "writing the table of contents at byte 0: the number of entry 0 (TABLE) is not positive"
    );
    assert_eq!(
        new(plain(), vec![Entry::new(TABLE, "TABLE").dependencies(vec![DumpId(-1)])]),
        "writing the table of contents at byte 0: entry 1 (TABLE) depends on -1, which is no entry's number"
    );
    assert_eq!(
        new(plain(), vec![Entry::new(TABLE, "TABLE").table_access_method("heap")]),
        "writing the table of contents at byte 0: \
         archive version 1.13 cannot say the table access method of entry 1 (TABLE): that takes 1.14"
    );
    assert_eq!(
        new(header(Version::V1_10, Compression::None), vec![Entry::new(TABLE, "POLICY")]),
        "writing the table of contents at byte 0: \
         archive version 1.10 cannot say the section of entry 1 (POLICY): that takes 1.11"
    );
    let small = plain().int_size(1);
    assert_eq!(
        new(small.dbname("x".repeat(300)), vec![]),
        "writing the header at byte 27: 300 does not fit the 1 bytes that this archive's integers have"
    );
}

#[test]
fn the_contents_can_be_written_entry_by_entry() {
    let header = || Header::new(Version::V1_14, Compression::GZIP);
    let fill = |mut writer: Writer<Cursor<Vec<u8>>>| {
        for id in [ROWS, MORE] {
            if id == MORE {
                writer.large_objects(BLOBS).unwrap().finish().unwrap();
            }
            let mut data = writer.data(id).unwrap();
            data.write_all(b"1\n").unwrap();
            data.finish().unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let at_once = fill(Writer::seekable(Cursor::new(Vec::new()), header(), entries()).unwrap());
    let mut contents = ContentsWriter::seekable(Cursor::new(Vec::new()), header(), entries().len()).unwrap();
    for entry in entries() {
        contents = contents.entry(entry).unwrap();
    }
    assert_eq!(fill(contents.finish().unwrap()), at_once);

    let announced = |count| ContentsWriter::new(Vec::new(), header(), count).unwrap();
    let one = || announced(2).entry(Entry::new(TABLE, "TABLE")).unwrap();
    let why = |error: Error| error.to_string().split_once(": ").unwrap().1.to_owned();
    assert_eq!(why(one().finish().unwrap_err()), "2 entries were announced, and 1 written");
    assert_eq!(why(one().entry(Entry::new(TABLE, "VIEW")).unwrap_err()), "two entries have the number 1");
    assert_eq!(why(announced(0).entry(Entry::new(TABLE, "TABLE")).unwrap_err()), "only 0 entries were announced");
}

/// Fails once so many bytes are in it.
#[derive(Debug)]
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "no space left on device"));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_a_failed_write_the_archive_is_lost() {
    let header = Header::new(Version::V1_14, Compression::None);
    let mut writer = Writer::new(Full(300_000), header, entries()).unwrap();
    let mut data = writer.data(ROWS).unwrap();
    let error = data.write_all(&vec![b'x'; 1 << 20]).unwrap_err();
    let error = Error::from_io(error).unwrap();
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::StorageFull);
    assert!(error.to_string().starts_with("writing the data of entry 2 (TABLE DATA t) at byte "), "{error}");
    assert!(error.to_string().ends_with(": no space left on device"), "{error}");
    refused(data.finish(), "writing a piece: writing failed before, and the archive is lost");
    refused(
        writer.begin_data(MORE),
        "writing the beginning of a block: writing failed before, and the archive is lost",
    );
    refused(writer.finish(), "writing the end of the archive: writing failed before, and the archive is lost");
}
