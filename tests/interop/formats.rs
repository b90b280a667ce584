//! What pg_dump writes in each format, with each compression: read, verified and restored.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use lifeboat::postgres::archive;
use pgformat::{Format, Reader};

use super::format::{check, data};
use crate::support::archive::{Archive, Data, read};
use crate::support::{Database, REFERENCE, Server, lifeboat, lifeboat_reading, output, run};

/// A way to write an archive: its name, and what pg_dump is told.
type Way = (&'static str, Format, &'static [&'static str]);

/// What is told to a shell: the archive goes to standard output, and that into a file.
const REDIRECTED: &str = "custom, redirected";

fn ways(major: u32) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![
        ("custom", Format::Custom, &["-Fc"]),
        (REDIRECTED, Format::Custom, &["-Fc"]),
        ("custom, not compressed", Format::Custom, &["-Fc", "-Z0"]),
        ("directory", Format::Directory, &["-Fd"]),
        ("directory, not compressed", Format::Directory, &["-Fd", "-Z0"]),
        ("directory, by two connections", Format::Directory, &["-Fd", "-j2", "-Z1"]),
        ("tar", Format::Tar, &["-Ft"]),
    ];
    if major >= 16 {
        ways.extend([
            ("custom, lz4", Format::Custom, &["-Fc", "-Zlz4"][..]),
            ("custom, zstd", Format::Custom, &["-Fc", "-Zzstd"]),
            ("directory, lz4", Format::Directory, &["-Fd", "-Zlz4"]),
            ("directory, zstd", Format::Directory, &["-Fd", "-Zzstd"]),
        ]);
    }
    ways
}

fn all_formats(major: u32) {
    let server = needed!(Server::get(major));
    let origin = server.database("formats");
    origin.load("tests/restore/sample.sql");
    // More large objects than pg_dump 17 and later put into one entry, some of them empty.
    origin.sql(
        "SELECT count(lo_from_bytea(0, convert_to(repeat('x', n % 5 * n), 'UTF8'))) FROM generate_series(1, 1100) n",
    );
    let dir = tempfile::tempdir().unwrap();
    let (original, plain) = (dir.path().join("original"), dir.path().join("plain"));
    origin.pg_dump(REFERENCE, &[], &original);
    origin.pg_dump(major, &["-Z0"], &plain);
    let reference = read(&plain).unwrap();
    for (number, (name, format, args)) in ways(major).into_iter().enumerate() {
        let what = format!("{name}, of pg_dump {major}");
        let path = dir.path().join(number.to_string());
        let mut command = origin.tool(major, "pg_dump");
        if name == REDIRECTED {
            let out = output(command.args(args).stdout(File::create(&path).unwrap()));
            assert!(out.success(), "{what}: {out}");
        } else {
            run(command.args(args).arg("-f").arg(&path));
        }
        reads(&what, &path, format, &reference);
        verifies(&what, lifeboat().arg("verify").arg(&path), &reference);
        restores(&what, server, &path, false, &original);
        if format != Format::Directory && args.len() == 1 {
            let what = format!("{what}, from a pipe");
            verifies(&what, lifeboat_reading(&path, true).args(["verify", "-"]), &reference);
            restores(&what, server, &path, true, &original);
            let mut reader = Reader::new(File::open(&path).unwrap()).unwrap();
            let mut blocks = 0;
            while let Some(block) = reader.next_block().unwrap() {
                let id = block.entry().unwrap().dump_id;
                assert!(data(block) == reference.data[&i64::from(id.0)], "{what}: the data of {id}");
                blocks += 1;
            }
            assert_eq!(blocks, reference.data.len(), "{what}");
        }
    }
}

/// By entry, backwards, over a second reader; and in order.
fn reads(what: &str, path: &Path, format: Format, reference: &Archive) {
    let mut first = archive::open(path, "read it").unwrap();
    assert_eq!(first.header().format, format, "{what}");
    check(what, &first, reference);
    first.check_end().unwrap();
    let mut second = first.another().unwrap();
    let ids: Vec<_> = first.entries().iter().rev().map(|entry| entry.dump_id).collect();
    for (reader, ids) in [(&mut second, &ids[..ids.len() / 2]), (&mut first, &ids[ids.len() / 2..])] {
        for id in ids {
            let expected = reference.data.get(&i64::from(id.0));
            match reader.block(*id).unwrap() {
                Some(block) => assert!(Some(&data(block)) == expected, "{what}: the data of {id}"),
                None => assert!(expected.is_none(), "{what}: the data of {id} is missing"),
            }
        }
    }
    let mut reader = archive::open(path, "read it").unwrap();
    reader.check_end().unwrap();
    let sizes = reader.sizes().unwrap();
    for (entry, size) in reader.entries().iter().zip(sizes) {
        assert_eq!(
            size.is_some(),
            reference.data.contains_key(&i64::from(entry.dump_id.0)),
            "{what}: {}",
            entry.label()
        );
    }
    let mut reader = archive::open(path, "read it").unwrap();
    let mut blocks = 0;
    while let Some(block) = reader.next_block().unwrap() {
        let id = block.entry().unwrap().dump_id;
        assert!(data(block) == reference.data[&i64::from(id.0)], "{what}: the data of {id} in order");
        blocks += 1;
    }
    assert_eq!(blocks, reference.data.len(), "{what}");
}

fn verifies(what: &str, command: &mut Command, reference: &Archive) {
    let out = run(command.arg("--json"));
    let answer = out.json();
    let objects = |data: &Data| match data {
        Data::LargeObjects(objects) => objects.len(),
        Data::Table(_) => 0,
    };
    let rows = |data: &Data| match data {
        // Nothing in the sample has a line break in a row, escaped or not, but the end of the row and what is after all rows.
        Data::Table(rows) => rows.iter().filter(|byte| **byte == b'\n').count() - 3,
        Data::LargeObjects(_) => 0,
    };
    assert_eq!(answer["sound"], true, "{what}: {out}");
    assert_eq!(answer["entries"], reference.entries.len(), "{what}");
    assert_eq!(answer["rows"], reference.data.values().map(rows).sum::<usize>(), "{what}");
    assert_eq!(answer["large_objects"], reference.data.values().map(objects).sum::<usize>(), "{what}");
}

fn restores(what: &str, server: &Server, path: &Path, from_pipe: bool, original: &Path) {
    let target: Database<'_> = server.database("restored");
    let mut command = if from_pipe { lifeboat_reading(path, true) } else { lifeboat() };
    let given = if from_pipe { Path::new("-") } else { path };
    run(command.args(["restore", "--owner", "--acl", "--force", "--url", &target.url()]).arg(given));
    target.assert_is(what, original);
}

/// A tar file has more after its data than a restore needs; the one who writes it must not find the pipe broken.
#[test]
fn a_pipe_is_read_to_the_end_of_a_tar_file() {
    let server = needed!(Server::get(REFERENCE));
    let (origin, target) = (server.database("pipe"), server.database("pipe"));
    // The script after the data is larger than what fits into a pipe.
    origin.sql(
        "DO $$ BEGIN FOR n IN 1..200 LOOP
         EXECUTE format('CREATE FUNCTION f%s() RETURNS text LANGUAGE sql AS %L', n, format('SELECT %L', repeat('x', 2000)));
         END LOOP; END $$",
    );
    origin.sql("CREATE TABLE t AS SELECT 1 AS a");
    let dump = origin.tool(REFERENCE, "pg_dump");
    let mut command = Command::new("bash");
    command
        .args(["-c", r#"set -o pipefail; "$0" -Ft "$1" | "$2" restore --force --url "$3" -"#])
        .arg(dump.get_program());
    command.arg(origin.name()).arg(env!("CARGO_BIN_EXE_lifeboat")).arg(target.url());
    for (name, value) in dump.get_envs() {
        value.map(|value| command.env(name, value));
    }
    command.env("PGHOST", server.socket_dir()).env("PGPORT", server.port().to_string()).env("PGUSER", "postgres");
    run(&mut command);
    assert_eq!(target.sql("SELECT a, length(f7()) FROM t"), "1|2000");
}

// Of each version of the format one: 15 writes that of 14, and 17 that of 18.
tests! { all_formats:
    of_pg_dump_14(14)
    of_pg_dump_16(16)
    of_pg_dump_18(18)
}
