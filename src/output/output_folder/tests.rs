//! What a file system does not let happen, or not every one; the rest is in `tests/files/folders.rs`.

#![allow(clippy::unwrap_used)]
use std::fs;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use pgformat::NewFiles;

use super::*;
use crate::progress::Silent;

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn old_and_new(existing: Existing) -> (tempfile::TempDir, OutputFolder) {
    let above = tempfile::tempdir().unwrap();
    let path = above.path().join("a");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("toc.dat"), "old").unwrap();
    fs::write(path.join("7.dat"), "old").unwrap();
    let folder = OutputFolder::create(&path, existing, &Silent).unwrap();
    let mut files = folder.files().unwrap();
    for name in ["toc.dat", "8.dat"] {
        let mut file = files.create(name).unwrap();
        file.write_all(b"new").unwrap();
        files.close(name, file).unwrap();
    }
    assert!(files.create("8.dat").is_err(), "a file was made twice");
    (above, folder)
}

#[test]
fn one_is_replaced_by_another_in_whichever_way() {
    for can_exchange in [true, false] {
        let (above, mut folder) = old_and_new(Existing::Replace);
        folder.can_exchange = can_exchange;
        assert_eq!(fs::read(above.path().join("a/7.dat")).unwrap(), b"old");
        assert_eq!(folder.commit(&Silent).unwrap(), 6);
        assert_eq!(
            (names(above.path()), names(&above.path().join("a"))),
            (vec!["a".into()], ["8.dat", "toc.dat"].map(String::from).into())
        );
    }
}

#[test]
fn one_that_was_put_aside_comes_back_if_the_other_cannot_take_its_place() {
    let (above, mut folder) = old_and_new(Existing::Replace);
    fs::rename(above.path().join(&folder.part.name), above.path().join("away")).unwrap();
    let OutputPath { folder: parent, name, .. } = &folder.target;
    assert!(put_aside(parent, name, &mut folder.part).is_err());
    assert_eq!(names(above.path()), ["a", "away"]);
    assert_eq!(fs::read(above.path().join("a/7.dat")).unwrap(), b"old");
}

/// Tells what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Reporter for Heard {
    fn message(&self, message: Message) {
        self.0.lock().unwrap().push(format!("{message:?}"));
    }
}

#[test]
fn one_that_a_killed_run_has_put_aside_is_named_and_stays() {
    let (above, mut folder) = old_and_new(Existing::Replace);
    let OutputPath { folder: parent, name, .. } = &folder.target;
    let aside = put_aside(parent, name, &mut folder.part).unwrap();
    let heard = Heard::default();
    drop(OutputFolder::create(&above.path().join("b"), Existing::Refuse, &heard).unwrap());
    let heard = heard.0.into_inner().unwrap();
    assert!(heard.len() == 1 && heard[0].contains("give it its name back"), "{heard:?}");
    assert_eq!(fs::read(above.path().join(aside).join("7.dat")).unwrap(), b"old");
}

#[test]
fn nothing_is_made_once_the_end_was_asked_for() {
    let above = tempfile::tempdir().unwrap();
    let cancellation = Cancellation::new();
    let folder = OutputFolder::create(&above.path().join("a"), Existing::Refuse, &cancellation).unwrap();
    let mut files = folder.files().unwrap();
    drop(files.create("toc.dat").unwrap());
    assert_eq!(names(above.path()).len(), 1);
    cancellation.cancel(Duration::ZERO);
    assert_eq!(names(above.path()), Vec::<String>::new());
    assert!(files.create("1.dat").is_err());
    assert_eq!(folder.commit(&cancellation).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(names(above.path()), Vec::<String>::new());
}

#[test]
fn one_that_was_taken_away_meanwhile_is_an_error() {
    let above = tempfile::tempdir().unwrap();
    let folder = OutputFolder::create(&above.path().join("a"), Existing::Refuse, &Silent).unwrap();
    fs::remove_file(above.path().join(&folder.part.name).join("toc.dat")).unwrap();
    let error = folder.commit(&Silent).unwrap_err();
    assert!(error.to_string().contains("was removed or replaced meanwhile"), "{error}");
    assert_eq!(names(above.path()), Vec::<String>::new());
}
