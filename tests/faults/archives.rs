//! Restoring what is not, or no longer, a sound archive.

use super::fill;
use crate::support::{Database, REFERENCE, Scene, Server, archive, lifeboat, output, run};

fn sample<'a>(server: &'a Server, scene: &Scene, compress: &str) -> Database<'a> {
    let database = server.database("damage");
    fill(&database, 20_000);
    database.sql(
        "CREATE TABLE small (a integer PRIMARY KEY); INSERT INTO small VALUES (1), (2);
        CREATE VIEW v AS SELECT * FROM small; SELECT lo_from_bytea(4711, convert_to(repeat('large', 10000), 'UTF8'))",
    );
    scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--compress", compress, "--force"]);
    database
}

#[test]
fn truncated_archive_is_an_error_wherever_it_ends() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    for compress in ["gzip:6", "none", "zstd:3", "lz4"] {
        let origin = sample(server, &scene, compress);
        let whole = std::fs::read(scene.path("out.dump")).unwrap();
        let target = server.database("damage");
        for cut in [0, 4, 30, whole.len() / 100, whole.len() / 2, whole.len() - 100, whole.len() - 1] {
            std::fs::write(scene.path("cut.dump"), &whole[..cut]).unwrap();
            let out = target.try_restore(&scene.path("cut.dump"), &[]);
            assert_ne!(out.code(), 0, "{compress} cut at {cut}: {out}");
            assert_ne!(out.code(), 101, "{compress} cut at {cut}: {out}");
            assert!(out.stderr().contains("lifeboat: error: "), "{compress} cut at {cut}: {out}");
        }
        // What was there before stays.
        let rows = origin.sql("SELECT count(*), sum(hashtext(text)::bigint) FROM filled");
        for cut in [whole.len() / 2, whole.len() - 1] {
            for more in [&["--single-transaction"][..], &[]] {
                std::fs::write(scene.path("cut.dump"), &whole[..cut]).unwrap();
                let out = origin.try_restore(&scene.path("cut.dump"), more);
                assert_eq!(out.code(), 1, "{out}");
                assert!(out.stderr().contains("nothing was changed"), "{out}");
                assert_eq!(origin.sql("SELECT count(*), sum(hashtext(text)::bigint) FROM filled"), rows, "{compress}");
            }
        }
        target.restore(&scene.path("out.dump"), &[]);
        assert_eq!(target.sql("SELECT count(*), sum(hashtext(text)::bigint) FROM filled"), rows, "{compress}");
    }
}

#[test]
fn flipped_bit_in_compressed_data_is_an_error() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = sample(server, &scene, "gzip:6");
    drop(origin);
    let whole = std::fs::read(scene.path("out.dump")).unwrap();
    let begin = archive::read(&scene.path("out.dump")).unwrap().data_begin;
    let target = server.database("damage");
    let step = (whole.len() - begin) / 25;
    for at in (begin..whole.len()).step_by(step) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(scene.path("flipped.dump"), damaged).unwrap();
        let out = target.try_restore(&scene.path("flipped.dump"), &[]);
        assert!([1, 3].contains(&out.code()), "flipped at {at}: {out}");
        assert!(out.stderr().contains("lifeboat: error: "), "flipped at {at}: {out}");
    }
}

#[test]
fn flipped_bits_in_the_table_of_contents_never_crash_the_reader() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = sample(server, &scene, "none");
    drop(origin);
    let whole = std::fs::read(scene.path("out.dump")).unwrap();
    let begin = archive::read(&scene.path("out.dump")).unwrap().data_begin;
    let mut refused = 0;
    for at in (0..begin).step_by(begin / 60) {
        for flip in [0x01, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            std::fs::write(scene.path("flipped.dump"), damaged).unwrap();
            let out = output(lifeboat().args(["list"]).arg(scene.path("flipped.dump")));
            assert!([0, 1].contains(&out.code()), "flipped at {at}: {out}");
            refused += out.code();
        }
    }
    assert!(refused > 0, "no flipped bit was noticed");
}

#[test]
fn archives_in_other_formats_that_are_not_whole_change_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = sample(server, &scene, "none");
    for format in ["-Fd", "-Ft"] {
        run(origin.tool(REFERENCE, "pg_dump").args([format, "-f"]).arg(scene.path(format)));
    }
    let rows = || origin.sql("SELECT count(*), sum(hashtext(text)::bigint) FROM filled");
    let before = rows();
    let refused = |path: &str, says: &str| {
        let out = origin.try_restore(&scene.path(path), &[]);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains(says) && out.stderr().contains("nothing was changed"), "{says}: {out}");
        assert_eq!(rows(), before);
    };
    let whole = std::fs::read(scene.path("-Ft")).unwrap();
    let script = whole.windows(11).position(|window| window == b"restore.sql").unwrap();
    for cut in [whole.len() / 2, script - 512, script - 1] {
        std::fs::write(scene.path("cut.tar"), &whole[..cut]).unwrap();
        refused("./cut.tar", "it is truncated");
    }
    let folder = scene.path("-Fd");
    for file in ["blob_4711.dat.gz", "toc"] {
        let all = || std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let path = all().find(|path| path.to_str().is_some_and(|path| path.ends_with(file))).unwrap();
        let aside = scene.path("aside");
        std::fs::rename(&path, &aside).unwrap();
        refused("./-Fd", "the archive has no file");
        std::fs::rename(&aside, &path).unwrap();
    }
    let out = origin.try_restore(&scene.path("./-Fd"), &[]);
    assert!(out.success() && rows() == before, "{out}");
}

/// Whatever is changed in them: `verify` comes to an end with an answer.
#[test]
fn every_changed_byte_is_verified_to_an_answer() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = server.database("small");
    origin.sql(
        "CREATE TABLE t (a integer, b text); INSERT INTO t VALUES (1, 'x'), (2, NULL); SELECT lo_from_bytea(5, 'five')",
    );
    let mut unsound = 0;
    for args in [&["-Fc"][..], &["-Fc", "-Zlz4"], &["-Fc", "-Zzstd"], &["-Fc", "-Z0"], &["-Ft"]] {
        run(origin.tool(REFERENCE, "pg_dump").args(args).arg("-f").arg(scene.path("out")));
        let whole = std::fs::read(scene.path("out")).unwrap();
        let verify = |bytes: Vec<u8>| {
            let mut all = pgformat::Reader::seekable(std::io::Cursor::new(bytes.clone())).ok();
            let mut once = pgformat::Reader::new(std::io::Cursor::new(bytes)).ok();
            let silent = lifeboat::Silent;
            let all = all.as_mut().map(|reader| lifeboat::postgres::verify::verify(reader, &silent));
            let once = once.as_mut().map(|reader| lifeboat::postgres::verify::verify(reader, &silent));
            (all.is_some_and(|found| found.is_sound()), once.is_some_and(|found| found.is_sound()))
        };
        assert_eq!(verify(whole.clone()), (true, true), "{args:?}");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            let (all, once) = verify(bytes);
            unsound += u32::from(!all && !once);
            let (all, once) = verify(whole[..at].to_vec());
            // Of a tar file the script at its end is not needed.
            assert!(!(all || once) || args == ["-Ft"], "{args:?} cut at {at}");
        }
    }
    assert!(unsound > 1000, "{unsound}");
}
