//! A folder that is renamed, removed or replaced while a file is made in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Sources, Waiting, Way};
use crate::support::{REFERENCE, Scene, Server};

fn names(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn nothing_is_left_in_a_folder_that_was_moved_nor_in_what_took_its_place() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for way in Way::ALL {
        // SQLite opens no file by way of a link, so that it fails where nothing would be wrong.
        let is_by_name = matches!(way, Way::Sqlite | Way::Compact);
        let all = ["nothing", "folder", "link", "link to itself"];
        for replaced_by in if is_by_name { &all[..3] } else { &all } {
            let scene = Scene::new();
            let (folder, moved, other) = (scene.path("folder"), scene.path("moved"), scene.path("other"));
            fs::create_dir(&folder).unwrap();
            fs::create_dir(&other).unwrap();
            let run = Waiting::start(&sources, way, &folder, "out", &[]);
            fs::rename(&folder, &moved).unwrap();
            match *replaced_by {
                "folder" => fs::create_dir(&folder).unwrap(),
                "link" => symlink(&other, &folder).unwrap(),
                "link to itself" => symlink(&moved, &folder).unwrap(),
                _ => {}
            }
            let out = run.go_on();
            let (expected, kept) = if *replaced_by == "link to itself" { (0, 1) } else { (1, 0) };
            assert_eq!(out.code(), expected, "{replaced_by}: {out}");
            assert_eq!((names(&moved), names(&other)), (kept, 0), "{replaced_by}: {out}");
            assert!(*replaced_by != "folder" || names(&folder) == 0, "{out}");
        }
    }
}

#[test]
fn a_folder_that_was_removed_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let scene = Scene::new();
    let folder = scene.path("folder");
    fs::create_dir(&folder).unwrap();
    let run = Waiting::start(&sources, Way::Postgres, &folder, "out", &[]);
    fs::remove_dir(&folder).unwrap();
    let out = run.go_on();
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("was renamed, removed or replaced meanwhile"), "{out}");
    assert_eq!(scene.names(), Vec::<String>::new());
}
