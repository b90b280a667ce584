//! Backups in another encoding than the database's.

use lifeboat::ErrorKind;
use lifeboat::postgres::dump::PatternFault;

use super::{assert_same, ours, text};
use crate::support::{Database, MAJORS, Options, Server, run};

/// Names and texts whose characters end, in SJIS and BIG5, with bytes that look like backslashes.
const CONTENT: &str = r#"
    CREATE SCHEMA "表";
    CREATE TABLE "表"."ソ" ("能" text DEFAULT 'ソ''\表', "A" text);
    INSERT INTO "表"."ソ" VALUES ('表ソ', E'能\\n');
    COMMENT ON TABLE "表"."ソ" IS '表\ソ''能\';
    CREATE FUNCTION "表"."能"() RETURNS text LANGUAGE sql AS $$SELECT '表$_$ソ'$$;
    CREATE TYPE "表"."十" AS ENUM ('ソ''', '表\');
    CREATE VIEW "表"."十見" AS SELECT "能" AS "ソ" FROM "表"."ソ" WHERE "能" <> '表\';
    CREATE TABLE "表"."part" (a int) PARTITION BY LIST (a)"#;

/// Servers of their own: the names of roles are converted, too, and those of other tests' are not to be had in every encoding.
fn alone(majors: impl IntoIterator<Item = u32>) -> impl Iterator<Item = Server> {
    majors.into_iter().filter_map(|major| Server::with(major, &Options::default()).ok())
}

fn filled(server: &Server) -> Database<'_> {
    let database = server.database_with("encodings", "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
    database.sql(CONTENT);
    database
}

#[test]
fn archives_are_in_the_encoding_that_is_asked_for() {
    for server in alone(MAJORS) {
        let database = filled(&server);
        for (asked, more) in [
            ("SJIS", &[][..]),
            ("shift_jis_2004", &[]),
            ("mskanji", &["--quote-all-identifiers"]),
            ("EUC_JP", &["--disable-dollar-quoting"]),
            ("unicode", &[]),
            ("UTF-8", &[]),
        ] {
            assert_same(asked, &database, &[&["-E", asked], more].concat(), &|options| {
                options
                    .encoding(text(asked))
                    .quote_all_identifiers(more.contains(&"--quote-all-identifiers"))
                    .dollar_quoting(!more.contains(&"--disable-dollar-quoting"))
            });
        }
    }
}

/// Until 19 the server can be told that backslashes escape.
#[test]
fn backslashes_that_escape_are_told_from_parts_of_characters() {
    for server in alone(MAJORS.into_iter().filter(|major| *major < 19)) {
        let database = filled(&server);
        database.sql(&format!("ALTER DATABASE \"{}\" SET standard_conforming_strings = off", database.name()));
        for encoding in ["SJIS", "UTF8"] {
            assert_same("off", &database, &["-E", encoding], &|options| options.encoding(text(encoding)));
        }
    }
}

#[test]
fn patterns_are_in_the_encoding_of_the_backup() {
    for server in alone([13, 18]) {
        let database = filled(&server);
        let pattern = bstr::BString::from(b"\x95\x5c.\x83\x5c".as_slice());
        let dir = tempfile::tempdir().unwrap();
        let (theirs, own) = (dir.path().join("theirs"), dir.path().join("ours"));
        let mut command = database.tool(18, "pg_dump");
        let argument = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&pattern);
        run(command.args(["-Fc", "-E", "SJIS", "-t"]).arg(argument).arg("-f").arg(&theirs));
        let selection = lifeboat::postgres::dump::Selection::default().tables(vec![pattern.clone()]);
        let asked = |options: super::DumpOptions| options.encoding(text("SJIS")).selection(selection.clone());
        ours(&database, &asked, &own).unwrap();
        crate::support::archive::assert_same("a pattern", &theirs, &own, super::Rows::InOrder);
    }
}

#[test]
fn encodings_that_there_are_not_are_refused() {
    let server = needed!(Server::newest());
    let database = server.database("encodings");
    let dir = tempfile::tempdir().unwrap();
    for encoding in ["klingon", "", "UTF8'; DROP"] {
        let error = ours(&database, &|options| options.encoding(text(encoding)), &dir.path().join("x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.to_string().contains(encoding), "{error}");
        assert!(error.cause::<PatternFault>().is_none());
    }
    // It is one, but not for this database.
    let of_japan = server.database_with("encodings", "ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'");
    let error = ours(&of_japan, &|options| options.encoding(text("LATIN1")), &dir.path().join("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
}

/// What has no form in it fails the backup.
#[test]
fn characters_that_an_encoding_has_not_fail_the_backup() {
    let server = needed!(Server::newest());
    let database = filled(server);
    let dir = tempfile::tempdir().unwrap();
    let error = ours(&database, &|options| options.encoding(text("LATIN1")), &dir.path().join("x")).unwrap_err();
    assert!(error.server().is_some_and(|report| report.code == "22P05"), "{error}");
}
