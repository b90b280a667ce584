//! The vectors: what is wrong, what is done to the sound archive, and what the reader must say.

use super::{ROWS, int, lz4, offset, text, zlib, zstd};

/// What is done to the sound archive.
pub enum Harm {
    /// A part is something else.
    Is(&'static str, Vec<u8>),
    /// A part and all after it are missing.
    CutBefore(&'static str),
    /// So many bytes of a part are there, and nothing after it.
    CutIn(&'static str, usize),
    /// The chunk of a part has other bytes, and a length that fits.
    Chunk(&'static str, Vec<u8>),
    /// A part's stream has no chunk.
    NoChunk(&'static str),
    /// The whole archive is something else.
    Other(Vec<u8>),
}

use Harm::{Chunk, CutBefore, CutIn, Is, NoChunk, Other};

pub struct Vector {
    /// What is wrong with it.
    pub wrong: &'static str,
    pub algorithm: u8,
    pub harm: Harm,
    /// What the reader must say: what it was reading, at which byte (`{part}` is where a part begins), and why that failed.
    pub says: [&'static str; 3],
}

pub const NONE: u8 = 0;
pub const GZIP: u8 = 1;
pub const LZ4: u8 = 2;
pub const ZSTD: u8 = 3;

macro_rules! vectors {
    ($($wrong:literal: $algorithm:ident, $harm:expr => $what:literal @ $at:literal: $why:literal;)*) => {
        vec![$(Vector { wrong: $wrong, algorithm: $algorithm, harm: $harm, says: [$what, $at, $why] }),*]
    };
}

fn without_last(mut bytes: Vec<u8>, n: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - n);
    bytes
}

fn with(mut bytes: Vec<u8>, more: &[u8]) -> Vec<u8> {
    bytes.extend_from_slice(more);
    bytes
}

pub fn flipped(mut bytes: Vec<u8>, from_end: usize) -> Vec<u8> {
    let at = bytes.len() - from_end;
    bytes[at] ^= 0x40;
    bytes
}

pub fn headers() -> Vec<Vector> {
    vectors! {
        "nothing is there": NONE, CutBefore("magic")
            => "the header" @ "0": "the archive ends early: it is truncated";
        "only the beginning of the magic is there": NONE, CutIn("magic", 3)
            => "the header" @ "3": "the archive ends early: it is truncated";
        "it is something else": NONE, Other(b"hello, world".to_vec())
            => "the header" @ "0": "it is no archive of pg_dump: it begins neither with PGDMP nor as a tar file";
        "it is an SQL script": NONE, Other(b"--\n-- PostgreSQL database dump\n--\n".to_vec())
            => "the header" @ "0": "it is an SQL script of pg_dump, which psql runs";
        "it is an SQLite database": NONE, Other(b"SQLite format 3\0....".to_vec())
            => "the header" @ "0": "it is an SQLite database";
        "it was compressed as a whole": NONE, Other(vec![0x1f, 0x8b, 8, 0, 0])
            => "the header" @ "0":
               "it is a gzip file; an archive of pg_dump is compressed inside, not as a whole: gunzip it first";
        "it is a tar file with a damaged header": NONE, Other([b"toc.dat".to_vec(), vec![0; 250], b"ustar\0".to_vec(), vec![0; 300]].concat())
            => "the tar file" @ "0": "this is no header of a tar file's member: its checksum is wrong";
        "the version is older than can be read": NONE, Is("version", vec![1, 9, 0])
            => "the version in the header" @ "5": "archive version 1.9 is not between 1.10 and 1.16";
        "the version is newer than is known": NONE, Is("version", vec![1, 17, 0])
            => "the version in the header" @ "5": "archive version 1.17 is not between 1.10 and 1.16";
        "the major version is another": NONE, Is("version", vec![2, 14, 0])
            => "the version in the header" @ "5": "archive version 2.14 is not between 1.10 and 1.16";
        "integers have no bytes": NONE, Is("int size", vec![0])
            => "the size of integers in the header" @ "{int size}": "numbers of 0 bytes cannot be";
        "offsets have too many bytes": NONE, Is("offset size", vec![33])
            => "the size of offsets in the header" @ "{offset size}": "numbers of 33 bytes cannot be";
        "it is the table of contents of a directory": NONE, Is("format", vec![3])
            => "the format in the header" @ "{format}":
               "this is the toc.dat of a directory archive, or of a tar archive: the archive is the folder it is in";
        "the format is none that exists": NONE, Is("format", vec![9])
            => "the format in the header" @ "{format}": "there is no archive format 9";
        "the compression is not known": NONE, Is("compression", vec![4])
            => "the compression in the header" @ "{compression}": "compression 4 is not known";
        "a sign is neither 0 nor 1": NONE, Is("clock", vec![7; 35])
            => "the time of creation in the header" @ "{clock}": "an integer begins with a sign, 0 or 1, not with 7";
        "it ends in the time": NONE, CutIn("clock", 12)
            => "the time of creation in the header" @ "{clock+12}": "the archive ends early: it is truncated";
        "a text is longer than is allowed": NONE, Is("dbname", [0, 0, 0, 0, 0x7f].to_vec())
            => "the name of the database in the header" @ "{dbname}":
               "it says 2130706432, and no more than 1073741824 is allowed";
        "a text has a negative length": NONE, Is("server", int(-2))
            => "the server's version in the header" @ "{server}": "-2 is no length of a text";
        "it ends in a text": NONE, CutIn("dumper", 7)
            => "the dumper's version in the header" @ "{dumper+7}": "the archive ends early: it is truncated";
    }
}

pub fn contents() -> Vec<Vector> {
    vectors! {
        "the number of entries is negative": NONE, Is("count", int(-1))
            => "the number of entries" @ "{count}": "there cannot be -1 entries";
        "there are more entries than is allowed": NONE, Is("count", int(2_000_000_000))
            => "the number of entries" @ "{count}": "it says 2000000000, and no more than 50000000 is allowed";
        "there are fewer entries than it says": NONE, Is("count", int(4))
            => "the number of the entry that is 4 of 4 in the table of contents" @ "{data block}":
               "-3072 is no number of an entry";
        "an entry has the number 0": NONE, Is("11 number", int(0))
            => "the number of the entry that is 1 of 3 in the table of contents" @ "{11 number}":
               "0 is no number of an entry";
        "two entries have one number": NONE, Is("12 number", int(11))
            => "the number of entry 11 (2 of 3 in the table of contents)" @ "{12 number}":
               "two entries have the number 11";
        "the catalog OID is no number": NONE, Is("12 catalog OID", text(b"12x9"))
            => "the catalog OID of entry 12 (2 of 3 in the table of contents)" @ "{12 catalog OID}":
               "\"12x9\" is no OID";
        "the object OID is too large": NONE, Is("12 object OID", text(b"4294967296"))
            => "the object OID of entry 12 (2 of 3 in the table of contents)" @ "{12 object OID}":
               "\"4294967296\" is no OID";
        "the object OID is NULL": NONE, Is("12 object OID", int(-1))
            => "the object OID of entry 12 (2 of 3 in the table of contents)" @ "{12 object OID}": "\"\" is no OID";
        "it ends in a tag": NONE, CutIn("12 tag", 5)
            => "the tag of entry 12 (2 of 3 in the table of contents)" @ "{12 tag+5}":
               "the archive ends early: it is truncated";
        "the section does not exist": NONE, Is("13 section", int(5))
            => "the section of entry 13 (3 of 3 in the table of contents)" @ "{13 section}": "there is no section 5";
        "a definition is longer than the archive": NONE, Is("11 definition", int(1_000_000))
            => "the definition of entry 11 (1 of 3 in the table of contents)" @ "{end}":
               "the archive ends early: it is truncated";
        "a definition is longer than is allowed": NONE, Is("11 definition", int(2_000_000_000))
            => "the definition of entry 11 (1 of 3 in the table of contents)" @ "{11 definition}":
               "it says 2000000000, and no more than 1073741824 is allowed";
        "the relkind is none": NONE, Is("11 relkind", int(256))
            => "the relkind of entry 11 (1 of 3 in the table of contents)" @ "{11 relkind}": "256 is no relkind";
        "the OID flag is neither true nor false": NONE, Is("11 OID flag", text(b"maybe"))
            => "the OID flag of entry 11 (1 of 3 in the table of contents)" @ "{11 OID flag}":
               "\"maybe\" is neither \"true\" nor \"false\"";
        "a dependency is no number": NONE, Is("12 dependency", text(b"-11"))
            => "the dependencies of entry 12 (2 of 3 in the table of contents)" @ "{12 dependency}":
               "\"-11\" is no number of an entry";
        "the list of dependencies has no end": NONE, CutBefore("12 dependencies end")
            => "the dependencies of entry 12 (2 of 3 in the table of contents)" @ "{12 dependencies end}":
               "the archive ends early: it is truncated";
        "the flag of an offset is none": NONE, Is("12 data offset", offset(4, 0))
            => "the data offset of entry 12 (2 of 3 in the table of contents)" @ "{12 data offset}":
               "an offset begins with a flag from 1 to 3, not with 4";
        "it ends with the table of contents, which says that there is data": NONE, CutBefore("data block")
            => "the data of entry 12 (TABLE DATA public.t)" @ "{data block}": "the archive ends early: it is truncated";
    }
}

pub fn blocks() -> Vec<Vector> {
    vectors! {
        "a block is of no kind": NONE, Is("data block", vec![2])
            => "a block header" @ "{data block}": "a block begins with 1 or 3, not with 2";
        "it ends in the number of a block": NONE, CutIn("data block id", 2)
            => "a block header" @ "{data block+3}": "the archive ends early: it is truncated";
        "a block is of an entry that is not there": NONE, Is("data block id", int(99))
            => "a block header" @ "{data block}": "the block is of entry 99, which is not in the table of contents";
        "an entry has two blocks": NONE, Is("objects block id", int(12))
            => "a block header" @ "{objects block}":
               "this is the second block of the data of entry 12 (TABLE DATA public.t)";
        "a block is of an entry that has no data": NONE, Is("12 data offset", offset(3, 0))
            => "a block header" @ "{data block}":
               "the table of contents says that there is no data of entry 12 (TABLE DATA public.t)";
        "a chunk has a negative length": NONE, Is("rows length", int(-5))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows length}": "no chunk has -5 bytes";
        "it ends in a chunk": NONE, CutIn("rows", 5)
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows+5}": "the archive ends early: it is truncated";
        "it ends before the length of a chunk": NONE, CutBefore("rows end")
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows end}": "the archive ends early: it is truncated";
        "it ends in the length of a chunk": GZIP, CutIn("rows end", 4)
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows end+4}": "the archive ends early: it is truncated";
        "it ends between two blocks": GZIP, CutBefore("objects block")
            => "the data of entry 13 (BLOBS public.t)" @ "{objects block}": "the archive ends early: it is truncated";
        "it ends in an OID": NONE, CutIn("OID", 1)
            => "the OID of a large object in the data of entry 13 (BLOBS public.t)" @ "{OID+1}":
               "the archive ends early: it is truncated";
        "it ends in a large object": LZ4, CutIn("object", 6)
            => "large object 7 in the data of entry 13 (BLOBS public.t)" @ "{object+6}":
               "the archive ends early: it is truncated";
        "it ends before the next OID": ZSTD, CutBefore("objects end")
            => "the OID of a large object in the data of entry 13 (BLOBS public.t)" @ "{objects end}":
               "the archive ends early: it is truncated";
        "something comes after the last block": NONE, Is("objects end", with(int(0), b"more"))
            => "a block header" @ "{objects end+5}": "a block begins with 1 or 3, not with 109";
    }
}

pub fn streams() -> Vec<Vector> {
    vectors! {
        "the zlib stream has no header": GZIP, Chunk("rows", b"no zlib stream".to_vec())
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its zlib stream is damaged (incorrect header check)";
        "the zlib stream has no end": GZIP, Chunk("rows", without_last(zlib(ROWS), 6))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{objects block}":
               "the end of its zlib stream is missing";
        "the zlib stream lacks half of its checksum": GZIP, Chunk("rows", without_last(zlib(ROWS), 2))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{objects block}":
               "the end of its zlib stream is missing";
        "the checksum of the zlib stream is wrong": GZIP, Chunk("rows", flipped(zlib(ROWS), 1))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its zlib stream is damaged (incorrect data check)";
        "bytes follow the end of the zlib stream": GZIP, Chunk("rows", with(zlib(ROWS), b"x"))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows end-1}":
               "there are bytes after the end of its zlib stream";
        "there is no zlib stream at all": GZIP, NoChunk("object")
            => "large object 7 in the data of entry 13 (BLOBS public.t)" @ "{objects end}":
               "the end of its zlib stream is missing";
        "the zlib stream wants a dictionary": GZIP, Chunk("rows", vec![0x78, 0xbb, 1, 2, 3, 4, 3, 0, 0, 0, 0, 1])
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its zlib stream wants a dictionary, which archives do not have";
        "the lz4 frame does not begin as one": LZ4, Chunk("rows", b"no lz4 frame".to_vec())
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its lz4 frame is damaged (it does not begin as one)";
        "the header of the lz4 frame is damaged": LZ4, Chunk("rows", flipped(lz4(ROWS), lz4(ROWS).len() - 6))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its lz4 frame is damaged (the checksum of its header is wrong)";
        "a block of the lz4 frame is damaged": LZ4, Chunk("rows", flipped(lz4(ROWS), 14))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its lz4 frame is damaged (the checksum of a block is wrong)";
        "the checksum of the lz4 frame is wrong": LZ4, Chunk("rows", flipped(lz4(ROWS), 1))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows end-8}":
               "its lz4 frame is damaged (the checksum of its content is wrong)";
        "the lz4 frame has no end": LZ4, Chunk("rows", without_last(lz4(ROWS), 8))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{objects block}": "the end of its lz4 frame is missing";
        "a block of the lz4 frame is too long": LZ4, Chunk("rows", {
            let mut frame = lz4(ROWS);
            frame[7..11].copy_from_slice(&0x0080_0000_u32.to_le_bytes());
            frame
        })
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its lz4 frame is damaged (a block of 8388608 bytes is longer than the 65536 it allows)";
        "the zstd frame does not begin as one": ZSTD, Chunk("rows", b"no zstd frame".to_vec())
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its zstd frame is damaged (Unknown frame descriptor)";
        "the zstd frame has no end": ZSTD, Chunk("rows", without_last(zstd(ROWS), 4))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{objects block}": "the end of its zstd frame is missing";
        "the checksum of the zstd frame is wrong": ZSTD, Chunk("rows", flipped(zstd(ROWS), 1))
            => "the data of entry 12 (TABLE DATA public.t)" @ "{rows}":
               "its zstd frame is damaged (Restored data doesn't match checksum)";
    }
}
