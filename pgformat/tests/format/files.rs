//! Archives in directory and in tar format are read, whoever put them together, and nothing in them leads out of them.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::symlink;
use std::process::Command;

use pgformat::{Block, DumpId, ErrorKind, Folder, Format, Reader, Result};

use crate::many_files::{OBJECTS, ROWS, Set, header, member, pack, seeking, streaming, tar, toc};
use crate::model::{Archive, Content};

const SUFFIXES: [&str; 4] = ["", ".gz", ".lz4", ".zst"];

#[track_caller]
fn check(what: &str, archive: &Result<Archive>, format: Format) {
    let archive = archive.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(archive.header.format, format, "{what}");
    let objects = OBJECTS.map(|(oid, content)| (oid, content.to_vec())).to_vec();
    let expected = [
        (DumpId(12), Content::Rows(ROWS.to_vec())),
        (DumpId(13), Content::Objects(objects)),
        (DumpId(14), Content::Rows(b"\\.\n\n\n".to_vec())),
    ];
    assert_eq!(archive.contents, expected.into_iter().collect(), "{what}");
}

#[track_caller]
fn says(what: &str, result: Result<Archive>, text: &str) {
    match result {
        Ok(_) => panic!("{what}: nothing is said"),
        Err(error) => assert!(error.to_string().contains(text), "{what} does not say {text:?}: {error}"),
    }
}

#[test]
fn every_version_is_read_with_every_compression() {
    for minor in 10..=16 {
        for suffix in SUFFIXES {
            let what = format!("1.{minor} {suffix}");
            let set = Set::sound(minor, suffix);
            check(&what, &set.read(), Format::Directory);
            check(&what, &Archive::read_backwards(Reader::directory(set.clone()).unwrap()), Format::Directory);
            check(&what, &seeking(&set.tar()), Format::Tar);
            let reader = Reader::seekable(Cursor::new(set.tar())).unwrap();
            check(&what, &Archive::read_backwards(reader), Format::Tar);
            check(&what, &streaming(&set.tar()), Format::Tar);
        }
    }
}

#[test]
fn a_table_of_contents_may_be_compressed_and_must_be_whole() {
    for suffix in &SUFFIXES[1..] {
        let mut set = Set::sound(16, ".gz");
        let contents = set.remove("toc.dat");
        let packed = pack(suffix, &contents);
        set.add(&format!("toc.dat{suffix}"), &packed);
        check(suffix, &set.read(), Format::Directory);
        check(suffix, &seeking(&set.tar()), Format::Tar);
        set.add(&format!("toc.dat{suffix}"), &packed[..packed.len() - 1]);
        says(suffix, set.read(), &format!("of toc.dat{suffix}: the end of its"));
    }
    let mut set = Set::sound(16, "");
    let contents = set.remove("toc.dat");
    set.add("toc.dat", &contents[..contents.len() - 1]);
    says("cut", set.read(), " of toc.dat: the archive ends early");
    set.add("toc.dat", &[&contents[..], b"x"].concat());
    says("too long", set.read(), "something comes after the table of contents");
    set.add("toc.dat", b"hello");
    says("another file", set.read(), "toc.dat is no table of contents");
    set.remove("toc.dat");
    says("no toc.dat", set.read(), "it is a folder, but none of an archive: it has no toc.dat");
    says("no toc.dat", seeking(&set.tar()), "it is a tar file, but none that pg_dump wrote: it has no toc.dat");
    // So much of the same is a few kilobytes when compressed.
    let bomb = toc(16, &[(1, "TABLE", &"x".repeat(17 << 20))]);
    for suffix in &SUFFIXES[1..] {
        let mut set = Set::default();
        set.add(&format!("toc.dat{suffix}"), &pack(suffix, &bomb));
        says(suffix, set.read(), "16777216");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (file, text) in [
        ("12.dat.gz", "reading the data of entry 12 (TABLE DATA public.tag) at byte 0: the archive has no file 12.dat"),
        (
            "blobs_13.toc",
            "reading the data of entry 13 (BLOBS public.tag) at byte 0: the archive has no file blobs_13.toc",
        ),
        (
            "blob_8.dat.gz",
            "reading large object 8 in the data of entry 13 (BLOBS public.tag) at byte 0: the archive has no file blob_8.dat",
        ),
    ] {
        let mut set = Set::sound(16, ".gz");
        set.remove(file);
        says(file, set.read(), text);
        let error = Reader::directory(set.clone()).unwrap().check_end().unwrap_err();
        assert!(error.to_string() == text && matches!(error.kind(), ErrorKind::Missing(_)), "{error}");
        let bare = file.trim_end_matches(".gz");
        says(file, seeking(&set.tar()), &format!("the archive has no file {bare}"));
        assert!(Reader::seekable(Cursor::new(set.tar())).unwrap().check_end().is_err());
        assert!(streaming(&set.tar()).is_err(), "{file}");
    }
    // A file that lacks its end, of each compression.
    for suffix in &SUFFIXES[1..] {
        let mut set = Set::sound(16, suffix);
        let name = format!("12.dat{suffix}");
        let bytes = set.remove(&name);
        set.add(&name, &bytes[..bytes.len() - 1]);
        says(suffix, set.read(), &format!("of {name}: the end of its"));
        set.add(&name, b"");
        match *suffix {
            ".gz" => says(suffix, set.read(), "the end of its gzip file is missing"),
            // Nothing can be told of it, as pg_dump writes it for no data.
            _ => assert_eq!(set.read().unwrap().contents[&DumpId(12)], Content::Rows(Vec::new())),
        }
    }
}

#[test]
fn names_in_a_table_of_contents_lead_nowhere() {
    for name in [
        "../12.dat",
        "/etc/passwd",
        "sub/12.dat",
        "..",
        ".",
        "14.dat",
        "toc.dat",
        "blob_7.dat",
        "12.dat.gz",
        "12.dat\0",
        " 12.dat",
        "012.dat",
        "blobs_12.toc",
    ] {
        let mut set = Set::sound(16, "");
        set.add("toc.dat", &toc(16, &[(12, "TABLE DATA", name)]));
        says(name, set.read(), "reading the file name of entry 12 (1 of 1 in the table of contents)");
        says(name, set.read(), "it would be in 12.dat");
        says(name, seeking(&set.tar()), "it would be in 12.dat");
        says(name, streaming(&set.tar()), "it would be in 12.dat");
    }
}

#[test]
fn names_in_a_list_of_large_objects_lead_nowhere() {
    for line in [
        "7 ../blob_7.dat",
        "7 /etc/passwd",
        "7 blob_8.dat",
        "7 toc.dat",
        "7 12.dat",
        "7",
        "",
        "7  blob_7.dat",
        "7 blob_7.dat x",
        "7 blob_7.dat.gz",
        "07 blob_7.dat",
        "0 blob_0.dat",
        "4294967296 blob_4294967296.dat",
        "-7 blob_-7.dat",
    ] {
        let mut set = Set::sound(16, "");
        set.add("blobs_13.toc", format!("{line}\n").as_bytes());
        says(line, set.read(), "is no line \"<OID> blob_<OID>.dat\" of a list of large objects");
        says(line, seeking(&set.tar()), "is no line");
        says(line, streaming(&set.tar()), "is no line");
    }
    let mut set = Set::sound(16, "");
    set.add("blobs_13.toc", "7".repeat(1 << 20).as_bytes());
    says("a long line", set.read(), "is no line");
}

#[test]
fn a_folder_is_not_left_and_only_files_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("archive");
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in Set::sound(16, ".gz").0 {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let read = || Archive::read(Reader::directory(Folder::new(&folder).unwrap())?);
    check("a folder", &read(), Format::Directory);
    symlink(&folder, dir.path().join("link")).unwrap();
    let linked = Archive::read(Reader::directory(Folder::new(&dir.path().join("link")).unwrap()).unwrap());
    check("a link to a folder", &linked, Format::Directory);

    let file = folder.join("12.dat.gz");
    let moved = |to: &str| {
        let to = dir.path().join(to);
        let _ = fs::rename(&file, &to);
        to
    };
    moved("archive/elsewhere");
    symlink("elsewhere", &file).unwrap();
    check("a link that stays", &read(), Format::Directory);
    fs::remove_file(&file).unwrap();

    let outside = dir.path().join("outside");
    fs::copy(folder.join("elsewhere"), &outside).unwrap();
    let sub = folder.join("sub");
    fs::create_dir(&sub).unwrap();
    fs::copy(&outside, sub.join("file")).unwrap();
    for target in ["../outside", outside.to_str().unwrap(), "/dev/zero", "sub/file", "../archive/../outside"] {
        symlink(target, &file).unwrap();
        says(target, read(), "the file 12.dat.gz leads out of the archive's folder");
        fs::remove_file(&file).unwrap();
    }
    symlink("nowhere", &file).unwrap();
    says("a link to nothing", read(), "No such file");
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    says("a FIFO", read(), "the file 12.dat.gz is no regular file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    says("a folder", read(), "the file 12.dat.gz is no regular file");
    assert!(Folder::new(&folder.join("toc.dat")).is_err());
}

/// The files of a sound archive as members, with others before them or between them.
fn members(before: &[u8], after: &[u8]) -> Vec<u8> {
    let whole = Set::sound(16, "").tar();
    let end = whole.len() - 1024;
    [before, &whole[..end], after, &whole[end..]].concat()
}

#[test]
fn tar_files_of_other_programs_are_read() {
    let set = Set::sound(16, ".gz");
    // In whatever order, and with the folder before their names.
    let all: Vec<(String, &[u8])> = set.0.iter().map(|(name, bytes)| (format!("./{name}"), bytes.as_slice())).collect();
    let archive = [member("./", b'5', b""), tar(all.iter().map(|(name, bytes)| (name.as_str(), *bytes)))].concat();
    check("by name", &seeking(&archive), Format::Tar);
    says("by name", streaming(&archive), "toc.dat does not come first, so that it takes an input that can seek");
    let mut sorted: Vec<_> = set.0.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    sorted.sort_by_key(|(name, _)| (*name != "toc.dat", *name));
    let archive = tar(sorted);
    check("sorted", &seeking(&archive), Format::Tar);
    says("sorted", streaming(&archive), "this order of members can only be read from an input that can seek");
    for (what, before, after) in [
        ("a header for all", member("x", b'g', b"19 comment=whatever\n"), vec![]),
        ("a long name", vec![], [member("L", b'L', &[b'n'; 200]), member("14.dat", b'0', b"other")].concat()),
        ("a label", member("label", b'V', b""), vec![]),
        ("another file", member("README", b'0', b"read me"), member("14.dat.orig", b'0', b"x")),
        ("more zeros at the end", vec![], vec![]),
    ] {
        let mut archive = members(&before, &after);
        archive.resize(archive.len() + 9216, 0);
        check(what, &seeking(&archive), Format::Tar);
        check(what, &streaming(&archive), Format::Tar);
    }
    // Sizes and names where other programs put them.
    let set = Set::sound(16, "");
    let mut archive = Vec::new();
    for (name, bytes) in &set.0 {
        let record = |text: String| format!("{} {text}", text.len() + 3);
        let size = record(format!("size={}\n", bytes.len()));
        let path = record(format!("path={name}\n"));
        archive.extend(member("extended", b'x', format!("{size}{path}").as_bytes()));
        let mut binary = [0; 12];
        binary[0] = 0x80;
        binary[4..].copy_from_slice(&9_999_u64.to_be_bytes());
        archive.extend(header("something", b'0', &binary));
        archive.extend(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    check("extended headers", &seeking(&archive), Format::Tar);
}

#[test]
fn members_of_a_tar_file_that_no_archive_has_are_refused() {
    for (what, more, text) in [
        ("in the folder above", member("../14.dat", b'0', b"x"), "is not at its top, where all of an archive is"),
        ("absolute", member("/14.dat", b'0', b"x"), "is not at its top"),
        ("in a folder", member("./sub/14.dat", b'0', b"x"), "is not at its top"),
        ("the folder above", member("..", b'0', b"x"), "is not at its top"),
        ("a link", member("15.dat", b'1', b""), "is a link, which no archive has"),
        ("a symbolic link", member("15.dat", b'2', b""), "is a symbolic link"),
        ("a device", member("15.dat", b'3', b""), "is a device"),
        ("a FIFO", member("15.dat", b'6', b""), "is a FIFO"),
        ("a sparse file", member("15.dat", b'S', b""), "is a sparse file"),
        ("of no kind", member("15.dat", b'?', b""), "is something else than a file"),
        ("twice", member("12.dat", b'0', b"x"), "12.dat twice"),
        ("contents twice", member("toc.dat", b'0', b"x"), "toc.dat twice"),
        ("not a size", header("15.dat", b'0', b"9999999999  "), "has no size"),
        (
            "too large a size",
            header("15.dat", b'0', b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            "has no size",
        ),
        ("longer than the file", header("README", b'0', b"77777777777 "), "it is truncated"),
        (
            "of no entry",
            member("15.dat", b'0', b"x"),
            "the table of contents has no entry whose data would be in 15.dat",
        ),
        (
            "an object of no entry",
            member("blob_9.dat", b'0', b"x"),
            "the table of contents has no entry that large object 9",
        ),
        (
            "a damaged extended header",
            member("x", b'x', b"99 size=1\n"),
            "an extended header of the tar file is damaged",
        ),
        ("a long extended header", header("x", b'x', b"00010000000 "), "no more than 65536 is allowed"),
        ("after the end", [vec![0; 1024], b"x".to_vec(), vec![0; 511]].concat(), "after the end of the tar file"),
    ] {
        let archive = members(b"", &more);
        // What belongs to no entry is not looked at where members are found by their names.
        if !what.starts_with("of no entry") && !what.starts_with("an object") {
            says(what, seeking(&archive), text);
        }
        says(what, streaming(&archive), text);
    }
    let mut archive = members(b"", b"");
    archive[3] ^= 1;
    says("a damaged header", seeking(&archive), "its checksum is wrong");
}

#[test]
fn a_tar_file_that_is_cut_off_is_an_error_or_whole() {
    let whole = Set::sound(16, ".gz").tar();
    // After the data come only the script, of which nothing is needed, and the mark of the end.
    let needed = whole.windows(11).position(|window| window == b"restore.sql").unwrap();
    for cut in 0..whole.len() {
        for (how, read) in [("seeking", seeking(&whole[..cut])), ("as a stream", streaming(&whole[..cut]))] {
            match read {
                Ok(_) if cut >= needed => {}
                Ok(_) => panic!("cut at {cut} and nothing said ({how})"),
                Err(error) => assert!(
                    error.is_truncated() || matches!(error.kind(), ErrorKind::NotAnArchive(_)),
                    "cut at {cut} ({how}): {error}"
                ),
            }
        }
    }
}

#[test]
fn readers_of_one_archive_go_their_own_ways() {
    let set = Set::sound(16, ".zst");
    let tar = set.tar();
    let mut custom = crate::by_hand::custom();
    for (first, second) in [
        pair(Reader::directory(set).unwrap()),
        pair(Reader::seekable(Cursor::new(tar.clone())).unwrap()),
        pair(Reader::seekable(Cursor::new(std::mem::take(&mut custom))).unwrap()),
    ] {
        let (mut first, mut second) = (first, second);
        let ids: Vec<_> = first.entries().iter().map(|entry| entry.dump_id).collect();
        // One stands in the middle of a block while the other goes through all.
        for id in &ids {
            let Some(block) = first.block(*id).unwrap() else { continue };
            match block {
                Block::Data(mut data) => data.consume(1),
                Block::LargeObjects(mut objects) => assert!(objects.next().unwrap().is_some()),
            }
            for other in &ids {
                if let Some(Block::Data(mut data)) = second.block(*other).unwrap() {
                    std::io::copy(&mut data, &mut std::io::sink()).unwrap();
                }
            }
        }
        assert_eq!(first.entries(), second.entries());
    }
    assert!(Reader::new(Cursor::new(tar)).unwrap().another().is_none());
}

type InMemory = Reader<Cursor<Vec<u8>>>;

fn pair(first: InMemory) -> (InMemory, InMemory) {
    let second = first.another().unwrap();
    std::thread::spawn(move || (first, second)).join().unwrap()
}

#[test]
fn sizes_are_those_of_the_files() {
    let set = Set::sound(16, ".gz");
    let objects = OBJECTS.iter().map(|(oid, _)| set.0[&format!("blob_{oid}.dat.gz")].len() as u64).sum();
    let expected = [None, Some(set.0["12.dat.gz"].len() as u64), Some(objects), Some(set.0["14.dat.gz"].len() as u64)];
    assert_eq!(Reader::directory(set.clone()).unwrap().sizes().unwrap(), expected);
    let mut reader = Reader::seekable(Cursor::new(set.tar())).unwrap();
    assert_eq!(reader.sizes().unwrap(), expected);
    check("after that", &Archive::read(reader), Format::Tar);
    assert_eq!(Reader::new(Cursor::new(set.tar())).unwrap().sizes().unwrap(), [None; 4]);
    // An archive in custom format that was written to a pipe: after all blocks have been looked for.
    let custom = crate::by_hand::custom();
    let length = custom.len() as u64;
    let mut reader = Reader::seekable(Cursor::new(custom)).unwrap();
    let begin = reader.offset();
    assert_eq!(reader.sizes().unwrap(), [None; 5]);
    reader.check_end().unwrap();
    let sizes = reader.sizes().unwrap();
    assert_eq!((sizes[0], sizes.iter().flatten().sum::<u64>()), (None, length - begin));
    assert_eq!(reader.another().unwrap().sizes().unwrap(), sizes);
}

/// Gives its bytes, and then has none for the time being.
struct Waits<'a>(&'a [u8]);

impl std::io::Read for Waits<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(std::io::ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

#[test]
fn no_more_is_waited_for_than_is_needed() {
    let custom = crate::by_hand::custom();
    let begin = usize::try_from(Reader::new(custom.as_slice()).unwrap().offset()).unwrap();
    assert!(Reader::new(Waits(&custom[..begin])).is_ok());
    let tar = Set::sound(16, "").tar();
    let second = tar.windows(14).position(|window| window == b"12.dat\0\0\0\0\0\0\0\0").unwrap();
    assert!(Reader::new(Waits(&tar[..second])).is_ok());
}

#[test]
fn messages_are_one_line_whatever_names_are() {
    let mut entry = pgformat::Entry::new(DumpId(5), "TABLE DATA");
    entry.tag = Some("a\nlifeboat: all is well\x1b[2J\u{9b}ü".into());
    entry.schema = Some(b"\xff\r".into());
    let label = entry.label();
    assert_eq!(label, "entry 5 (TABLE DATA \u{fffd}\\r.a\\nlifeboat: all is well\\u{1b}[2J\\u{9b}ü)");
    assert!(!label.contains(char::is_control));
}
