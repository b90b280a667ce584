//! Damaged archives: each vector says what is wrong with it and what the reader must say. They are made from the parts of
//! a sound archive, put together byte by byte and not by the writer, of which one is replaced, taken out or cut short.

use std::io::{Cursor, Write};

use flate2::write::ZlibEncoder;
use pgformat::{DumpId, ErrorKind, Limits, Reader};

use crate::model::{Archive, Content};

mod vectors;

use vectors::{GZIP, Harm, LZ4, NONE, Vector, ZSTD, blocks, contents, flipped, headers, streams};

/// The sound archive, in parts that have names.
#[derive(Clone)]
struct Parts(Vec<(String, Vec<u8>)>);

fn int(n: i64) -> Vec<u8> {
    let mut bytes = vec![u8::from(n < 0)];
    bytes.extend_from_slice(&n.unsigned_abs().to_le_bytes()[..4]);
    bytes
}

fn text(text: &[u8]) -> Vec<u8> {
    [int(i64::try_from(text.len()).unwrap()), text.to_vec()].concat()
}

fn offset(flag: u8, at: u64) -> Vec<u8> {
    [&[flag][..], &at.to_le_bytes()].concat()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn lz4(data: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().content_checksum(true).block_checksums(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

const ROWS: &[u8] = b"1\tone\n2\ttwo\n\\.\n\n\n";
const OBJECT: &[u8] = b"the content of a large object";

impl Parts {
    /// Version 1.16: entry 11 is a table, 12 its data, 13 large objects.
    fn sound(algorithm: u8) -> Self {
        let compress = [<[u8]>::to_vec, zlib, lz4, zstd][usize::from(algorithm)];
        let mut parts = Self(Vec::new());
        parts.add("magic", b"PGDMP");
        parts.add("version", &[1, 16, 0]);
        parts.add("int size", &[4]);
        parts.add("offset size", &[8]);
        parts.add("format", &[1]);
        parts.add("compression", &[algorithm]);
        parts.add("clock", &[int(1), int(2), int(3), int(4), int(5), int(126), int(0)].concat());
        parts.add("dbname", &text(b"db"));
        parts.add("server", &text(b"18.6"));
        parts.add("dumper", &text(b"18.6"));
        parts.add("count", &int(3));
        for (id, desc, section, has_data) in [(11, "TABLE", 2, 0), (12, "TABLE DATA", 3, 1), (13, "BLOBS", 3, 1)] {
            let mut field = |name: &str, bytes: &[u8]| parts.add(&format!("{id} {name}"), bytes);
            field("number", &int(id));
            field("data flag", &int(has_data));
            field("catalog OID", &text(b"1259"));
            field("object OID", &text(b"16384"));
            field("tag", &text(b"t"));
            field("kind", &text(desc.as_bytes()));
            field("section", &int(section));
            field("definition", &text(b"CREATE TABLE public.t (n integer);\n"));
            field("drop statement", &text(b"DROP TABLE public.t;\n"));
            field("copy statement", &int(-1));
            field("schema", &text(b"public"));
            field("tablespace", &text(b""));
            field("table access method", &text(b"heap"));
            field("relkind", &int(b'r'.into()));
            field("owner", &text(b"postgres"));
            field("OID flag", &text(b"false"));
            field("dependency", &text(b"11"));
            field("dependencies end", &int(-1));
            field("data offset", &offset(if has_data == 1 { 1 } else { 3 }, 0));
        }
        parts.add("data block", &[1]);
        parts.add("data block id", &int(12));
        parts.add("rows length", &int(i64::try_from(compress(ROWS).len()).unwrap()));
        parts.add("rows", &compress(ROWS));
        parts.add("rows end", &int(0));
        parts.add("objects block", &[3]);
        parts.add("objects block id", &int(13));
        parts.add("OID", &int(7));
        parts.add("object length", &int(i64::try_from(compress(OBJECT).len()).unwrap()));
        parts.add("object", &compress(OBJECT));
        parts.add("object end", &int(0));
        parts.add("objects end", &int(0));
        parts
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.push((name.to_owned(), bytes.to_vec()));
    }

    fn part(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.0.iter_mut().find(|part| part.0 == name).unwrap_or_else(|| panic!("no part {name}")).1
    }

    fn start(&self, name: &str) -> usize {
        let at = self.0.iter().position(|part| part.0 == name).unwrap_or_else(|| panic!("no part {name}"));
        self.0[..at].iter().map(|part| part.1.len()).sum()
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|part| part.1.clone()).collect()
    }
}

/// Puts byte numbers in place of `{part}`, `{part+n}` and `{part-n}`.
fn says(text: &str, parts: &Parts, end: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let split = name.find(['+', '-']).unwrap_or(name.len());
        let (part, difference) = name.split_at(split);
        let start = if part == "end" { end } else { parts.start(part) };
        let difference = if difference.is_empty() { 0 } else { difference.parse::<isize>().unwrap() };
        out += before;
        out += &start.checked_add_signed(difference).unwrap().to_string();
        rest = after;
    }
    out + rest
}

fn damage(vector: &Vector) -> (Vec<u8>, String) {
    let mut parts = Parts::sound(vector.algorithm);
    let bytes = match &vector.harm {
        Harm::Is(name, bytes) => {
            bytes.clone_into(parts.part(name));
            parts.bytes()
        }
        Harm::Chunk(name, bytes) => {
            bytes.clone_into(parts.part(name));
            *parts.part(&format!("{name} length")) = int(i64::try_from(bytes.len()).unwrap());
            parts.bytes()
        }
        Harm::NoChunk(name) => {
            parts.part(name).clear();
            parts.part(&format!("{name} length")).clear();
            parts.bytes()
        }
        Harm::CutBefore(name) => parts.bytes()[..parts.start(name)].to_vec(),
        Harm::CutIn(name, n) => parts.bytes()[..parts.start(name) + n].to_vec(),
        Harm::Other(bytes) => bytes.clone(),
    };
    let [what, at, why] = vector.says;
    let says = says(&format!("reading {what} at byte {at}: {why}"), &parts, bytes.len());
    (bytes, says)
}

#[test]
fn the_archive_that_the_vectors_are_made_of_is_sound() {
    for algorithm in [NONE, GZIP, LZ4, ZSTD] {
        let archive = Archive::read(Reader::new(Parts::sound(algorithm).bytes().as_slice()).unwrap()).unwrap();
        assert_eq!(archive.contents[&DumpId(12)], Content::Rows(ROWS.to_vec()));
        assert_eq!(archive.contents[&DumpId(13)], Content::Objects(vec![(7, OBJECT.to_vec())]));
    }
}

#[test]
fn the_reader_says_of_each_what_is_wrong() {
    let mut failed = String::new();
    for vector in headers().into_iter().chain(contents()).chain(blocks()).chain(streams()) {
        let (bytes, says) = damage(&vector);
        let streamed = Reader::new(bytes.as_slice()).and_then(Archive::read);
        let seeking = Reader::seekable(Cursor::new(&bytes)).and_then(Archive::read);
        for (how, result) in [("as a stream", streamed), ("seeking", seeking)] {
            let said = result.map_or_else(|error| error.to_string(), |_| "nothing".to_owned());
            if said != says {
                failed += &format!("{} ({how})\n  must say: {says}\n  says:     {said}\n", vector.wrong);
            }
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn an_offset_that_leads_elsewhere_is_noticed() {
    for (leads, says) in [
        (
            "objects block",
            "reading the data of entry 12 (TABLE DATA public.t) at byte {objects block}: \
            the table of contents says it is here, but this is the data of entry 13 (BLOBS public.t)",
        ),
        (
            "rows",
            "reading the block header of the data of entry 12 (TABLE DATA public.t) at byte {rows}: \
            a block begins with 1 or 3, not with 49",
        ),
        (
            "end",
            "reading the data of entry 12 (TABLE DATA public.t) at byte {end}: the archive ends early: it is truncated",
        ),
    ] {
        let mut parts = Parts::sound(NONE);
        let end = parts.bytes().len();
        let at = if leads == "end" { end } else { parts.start(leads) };
        *parts.part("12 data offset") = offset(2, at as u64);
        let bytes = parts.bytes();
        let mut reader = Reader::seekable(Cursor::new(&bytes)).unwrap();
        let error = reader.block(DumpId(12)).unwrap_err();
        assert_eq!(error.to_string(), self::says(says, &parts, end));
        // It does not keep the reader from what is where it should be.
        assert!(reader.block(DumpId(13)).unwrap().is_some());
    }
}

#[test]
fn what_is_behind_a_stream_cannot_be_had_again() {
    let bytes = Parts::sound(GZIP).bytes();
    let mut reader = Reader::new(bytes.as_slice()).unwrap();
    assert!(reader.block(DumpId(13)).unwrap().is_some());
    let error = reader.block(DumpId(12)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound(_)), "{error:?}");
    assert!(error.to_string().ends_with("it lies behind what was read, and the input cannot seek"), "{error}");
    let error = reader.block(DumpId(99)).unwrap_err();
    assert!(error.to_string().ends_with("the table of contents has no such entry"), "{error}");
    assert!(reader.block(DumpId(11)).unwrap().is_none());
}

#[test]
fn after_an_error_nothing_looks_like_the_end() {
    let mut parts = Parts::sound(GZIP);
    *parts.part("rows") = flipped(zlib(ROWS), 1);
    let bytes = parts.bytes();
    let mut reader = Reader::new(bytes.as_slice()).unwrap();
    let mut block = reader.next_block().unwrap().unwrap();
    let pgformat::Block::Data(data) = &mut block else { panic!("rows are not rows") };
    assert!(std::io::copy(data, &mut std::io::sink()).is_err());
    assert!(data.fill().is_err());
    let error = reader.next_block().unwrap_err();
    assert!(error.to_string().ends_with("reading failed before, so its place is not known"), "{error}");
}

#[test]
fn limits_are_the_callers_to_choose() {
    let bytes = Parts::sound(NONE).bytes();
    let read = |limits| {
        let result = Reader::with_limits(bytes.as_slice(), limits).and_then(Archive::read);
        result.map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
    };
    let parts = Parts::sound(NONE);
    let all = Limits::DEFAULT;
    assert_eq!(read(all.entries(3).text(35).dependencies(1).chunk(29)), "nothing");
    for (limits, text) in [
        (all.entries(2), "reading the number of entries at byte {count}: it says 3, and no more than 2 is allowed"),
        (
            all.text(34),
            "reading the definition of entry 11 (1 of 3 in the table of contents) at byte {11 definition}: \
             it says 35, and no more than 34 is allowed",
        ),
        (
            all.dependencies(0),
            "reading the dependencies of entry 11 (1 of 3 in the table of contents) at byte {11 dependency}: \
             it says 1, and no more than 0 is allowed",
        ),
        (
            all.chunk(28),
            "reading large object 7 in the data of entry 13 (BLOBS public.t) at byte {object length}: \
             it says 29, and no more than 28 is allowed",
        ),
        (
            all.contents(400),
            "reading the size of the table of contents at byte {data block}: it says 590, and no more than 400 is allowed",
        ),
    ] {
        assert_eq!(read(limits), says(text, &parts, 0));
    }
}
