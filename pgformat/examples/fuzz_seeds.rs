//! Writes small archives of every format, version and compression, for the fuzzers to begin with:
//! `cargo run -p pgformat --example fuzz_seeds fuzz/corpus`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "../tests/format/many_files.rs"]
mod many_files;
#[path = "../tests/format/model.rs"]
mod model;

use std::fs;
use std::path::PathBuf;

use many_files::{OBJECTS, ROWS, Set};
use model::{Archive, Content};
use pgformat::{Compression, DumpId, Entry, Header, Version};

/// As `fuzz_targets/read_directory.rs` numbers them.
const NAMES: [&str; 8] =
    ["toc.dat", "12.dat", "13.dat", "14.dat", "blobs.toc", "blobs_13.toc", "blob_7.dat", "blob_4000000000.dat"];
const SUFFIXES: [&str; 4] = ["", ".gz", ".lz4", ".zst"];

fn custom(compression: Compression) -> Vec<u8> {
    let entries = [(11, "TABLE"), (12, "TABLE DATA"), (13, "BLOBS")].map(|(id, desc)| {
        let entry = Entry::new(DumpId(id), desc);
        Entry { has_data: id != 11, dependencies: vec![DumpId(11)], ..entry }
    });
    let objects = OBJECTS.iter().map(|(oid, content)| (*oid, content.to_vec())).collect();
    let contents = [(DumpId(12), Content::Rows(ROWS.to_vec())), (DumpId(13), Content::Objects(objects))];
    let header = Header::new(Version::V1_16, compression);
    Archive { header, entries: entries.into(), contents: contents.into_iter().collect() }.seekable()
}

/// Files one after the other: a number that stands for the name, a length, the content.
fn one_file(set: &Set) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in &set.0 {
        let number =
            |suffix: usize| Some((NAMES.iter().position(|n| format!("{n}{}", SUFFIXES[suffix]) == *name)?, suffix));
        let Some((name, suffix)) = (0..4).find_map(number) else { continue };
        out.push(u8::try_from(name + 8 * suffix).unwrap());
        out.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        out.extend(bytes);
    }
    out
}

fn main() {
    let corpus = PathBuf::from(std::env::args_os().nth(1).expect("the folder of the corpora is not given"));
    let write = |target: &str, name: String, bytes: Vec<u8>| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    for compression in [Compression::None, Compression::GZIP, Compression::Lz4, Compression::ZSTD] {
        write("read_archive", format!("custom-{compression}"), custom(compression));
    }
    for minor in 10..=16 {
        for suffix in SUFFIXES {
            let set = Set::sound(minor, suffix);
            write("read_archive", format!("tar-{minor}{suffix}"), set.tar());
            write("read_directory", format!("{minor}{suffix}"), one_file(&set));
        }
    }
}
