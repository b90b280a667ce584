//! No thread to be had: an error, or less done at a time, and never a panic.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::fill;
use crate::support::process::{copy_program, isolate};
use crate::support::{Output, REFERENCE, Scene, Server, lifeboat, machine, output, run};

/// A user of nobody else's, so that it is only our own threads that count.
const USER: u32 = 64_321;

/// The binary under test, run by that user, who may have so many threads.
fn limited(program: &Path, threads: u32, args: &[&str]) -> Output {
    let mut command = Command::new("prlimit");
    command.arg(format!("--nproc={threads}:{threads}")).arg(program).args(args);
    isolate(&mut command).uid(USER).gid(USER).env("HOME", "/nonexistent");
    output(&mut command)
}

#[test]
fn no_thread_is_an_error_and_no_panic() {
    needed!(machine::root());
    needed!(machine::prlimit());
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("threads");
    fill(&database, 1000);
    database.sql("CREATE TABLE other AS SELECT 1 AS id; CREATE INDEX ON filled (id); CREATE INDEX ON other (id)");
    let scene = Scene::new();
    for path in [scene.path("bin"), scene.path("out")] {
        fs::create_dir(path).unwrap();
    }
    fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(scene.path("out"), fs::Permissions::from_mode(0o777)).unwrap();
    let (program, archive) = (scene.path("bin/lifeboat"), scene.path("out/ref.dump"));
    copy_program(&program);
    database.backup(&archive, &[]);
    fs::set_permissions(&archive, fs::Permissions::from_mode(0o644)).unwrap();
    // Enough for several pieces.
    database.sql("INSERT INTO filled SELECT g, md5(g::text) FROM generate_series(1001, 40000) g");
    let (archive, made) = (archive.display().to_string(), scene.path("out/made.dump"));
    let made_text = made.display().to_string();

    let (mut failed, mut fewer, mut whole) = (0, 0, 0);
    // Zstandard has threads of its own, and does without.
    for (threads, compress) in
        (1..=12).map(|threads| (threads, "gzip")).chain([3, 6, 9].map(|threads| (threads, "zstd")))
    {
        let url = database.url();
        let args = ["backup", "--url", &url, "--jobs", "3", "--compress", compress, "--output", &made_text];
        let out = limited(&program, threads, &args);
        assert!(!out.stderr().contains("panicked"), "{threads}: {out}");
        if out.success() {
            run(lifeboat().arg("verify").arg(&made));
            fs::remove_file(&made).unwrap();
            if out.stderr().contains("going on with fewer") { fewer += 1 } else { whole += 1 }
        } else {
            assert_eq!(out.code(), 1, "{threads}: {out}");
            assert!(out.stderr().contains("there is no thread to be had"), "{threads}: {out}");
            assert!(out.stderr().contains("hint: raise the limit"), "{threads}: {out}");
            let left = fs::read_dir(scene.path("out")).unwrap().count();
            assert_eq!(left, 1, "{threads}: something is left: {out}");
            failed += 1;
        }
    }
    assert!(failed > 0 && fewer > 0 && whole > 0, "{failed}, {fewer}, {whole}");

    // A restore that has begun goes on over one connection.
    let (mut failed, mut fewer, mut whole) = (0, 0, 0);
    for threads in 1..=8 {
        let target = server.database("threads");
        let out = limited(&program, threads, &["restore", &archive, "--force", "--jobs", "3", "--url", &target.url()]);
        assert!(!out.stderr().contains("panicked"), "{threads}: {out}");
        if out.success() {
            assert_eq!(target.sql("SELECT count(*) FROM filled"), "1000");
            assert_eq!(target.sql("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'"), "2");
            if out.stderr().contains("going on with") { fewer += 1 } else { whole += 1 }
        } else {
            assert!(out.stderr().contains("there is no thread to be had"), "{threads}: {out}");
            assert_eq!(target.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
            failed += 1;
        }
    }
    assert!(failed > 0 && fewer > 1 && whole > 0, "{failed}, {fewer}, {whole}");

    for args in [&["drill"][..], &["drill", "--url", &database.url()], &["verify", &archive], &["list", &archive]] {
        let (mut failed, mut whole) = (0, 0);
        for threads in (1..=6).chain([64]) {
            let out = limited(&program, threads, args);
            assert!(!out.stderr().contains("panicked"), "{args:?} {threads}: {out}");
            assert!(out.success() || out.stderr().contains("error: "), "{args:?} {threads}: {out}");
            if out.success() { whole += 1 } else { failed += 1 }
        }
        assert!(failed > 0 && whole > 0, "{args:?}: {failed}, {whole}");
    }
}
