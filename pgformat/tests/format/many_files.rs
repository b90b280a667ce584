//! The directory and the tar format, put together byte by byte.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use pgformat::{Files, NewFiles, Reader, Result};

use crate::model::{Archive, Trickle};

/// An archive as a set of files, which a folder or a tar file can hold.
#[derive(Debug, Clone, Default)]
pub struct Set(pub BTreeMap<String, Vec<u8>>);

impl Files for Set {
    type File = Cursor<Vec<u8>>;

    fn open(&self, name: &str) -> io::Result<Option<Cursor<Vec<u8>>>> {
        Ok(self.0.get(name).cloned().map(Cursor::new))
    }

    fn size(&self, name: &str) -> io::Result<Option<u64>> {
        Ok(self.0.get(name).map(|file| file.len() as u64))
    }
}

/// The same while it is being written, shared with whoever looks at it then.
#[derive(Debug, Clone, Default)]
pub struct Written(pub Arc<Mutex<Set>>);

impl NewFiles for Written {
    type File = Vec<u8>;

    fn create(&mut self, name: &str) -> io::Result<Vec<u8>> {
        match self.0.lock().unwrap().0.insert(name.to_owned(), Vec::new()) {
            None => Ok(Vec::new()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn close(&mut self, name: &str, file: Vec<u8>) -> io::Result<()> {
        self.0.lock().unwrap().0.insert(name.to_owned(), file);
        Ok(())
    }
}

fn int(n: i64) -> Vec<u8> {
    [&[u8::from(n < 0)][..], &n.unsigned_abs().to_le_bytes()[..4]].concat()
}

fn text(text: &str) -> Vec<u8> {
    [int(i64::try_from(text.len()).unwrap()), text.as_bytes().to_vec()].concat()
}

/// Entries of a table of contents: number, kind, and the name of the file with the data.
pub fn toc(minor: u8, entries: &[(i64, &str, &str)]) -> Vec<u8> {
    let mut out = [&b"PGDMP"[..], &[1, minor, 0, 4, 8, 3]].concat();
    out.extend(if minor >= 15 { vec![0] } else { int(0) });
    (0..7).for_each(|n| out.extend(int(n)));
    ["db", "9.0.1", "9.0.1"].iter().for_each(|word| out.extend(text(word)));
    out.extend(int(i64::try_from(entries.len()).unwrap()));
    for (id, kind, file) in entries {
        out.extend([int(*id), int((!file.is_empty()).into()), text("0"), text("0"), text("tag"), text(kind)].concat());
        if minor >= 11 {
            out.extend(int(if *kind == "TABLE" { 2 } else { 3 }));
        }
        out.extend([text(""), text(""), int(-1), text("public"), text("")].concat());
        if minor >= 14 {
            out.extend(text(""));
        }
        if minor >= 16 {
            out.extend(int(0));
        }
        out.extend([text("me"), text("false"), int(-1), text(file)].concat());
    }
    out
}

/// How the files of an archive are compressed, and what their names end with.
pub fn pack(suffix: &str, data: &[u8]) -> Vec<u8> {
    match suffix {
        "" => data.to_vec(),
        ".gz" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        // As pg_dump does it, nothing at all stands for no data.
        _ if data.is_empty() => Vec::new(),
        ".lz4" => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        ".zst" => zstd::stream::encode_all(data, 3).unwrap(),
        _ => unreachable!(),
    }
}

pub const ROWS: &[u8] = b"1\tone\n2\ttwo\n\\.\n\n\n";
pub const OBJECTS: [(u32, &[u8]); 3] = [(7, b"the content of a large object"), (8, b""), (4_000_000_000, b"\0\xff")];

impl Set {
    /// Entry 11 is a table, 12 its data, 13 large objects, 14 another table's data.
    pub fn sound(minor: u8, suffix: &str) -> Self {
        let list = if minor >= 16 { "blobs_13.toc" } else { "blobs.toc" };
        let mut set = Self::default();
        // What stands there for large objects changed over time, and pg_restore does not look at it.
        let named = if minor == 16 { "blobs_13.toc" } else { "13.dat" };
        let entries =
            [(11, "TABLE", ""), (12, "TABLE DATA", "12.dat"), (13, "BLOBS", named), (14, "TABLE DATA", "14.dat")];
        set.add("toc.dat", &toc(minor, &entries));
        set.add(&format!("12.dat{suffix}"), &pack(suffix, ROWS));
        set.add(&format!("14.dat{suffix}"), &pack(suffix, b"\\.\n\n\n"));
        let mut lines = String::new();
        for (oid, content) in OBJECTS {
            lines += &format!("{oid} blob_{oid}.dat\n");
            set.add(&format!("blob_{oid}.dat{suffix}"), &pack(suffix, content));
        }
        set.add(list, lines.as_bytes());
        set
    }

    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.insert(name.to_owned(), bytes.to_vec());
    }

    pub fn remove(&mut self, name: &str) -> Vec<u8> {
        self.0.remove(name).unwrap_or_else(|| panic!("no file {name}"))
    }

    pub fn read(&self) -> Result<Archive> {
        Archive::read(Reader::directory(self.clone())?)
    }

    /// As pg_dump orders the members, and with what else it puts into a tar file.
    pub fn tar(&self) -> Vec<u8> {
        let rank = |name: &str| match name {
            "toc.dat" => 0,
            name if name.starts_with("12.dat") => 1,
            name if name.starts_with("blob_7.dat") => 2,
            name if name.starts_with("blob_8.dat") => 3,
            name if name.starts_with("blob_") => 4,
            name if name.starts_with("blobs") => 5,
            _ => 6,
        };
        let mut files: Vec<_> = self.0.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        files.sort_by_key(|(name, _)| rank(name));
        files.push(("restore.sql", b"-- a script"));
        tar(files)
    }
}

pub fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out: Vec<u8> = files.into_iter().flat_map(|(name, bytes)| member(name, b'0', bytes)).collect();
    out.resize(out.len() + 1024, 0);
    out
}

/// A member with its header and its padding.
pub fn member(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut header = header(name, kind, format!("{:011o} ", bytes.len()).as_bytes());
    header.extend_from_slice(bytes);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

/// A header with a size as given.
pub fn header(name: &str, kind: u8, size: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000600 0004000 0002000 ");
    put(124, size);
    put(136, b"14720000000 ");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

pub fn seeking(bytes: &[u8]) -> Result<Archive> {
    Archive::read(Reader::seekable(Cursor::new(bytes))?)
}

pub fn streaming(bytes: &[u8]) -> Result<Archive> {
    Archive::read(Reader::new(Trickle(bytes, 700))?)
}
