//! Writes small archives of every format, version, compression and kind of entry, for the fuzzers to begin with:
//! `cargo run -p pgformat --example fuzz_seeds fuzz/corpus`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "../tests/format/many_files.rs"]
mod many_files;
#[path = "../tests/format/model.rs"]
mod model;
#[path = "../tests/format/repeated.rs"]
mod repeated;

use std::fs;
use std::path::PathBuf;

use many_files::{OBJECTS, ROWS, Set};
use model::{Archive, Content};
use pgformat::{Compression, DumpId, Entry, Header, Version, kinds};

/// As `fuzz_targets/read_directory.rs` numbers them.
const NAMES: [&str; 8] =
    ["toc.dat", "12.dat", "13.dat", "14.dat", "blobs.toc", "blobs_13.toc", "blob_7.dat", "blob_4000000000.dat"];
const SUFFIXES: [&str; 4] = ["", ".gz", ".lz4", ".zst"];

fn custom(compression: Compression) -> Vec<u8> {
    let entries = [(11, "TABLE"), (12, "TABLE DATA"), (13, "BLOBS")].map(|(id, desc)| {
        let entry = Entry::new(DumpId(id), desc);
        entry.has_data(id != 11).dependencies(vec![DumpId(11)])
    });
    let objects = OBJECTS.iter().map(|(oid, content)| (*oid, content.to_vec())).collect();
    let contents = [(DumpId(12), Content::Rows(ROWS.to_vec())), (DumpId(13), Content::Objects(objects))];
    let header = Header::new(Version::V1_16, compression);
    Archive { header, entries: entries.into(), contents: contents.into_iter().collect() }.seekable()
}

/// An entry of every kind, each with what a plan looks at.
fn every_kind() -> Vec<u8> {
    let entries = kinds::ALL.iter().zip(1..).map(|(kind, id)| {
        let entry = Entry::new(DumpId(id), kind.desc).tag("t").schema("public").owner("app");
        let entry = entry.definition(format!("CREATE {} public.t;\n", kind.desc));
        let entry = entry.drop_statement(format!("DROP {} public.t;\n", kind.desc));
        let entry = entry.dependencies(vec![DumpId(if id > 1 { id - 1 } else { 2 })]);
        match kind.desc.ends_with(" DATA") {
            true => entry.copy_statement("COPY public.t (a) FROM stdin;\n"),
            false => entry,
        }
    });
    let header = Header::new(Version::V1_16, Compression::None);
    Archive { header, entries: entries.collect(), contents: [].into() }.seekable()
}

/// Bytes before an archive that ask for a restore as it usually is, one of data alone, a script with everything, and
/// objects by name; as `fuzz_targets/support/options.rs` reads them.
const CHOICES: [[u8; 6]; 4] = [
    [0xe3, 0xff, 0x07, 0, 0, 0],
    [0xe0, 0x5f, 0x02, 0, 0, 0],
    [0xff, 0xff, 0x07, 0x20, 1, 0],
    [0xe3, 0xff, 0xe7, 1, 0, 1],
];

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
    let plans = |name: &str, archive: &[u8]| {
        for (n, choice) in CHOICES.iter().enumerate() {
            write("plan_restore", format!("{name}-{n}"), [choice, archive].concat());
        }
    };
    plans("every-kind", &every_kind());
    plans("custom", &custom(Compression::GZIP));
    for compression in [Compression::None, Compression::GZIP, Compression::Lz4, Compression::ZSTD] {
        write("read_archive", format!("custom-{compression}"), custom(compression));
    }
    let (streamed, contents) = repeated::parts();
    write("read_archive", "repeated".into(), [streamed, contents].concat());
    for minor in 10..=16 {
        for suffix in SUFFIXES {
            let set = Set::sound(minor, suffix);
            write("read_archive", format!("tar-{minor}{suffix}"), set.tar());
            if suffix.is_empty() {
                plans(&format!("tar-{minor}"), &set.tar());
            }
            write("read_directory", format!("{minor}{suffix}"), one_file(&set));
        }
    }
}
