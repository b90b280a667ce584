//! What the writer writes, the reader reads: every version, compression and way of reading.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use bstr::BString;
use pgformat::{Compression, Created, DataPosition, DumpId, Entry, Header, Limits, Reader, Section, Version};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::model::{Archive, Content, Trickle};

fn compressions() -> impl Strategy<Value = Compression> {
    prop_oneof![
        Just(Compression::None),
        option::of(1_u8..=9).prop_map(Compression::Gzip),
        Just(Compression::Lz4),
        option::of(prop_oneof![-7_i32..=-1, 1_i32..=19]).prop_map(Compression::Zstd),
    ]
}

fn texts() -> impl Strategy<Value = BString> {
    prop_oneof![vec(any::<u8>(), 0..40).prop_map(BString::from), "[a-z ]{0,12}".prop_map(BString::from)]
}

prop_compose! {
    fn headers()(compression in compressions())(
        minor in compression.lowest_version().minor..=16,
        int_size in prop_oneof![5 => Just(4_u8), 1 => Just(8), 1 => 4_u8..=32],
        offset_size in prop_oneof![3 => Just(8_u8), 1 => Just(4), 1 => 1_u8..=32],
        clock in any::<[i32; 7]>(),
        texts in [texts(), texts(), texts()],
        compression in Just(compression),
    ) -> Header {
        let [second, minute, hour, day, month, year, daylight_saving] = clock;
        let [dbname, server_version, dumper_version] = texts;
        let version = format!("1.{minor}").parse::<Version>().unwrap();
        let created = Created { second, minute, hour, day, month, year, daylight_saving };
        let header = Header::new(version, compression).int_size(int_size).offset_size(offset_size).created(created);
        header.dbname(dbname).server_version(server_version).dumper_version(dumper_version)
    }
}

prop_compose! {
    fn entries()(
        desc in prop_oneof![
            Just("TABLE DATA"), Just("BLOBS"), Just("TABLE"), Just("FK CONSTRAINT"), Just("NOVEL THING"), Just("COMMENT"),
        ],
        texts in vec(option::of(texts()), 8),
        catalog_oid: (u32, u32),
        section in prop_oneof![Just(Section::None), Just(Section::PreData), Just(Section::Data), Just(Section::PostData)],
        relkind: u8,
        dependencies in vec((1..i32::MAX).prop_map(DumpId), 0..5),
        novel_has_data: bool,
    ) -> Entry {
        let has_data = matches!(desc, "TABLE DATA" | "BLOBS") || desc == "NOVEL THING" && novel_has_data;
        let entry = Entry::new(DumpId(0), desc).has_data(has_data).catalog_oid(catalog_oid).section(section);
        let mut entry = entry.relkind(relkind).dependencies(dependencies);
        [
            entry.tag,
            entry.definition,
            entry.drop_statement,
            entry.copy_statement,
            entry.schema,
            entry.tablespace,
            entry.table_access_method,
            entry.owner,
        ] = <[_; 8]>::try_from(texts).unwrap();
        entry
    }
}

fn rows() -> impl Strategy<Value = Vec<u8>> {
    // Some longer than the writer's pieces and the reader's buffers.
    (
        prop_oneof![9 => vec(any::<u8>(), 0..300), 1 => vec(any::<u8>(), 3_000..9_000)],
        prop_oneof![4 => Just(1_usize), 1 => 1_usize..80],
    )
        .prop_map(|(some, times)| some.repeat(times))
}

prop_compose! {
    fn archives()(
        header in headers(),
        entries in vec((entries(), rows(), vec((1_u32.., rows()), 0..4)), 0..8),
        first in 1_i32..1_000_000,
        step in 1_i32..100,
    ) -> Archive {
        let mut contents = BTreeMap::new();
        let entries = entries.into_iter().zip(0..).map(|((mut entry, rows, objects), at)| {
            // Numbers need not be in order.
            entry.dump_id = DumpId(if at % 2 == 0 { first + at * step } else { first - 1 + at * step + 1_000_000 });
            // What a version cannot say is not asked of it.
            if header.version < Version::V1_11 {
                entry.section = match entry.desc.as_ref().unwrap().as_slice() {
                    b"TABLE DATA" | b"BLOBS" => Section::Data,
                    b"FK CONSTRAINT" => Section::PostData,
                    b"COMMENT" => Section::None,
                    _ => Section::PreData,
                };
            }
            if header.version < Version::V1_14 {
                entry.table_access_method = None;
            }
            if header.version < Version::V1_16 {
                entry.relkind = 0;
            }
            if entry.has_data {
                let blobs = entry.desc.as_ref().unwrap() == "BLOBS";
                contents.insert(entry.dump_id, if blobs { Content::Objects(objects) } else { Content::Rows(rows) });
            }
            entry
        }).collect();
        Archive { header, entries, contents }
    }
}

/// The archive with no large object twice, and before 1.16 with no two lists of them: what is in a folder has one name.
fn one_file_each(mut archive: Archive) -> Archive {
    let mut known = BTreeSet::new();
    let mut has_list = false;
    for entry in &mut archive.entries {
        let Some(Content::Objects(objects)) = archive.contents.get_mut(&entry.dump_id) else { continue };
        objects.retain(|(oid, _)| known.insert(*oid));
        if archive.header.version < Version::V1_16 && std::mem::replace(&mut has_list, true) {
            archive.contents.remove(&entry.dump_id);
            entry.has_data = false;
        }
    }
    archive
}

/// The archive as its header can tell it: no level where only the algorithm is named.
fn as_told(archive: &Archive) -> Archive {
    let mut archive = archive.clone();
    if archive.header.version >= Version::V1_15 {
        archive.header.compression = archive.header.compression.name().parse().unwrap();
    }
    archive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read(archive in archives(), few in 1_usize..5_000) {
        let told = as_told(&archive);
        let (streamed, seekable) = (archive.streamed(), archive.seekable());
        prop_assert_eq!(streamed.len(), seekable.len());
        for bytes in [&streamed, &seekable] {
            prop_assert_eq!(&Archive::read(Reader::new(bytes.as_slice()).unwrap()).unwrap(), &told);
            prop_assert_eq!(&Archive::read(Reader::new(Trickle(bytes, few)).unwrap()).unwrap(), &told);
            prop_assert_eq!(&Archive::read(Reader::seekable(Cursor::new(bytes)).unwrap()).unwrap(), &told);
            prop_assert_eq!(&Archive::read_backwards(Reader::seekable(Cursor::new(bytes)).unwrap()).unwrap(), &told);
        }
    }

    #[test]
    fn what_is_written_into_a_folder_is_read(archive in archives()) {
        let archive = one_file_each(archive);
        let mut told = as_told(&archive);
        told.header = told.header.in_folder();
        let set = archive.in_folder();
        prop_assert_eq!(&Archive::read(Reader::directory(set.clone()).unwrap()).unwrap(), &told);
        let suffix = match archive.header.compression {
            Compression::Gzip(_) => ".gz",
            Compression::Lz4 => ".lz4",
            Compression::Zstd(_) => ".zst",
            _ => "",
        };
        for (name, bytes) in &set.0 {
            let is_data = name.contains(".dat") && name != "toc.dat";
            prop_assert!(!is_data || name.ends_with(&format!(".dat{suffix}")), "{}", name);
            // As pg_dump does it, whose gzip files always begin.
            let content = name.split_once(".dat").and_then(|(id, _)| archive.contents.get(&DumpId(id.parse().ok()?)));
            if let Some(Content::Rows(rows)) = content {
                prop_assert_eq!(rows.is_empty() && suffix != ".gz", bytes.is_empty(), "{}", name);
            }
        }
    }

    #[test]
    fn offsets_are_set_where_the_output_can_seek(archive in archives()) {
        let (streamed, seekable) = (archive.streamed(), archive.seekable());
        let streamed = Reader::new(streamed.as_slice()).unwrap();
        let seekable = Reader::new(seekable.as_slice()).unwrap();
        for entry in &archive.entries {
            let id = entry.dump_id;
            if !entry.has_data {
                prop_assert_eq!(streamed.data_position(id), Some(DataPosition::NoData));
                prop_assert_eq!(seekable.data_position(id), Some(DataPosition::NoData));
                continue;
            }
            prop_assert_eq!(streamed.data_position(id), Some(DataPosition::NotSet));
            if archive.header.offset_size >= 4 {
                prop_assert!(matches!(seekable.data_position(id), Some(DataPosition::At(_))));
            }
        }
    }

    #[test]
    fn a_cut_is_always_noticed(archive in archives(), at in any::<prop::sample::Index>(), seeks: bool) {
        let whole = if seeks { archive.seekable() } else { archive.streamed() };
        let cut = &whole[..at.index(whole.len())];
        let read = Reader::new(cut).and_then(Archive::read);
        let error = read.expect_err("a part was taken for the whole");
        prop_assert!(error.is_truncated(), "{}", error);
        prop_assert!(error.offset() <= cut.len() as u64);
        if let Ok(reader) = Reader::seekable(Cursor::new(cut)) {
            let error = Archive::read_backwards(reader).expect_err("a part was taken for the whole");
            prop_assert!(error.is_truncated(), "{}", error);
        }
    }

    #[test]
    fn damage_is_noticed_or_harmless_but_never_a_panic(archive in archives(), flips in vec((any::<prop::sample::Index>(), 1_u8..), 1..4)) {
        let mut bytes = archive.seekable();
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        let limits = Limits::DEFAULT.entries(1_000).text(100_000).dependencies(1_000);
        let _ = Reader::with_limits(bytes.as_slice(), limits).and_then(Archive::read);
        let _ = Reader::seekable_with_limits(Cursor::new(&bytes), limits).and_then(Archive::read_backwards);
    }

    #[test]
    fn anything_at_all_is_read_without_a_panic(bytes in vec(any::<u8>(), 0..400), with_start: bool) {
        let start: &[u8] = if with_start { b"PGDMP\x01\x0e\x00\x04\x08\x01" } else { b"" };
        let bytes = [start, &bytes].concat();
        let _ = Reader::new(bytes.as_slice()).and_then(Archive::read);
    }
}
