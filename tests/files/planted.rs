//! Folders in which others may write: what they have put under the name of a result, or on the way to it, is not followed,
//! filled or overwritten.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::OFlags;

use super::Sources;
use crate::support::process::copy_program;
use crate::support::{REFERENCE, Scene, Server, machine, output};

/// Somebody else: `nobody`.
const OTHER: u32 = 65534;

/// A folder in which others may write, as `mode` says.
fn shared(scene: &Scene, mode: u32) -> PathBuf {
    let folder = scene.path("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
    folder
}

fn fifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

fn run(scene: &Scene, way: &[String], force: bool) -> crate::support::Output {
    let mut way: Vec<&str> = way.iter().map(String::as_str).collect();
    if force && !way.contains(&"--force") {
        way.push("--force");
    }
    scene.lifeboat(&way)
}

#[test]
fn a_link_of_another_user_is_not_followed() {
    needed!(machine::root());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for mode in [0o1777, 0o777, 0o770] {
        for leads in ["file", "nowhere", "folder/file", "pipe"] {
            let scene = Scene::new();
            let folder = shared(&scene, mode);
            fs::write(scene.path("file"), "precious").unwrap();
            fifo(&scene.path("pipe"));
            let link = folder.join("out");
            symlink(scene.path(leads), &link).unwrap();
            lchown(&link, Some(OTHER), Some(OTHER)).unwrap();
            for (way, force) in sources.ways(link.to_str().unwrap()).iter().flat_map(|way| [(way, false), (way, true)])
            {
                let out = run(&scene, way, force);
                // A pipe at the end of SQLite's way is refused for being one.
                assert!(out.code() == 4 || (leads == "pipe" && out.code() == 2), "{out}");
                assert!(out.code() == 2 || out.stderr().contains("another user"), "{out}");
                assert_eq!(fs::read(scene.path("file")).unwrap(), b"precious", "{out}");
                assert_eq!(
                    (fs::read_dir(&folder).unwrap().count(), scene.names()),
                    (1, strings(&["file", "pipe", "shared"]))
                );
            }
        }
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_link_of_another_user_on_the_way_is_not_followed() {
    needed!(machine::root());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for mode in [0o1777, 0o777] {
        let scene = Scene::new();
        let folder = shared(&scene, mode);
        fs::create_dir(scene.path("private")).unwrap();
        symlink(scene.path("private"), folder.join("way")).unwrap();
        lchown(folder.join("way"), Some(OTHER), Some(OTHER)).unwrap();
        for way in sources.ways(folder.join("way/out").to_str().unwrap()) {
            let out = run(&scene, &way, true);
            assert_eq!(out.code(), 4, "{out}");
            assert_eq!(fs::read_dir(scene.path("private")).unwrap().count(), 0, "{out}");
        }
        // One's own is.
        lchown(folder.join("way"), Some(0), Some(0)).unwrap();
        for way in sources.ways(folder.join("way/out").to_str().unwrap()) {
            let out = run(&scene, &way, true);
            assert!(out.success(), "{out}");
        }
    }
}

#[test]
fn a_pipe_of_another_user_is_not_filled() {
    needed!(machine::root());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let pipe = shared(&scene, 0o1777).join("out");
    fifo(&pipe);
    lchown(&pipe, Some(OTHER), Some(OTHER)).unwrap();
    // Held open, so that a run that writes to it would not wait for ever.
    let _reader = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(&pipe).unwrap();
    let ways = sources.ways(pipe.to_str().unwrap());
    for (number, force) in (0..ways.len()).flat_map(|number| [(number, false), (number, true)]) {
        let out = run(&scene, &ways[number], force);
        // SQLite's ways refuse it for being a pipe.
        let (code, why) = if number < 2 { (4, "belongs to another user") } else { (2, "") };
        assert!(out.code() == code && out.stderr().contains(why), "{out}");
    }
    // One's own is.
    lchown(&pipe, Some(0), Some(0)).unwrap();
    let script = "cat shared/out >got & \"$0\" \"$@\"; code=$?; wait; exit $code";
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_lifeboat")]).args(&ways[0]);
    let out = output(command.current_dir(scene.path(".")));
    assert!(out.success(), "{out}");
    scene.run(&["verify", "got"]);
}

/// The file of another name is another user's, or one's own; a file is replaced by its name, and never written to.
#[test]
fn a_hard_link_is_replaced_and_not_written_to() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let folder = shared(&scene, 0o1777);
    for way in &sources.ways(folder.join("out").to_str().unwrap())[..4] {
        fs::write(scene.path("file"), "precious").unwrap();
        let _ = fs::remove_file(folder.join("out"));
        fs::hard_link(scene.path("file"), folder.join("out")).unwrap();
        assert_eq!(run(&scene, way, false).code(), 4);
        let out = run(&scene, way, true);
        assert!(out.success(), "{out}");
        assert_eq!(fs::read(scene.path("file")).unwrap(), b"precious");
        let made = fs::metadata(folder.join("out")).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_only_another_user_may_replace_is_seen_at_the_beginning() {
    needed!(machine::root());
    let scene = Scene::new();
    scene.database("app.db", "delete", 10);
    fs::set_permissions(scene.path("."), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(scene.path("app.db"), Permissions::from_mode(0o644)).unwrap();
    // The program may be where others cannot go.
    copy_program(&scene.path("lifeboat"));
    let folder = shared(&scene, 0o1777);
    fs::write(folder.join("out"), "precious").unwrap();
    let user = OTHER.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "./lifeboat", "backup", "--force"]);
    let out =
        output(command.args(["--url", "sqlite:///app.db", "--output", "shared/out"]).current_dir(scene.path(".")));
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("who alone may replace it"), "{out}");
    assert_eq!(fs::read(folder.join("out")).unwrap(), b"precious");
}

/// Names of unfinished files, that others have put there for the next run to find.
#[test]
fn unfinished_files_of_others_are_left_alone() {
    needed!(machine::root());
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let folder = shared(&scene, 0o1777);
    fs::write(scene.path("file"), "precious").unwrap();
    let planted = |number: u32| folder.join(format!(".out.lifeboat-{number}-abcdefghijkl.part"));
    symlink(scene.path("file"), planted(1)).unwrap();
    fifo(&planted(2));
    fs::write(planted(3), "").unwrap();
    fs::create_dir(planted(4)).unwrap();
    for number in 1..=4 {
        lchown(planted(number), Some(OTHER), Some(OTHER)).unwrap();
    }
    for way in sources.ways(folder.join("out").to_str().unwrap()) {
        let out = run(&scene, &way, true);
        assert!(out.success() && !out.stderr().contains("unfinished"), "{out}");
    }
    assert_eq!(fs::read(scene.path("file")).unwrap(), b"precious");
    assert!((1..=4).all(|number| fs::symlink_metadata(planted(number)).is_ok()));
}
