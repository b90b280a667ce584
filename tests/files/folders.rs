//! Folders that appear complete or not at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Sources;
use crate::support::process::copy_program;
use crate::support::wait::wait_until;
use crate::support::{Output, REFERENCE, Running, Scene, Server, Session, lifeboat, machine, output};

const REMOVED: &str = "an unfinished folder of a run that was killed; it was removed";

/// A run that has begun its folder and waits for a lock.
struct Waiting {
    running: Running,
    session: Session,
}

impl Waiting {
    fn start(sources: &Sources<'_>, folder: &Path, name: &str, more: &[&str]) -> Self {
        let mut session = Session::open(&sources.database);
        session.run("BEGIN; LOCK TABLE t");
        let mut command = lifeboat();
        let args = ["backup", "--format", "directory", "--url", &sources.database.url(), "--output"];
        command.args(args).arg(folder.join(name)).args(more);
        let running = Running::reading(&mut command, Stdio::piped());
        let mut waiting = Self { running, session };
        let mut seen = 0;
        wait_until("an unfinished folder", || {
            assert!(!waiting.running.has_ended(), "there is no unfinished folder");
            let begin = format!(".lifeboat-{}-", waiting.running.pid());
            // An empty folder is filled.
            let parts = [parts(folder), parts(&folder.join(name))].concat();
            let is_there = parts.len() == 1 && parts[0].to_string_lossy().contains(&begin);
            seen = if is_there { seen + 1 } else { 0 };
            seen == 10
        });
        waiting
    }

    fn ended_by(self, signal: &str) -> Output {
        let out = self.running.ended_by(signal);
        drop(self.session);
        out
    }

    fn go_on(self) -> Output {
        drop(self.session);
        self.running.end()
    }
}

/// The unfinished folders in `folder`.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir() && path.to_string_lossy().ends_with(".part")).collect()
}

fn backup<'a>(sources: &'a Sources<'_>, name: &'a str, more: &[&'a str]) -> Vec<String> {
    let url = sources.database.url();
    let args = ["backup", "--format", "directory", "--url", &url, "--output", name];
    args.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

fn run(scene: &Scene, arguments: &[String]) -> Output {
    scene.lifeboat(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_folder_appears_when_it_is_complete_and_is_private() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let waiting = Waiting::start(&sources, scene.folder(), "out", &[]);
    assert!(!scene.path("out").exists(), "it is there, and not complete");
    let out = waiting.go_on();
    assert!(out.success() && out.stderr().is_empty(), "{out}");
    assert_eq!(scene.names(), ["out"], "{out}");
    assert_eq!(mode(&scene.path("out")), 0o700);
    for file in fs::read_dir(scene.path("out")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    scene.run(&["verify", "out"]);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// By whichever path it is named: its own, a link, or where the run is.
#[test]
fn an_empty_folder_is_filled_and_stays_as_it_is() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for name in ["out", "link", ".", "below/.."] {
        let scene = Scene::new();
        fs::create_dir(scene.path("out")).unwrap();
        fs::set_permissions(scene.path("out"), Permissions::from_mode(0o2750)).unwrap();
        symlink("out", scene.path("link")).unwrap();
        let before = fs::metadata(scene.path("out")).unwrap();
        if name == "below/.." {
            fs::create_dir(scene.path("out/below")).unwrap();
        }
        let mut command = lifeboat();
        let folder = if name.contains('.') { scene.path("out") } else { scene.folder().to_owned() };
        let out = output(command.args(backup(&sources, name, &[])).current_dir(folder));
        if name == "below/.." {
            assert!(out.code() == 4 && out.stderr().contains("is not empty"), "{out}");
            continue;
        }
        assert!(out.success() && out.stderr().is_empty(), "{out}");
        let after = fs::metadata(scene.path("out")).unwrap();
        assert_eq!((after.ino(), after.mode(), after.gid()), (before.ino(), before.mode(), before.gid()), "{name}");
        assert!(parts(&scene.path("out")).is_empty(), "{name}");
        scene.run(&["verify", "out"]);
    }
}

#[test]
fn an_empty_folder_is_empty_again_after_a_run_that_did_not_come_to_its_end() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let folder = scene.path("out");
    fs::create_dir(&folder).unwrap();
    let out = Waiting::start(&sources, scene.folder(), "out", &[]).ended_by("TERM");
    assert!(!out.success() && fs::read_dir(&folder).unwrap().count() == 0, "{out}");
    // What has been put there meanwhile stays, alone.
    let waiting = Waiting::start(&sources, scene.folder(), "out", &[]);
    fs::write(folder.join("notes"), "precious").unwrap();
    let out = waiting.go_on();
    assert!(out.code() == 4 && out.stderr().contains("is not empty"), "{out}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "{out}");
    fs::remove_file(folder.join("notes")).unwrap();
    // What a killed run has left in it is no archive, and goes.
    drop(Waiting::start(&sources, scene.folder(), "out", &[]).ended_by("KILL"));
    assert_eq!(parts(&folder).len(), 1);
    assert!(!folder.join("toc.dat").exists());
    let out = run(&scene, &backup(&sources, "out", &[]));
    assert!(out.success() && out.stderr().contains(REMOVED) && parts(&folder).is_empty(), "{out}");
}

#[test]
fn what_is_no_archive_is_not_replaced() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let refused = |name: &str, more: &[&str], says: &str| {
        let out = run(&scene, &backup(&sources, name, more));
        assert!(out.code() == 4 && out.stderr().contains(says), "{out}");
    };
    fs::write(scene.path("file"), "precious").unwrap();
    refused("file", &[], "is not a folder");
    refused("file", &["--force"], "is not a folder");
    fs::create_dir(scene.path("pictures")).unwrap();
    fs::write(scene.path("pictures/1.dat"), "precious").unwrap();
    refused("pictures", &[], "is not empty");
    refused("pictures", &["--force"], "has no toc.dat");
    fs::write(scene.path("pictures/toc.dat"), "").unwrap();
    fs::write(scene.path("pictures/cat.jpg"), "precious").unwrap();
    refused("pictures", &["--force"], "\"cat.jpg\", which is no file of an archive");
    fs::remove_file(scene.path("pictures/cat.jpg")).unwrap();
    fs::create_dir(scene.path("pictures/2.dat")).unwrap();
    refused("pictures", &["--force"], "\"2.dat\", which is no file of an archive");
    assert_eq!(run(&scene, &backup(&sources, "/", &[])).code(), 2);
    refused(".", &["--force"], "which is no file of an archive");
    assert_eq!(fs::read(scene.path("pictures/1.dat")).unwrap(), b"precious");
    assert_eq!(scene.names(), ["file", "pictures"]);
    let out = run(&scene, &backup(&sources, "file/such", &[]));
    assert!(out.code() == 1 && out.stderr().contains("could not write to file/such"), "{out}");
    run(&scene, &backup(&sources, "new/such", &[]));
    assert!(scene.path("new/such/toc.dat").is_file());
    let out = run(&scene, &backup(&sources, "-", &[]));
    assert!(out.code() == 2 && out.stderr().contains("in directory format it is a folder"), "{out}");
}

#[test]
fn an_archive_is_replaced_when_the_new_one_is_complete() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    fs::create_dir(scene.path("real")).unwrap();
    symlink("real", scene.path("link")).unwrap();
    for name in ["real", "link"] {
        // Of other files than the new one has.
        for old in ["toc.dat", "77.dat.gz", "blob_12.dat", "blobs.toc"] {
            fs::write(scene.path("real").join(old), "old").unwrap();
        }
        fs::set_permissions(scene.path("real"), Permissions::from_mode(0o755)).unwrap();
        let waiting = Waiting::start(&sources, scene.folder(), name, &["--force"]);
        assert_eq!(fs::read(scene.path("real/77.dat.gz")).unwrap(), b"old");
        let out = waiting.go_on();
        assert!(out.success() && out.stderr().is_empty(), "{out}");
        assert_eq!(scene.names(), ["link", "real"], "{out}");
        assert!(!scene.path("real/77.dat.gz").exists() && scene.path("link").is_symlink());
        scene.run(&["verify", name]);
    }
    // One that has got something else meanwhile is left alone.
    let waiting = Waiting::start(&sources, scene.folder(), "real", &["--force"]);
    fs::write(scene.path("real/notes"), "precious").unwrap();
    let out = waiting.go_on();
    assert!(out.code() == 4 && out.stderr().contains("no file of an archive"), "{out}");
    assert_eq!(fs::read(scene.path("real/notes")).unwrap(), b"precious");
    assert_eq!(scene.names(), ["link", "real"], "{out}");
}

#[test]
fn what_appears_meanwhile_is_not_replaced() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for more in [&[][..], &["--force"]] {
        for appears in ["file", "folder"] {
            let scene = Scene::new();
            let waiting = Waiting::start(&sources, scene.folder(), "out", more);
            if appears == "folder" {
                fs::create_dir(scene.path("out")).unwrap();
            }
            let precious = if appears == "folder" { scene.path("out/a") } else { scene.path("out") };
            fs::write(&precious, "precious").unwrap();
            let out = waiting.go_on();
            assert!(matches!(out.code(), 1 | 4), "{out}");
            assert_eq!(fs::read(&precious).unwrap(), b"precious");
            assert_eq!(scene.names(), ["out"], "{out}");
        }
    }
}

#[test]
fn a_signal_leaves_nothing_of_a_folder() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let scene = Scene::new();
        let out = Waiting::start(&sources, scene.folder(), "out", &[]).ended_by(signal);
        assert_eq!(out.code(), code, "{out}");
        assert_eq!(scene.names(), Vec::<String>::new(), "{out}");
    }
    // In the middle of the data.
    sources.database.sql("CREATE TABLE large AS SELECT g, md5(g::text) FROM generate_series(1, 1500000) g");
    for jobs in ["1", "2"] {
        let scene = Scene::new();
        let mut command = lifeboat();
        command.args(backup(&sources, "out", &["--jobs", jobs])).current_dir(scene.folder());
        let mut running = Running::start(&mut command);
        wait_until("a file with data", || {
            assert!(!running.has_ended(), "it ended too early");
            let files = parts(scene.folder()).into_iter().filter_map(|part| fs::read_dir(part).ok()).flatten();
            files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum::<u64>() > 1_000_000
        });
        let out = running.ended_by("TERM");
        assert_eq!(out.code(), 143, "{out}");
        assert_eq!(scene.names(), Vec::<String>::new(), "{out}");
    }
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_one() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    assert_eq!(Waiting::start(&sources, scene.folder(), "out", &[]).ended_by("KILL").status.code(), None);
    assert_eq!(scene.names().len(), 1);
    // Emptied by a run that was killed in turn.
    fs::create_dir(scene.path(".b.lifeboat-12-abcdefghijkl.part")).unwrap();
    fs::set_permissions(scene.path(".b.lifeboat-12-abcdefghijkl.part"), Permissions::from_mode(0o700)).unwrap();
    // These are none of lifeboat's.
    fs::create_dir(scene.path(".a.lifeboat-12-abcdefghijkl.part")).unwrap();
    fs::set_permissions(scene.path(".a.lifeboat-12-abcdefghijkl.part"), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(scene.path(".c.lifeboat-12-abcdefghijkl.part")).unwrap();
    fs::write(scene.path(".c.lifeboat-12-abcdefghijkl.part/notes"), "precious").unwrap();
    let other_url = sources.database.url();
    let living = {
        let other = Sources::new(server);
        let mut session = Session::open(&other.database);
        session.run("BEGIN; LOCK TABLE t");
        let mut command = lifeboat();
        let words = backup(&other, "living", &[]);
        let running = Running::start(command.args(words).current_dir(scene.folder()));
        wait_until("its folder", || scene.names().iter().any(|name| name.starts_with(".living.")));
        std::thread::sleep(std::time::Duration::from_millis(300));
        (running, session, other)
    };
    // What makes a file removes a folder, too, which the living run has done here.
    fs::create_dir(scene.path(".d.lifeboat-12-abcdefghijkl.part")).unwrap();
    fs::set_permissions(scene.path(".d.lifeboat-12-abcdefghijkl.part"), Permissions::from_mode(0o700)).unwrap();
    let out = scene.run(&["backup", "--url", &other_url, "--output", "file.dump"]);
    assert_eq!(out.stderr().matches(REMOVED).count(), 1, "{out}");
    let out = run(&scene, &backup(&sources, "out", &[]));
    assert!(out.success(), "{out}");
    let (running, session, _other) = living;
    drop(session);
    let out = running.end();
    assert!(out.success() && out.stderr().matches(REMOVED).count() == 2, "{out}");
    assert_eq!(
        scene.names(),
        [".a.lifeboat-12-abcdefghijkl.part", ".c.lifeboat-12-abcdefghijkl.part", "file.dump", "living", "out"]
    );
    scene.run(&["verify", "out"]);
    scene.run(&["verify", "living"]);
}

#[test]
fn a_full_disk_is_an_error_that_leaves_no_folder() {
    needed!(machine::mounts());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    fs::create_dir(scene.path("small")).unwrap();
    for more in ["", "--compress none", "--compress lz4 --jobs 2"] {
        let (program, url) = (env!("CARGO_BIN_EXE_lifeboat"), sources.database.url());
        let script = format!(
            "mount -t tmpfs -o size=1m tmpfs small && {program} backup --format d --url {url} --output small/out {more}; \
             code=$?; ls -A small; exit $code"
        );
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.folder());
        let out = output(&mut command);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("small/out is full") && out.stderr().contains(".dat"), "{out}");
        assert_eq!(out.stdout(), "", "something was left: {out}");
    }
}

#[test]
fn an_empty_folder_that_must_stay_is_filled_when_all_is_there() {
    needed!(machine::mounts());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let (program, url) = (env!("CARGO_BIN_EXE_lifeboat"), sources.database.url());
    let scene = Scene::new();
    fs::create_dir(scene.path("mounted")).unwrap();
    let in_mount = |script: &str| {
        let script = format!("mount -t tmpfs tmpfs mounted && {script}");
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.folder());
        output(&mut command)
    };
    let backup = format!("{program} backup --quiet --format d --url {url} --output mounted");
    let out = in_mount(&format!("{backup} && {program} verify --quiet mounted && ls -A mounted | wc -l"));
    assert!(out.success() && out.stdout().trim().parse::<u32>().unwrap() > 1, "{out}");
    // What a killed run left in it goes, and what is somebody's stays.
    let left = "mounted/.mounted.lifeboat-12-abcdefghijkl.part";
    let out =
        in_mount(&format!("mkdir -m 700 {left} && touch {left}/toc.dat {left}/1.dat && {backup} && ls -A mounted"));
    assert!(out.success() && out.stderr().contains(REMOVED) && !out.stdout().contains(".part"), "{out}");
    let out = in_mount(&format!("touch mounted/notes; {backup} --force; code=$?; ls -A mounted; exit $code"));
    assert!(out.code() == 4 && out.stdout() == "notes\n", "{out}");
    let out = in_mount(&format!("{backup} && {backup} --force"));
    assert!(out.code() == 4 && out.stderr().contains("cannot change places with another"), "{out}");
    let full =
        format!("mount -t tmpfs -o size=1m tmpfs mounted && {backup} -Znone; code=$?; ls -A mounted; exit $code");
    let out = in_mount(&full);
    assert!(out.code() == 1 && out.stdout().is_empty(), "{out}");
    assert_eq!(scene.names(), ["mounted"]);
}

#[test]
fn a_folder_beside_which_nothing_can_be_made_is_filled() {
    needed!(machine::root());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    fs::set_permissions(scene.folder(), Permissions::from_mode(0o755)).unwrap();
    copy_program(&scene.path("lifeboat"));
    fs::create_dir(scene.path("theirs")).unwrap();
    fs::set_permissions(scene.path("theirs"), Permissions::from_mode(0o750)).unwrap();
    std::os::unix::fs::chown(scene.path("theirs"), Some(65534), Some(65534)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "./lifeboat", "backup", "--format", "d"]);
    let out =
        output(command.args(["--url", &sources.database.url(), "--output", "theirs"]).current_dir(scene.folder()));
    assert!(out.success(), "{out}");
    assert_eq!(scene.names(), ["lifeboat", "theirs"]);
    // It is the same folder.
    assert_eq!(fs::metadata(scene.path("theirs")).unwrap().permissions().mode() & 0o777, 0o750);
    scene.run(&["verify", "theirs"]);
}

#[test]
fn a_mount_point_with_an_archive_is_refused_at_the_beginning() {
    needed!(machine::mounts());
    let scene = Scene::new();
    fs::create_dir(scene.path("mounted")).unwrap();
    let program = env!("CARGO_BIN_EXE_lifeboat");
    // Nobody answers at the URL.
    let script = format!(
        "mount -t tmpfs tmpfs mounted && touch mounted/toc.dat && \
         {program} backup --force -Fd --url postgresql://u@127.0.0.1:1/d --output mounted"
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.folder());
    let out = output(&mut command);
    assert!(out.code() == 4 && out.stderr().contains("something is mounted there"), "{out}");
}
