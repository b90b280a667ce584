//! What pgformat writes in tar format beside what pg_dump writes: the same bytes, but for the time in the members' headers; and tar
//! lists it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use pgformat::{ContentsWriter, Entry, Header, Reader, Spool, Writer};

use super::format::{SAMPLE, data};
use crate::support::archive::Data;
use crate::support::{Server, run};

/// Writes the data of an archive again, with that script.
fn fill<W: Write>(reader: &mut Reader<File>, mut writer: Writer<W>, script: &[u8]) {
    while let Some(block) = reader.next_block().unwrap() {
        let id = block.entry().unwrap().dump_id;
        match data(block) {
            Data::Table(rows) => {
                let mut to = writer.data(id).unwrap();
                to.write_all(&rows).unwrap();
                to.finish().unwrap();
            }
            Data::LargeObjects(objects) => {
                let mut to = writer.large_objects(id).unwrap();
                for (oid, content) in objects {
                    let mut object = to.object(oid).unwrap();
                    object.write_all(&content).unwrap();
                    object.finish().unwrap();
                }
                to.finish().unwrap();
            }
        }
    }
    let mut to = writer.script().unwrap();
    to.write_all(script).unwrap();
    to.finish().unwrap();
    writer.finish().unwrap();
}

fn contents(mut writer: ContentsWriter<File>, entries: Vec<Entry>) -> Writer<File> {
    for entry in entries {
        writer = writer.entry(entry).unwrap();
    }
    writer.finish().unwrap()
}

/// The archive, with no time in its headers.
pub(super) fn timeless(path: &Path) -> Vec<u8> {
    let mut archive = fs::read(path).unwrap();
    let mut at = 0;
    while archive[at] != 0 {
        archive[at + 136..at + 156].fill(b'0');
        let size = std::str::from_utf8(&archive[at + 124..at + 135]).unwrap();
        at += 512 + usize::from_str_radix(size, 8).unwrap().next_multiple_of(512);
    }
    archive
}

fn its_bytes_are_those_of_pg_dump(major: u32) {
    let server = needed!(Server::get(major));
    let database = server.database("tar");
    database.sql(SAMPLE);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    run(database.tool(major, "pg_dump").args(["-Ft", "-f"]).arg(file("theirs")));
    let theirs = timeless(&file("theirs"));
    let script = run(Command::new("tar").arg("-xOf").arg(file("theirs")).arg("restore.sql")).stdout;
    let time = 1_700_000_000;
    for name in ["seekable", "streamed"] {
        let mut reader = Reader::seekable(File::open(file("theirs")).unwrap()).unwrap();
        let (header, entries): (Header, _) = (reader.header().clone(), reader.entries().to_vec());
        let out = File::create_new(file(name)).unwrap();
        let begun = match name {
            "seekable" => ContentsWriter::tar(out, header, entries.len(), time),
            _ => {
                let spool = || Ok(Box::new(tempfile::tempfile()?) as Box<dyn Spool>);
                ContentsWriter::tar_stream(out, Box::new(spool), header, entries.len(), time)
            }
        };
        fill(&mut reader, contents(begun.unwrap(), entries), &script);
        let ours = timeless(&file(name));
        let differs = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        assert!(ours == theirs, "{name} of {major} differs from byte {differs:?} on");
    }
    // The sums of headers are right, which are not compared above: tar sees to that.
    let names = |name: &str| run(Command::new("tar").arg("-tf").arg(file(name))).stdout();
    assert_eq!(names("seekable"), names("theirs"));
    assert_eq!(names("streamed"), names("theirs"));
}

tests! { its_bytes_are_those_of_pg_dump:
    tar_is_that_of_pg_dump_14(14)
    tar_is_that_of_pg_dump_15(15)
    tar_is_that_of_pg_dump_16(16)
    tar_is_that_of_pg_dump_17(17)
    tar_is_that_of_pg_dump_18(18)
}
