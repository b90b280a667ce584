//! Archives in the hands of readers that are not PostgreSQL's.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{REFERENCE, Server, readers, run};

const TABLES: [&str; 5] = ["few", "none_at_all", "many", "alike", "noise"];

/// What compresses to less than a chunk and to many, hardly and nearly to nothing.
const SAMPLE: &str = "
    CREATE TABLE few AS SELECT n, 'ä' || n AS text FROM generate_series(1, 5) n;
    CREATE TABLE none_at_all (n integer);
    CREATE TABLE many AS SELECT n, md5(n::text) AS text FROM generate_series(1, 40000) n;
    CREATE TABLE alike AS SELECT 7 AS n, repeat('same', 30) AS text FROM generate_series(1, 20000);
    CREATE TABLE noise AS SELECT sha512(n::text::bytea) AS bytes FROM generate_series(1, 9000) n;
    SELECT lo_from_bytea(70001, convert_to(repeat('large object ', 60000), 'UTF8'));
    SELECT lo_from_bytea(70002, ''), lo_from_bytea(70003, '\\x00ff'),
        lo_from_bytea(70004, (SELECT string_agg(sha512(n::text::bytea), '') FROM generate_series(1, 3000) n));
";

/// Writes what it reads into files of their own, named like the tables and large objects.
const READER: &str = "
import pathlib, sys, pgdumplib
from pgdumplib import converters
to = pathlib.Path(sys.argv[2])
dump = pgdumplib.load(sys.argv[1], converters.NoOpConverter)
for entry in dump.entries:
    if entry.desc == 'TABLE DATA':
        rows = dump.table_data(entry.namespace, entry.tag)
        (to / entry.tag).write_text(''.join(row.rstrip('\\n') + '\\n' for row in rows), encoding='utf-8')
for oid, data in dump.blobs():
    (to / str(oid)).write_bytes(data)
";

fn read(library: &Path, archive: &Path, to: &Path) {
    let mut python = Command::new("python3");
    run(python.env("PYTHONPATH", library).args(["-c", READER]).arg(archive).arg(to));
}

/// pgdumplib takes a chunk of less than 4,096 bytes for the last one, and reads nothing but gzip and what is not compressed.
#[test]
fn pgdumplib_reads_what_is_in_an_archive() {
    let server = needed!(Server::get(REFERENCE));
    let library = needed!(readers::pgdumplib());
    let database = server.database("readers");
    database.sql(SAMPLE);
    let object = |oid: u32| database.sql(&format!("SELECT encode(lo_get({oid}), 'hex')"));
    let dir = tempfile::tempdir().unwrap();
    for compress in ["gzip:6", "gzip:1", "none"] {
        let to = dir.path().join(compress);
        fs::create_dir(&to).unwrap();
        let archive = to.join("archive");
        database.backup(&archive, &["--compress", compress, "--jobs", "2"]);
        read(&library, &archive, &to);
        for table in TABLES {
            let expected = database.copied(&format!("COPY {table} TO STDOUT"));
            let got = fs::read_to_string(to.join(table)).unwrap();
            assert!(got.trim_end() == expected.trim_end(), "{table} with {compress}");
        }
        for oid in 70001..=70004 {
            let got = fs::read(to.join(oid.to_string())).unwrap();
            let got: String = got.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(got == object(oid).trim_end(), "large object {oid} with {compress}");
        }
    }
}
