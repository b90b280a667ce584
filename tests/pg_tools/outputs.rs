//! Where callers of the tools have their output go, and what they take from archives that are not whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Stdio;

use super::Face;
use crate::support::installation::{installation, needed};
use crate::support::needs::Needed;
use crate::support::{Database, Options, Output, REFERENCE, Server, run};

const SAMPLE: &str =
    "CREATE TABLE a (n integer); INSERT INTO a SELECT generate_series(1, 1000); CREATE VIEW v AS SELECT n FROM a";

fn scene() -> Needed<(&'static Server, Face)> {
    Ok((Server::get(18)?, Face::new(18)))
}

fn tool(face: &Face, name: &str, database: &Database<'_>) -> std::process::Command {
    let mut tool = face.tool(name);
    database.server().address(&mut tool, database.name());
    tool
}

#[test]
fn standard_output_by_its_name_is_standard_output_and_nowhere_is_nowhere() {
    let (server, face) = needed!(scene());
    let database = server.database("outputs");
    database.sql(SAMPLE);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"-- before\n").unwrap();
    let given = Stdio::from(file.try_clone().unwrap());
    let done = tool(&face, "pg_dump", &database).args(["-f", "/dev/stdout"]).stdout(given).status().unwrap();
    assert!(done.success());
    file.write_all(b"-- after\n").unwrap();
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("-- before\n") && text.ends_with("-- after\n") && text.contains("CREATE VIEW"), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("a.dump");
    run(tool(&face, "pg_dump", &database).args(["-Fc", "-f"]).arg(&archive));
    // As programs open it that want to hear nothing.
    let nowhere = || Stdio::from(OpenOptions::new().read(true).write(true).open("/dev/null").unwrap());
    for (name, arguments) in [("pg_dump", vec![]), ("pg_restore", vec!["-l", archive.to_str().unwrap()])] {
        let done = tool(&face, name, &database).args(arguments).stdout(nowhere()).output().unwrap();
        assert!(done.status.success(), "{}", Output::of(name, done));
    }
}

/// PostgreSQL's own makes a file of that name, writes the roles into it, and has its pg_dump write the databases to standard
/// output: neither is a dump.
#[test]
fn pg_dumpall_takes_a_hyphen_for_standard_output() {
    needed!(needed(REFERENCE));
    // Of its own: roles come and go on those that tests share.
    let (server, face) = (needed!(Server::with(REFERENCE, &Options::default())), Face::new(REFERENCE));
    let database = server.database("outputs");
    let options = ["-g", "--restrict-key=key"];
    let whole = run(tool(&face, "pg_dumpall", &database).args(options)).stdout();
    for (mut command, written, files) in [
        (tool(&face, "pg_dumpall", &database), whole.as_str(), 0),
        (installation(REFERENCE).unwrap().tool("pg_dumpall").unwrap(), "", 1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        server.address(&mut command, database.name());
        let out = run(command.args(options).args(["-f", "-"]).current_dir(folder.path()));
        assert_eq!(out.stdout(), written, "{out}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), files, "{out}");
    }
}

#[test]
fn tables_that_are_read_are_told_in_the_same_words() {
    let (server, face) = needed!(scene());
    needed!(needed(REFERENCE));
    let database = server.database("outputs");
    database.sql(SAMPLE);
    database.sql("CREATE SCHEMA \"Odd\"; CREATE TABLE \"Odd\".\"a b\" (n integer)");
    let folder = tempfile::tempdir().unwrap();
    for options in [&["-Fd", "-j2"][..], &["-Fc"], &["-Fp"]] {
        let theirs = installation(REFERENCE).unwrap().tool("pg_dump").unwrap();
        let said = [theirs, face.tool("pg_dump")].map(|mut command| {
            let path = folder.path().join(format!("{}", fs::read_dir(folder.path()).unwrap().count()));
            server.address(&mut command, database.name());
            let out = run(command.args(options).arg("-v").arg("-f").arg(path));
            let said = out.stderr();
            // Two connections take them in any order.
            let mut lines: Vec<_> =
                said.lines().filter(|line| line.contains("dumping contents")).map(str::to_owned).collect();
            lines.sort();
            lines
        });
        assert_eq!(said[1], said[0], "{options:?}");
        assert_eq!(said[0].len(), 2, "{said:?}");
    }
}

#[test]
fn a_file_that_is_replaced_keeps_who_may_read_it() {
    let (server, face) = needed!(scene());
    let database = server.database("outputs");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.sql");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    run(tool(&face, "pg_dump", &database).arg("-f").arg(&path));
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_ne!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn what_is_whole_of_an_archive_that_was_cut_off_can_be_had_and_nothing_is_dropped_for_the_rest() {
    let (server, face) = needed!(scene());
    let database = server.database("outputs");
    database.sql(SAMPLE);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("a.dump");
    run(tool(&face, "pg_dump", &database).args(["-Fc", "-f"]).arg(&archive));
    let file = File::options().write(true).open(&archive).unwrap();
    file.set_len(file.metadata().unwrap().len() - 100).unwrap();
    let target = server.database("outputs");
    let restore = |options: &[&str]| {
        let mut restore = tool(&face, "pg_restore", &target);
        crate::support::output(restore.args(options).args(["-d", target.name()]).arg(&archive))
    };
    let out = restore(&["-s"]);
    assert!(out.success(), "{out}");
    let count = "SELECT count(*) FROM pg_class WHERE relname IN ('a', 'v')";
    assert_eq!(target.sql(count).trim(), "2");
    let out = restore(&["-c"]);
    assert_eq!(out.code(), 1, "{out}");
    assert_eq!(target.sql(count).trim(), "2", "{out}");
}

#[test]
fn rows_that_a_trigger_keeps_out_are_no_error() {
    let (server, face) = needed!(scene());
    let database = server.database("outputs");
    database.sql(SAMPLE);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("a.dump");
    run(tool(&face, "pg_dump", &database).args(["-Fc", "-f"]).arg(&archive));
    let target = server.database("outputs");
    target.sql(
        "CREATE TABLE a (n integer); CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql \
         AS 'BEGIN IF NEW.n % 2 = 0 THEN RETURN NULL; END IF; RETURN NEW; END'; \
         CREATE TRIGGER odd BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION odd()",
    );
    let mut restore = tool(&face, "pg_restore", &target);
    run(restore.args(["-a", "-d", target.name()]).arg(&archive));
    assert_eq!(target.sql("SELECT count(*) FROM a").trim(), "500");
}

/// In words of its own, and in pg_dump's order.
#[test]
fn each_table_whose_rows_are_written_is_told_on_request() {
    let (server, face) = needed!(scene());
    let database = server.database("outputs");
    database.sql(SAMPLE);
    database.sql(
        r#"CREATE SCHEMA "B b"; CREATE TABLE "B b".c (); CREATE TABLE "A" (n integer);
           CREATE TABLE p (n integer) PARTITION BY HASH (n)"#,
    );
    let quiet = run(&mut tool(&face, "pg_dump", &database));
    assert_eq!(quiet.stderr(), "");
    let ours = run(tool(&face, "pg_dump", &database).arg("--verbose"));
    let theirs = run(database.tool(18, "pg_dump").arg("-v"));
    let told = |text: String| -> Vec<String> {
        let beginning = "pg_dump: dumping contents of table \"";
        let name = |line: &str| Some(line.strip_prefix(beginning)?.strip_suffix('"')?.to_owned());
        text.lines().filter_map(name).collect()
    };
    let expected = told(theirs.stderr());
    assert_eq!(told(ours.stderr()), expected, "{ours}");
    assert_eq!(expected, ["B b.c", "public.A", "public.a"]);
    assert!(ours.stderr().lines().all(|line| line.starts_with("pg_dump: ")), "{ours}");
}
