//! As `read_archive`, for the directory format: the bytes are files, each a name out of a few, a length and a content.
//!
//! `cargo fuzz run read_directory`, after `cargo run -p pgformat --example fuzz_seeds fuzz/corpus`.
#![no_main]

use std::collections::BTreeMap;
use std::io::{self, Cursor};

use libfuzzer_sys::fuzz_target;
use pgformat::{Block, Files, Limits, Reader, Result};

fn limits() -> Limits {
    let limits = Limits::DEFAULT.entries(1_000).text(1 << 16).dependencies(1_000);
    limits.contents(1 << 20).chunk(1 << 20).objects(100)
}
/// A small archive can hold a lot of data; more than this is not looked at.
const ENOUGH: usize = 1 << 22;
const NAMES: [&str; 8] =
    ["toc.dat", "12.dat", "13.dat", "14.dat", "blobs.toc", "blobs_13.toc", "blob_7.dat", "blob_4000000000.dat"];
const SUFFIXES: [&str; 4] = ["", ".gz", ".lz4", ".zst"];

struct Set(BTreeMap<String, Vec<u8>>);

impl Files for Set {
    type File = Cursor<Vec<u8>>;

    fn open(&self, name: &str) -> io::Result<Option<Self::File>> {
        assert!(!name.contains('/') && !name.contains(".."), "asked for {name}");
        Ok(self.0.get(name).cloned().map(Cursor::new))
    }

    fn size(&self, name: &str) -> io::Result<Option<u64>> {
        Ok(self.0.get(name).map(|file| file.len() as u64))
    }
}

fn files(mut bytes: &[u8]) -> Set {
    let mut files = BTreeMap::new();
    while let [name, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (file, rest) = rest.split_at(length);
        let name = format!("{}{}", NAMES[usize::from(name % 8)], SUFFIXES[usize::from(name / 8 % 4)]);
        files.insert(name, file.to_vec());
        bytes = rest;
    }
    Set(files)
}

fn drain(mut data: pgformat::DataReader<'_, Cursor<Vec<u8>>>) -> Result<()> {
    let mut length = 0;
    loop {
        let n = data.fill()?.len();
        if n == 0 || length > ENOUGH {
            return Ok(());
        }
        length += n;
        data.consume(n);
    }
}

fn read(bytes: &[u8]) -> Result<()> {
    let mut reader = Reader::directory_with_limits(files(bytes), limits())?;
    let _ = (reader.sizes().is_ok(), reader.check_end().is_ok());
    let mut other = reader.another();
    let ids: Vec<_> = reader.entries().iter().map(|entry| entry.dump_id).collect();
    for id in ids {
        if let Some(Ok(Some(Block::Data(data)))) = other.as_mut().map(|other| other.block(id)) {
            let _ = drain(data);
        }
        match reader.block(id)? {
            None => {}
            Some(Block::Data(data)) => drain(data)?,
            Some(Block::LargeObjects(mut objects)) => {
                while let Some((_, object)) = objects.next()? {
                    drain(object)?;
                }
            }
        }
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes);
});
