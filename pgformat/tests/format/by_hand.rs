//! Archives put together byte by byte, not by the writer: each version, odd sizes of numbers, and what the tools write only
//! now and then.

use std::io::{Cursor, Write};

use flate2::write::ZlibEncoder;
use pgformat::{Block, Compression, DataPosition, DumpId, Header, Reader, Section, Version};

use crate::model::{Archive, Content, Trickle};

/// The size of integers, and the bytes so far.
struct Bytes {
    int_size: usize,
    bytes: Vec<u8>,
}

impl Bytes {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, first: u8, magnitude: u64, size: usize) -> &mut Self {
        self.bytes.push(first);
        let mut bytes = magnitude.to_le_bytes().to_vec();
        assert!(bytes.iter().skip(size).all(|byte| *byte == 0));
        bytes.resize(size, 0);
        self.raw(&bytes)
    }

    fn int(&mut self, n: i64) -> &mut Self {
        self.number(u8::from(n < 0), n.unsigned_abs(), self.int_size)
    }

    fn text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.int(i64::try_from(text.len()).unwrap()).raw(text.as_bytes()),
            None => self.int(-1),
        }
    }

    /// A stream of chunks of that many bytes.
    fn stream(&mut self, stored: &[u8], chunk: usize) -> &mut Self {
        for chunk in stored.chunks(chunk) {
            self.int(i64::try_from(chunk.len()).unwrap()).raw(chunk);
        }
        self.int(0)
    }
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::new(9));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Entries: a table, a kind that nobody knows but with data, its data, two of large objects.
fn archive(minor: u8, int_size: u8, offset_size: u8, chunk: usize) -> Vec<u8> {
    let mut out = Bytes { int_size: int_size.into(), bytes: b"PGDMP".to_vec() };
    out.raw(&[1, minor, 0, int_size, offset_size, 1]);
    if minor >= 15 {
        out.raw(&[1]);
    } else {
        out.int(-1);
    }
    for n in [59, 58, 23, 31, 11, 99, -1] {
        out.int(n);
    }
    out.text(Some("db")).text(Some("8.4.22")).text(None).int(5);
    let kinds = [("TABLE", 2), ("GADGET", 2), ("TABLE DATA", 3), ("BLOBS", 3), ("BLOBS", 3)];
    for (id, (kind, section)) in (1..).zip(kinds) {
        let has_data = id != 1;
        out.int(id).int(has_data.into()).text(Some("1259")).text(Some("4294967295"));
        out.text(Some("tag")).text(Some(kind));
        if minor >= 11 {
            out.int(section);
        }
        out.text(Some("CREATE …;")).text(Some("")).text(None).text(Some("public")).text(None);
        if minor >= 14 {
            out.text(Some("heap"));
        }
        if minor >= 16 {
            out.int(i64::from(b'p'));
        }
        out.text(Some("me")).text(Some(if id == 3 { "true" } else { "false" }));
        out.text(Some("1")).text(Some("2147483647")).text(None);
        out.number(if has_data { 1 } else { 3 }, 0, offset_size.into());
    }
    out.raw(&[1]).int(2).stream(&zlib(b"gadgets"), chunk);
    out.raw(&[1]).int(3).stream(&zlib(b"1\t2\n\\.\n\n\n"), chunk);
    // The OIDs are 5, 4000000000 and 4294967295.
    out.raw(&[3]).int(4).int(5).stream(&zlib(b"five"), chunk).int(-294_967_296).stream(&zlib(b""), chunk).int(0);
    out.raw(&[3]).int(5).int(-1).stream(&zlib(b"last"), chunk).int(0);
    out.bytes
}

/// One of them, for other tests.
pub fn custom() -> Vec<u8> {
    archive(16, 4, 8, 4096)
}

fn check(what: &str, minor: u8, archive: &Archive) {
    let Header { version, compression, created, dbname, server_version, dumper_version, .. } = &archive.header;
    assert_eq!(*version, Version { major: 1, minor, rev: 0 }, "{what}");
    assert_eq!(*compression, Compression::Gzip(None), "{what}");
    assert_eq!((created.to_string().as_str(), created.daylight_saving), ("1999-12-31 23:58:59", -1), "{what}");
    assert_eq!(
        (dbname.as_slice(), server_version.as_slice(), dumper_version.as_slice()),
        (&b"db"[..], &b"8.4.22"[..], &b""[..])
    );
    for (entry, section) in archive.entries.iter().zip([2, 2, 3, 3, 3]) {
        assert_eq!(entry.catalog_oid, (1259, u32::MAX), "{what}");
        assert_eq!(entry.section, if section == 3 { Section::Data } else { Section::PreData }, "{what}");
        assert_eq!(entry.drop_statement.as_ref().unwrap(), "", "{what}");
        assert_eq!((&entry.copy_statement, &entry.tablespace), (&None, &None), "{what}");
        assert_eq!(entry.table_access_method.is_some(), minor >= 14, "{what}");
        assert_eq!(entry.relkind, if minor >= 16 { b'p' } else { 0 }, "{what}");
        assert_eq!(entry.owner.as_ref().unwrap(), "me", "{what}");
        assert_eq!(entry.dependencies, [DumpId(1), DumpId(i32::MAX)], "{what}");
    }
    assert!(archive.entries[1].kind().is_none());
    let expected = [
        (DumpId(2), Content::Rows(b"gadgets".to_vec())),
        (DumpId(3), Content::Rows(b"1\t2\n\\.\n\n\n".to_vec())),
        (DumpId(4), Content::Objects(vec![(5, b"five".to_vec()), (4_000_000_000, Vec::new())])),
        (DumpId(5), Content::Objects(vec![(u32::MAX, b"last".to_vec())])),
    ];
    assert_eq!(archive.contents, expected.into_iter().collect(), "{what}");
}

#[test]
fn every_version_is_read_with_every_size_of_numbers() {
    for minor in 10..=16 {
        for (int_size, offset_size) in [(4, 8), (4, 4), (8, 8), (8, 4), (5, 7), (16, 32), (32, 1)] {
            for chunk in [1, 3, 4096] {
                let what = format!("1.{minor}, numbers of {int_size} and {offset_size} bytes, chunks of {chunk}");
                let bytes = archive(minor, int_size, offset_size, chunk);
                let reader = Reader::new(Trickle(&bytes, 1)).unwrap();
                assert!(reader.has_row_oids(DumpId(3)) && !reader.has_row_oids(DumpId(2)), "{what}");
                assert_eq!(reader.data_position(DumpId(1)), Some(DataPosition::NoData), "{what}");
                assert_eq!(reader.data_position(DumpId(5)), Some(DataPosition::NotSet), "{what}");
                check(&what, minor, &Archive::read(reader).unwrap());
                check(&what, minor, &Archive::read(Reader::seekable(Cursor::new(&bytes)).unwrap()).unwrap());
                check(&what, minor, &Archive::read_backwards(Reader::seekable(Cursor::new(&bytes)).unwrap()).unwrap());
            }
        }
    }
}

#[test]
fn before_sections_were_stored_they_follow_from_the_kind() {
    let kinds = [
        ("COMMENT", Section::None),
        ("ACL", Section::None),
        ("ACL LANGUAGE", Section::None),
        ("BLOB COMMENTS", Section::Data),
        ("CONSTRAINT", Section::PostData),
        ("CHECK CONSTRAINT", Section::PostData),
        ("FK CONSTRAINT", Section::PostData),
        ("INDEX", Section::PostData),
        ("RULE", Section::PostData),
        ("TRIGGER", Section::PostData),
        ("FUNCTION", Section::PreData),
        ("SEQUENCE SET", Section::PreData),
        ("GADGET", Section::PreData),
    ];
    for (kind, section) in kinds {
        // Another kind takes the place of one, its length included.
        let bytes = archive(10, 4, 8, 4096);
        let at = bytes.windows(6).position(|window| window == b"GADGET").unwrap();
        let length = u32::try_from(kind.len()).unwrap().to_le_bytes();
        let bytes = [&bytes[..at - 4], &length, kind.as_bytes(), &bytes[at + 6..]].concat();
        let reader = Reader::new(bytes.as_slice()).unwrap();
        assert_eq!(reader.entries()[1].section, section, "{kind}");
    }
}

#[test]
fn a_block_that_is_left_in_the_middle_is_passed_over() {
    let bytes = archive(14, 4, 8, 2);
    for seeks in [true, false] {
        let mut seeking = Reader::seekable(Cursor::new(bytes.as_slice())).unwrap();
        let mut streaming = Reader::new(Cursor::new(bytes.as_slice())).unwrap();
        let reader = if seeks { &mut seeking } else { &mut streaming };
        let Some(Block::Data(mut data)) = reader.next_block().unwrap() else { panic!("no data") };
        assert!(!data.fill().unwrap().is_empty());
        data.consume(2);
        let Some(Block::Data(data)) = reader.next_block().unwrap() else { panic!("no data") };
        assert_eq!(data.entry().unwrap().dump_id, DumpId(3));
        data.skip().unwrap();
        let Some(Block::LargeObjects(mut objects)) = reader.next_block().unwrap() else { panic!("no large objects") };
        let (oid, mut object) = objects.next().unwrap().unwrap();
        assert_eq!(oid, 5);
        assert!(!object.fill().unwrap().is_empty());
        object.consume(1);
        assert_eq!(objects.next().unwrap().unwrap().0, 4_000_000_000);
        let Some(Block::LargeObjects(mut objects)) = reader.next_block().unwrap() else { panic!("no large objects") };
        assert_eq!(objects.entry().unwrap().dump_id, DumpId(5));
        assert_eq!(objects.next().unwrap().unwrap().0, u32::MAX);
        assert!(reader.next_block().unwrap().is_none());
        assert!(reader.next_block().unwrap().is_none());
    }
}

#[test]
fn a_number_of_more_than_64_bits_is_refused() {
    let mut bytes = archive(14, 16, 8, 4096);
    // The last byte of the compression, which is the first int.
    bytes[5 + 6 + 16] = 1;
    let error = Reader::new(bytes.as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "reading the compression in the header at byte 12: a number has more than 64 bits");
}
