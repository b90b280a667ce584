//! Backups that something has changed, packed or replaced on their way: each is named, with what to do.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use bstr::ByteSlice;

use crate::support::{Database, REFERENCE, Scene, Server, lifeboat_reading, needs, output, run};

/// A backup `app.dump` of some 400 KB, that is compressed or not, and its bytes.
fn backed_up<'a>(server: &'a Server, scene: &Scene, compress: &str) -> (Database<'a>, Vec<u8>) {
    let database = server.database("mangled");
    database.sql(
        "CREATE TABLE t AS SELECT n, 'ä' AS a, md5(n::text) AS m, sha512(n::text::bytea) AS s FROM generate_series(1, 4000) n",
    );
    scene.run(&["backup", "--url", &database.url(), "--output", "app.dump", "--force", "--compress", compress]);
    (database, fs::read(scene.path("app.dump")).unwrap())
}

/// What verify, list and a restore say of the file, which all of them refuse.
fn refused(scene: &Scene, database: &Database<'_>, name: &str, said: &str) {
    let path = scene.path(name);
    let url = database.url();
    let restore = ["restore", name, "--force", "--url", &url];
    for args in [&["verify", name][..], &restore, &["restore", name, "--script", "-"]] {
        let out = scene.lifeboat(args);
        let text = format!("{}{}", out.stdout(), out.stderr());
        assert!(out.code() == 1 && text.contains(said), "{name}, {args:?}, without \"{said}\": {out}");
    }
    for through_a_pipe in [true, false] {
        let out = output(lifeboat_reading(&path, through_a_pipe).args(["verify", "-"]));
        let text = format!("{}{}", out.stdout(), out.stderr());
        // What is seen by what is missing takes more than a pipe may have given until the damage is met.
        let is_seen = text.contains(said) || (through_a_pipe && said.contains("no CR LF"));
        assert!(out.code() == 1 && is_seen, "{name} as standard input, without \"{said}\": {out}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM t").trim(), "4000", "after {name}");
}

#[test]
fn what_took_an_archive_for_text_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    for compress in ["gzip:6", "zstd:3", "lz4", "none"] {
        let (database, whole) = backed_up(server, &scene, compress);
        let is_compressed = compress != "none";
        let utf16 = |text: String| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let latin: String = whole.iter().map(|byte| char::from(*byte)).collect();
        let mut mangled = vec![
            ("crlf.dump", whole.replace("\n", "\r\n"), "each of its line feeds has become CR LF"),
            ("cr.dump", whole.replace("\n", "\r"), "each of its line feeds has become CR:"),
            ("utf16.dump", [b"\xff\xfe".to_vec(), utf16(latin.clone())].concat(), "it was written as UTF-16 text"),
            ("bom.dump", [b"\xef\xbb\xbf", &whole[..]].concat(), "it was written as UTF-8 text, with a mark before it"),
        ];
        if is_compressed {
            let lossy = String::from_utf8_lossy(&whole).into_owned().into_bytes();
            mangled.push(("lossy.dump", lossy, "those that are none were replaced"));
            mangled.push(("latin.dump", latin.into_bytes(), "each of its bytes from 128 on has become two"));
        }
        // lz4 leaves much as it was, which has no CR.
        if is_compressed && compress != "lz4" {
            mangled.push(("lf.dump", whole.replace("\r\n", "\n"), "no CR LF is in it"));
            mangled.push(("no_cr.dump", whole.replace("\r", ""), "it has no CR at all"));
        }
        for (name, bytes, said) in mangled {
            // By chance, there may not have been a pair of them.
            if bytes == whole {
                continue;
            }
            fs::write(scene.path(name), bytes).unwrap();
            refused(&scene, &database, name, said);
        }
        // A sound one is none of these.
        scene.run(&["verify", "app.dump"]);
        // Other damage is not said to be one.
        let mut damaged = whole.clone();
        let at = damaged.len() * 2 / 3;
        damaged[at..at + 40].fill(0);
        fs::write(scene.path("damaged.dump"), damaged).unwrap();
        let out = scene.lifeboat(&["verify", "damaged.dump"]);
        assert!(out.code() == 1 && !out.stderr().contains("text"), "{compress}: {out}");
    }
}

#[test]
fn so_it_is_with_folders_and_tar_files() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let (database, _) = backed_up(server, &scene, "gzip:6");
    for (format, name, file) in [("-Ft", "app.tar", "app.tar"), ("-Fd", "app.dir", "app.dir/toc.dat")] {
        run(database.tool(REFERENCE, "pg_dump").args([format, "-f"]).arg(scene.path(name)));
        scene.run(&["verify", name]);
        let sound = fs::read(scene.path(file)).unwrap();
        fs::write(scene.path(file), sound.replace("\n", "\r\n")).unwrap();
        let said = "each of its line feeds has become CR LF";
        for args in [&["verify", name][..], &["restore", name, "--force", "--url", &database.url()]] {
            scene.fails(1, said, args);
        }
        assert_eq!(database.sql("SELECT count(*) FROM t").trim(), "4000", "after {name}");
    }
}

#[test]
fn what_is_in_place_of_an_archive_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let (database, whole) = backed_up(server, &scene, "gzip:6");
    let banner = b"Defaulted container \"db\" out of: db, metrics\n".to_vec();
    for (name, bytes, said) in [
        ("banner.dump", [banner, whole.clone()].concat(), "tail -c +46 gives what follows that"),
        ("empty.dump", Vec::new(), "it is empty: there is not a byte in it"),
        ("zeros.dump", vec![0; 100_000], "it begins with nothing but zeros"),
        ("page.dump", b"<!DOCTYPE html>\n<html><body>404".to_vec(), "it is a page of HTML and no archive"),
        ("answer.dump", b"{\"message\": \"Not Found\"}\n".to_vec(), "it is JSON and no archive ("),
        (
            "error.dump",
            b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>".to_vec(),
            "it is XML and no archive",
        ),
        ("said.dump", b"pg_dump: error: connection to server failed\n".to_vec(), "it is a message and no archive"),
        ("text.dump", b"hello, world\n".to_vec(), "neither with PGDMP nor as a tar file"),
        ("age.dump", b"age-encryption.org/v1\n-> X25519 x\n".to_vec(), "it is encrypted with age"),
        ("part.dump", whole[..2000].to_vec(), "it is truncated"),
    ] {
        fs::write(scene.path(name), bytes).unwrap();
        refused(&scene, &database, name, said);
    }
    scene.database("app.db", "delete", 3);
    for args in
        [&["restore", "app.db", "--force", "--url", &database.url()][..], &["restore", "app.db", "--script", "-"]]
    {
        let out = scene.fails(1, "it is an SQLite database", args);
        assert!(out.stderr().contains("hint: "), "{out}");
    }
}

/// By the programs themselves, for what they write is what counts.
#[test]
fn what_an_archive_was_packed_into_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let (database, _) = backed_up(server, &scene, "gzip:6");
    let mut done = 0;
    for (name, command, said) in [
        ("gzip", "gzip -c app.dump", "gunzip it first"),
        ("bzip2", "bzip2 -c app.dump", "bunzip2 it first"),
        ("xz", "xz -c app.dump", "unxz it first"),
        ("zstd", "zstd -qc app.dump", "unzstd it first"),
        ("lz4", "lz4 -qc app.dump", "unlz4 it first"),
        ("tar", "tar -c app.dump", "it is a tar file, but none that pg_dump wrote"),
        ("base64", "base64 app.dump", "decode it first (base64 -d)"),
        ("uuencode", "uuencode app.dump app.dump", "decode it first (uudecode)"),
        ("zip", "zip -q - app.dump", "take the archive out of it first (unzip)"),
        ("openssl", "openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in app.dump", "it is encrypted with OpenSSL"),
        ("gpg", "gpg --homedir . --batch --passphrase x -o - -c app.dump", "it is encrypted with OpenPGP"),
    ] {
        let packed = scene.path("packed");
        let mut packing = Command::new("sh");
        packing.args(["-c", command]).current_dir(scene.path("")).stdin(Stdio::null()).stderr(Stdio::null());
        let ended = packing.stdout(File::create(&packed).unwrap()).status().unwrap();
        if !ended.success() {
            needs::missing("packers", &format!("there is no {name}"));
            continue;
        }
        refused(&scene, &database, "packed", said);
        done += 1;
    }
    assert!(done >= 3);
    let out = scene.lifeboat(&["list", "packed"]);
    assert_eq!(out.code(), 1, "{out}");
}

/// Rows in every encoding that a database can have, with a character that is none in it.
#[test]
fn rows_are_characters_of_the_encoding() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    for (encoding, text, wrong) in [
        ("UTF8", "'ä'", Some(&b"\xc3\x28"[..])),
        ("EUC_JP", "convert_from('\\xa4a2', 'EUC_JP')", Some(b"\xa4\x28")),
        ("EUC_KR", "convert_from('\\xb0a1', 'EUC_KR')", Some(b"\xb0\x28")),
        ("EUC_CN", "convert_from('\\xb0a1', 'EUC_CN')", Some(b"\xb0\x28")),
        ("EUC_TW", "convert_from('\\xc4e3', 'EUC_TW')", Some(b"\xc4\x28")),
        ("LATIN1", "convert_from('\\xe4e5', 'LATIN1')", None),
        ("SQL_ASCII", "'ab'", None),
    ] {
        let options = format!("ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'");
        let database = server.database_with("encoded", &options);
        database.sql(&format!(
            "CREATE TABLE t AS SELECT {text} AS a FROM generate_series(1, 5); INSERT INTO t VALUES ('z')"
        ));
        let url = database.url();
        scene.run(&["backup", "--url", &url, "--output", "t.dump", "--force", "--compress", "none"]);
        scene.run(&["verify", "t.dump"]);
        let sound = fs::read(scene.path("t.dump")).unwrap();
        // The third row of the five, which are the only lines of two bytes one after the other.
        let rows = sound.find(b"z\n\\.\n").unwrap() - 15;
        assert_eq!(sound[rows + 2], b'\n', "{encoding}");
        let changed = |with: &[u8]| {
            let mut bytes = sound.clone();
            bytes[rows + 6..rows + 8].copy_from_slice(with);
            fs::write(scene.path("t.dump"), bytes).unwrap();
            scene.lifeboat(&["verify", "t.dump"])
        };
        let out = changed(b"a\0");
        assert!(out.code() == 1 && out.stderr().contains("row 3 has a zero byte"), "{encoding}: {out}");
        let out = changed(wrong.unwrap_or(b"\xff\xfe"));
        let Some(_) = wrong else {
            assert_eq!(out.code(), 0, "{encoding}: {out}");
            continue;
        };
        let name = if encoding == "UTF8" { "UTF-8" } else { encoding };
        let said = format!("TABLE DATA public.t: row 3 has a byte that is no character in {name}");
        assert!(out.code() == 1 && out.stderr().contains(&said), "{encoding}: {out}");
        // The server is not asked to take such rows, and what is there stays.
        let out = scene.lifeboat(&["restore", "t.dump", "--force", "--url", &url]);
        assert!(
            out.code() == 1 && out.stderr().contains("row 3 has a byte that is no character in"),
            "{encoding}: {out}"
        );
        assert_eq!(database.sql("SELECT count(*) FROM t").trim(), "6", "{encoding}");
    }
}

#[test]
fn what_verify_cannot_see_is_in_its_help() {
    let out = run(crate::support::lifeboat().args(["verify", "--help"]));
    let help = out.stdout();
    for said in ["What it cannot see", "the table of contents", "not compressed", "lifeboat drill"] {
        assert!(help.contains(said), "{said}: {help}");
    }
}
