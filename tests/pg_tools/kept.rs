//! Files that no other can replace, and names that lead elsewhere, beside PostgreSQL's own tools.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Face;
use crate::support::installation::{installation, needed};
use crate::support::needs::Needed;
use crate::support::{Database, Output, REFERENCE, Scene, Server, debian, machine, output};

const SAMPLE: &str =
    "CREATE TABLE a (n integer, t text); INSERT INTO a SELECT n, md5(n::text) FROM generate_series(1, 5000) n";

fn server() -> Needed<&'static Server> {
    needed(REFERENCE)?;
    Server::get(REFERENCE)
}

/// Runs a script of bash in a folder, where `$dump` is a tool and `$as_other` what runs it as somebody else.
fn shell(database: &Database<'_>, folder: &Path, dump: &Command, script: &str, around: &[&str]) -> Output {
    let words = [around, &["bash", "-c", script]].concat();
    let mut command = Command::new(words[0]);
    crate::support::process::isolate(&mut command).args(&words[1..]).current_dir(folder);
    for (name, value) in dump.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    database.server().address(&mut command, database.name());
    command.env("dump", dump.get_program());
    command.env("as_other", "setpriv --reuid 65534 --regid 65534 --clear-groups");
    output(&mut command)
}

/// strace, as a shell calls it.
fn strace() -> String {
    let strace = debian::required("strace");
    let set = strace.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
    let set: String = set.map(|(name, value)| format!("'{name}={value}' ")).collect();
    format!("env {set}'{}'", strace.get_program().to_str().unwrap())
}

fn ours(face: &Face) -> Command {
    face.tool("pg_dump")
}

/// What both leave in `got`.
#[test]
fn names_that_lead_elsewhere_lead_there() {
    let server = needed!(server());
    let database = server.database("kept");
    database.sql(SAMPLE);
    let face = Face::new(REFERENCE);
    for script in [
        "ln -s got link; $dump -f link; code=$?; test -L link || exit 99; exit $code",
        "mkdir below; ln -s ../got below/link; $dump -f below/link",
        "ln -s none/file link; $dump -f link 2>/dev/null",
        "mkfifo pipe; cat pipe >got & $dump -f pipe; code=$?; wait; exit $code",
        "$dump -f /dev/fd/5 5>got",
        "$dump -Fc -Z0 -f /dev/fd/5 5>archive && test -s archive && touch got",
        "exec 5<>gone; rm gone; $dump -f /dev/fd/5; code=$?; cat /proc/$$/fd/5 >got; test $(ls | wc -l) = 1; exit $code",
        "$dump -f /dev/stderr 2>got",
        "$dump -f /dev/stderr 2>&1 | cat >got",
        "$dump -f /dev/null",
        "ln -s folder link; $dump -Fd -f link 2>/dev/null",
    ] {
        let script = script.replace("$dump", "\"$dump\" --restrict-key=key");
        let theirs = installation(REFERENCE).unwrap().tool("pg_dump").unwrap();
        let done = [theirs, ours(&face)].map(|dump| {
            let scene = Scene::new();
            let out = shell(&database, scene.folder(), &dump, &script, &[]);
            let got = fs::read(scene.path("got")).ok().map(|bytes| String::from_utf8(bytes).unwrap());
            (out.code(), out.stderr(), got, scene.names())
        });
        assert_eq!(done[1], done[0], "{script}");
    }
}

/// Each is empty at first; then it has something, and is seen to before a connection is made; then a dump fails.
const WAYS: &str = "
    say() { echo \"$1: $2 $(stat -L -c %s $file)\"; }
    call $file; first=$?; cmp -s $file expected; say first $first-$?
    PGHOST=/nowhere call $file 2>errors; say second $?
    cat errors; cmp $file expected
    : >$file; call $file -t nowhere 2>/dev/null; say third $?";

fn assert_filled(out: &Output, why: &str) {
    let said = out.stdout();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("first: 0-0 ") && lines[1].starts_with("second: 1 "), "{out}");
    assert!(lines[2].contains(why) && lines[2].contains("it is not empty"), "{out}");
    assert!(lines[3].contains("hint: ") && lines[4..] == ["third: 1 0"], "{out}");
}

#[test]
fn a_file_that_is_mounted_is_filled_if_it_is_empty() {
    needed!(machine::mounts());
    let server = needed!(server());
    let database = server.database("kept");
    database.sql(SAMPLE);
    let (face, scene) = (Face::new(REFERENCE), Scene::new());
    let around = ["unshare", "--map-root-user", "--mount"];
    // The time is in archives.
    let readable = ("\"${dump%dump}restore\" -l $file >/dev/null", "true");
    let same = ("cmp -s $file expected", "cmp $file expected");
    for (format, (at_first, then)) in [("p --restrict-key=key", same), ("c -Z0", readable), ("t", readable)] {
        let ways = WAYS.replace(same.0, at_first).replace(same.1, then);
        let script = format!(
            "call() {{ \"$dump\" -F{format} -f \"$@\"; }}; rm -f expected; call expected
             file=single; touch $file; mount --bind $file $file || exit 99{ways}"
        );
        let out = shell(&database, scene.folder(), &ours(&face), &script, &around);
        assert_filled(&out, "it is mounted by itself");
    }
    // With lifeboat's own verbs, it is seen at the beginning.
    let script = format!(
        "touch single; mount --bind single single || exit 99
         {} backup --force --output single --url postgresql://u@127.0.0.1:1/d",
        env!("CARGO_BIN_EXE_lifeboat")
    );
    let out = shell(&database, scene.folder(), &ours(&face), &script, &around);
    assert!(out.code() == 4 && out.stderr().contains("mounted by itself"), "{out}");
}

#[test]
fn a_file_beside_which_nothing_can_be_made_is_filled_if_it_is_empty() {
    needed!(machine::root());
    let server = needed!(server());
    let database = server.database("kept");
    database.sql(SAMPLE);
    let (face, scene) = (Face::new(REFERENCE), Scene::new());
    for folder in [face.folder.path(), scene.folder()] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    let script = format!(
        "call() {{ $as_other \"$dump\" --restrict-key=key -f \"$@\"; }}; \"$dump\" --restrict-key=key -f expected
         file=theirs; touch $file; chown 65534 $file{WAYS}"
    );
    assert_filled(&shell(&database, scene.folder(), &ours(&face), &script, &[]), "nothing can be made in its folder");
    // A file of others, in a folder that is theirs, may be there to be read.
    let script =
        "mkdir of_others; chown 1 of_others; touch of_others/file; chown 1 of_others/file; chmod 666 of_others/file
        chmod 755 of_others; $as_other \"$dump\" -f of_others/file";
    let out = shell(&database, scene.folder(), &ours(&face), script, &[]);
    assert!(out.code() == 1 && out.stderr().contains("belongs to another user"), "{out}");
    assert_eq!(fs::metadata(scene.path("of_others/file")).unwrap().len(), 0);
}

#[test]
fn a_killed_run_leaves_nothing_in_a_file_that_passes_for_an_archive() {
    needed!(machine::strace());
    let server = needed!(server());
    let database = server.database("kept");
    database.sql(SAMPLE);
    let (face, scene) = (Face::new(REFERENCE), Scene::new());
    let strace = strace();
    // All but its beginning is there when it is flushed for the first time.
    for (format, flushes) in [("p", 1), ("c", 1), ("c", 2)] {
        let script = format!(
            "{strace} -f -o /dev/null -e inject=fsync:signal=KILL:when={flushes} \"$dump\" -F{format} -f /dev/fd/5 5>file"
        );
        let out = shell(&database, scene.folder(), &ours(&face), &script, &[]);
        assert!(!out.success(), "{out}");
        let left = fs::read(scene.path("file")).unwrap();
        let is_complete = left.iter().take(5).any(|byte| *byte != 0);
        assert!(left.len() > 4096 && is_complete == (flushes == 2), "{format} {flushes}: {} bytes", left.len());
    }
}

/// What standard output is brought to the disk by.
#[test]
fn a_standard_output_that_cannot_be_flushed_is_an_error_if_it_failed() {
    needed!(machine::strace());
    let server = needed!(server());
    let database = server.database("kept");
    let (face, scene) = (Face::new(REFERENCE), Scene::new());
    let strace = strace();
    for (error, more, code) in
        [("EINVAL", "", 0), ("EOPNOTSUPP", "", 0), ("EIO", "", 1), ("ENOSPC", "", 1), ("EIO", "--no-sync", 0)]
    {
        let script = format!(
            "{strace} -f -o /dev/null -e inject=fsync:error={error} \"$dump\" {more} >file 2>errors; code=$?; cat errors; exit $code"
        );
        let out = shell(&database, scene.folder(), &ours(&face), &script, &[]);
        assert_eq!(out.code(), code, "{error} {more}: {out}");
    }
}
