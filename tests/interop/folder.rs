//! What pgformat writes in directory format beside what pg_dump writes: the same files, byte for byte, where nothing is
//! compressed, and folders that pg_restore takes for pg_dump's where something is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use pgformat::{Compression, Folder, NewFiles, Piece, PieceEncoder, Reader, Writer};

use super::format::{SAMPLE, data, newest, script};
use crate::support::archive::Data;
use crate::support::{Server, output, pg_tool, run};

/// Makes the files of an archive in a folder.
struct On(PathBuf);

impl NewFiles for On {
    type File = File;

    fn create(&mut self, name: &str) -> io::Result<File> {
        File::create_new(self.0.join(name))
    }

    fn close(&mut self, _: &str, file: File) -> io::Result<()> {
        file.sync_all()
    }
}

/// Writes the archive in the folder `from` again, in pieces of which no file of rows is one.
fn rewrite(from: &Path, to: &Path, compression: Compression) {
    fs::create_dir(to).unwrap();
    let mut reader = Reader::directory(Folder::new(from).unwrap()).unwrap();
    let mut header = reader.header().clone();
    header.compression = compression;
    let entries = reader.entries().to_vec();
    let mut writer = Writer::folder(Box::new(On(to.to_owned())), header, entries).unwrap();
    let mut encoder = PieceEncoder::of_files(compression).unwrap();
    let mut write = |writer: &mut Writer<File>, data: &[u8]| {
        let (mut piece, mut start) = (Piece::new(), 0);
        for part in data.chunks(300_000) {
            encoder.encode(&data[..start], part, &mut piece).unwrap();
            writer.piece(&piece).unwrap();
            start += part.len();
        }
        writer.end_stream().unwrap();
    };
    while let Some(block) = reader.next_block().unwrap() {
        let id = block.entry().unwrap().dump_id;
        match data(block) {
            Data::Table(rows) => {
                writer.begin_data(id).unwrap();
                write(&mut writer, &rows);
            }
            Data::LargeObjects(objects) => {
                writer.begin_large_objects(id).unwrap();
                for (oid, content) in objects {
                    writer.large_object(oid).unwrap();
                    write(&mut writer, &content);
                }
            }
        }
        writer.end_block().unwrap();
    }
    writer.finish().unwrap().sync_all().unwrap();
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = |file: io::Result<fs::DirEntry>| {
        let file = file.unwrap();
        (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(file).collect()
}

fn its_files_are_those_of_pg_dump_and_pg_restore_reads_them(major: u32) {
    let server = needed!(Server::get(major));
    let database = server.database("folder");
    database.sql(SAMPLE);
    let dir = tempfile::tempdir().unwrap();
    let theirs = dir.path().join("theirs");
    run(database.tool(major, "pg_dump").args(["-Fd", "-Z0", "-f"]).arg(&theirs));
    let restore = |folder: &Path| script(output(pg_tool(major, "pg_restore").args(["-f", "-"]).arg(folder)));
    let wanted = restore(&theirs);
    for compression in [
        Compression::None,
        Compression::GZIP,
        Compression::Gzip(Some(1)),
        Compression::Gzip(Some(9)),
        Compression::Lz4,
        Compression::ZSTD,
    ] {
        if compression.lowest_version() > newest(major) {
            continue;
        }
        let (what, ours) = (format!("{compression} for {major}"), dir.path().join(compression.to_string()));
        rewrite(&theirs, &ours, compression);
        assert!(restore(&ours) == wanted, "{what}: another script");
        let (ours, theirs) = (files(&ours), files(&theirs));
        if compression == Compression::None {
            let differ: Vec<_> = theirs.keys().chain(ours.keys()).filter(|n| theirs.get(*n) != ours.get(*n)).collect();
            assert!(differ.is_empty(), "{what}: {differ:?} differ");
        }
        // Its own names say how a file is compressed, and only data is.
        let bare =
            |name: &String| name.trim_end_matches(".gz").trim_end_matches(".lz4").trim_end_matches(".zst").to_owned();
        assert_eq!(ours.keys().map(bare).collect::<Vec<_>>(), theirs.keys().cloned().collect::<Vec<_>>(), "{what}");
    }
}

tests! { its_files_are_those_of_pg_dump_and_pg_restore_reads_them:
    files_are_those_of_pg_dump_14(14)
    files_are_those_of_pg_dump_15(15)
    files_are_those_of_pg_dump_16(16)
    files_are_those_of_pg_dump_17(17)
    files_are_those_of_pg_dump_18(18)
}
