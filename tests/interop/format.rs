//! pgformat beside the real tools: it reads what every pg_dump writes, and every pg_restore reads what it writes.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Stdio;

use pgformat::{Block, Compression, DumpId, Entry, Header, Piece, PieceEncoder, Reader, Section, Version, Writer};

use crate::support::archive::{self, Data, Rows};
use crate::support::{Database, MAJORS, Output, Server, installation, output, pg_tool, run};

pub(super) const SAMPLE: &str = r#"
    CREATE TABLE "Some ""rows""" (id integer PRIMARY KEY, text text);
    INSERT INTO "Some ""rows""" SELECT n, md5(n::text) || E'\t\\ \n' || n FROM generate_series(1, 15000) n;
    CREATE TABLE alike (n integer, same text);
    INSERT INTO alike SELECT n % 7, repeat('same ', 40) FROM generate_series(1, 8000) n;
    CREATE TABLE wide (text text);
    INSERT INTO wide SELECT string_agg(md5((r * n)::text), '') FROM generate_series(1, 2) r, generate_series(1, 20000) n GROUP BY r;
    CREATE TABLE nothing (n integer);
    CREATE VIEW "from" AS SELECT * FROM alike JOIN nothing USING (n);
    CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * $1';
    COMMENT ON TABLE wide IS 'wide';
    CREATE INDEX ON alike (n);
    SELECT lo_from_bytea(70001, convert_to(repeat('large object ', 50000), 'UTF8'));
    SELECT lo_from_bytea(70002, '');
    SELECT lo_from_bytea(4000000000, '\x00ff5c');
"#;

/// What is compared of an entry; the rest follows from the version that is written.
type Told = (DumpId, Vec<Option<Vec<u8>>>, (u32, u32), Section, Vec<DumpId>, bool);

fn told(entry: &Entry) -> Told {
    let Entry { tag, desc, definition, drop_statement, copy_statement, schema, tablespace, owner, .. } = entry;
    let texts = [tag, desc, definition, drop_statement, copy_statement, schema, tablespace, owner];
    let texts = texts.into_iter().map(|text| text.as_ref().map(|text| text.to_vec())).collect();
    (entry.dump_id, texts, entry.catalog_oid, entry.section, entry.dependencies.clone(), entry.has_data)
}

fn expected(entry: &archive::Entry) -> Told {
    let number = |text: &Option<Vec<u8>>| String::from_utf8(text.clone().unwrap()).unwrap().parse().unwrap();
    let archive::Entry { tag, desc, definition, drop, copy, schema, tablespace, owner, .. } = entry;
    let texts = [tag, desc, definition, drop, copy, schema, tablespace, owner].into_iter().cloned().collect();
    let section = [Section::None, Section::PreData, Section::Data, Section::PostData];
    let section = section[usize::try_from(entry.section).unwrap() - 1];
    let id = |id: i64| DumpId(i32::try_from(id).unwrap());
    let dependencies = entry.deps.iter().map(|dep| id(*dep)).collect();
    let oids = (number(&entry.catalog_oid), number(&entry.object_oid));
    (id(entry.dump_id), texts, oids, section, dependencies, entry.had_dumper)
}

pub(super) fn data<R: Read>(block: Block<'_, R>) -> Data {
    let all = |mut data: pgformat::DataReader<'_, R>| {
        let mut all = Vec::new();
        data.read_to_end(&mut all).unwrap();
        all
    };
    match block {
        Block::Data(data) => Data::Table(all(data)),
        Block::LargeObjects(mut block) => {
            let mut objects = Vec::new();
            while let Some((oid, object)) = block.next().unwrap() {
                objects.push((oid, all(object)));
            }
            Data::LargeObjects(objects)
        }
    }
}

pub(super) fn check<R: Read>(what: &str, reader: &Reader<R>, reference: &archive::Archive) {
    assert_eq!(reader.entries().len(), reference.entries.len(), "{what}");
    for (entry, reference) in reader.entries().iter().zip(&reference.entries) {
        assert_eq!(told(entry), expected(reference), "{what}");
        let kind =
            entry.kind().unwrap_or_else(|| panic!("{what}: pgformat does not know the kind of {}", entry.label()));
        assert!(kind.section == entry.section || kind.section_varies(), "{what}: section of {}", entry.label());
        assert_eq!(kind.has_data, entry.has_data, "{what}: data of {}", entry.label());
    }
}

/// Reads the archive at `path` in each way there is, and holds it against the reference.
fn check_reading(what: &str, path: &Path, reference: &archive::Archive) {
    let expected = |id: DumpId| &reference.data[&i64::from(id.0)];
    // As a stream.
    let mut reader = Reader::new(File::open(path).unwrap()).unwrap();
    check(what, &reader, reference);
    let mut blocks = 0;
    while let Some(block) = reader.next_block().unwrap() {
        let id = block.entry().unwrap().dump_id;
        assert!(data(block) == *expected(id), "{what}: the data of {id} as a stream");
        blocks += 1;
    }
    assert_eq!(blocks, reference.data.len(), "{what}");
    // By entry, backwards.
    let mut reader = Reader::seekable(File::open(path).unwrap()).unwrap();
    let ids: Vec<_> = reader.entries().iter().rev().map(|entry| entry.dump_id).collect();
    for id in ids {
        match reader.block(id).unwrap() {
            Some(block) => assert!(data(block) == *expected(id), "{what}: the data of {id} by its number"),
            None => assert!(!reference.data.contains_key(&i64::from(id.0)), "{what}: the data of {id} is missing"),
        }
    }
    // Cut in the middle, and just before the last byte.
    let bytes = fs::read(path).unwrap();
    for cut in [bytes.len() / 2, bytes.len() - 1] {
        let mut reader = Reader::new(&bytes[..cut]).unwrap();
        let error = loop {
            match reader.next_block() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{what}: cut at {cut} and nothing said"),
                Err(error) => break error,
            }
        };
        assert!(error.is_truncated(), "{what}: {error}");
    }
}

fn pg_dump_to_a_pipe(database: &Database<'_>, major: u32, args: &[&str], path: &Path) {
    let out = run(database.tool(major, "pg_dump").arg("-Fc").args(args));
    fs::write(path, out.stdout).unwrap();
}

fn reads_what_pg_dump_writes(major: u32) {
    let server = needed!(Server::get(major));
    let database = server.database("format");
    database.sql(SAMPLE);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    database.pg_dump(major, &["-Z0"], &path);
    let reference = archive::read(&path).unwrap();
    // The reference itself, against the server.
    let rows = database.copied("COPY alike TO STDOUT");
    let alike = reference.entries.iter().find(|e| e.tag.as_deref() == Some(b"alike") && e.had_dumper).unwrap();
    let Data::Table(data) = &reference.data[&alike.dump_id] else { panic!("rows are not rows") };
    assert_eq!(String::from_utf8_lossy(data).trim_end_matches("\\.\n\n\n").trim_end(), rows.trim_end());

    check_reading("-Z0", &path, &reference);
    let by_name: &[&str] = if major >= 16 { &["-Zlz4", "-Zlz4:9", "-Zzstd", "-Zzstd:19", "-Zgzip:2"] } else { &[] };
    for option in ["-Z1", "-Z6", "-Z9"].iter().chain(by_name) {
        database.pg_dump(major, &[option], &path);
        check_reading(option, &path, &reference);
        pg_dump_to_a_pipe(&database, major, &[option], &path);
        check_reading(&format!("{option} to a pipe"), &path, &reference);
    }
}

tests! { reads_what_pg_dump_writes:
    reads_what_pg_dump_14_writes(14)
    reads_what_pg_dump_15_writes(15)
    reads_what_pg_dump_16_writes(16)
    reads_what_pg_dump_17_writes(17)
    reads_what_pg_dump_18_writes(18)
}

/// How an archive is written again.
#[derive(Debug, Clone, Copy)]
struct Way {
    version: Version,
    compression: Compression,
    seeks: bool,
    sizes: (u8, u8),
}

/// Writes an archive again with pgformat, in pieces.
fn rewrite(original: &Path, way: Way) -> Vec<u8> {
    let mut reader = Reader::seekable(File::open(original).unwrap()).unwrap();
    let mut header = reader.header().clone();
    (header.version, header.compression) = (way.version, way.compression);
    (header.int_size, header.offset_size) = way.sizes;
    let (entries, out) = (reader.entries().to_vec(), Cursor::new(Vec::new()));
    let writer = if way.seeks { Writer::seekable(out, header, entries) } else { Writer::new(out, header, entries) };
    let mut writer = writer.unwrap();
    let mut encoder = PieceEncoder::new(way.compression).unwrap();
    // Both above and below what the codecs take as one block.
    let size = if way.seeks { 1_300_000 } else { 300_000 };
    while let Some(block) = reader.next_block().unwrap() {
        let id = block.entry().unwrap().dump_id;
        match data(block) {
            Data::Table(rows) => {
                writer.begin_data(id).unwrap();
                write_pieces(&mut writer, &mut encoder, &rows, size);
            }
            Data::LargeObjects(objects) => {
                writer.begin_large_objects(id).unwrap();
                for (oid, content) in objects {
                    writer.large_object(oid).unwrap();
                    write_pieces(&mut writer, &mut encoder, &content, size);
                }
            }
        }
        writer.end_block().unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn write_pieces(writer: &mut Writer<Cursor<Vec<u8>>>, encoder: &mut PieceEncoder, data: &[u8], size: usize) {
    let mut piece = Piece::new();
    let mut start = 0;
    for part in data.chunks(size) {
        encoder.encode(&data[..start], part, &mut piece).unwrap();
        writer.piece(&piece).unwrap();
        start += part.len();
    }
    writer.end_stream().unwrap();
}

/// The newest archive version that pg_restore of `major` reads.
pub(super) fn newest(major: u32) -> Version {
    match major {
        ..16 => Version::V1_14,
        16 => Version::V1_15,
        _ => Version::V1_16,
    }
}

fn ways(oldest: Version, newest: Version) -> Vec<Way> {
    let usual = (4, 8);
    let mut ways = Vec::new();
    for version in [Version::V1_14, Version::V1_15, Version::V1_16] {
        if version < oldest || version > newest {
            continue;
        }
        for compression in
            [Compression::None, Compression::GZIP, Compression::Gzip(Some(1)), Compression::Lz4, Compression::ZSTD]
        {
            if version >= compression.lowest_version() {
                ways.extend([true, false].map(|seeks| Way { version, compression, seeks, sizes: usual }));
            }
        }
    }
    let odd = Way { version: oldest, compression: Compression::GZIP, seeks: true, sizes: (8, 4) };
    ways.push(odd);
    ways
}

/// A script of pg_restore, without the keys that it makes up anew each time.
pub(super) fn script(out: Output) -> Vec<u8> {
    assert!(out.success(), "{out}");
    let lines = out.stdout.split_inclusive(|b| *b == b'\n');
    lines
        .filter(|line| !line.starts_with(b"\\restrict ") && !line.starts_with(b"\\unrestrict "))
        .collect::<Vec<_>>()
        .concat()
}

fn pg_restore_reads_what_is_written(from: u32) {
    let server = needed!(Server::get(from));
    let database = server.database("format");
    database.sql(SAMPLE);
    let dir = tempfile::tempdir().unwrap();
    let (original, ours) = (dir.path().join("original"), dir.path().join("ours"));
    database.pg_dump(from, &["-Z0"], &original);
    let mut tried = 0;
    for major in MAJORS.into_iter().filter(|major| *major >= 14 && newest(*major) >= newest(from)) {
        if installation::needed(major).is_err() {
            continue;
        }
        let restore = |path: &Path| output(pg_tool(major, "pg_restore").args(["-f", "-"]).arg(path));
        let list = |path: &Path| run(pg_tool(major, "pg_restore").arg("-l").arg(path));
        let wanted = script(restore(&original));
        let listed =
            |out: Output| out.stdout().lines().filter(|line| !line.starts_with(';')).collect::<Vec<_>>().join("\n");
        let wanted_list = listed(list(&original));
        for way in ways(newest(from), newest(major)) {
            fs::write(&ours, rewrite(&original, way)).unwrap();
            let what = format!("pg_restore {major} of {way:?}");
            assert_eq!(listed(list(&ours)), wanted_list, "{what}");
            assert!(script(restore(&ours)) == wanted, "{what}: another script");
            let mut piped = pg_tool(major, "pg_restore");
            piped.args(["-f", "-"]).stdin(Stdio::from(File::open(&ours).unwrap()));
            let mut cat = std::process::Command::new("cat").arg(&ours).stdout(Stdio::piped()).spawn().unwrap();
            let out = piped.stdin(cat.stdout.take().unwrap()).output().unwrap();
            cat.wait().unwrap();
            assert!(out.status.success(), "{what} through a pipe: {}", String::from_utf8_lossy(&out.stderr));
            let lines = out.stdout.split_inclusive(|b| *b == b'\n');
            let piped: Vec<_> =
                lines.filter(|line| !line.starts_with(b"\\restrict ") && !line.starts_with(b"\\unrestrict ")).collect();
            assert!(piped.concat() == wanted, "{what} through a pipe: another script");
            tried += 1;
        }
    }
    assert!(tried > 0);
}

tests! { pg_restore_reads_what_is_written:
    every_pg_restore_reads_version_1_14(14)
    every_pg_restore_reads_version_1_15(16)
    every_pg_restore_reads_version_1_16(18)
}

#[test]
fn a_database_restored_from_what_is_written_is_the_same() {
    for server in Server::all().filter(|server| server.major() >= 14) {
        let major = server.major();
        let database = server.database("format");
        database.sql(SAMPLE);
        let dir = tempfile::tempdir().unwrap();
        let (original, ours, again) = (dir.path().join("original"), dir.path().join("ours"), dir.path().join("again"));
        database.pg_dump(major, &[], &original);
        // In parallel, the tool goes by the offsets, or looks for the data where they are not set.
        for (compression, seeks, jobs) in
            [(Compression::GZIP, true, "-j3"), (Compression::GZIP, false, "-j3"), (Compression::ZSTD, true, "-j1")]
        {
            let version = newest(major);
            if version < compression.lowest_version() {
                continue;
            }
            fs::write(&ours, rewrite(&original, Way { version, compression, seeks, sizes: (4, 8) })).unwrap();
            let restored = server.database("format");
            let out = restored.pg_restore(major, &["--exit-on-error", jobs], &ours);
            assert!(out.success(), "{out}");
            restored.pg_dump(major, &[], &again);
            archive::assert_same("the database after pg_restore", &original, &again, Rows::AnyOrder);
        }
    }
}

#[test]
fn a_version_above_its_own_is_refused_by_pg_restore() {
    let server = needed!(Server::get(14));
    let database = server.database("format");
    let dir = tempfile::tempdir().unwrap();
    let (original, ours) = (dir.path().join("original"), dir.path().join("ours"));
    database.pg_dump(14, &[], &original);
    for version in [Version::V1_15, Version::V1_16] {
        let way = Way { version, compression: Compression::None, seeks: true, sizes: (4, 8) };
        fs::write(&ours, rewrite(&original, way)).unwrap();
        let out = output(pg_tool(14, "pg_restore").arg("-l").arg(&ours));
        assert!(!out.success() && out.stderr().contains("unsupported version"), "{out}");
    }
}

/// A compressed stream as pgformat writes it, of `parts` compressed apart.
fn stream(compression: Compression, parts: &[&[u8]]) -> Vec<u8> {
    let entry = Entry::new(DumpId(1), "TABLE DATA").has_data(true);
    let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_16, compression), vec![entry]).unwrap();
    let (mut encoder, mut piece) = (PieceEncoder::new(compression).unwrap(), Piece::new());
    writer.begin_data(DumpId(1)).unwrap();
    let start = usize::try_from(writer.offset()).unwrap();
    for part in parts {
        encoder.encode(b"", part, &mut piece).unwrap();
        writer.piece(&piece).unwrap();
    }
    writer.end_stream().unwrap();
    writer.end_block().unwrap();
    let (archive, mut stream) = (writer.finish().unwrap(), Vec::new());
    let mut rest = &archive[start..];
    while let Some((length, after)) = rest[1..].split_first_chunk::<4>()
        && *length != [0; 4]
    {
        let (chunk, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        stream.extend_from_slice(chunk);
        rest = after;
    }
    stream
}

/// The trap that decides how pieces are laid out: see "Compression" in docs/FORMAT.md.
#[test]
fn several_frames_are_read_as_the_description_of_the_format_says() {
    let rows: [&[u8]; 2] = [b"1\n2\n3\n", b"4\n5\n\\.\n\n\n"];
    for major in [16, 17, 18] {
        if installation::needed(major).is_err() {
            continue;
        }
        for (compression, together, all_is_read) in [
            (Compression::Lz4, true, true),
            (Compression::Lz4, false, true),
            (Compression::ZSTD, true, false),
            (Compression::ZSTD, false, true),
        ] {
            let table =
                Entry::new(DumpId(1), "TABLE DATA").has_data(true).tag("t").copy_statement("COPY t (n) FROM stdin;\n");
            let header = Header::new(Version::V1_15, compression);
            let mut writer = Writer::new(Vec::new(), header, vec![table]).unwrap();
            writer.begin_data(DumpId(1)).unwrap();
            let frames = rows.map(|rows| stream(compression, &[rows]));
            if together {
                writer.chunk(&frames.concat()).unwrap();
            } else {
                frames.iter().for_each(|frame| writer.chunk(frame).unwrap());
            }
            writer.end_stream().unwrap();
            writer.end_block().unwrap();
            let archive = writer.finish().unwrap();
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("archive");
            fs::write(&path, &archive).unwrap();
            let script = run(pg_tool(major, "pg_restore").args(["-f", "-"]).arg(&path)).stdout();
            let what = format!("pg_restore {major}, two frames of {compression}, together: {together}");
            assert!(script.contains("COPY t (n) FROM stdin;\n1\n2\n3\n"), "{what}: {script}");
            assert_eq!(script.contains("3\n4\n5\n\\.\n"), all_is_read, "{what}: {script}");
            // Whatever the real one does, nothing is lost here.
            let mut reader = Reader::new(archive.as_slice()).unwrap();
            assert!(data(reader.next_block().unwrap().unwrap()) == Data::Table(rows.concat()), "{what}");
        }
    }
}
