//! Every byte of small archives changed in turn, and each cut at every length: an error or the same content, never a panic,
//! never a hang, never more than 256 MiB of memory. It is a program of its own, so that the memory is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "../format/many_files.rs"]
mod many_files;
#[path = "../format/model.rs"]
mod model;

use std::fs;
use std::io::{Cursor, Read};

use many_files::{OBJECTS, ROWS, Set, pack, toc};
use model::{Archive, Content};
use pgformat::{Compression, DumpId, Entry, Header, Reader, Result, Version};

/// What a byte is changed with.
const MASKS: [u8; 2] = [0x01, 0x80];
const MOST_MEMORY: u64 = 256 << 20;

/// The most memory that this process ever had in use.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// The large objects' OIDs, which no checksum guards in the custom format, are not compared.
fn contents(archive: &Archive) -> Vec<Vec<Vec<u8>>> {
    let all = archive.contents.values().map(|content| match content {
        Content::Rows(rows) => vec![rows.clone()],
        Content::Objects(objects) => objects.iter().map(|(_, content)| content.clone()).collect(),
    });
    all.collect()
}

fn backwards<R: Read>(mut reader: Reader<R>) -> Result<()> {
    let ids: Vec<_> = reader.entries().iter().rev().map(|entry| entry.dump_id).collect();
    // These go other ways; what they find is of no interest here.
    let _ = (reader.sizes().is_ok(), reader.check_end().is_ok());
    for id in ids {
        if let Ok(Some(pgformat::Block::Data(mut data))) = reader.block(id) {
            let _ = std::io::copy(&mut data, &mut std::io::sink());
        }
    }
    Ok(())
}

/// Reads what is in `bytes` in each way there is.
fn read(bytes: &[u8]) -> [Result<Archive>; 2] {
    let _ = Reader::seekable(Cursor::new(bytes)).and_then(backwards);
    [Reader::new(bytes).and_then(Archive::read), Reader::seekable(Cursor::new(bytes)).and_then(Archive::read)]
}

fn check(what: &str, read: impl IntoIterator<Item = Result<Archive>>, expected: &[Vec<Vec<u8>>]) {
    for archive in read.into_iter().flatten() {
        assert!(contents(&archive) == expected, "{what}: other content, and nothing is said");
    }
}

/// Changes and cuts one file of an archive; `read` reads the archive with it. Bytes that say how the rest is to be read, and
/// which therefore nothing guards, are left out by `skip`.
fn every_byte(
    what: &str,
    whole: &[u8],
    skip: impl Fn(usize) -> bool,
    cut_is_whole: impl Fn(usize) -> bool,
    read: impl Fn(&[u8]) -> Vec<Result<Archive>>,
) {
    let expected: Vec<_> = read(whole).into_iter().map(|archive| contents(&archive.unwrap())).collect();
    let expected = expected.into_iter().next().unwrap();
    let mut bytes = whole.to_vec();
    for at in 0..whole.len() {
        for mask in MASKS {
            bytes[at] = whole[at] ^ mask;
            let read = read(&bytes);
            if !skip(at) {
                check(&format!("{what}, byte {at} changed with {mask:#04x}"), read, &expected);
            }
        }
        bytes[at] = whole[at];
        for result in read(&whole[..at]) {
            match result {
                Ok(archive) if cut_is_whole(at) => assert!(contents(&archive) == expected, "{what}, cut at {at}"),
                Ok(_) => panic!("{what}, cut at {at}: nothing is said"),
                Err(_) => {}
            }
        }
    }
}

fn custom(compression: Compression, seeks: bool) -> Vec<u8> {
    let mut entries = Vec::new();
    for (id, desc) in [(11, "TABLE"), (12, "TABLE DATA"), (13, "BLOBS"), (14, "TABLE DATA")] {
        let mut entry = Entry::new(DumpId(id), desc);
        entry.has_data = id != 11;
        entry.definition = Some("CREATE TABLE t ();\n".into());
        entry.dependencies = vec![DumpId(11)];
        entries.push(entry);
    }
    let objects = OBJECTS.iter().map(|(oid, content)| (*oid, content.to_vec())).collect();
    let contents = [
        (DumpId(12), Content::Rows(ROWS.to_vec())),
        (DumpId(13), Content::Objects(objects)),
        (DumpId(14), Content::Rows(b"\\.\n\n\n".to_vec())),
    ];
    let header = Header::new(Version::V1_16, compression);
    let archive = Archive { header, entries, contents: contents.into_iter().collect() };
    if seeks { archive.seekable() } else { archive.streamed() }
}

/// Whatever is done to it, nothing may panic, hang or take memory; only what has checksums must also be the same.
fn any(bytes: &[u8]) -> Vec<Result<Archive>> {
    read(bytes).into()
}

#[test]
fn an_error_or_the_same_content() {
    for compression in [Compression::GZIP, Compression::Lz4, Compression::ZSTD] {
        for seeks in [false, true] {
            let whole = custom(compression, seeks);
            // The header's word for the compression says how all else is to be read.
            every_byte(&format!("custom, {compression}"), &whole, |at| at == 11, |_| false, any);
        }
    }
    let plain = custom(Compression::None, true);
    every_byte("custom, not compressed", &plain, |_| true, |_| false, any);

    for suffix in ["", ".gz", ".lz4", ".zst"] {
        let set = Set::sound(16, suffix);
        // Of these only gzip files have a checksum of the data.
        let is_guarded = suffix == ".gz";
        for (name, whole) in &set.0 {
            let is_list = name.ends_with(".toc");
            // A list that is cut off between two lines, and a file without a byte, look whole.
            let may_be_cut = is_list || name != "toc.dat" && !is_guarded;
            every_byte(
                &format!("directory, {name}"),
                whole,
                |_| is_list || name != "toc.dat" && !is_guarded,
                |_| may_be_cut,
                |bytes| {
                    let mut set = set.clone();
                    set.add(name, bytes);
                    let _ = Reader::directory(set.clone()).and_then(backwards);
                    // What a list or an unguarded file says when it is cut is not compared.
                    if may_be_cut && bytes.len() < whole.len() {
                        let _ = set.read();
                        return Vec::new();
                    }
                    vec![set.read()]
                },
            );
        }
        let tar = set.tar();
        let end = tar.windows(11).position(|window| window == b"restore.sql").unwrap();
        let is_skipped = |_| !is_guarded;
        every_byte(&format!("tar {suffix}"), &tar, is_skipped, |at| at >= end, any);
    }

    // A table of contents of entries that are as small as can be takes more memory than it has bytes, but not much more.
    let entries: Vec<(i64, &str, &str)> = (1..=100_000).map(|id| (id, "T", "")).collect();
    let mut set = Set::default();
    set.add("toc.dat", &toc(16, &entries));
    assert!(set.read().is_ok());
    // Decompressed, this would be 80 MB of one text.
    let mut bomb = toc(16, &[(1, "TABLE", "")]);
    bomb.truncate(bomb.len() - 40);
    bomb.resize(80 << 20, 0);
    let bomb = pack(".zst", &bomb);
    let mut set = Set::default();
    set.add("toc.dat.zst", &bomb);
    assert!(set.read().is_err());
    assert!(peak() < MOST_MEMORY, "{} MiB of memory were in use", peak() >> 20);
}
