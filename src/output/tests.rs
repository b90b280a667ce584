//! Results on a file system that has everything; the others are in `tests/files`.

#![allow(clippy::unwrap_used)]
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;
use crate::progress::Silent;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_dropped_file_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = OutputFile::create(&folder.path().join("a"), Existing::Refuse, &Silent).unwrap();
    file.write_all(b"half of it").unwrap();
    drop(file);
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn a_file_may_be_flushed_in_other_ways() {
    for flush in [Flush::Files, Flush::FileSystem, Flush::Nothing] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = OutputFile::create(&path, Existing::Refuse, &Silent).unwrap().flushing(flush);
        file.write_all(b"all of it").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"all of it", "{flush:?}");
    }
}

#[test]
fn a_committed_file_has_its_bytes_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut file = OutputFile::create(&path, Existing::Refuse, &Silent).unwrap();
    file.write_all(b"all of it").unwrap();
    assert!(!path.exists());
    assert_eq!(file.commit().unwrap(), 9);
    assert_eq!(fs::read(&path).unwrap(), b"all of it");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn a_file_that_appears_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let file = OutputFile::create(&path, Existing::Refuse, &Silent).unwrap();
    fs::write(&path, b"somebody else's").unwrap();
    assert_eq!(file.commit().unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn an_existing_file_stays_until_the_new_one_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, b"old").unwrap();
    assert_eq!(OutputFile::create(&path, Existing::Refuse, &Silent).unwrap_err().kind(), ErrorKind::Refused);
    let mut file = OutputFile::create(&path, Existing::Replace, &Silent).unwrap();
    file.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_link_is_followed_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, b"old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let mut file = OutputFile::create(&link, Existing::Replace, &Silent).unwrap();
    file.write_all(b"new").unwrap();
    file.commit().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    assert_eq!(fs::read(&real).unwrap(), b"new");
}

#[test]
fn what_names_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["/", "..", ""] {
        assert_eq!(
            OutputFile::create(Path::new(wrong), Existing::Refuse, &Silent).unwrap_err().kind(),
            ErrorKind::Usage
        );
    }
    assert_eq!(OutputFile::create(folder.path(), Existing::Replace, &Silent).unwrap_err().kind(), ErrorKind::Usage);
    let missing = OutputFile::create(&folder.path().join("no/such"), Existing::Refuse, &Silent).unwrap_err();
    assert!(missing.to_string().contains("there is no folder"), "{missing}");
}

#[test]
fn a_long_name_fits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("é".repeat(127));
    OutputFile::create(&path, Existing::Refuse, &Silent).unwrap().commit().unwrap();
    assert!(path.exists());
}

#[test]
fn a_file_that_needs_a_name_has_one_until_it_is_committed() {
    for existing in [Existing::Refuse, Existing::Replace] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = OutputFile::create_named(&path, existing, &Silent).unwrap();
        file.write_all(b"all of it").unwrap();
        assert_eq!(fs::read(file.temporary_path()).unwrap(), b"all of it");
        drop(OutputFile::create_named(&path, existing, &Silent).unwrap());
        assert_eq!(names(folder.path()).len(), 1, "that of a living run stays");
        file.commit().unwrap();
        assert_eq!(names(folder.path()), ["a"]);
        let file = OutputFile::create_named(&path, Existing::Replace, &Silent).unwrap();
        fs::write(file.temporary_path().with_extension("part-journal"), b"").unwrap();
        drop(file);
        assert_eq!(names(folder.path()), ["a"]);
    }
}

#[test]
fn a_file_does_not_go_into_another_folder_than_was_meant() {
    for named in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        fs::create_dir(&before).unwrap();
        let file = OutputFile::make(&before.join("a"), Existing::Refuse, named, &Silent).unwrap();
        fs::rename(&before, &after).unwrap();
        fs::create_dir(&before).unwrap();
        let error = file.commit().unwrap_err().to_string();
        assert!(error.contains("was renamed, removed or replaced meanwhile"), "{error}");
        assert_eq!((names(&before), names(&after)), (Vec::new(), Vec::new()));
    }
}

#[test]
fn nothing_appears_once_the_end_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for create in [OutputFile::create, OutputFile::create_named] {
        let cancellation = Cancellation::new();
        let file = create(&folder.path().join("a"), Existing::Refuse, &cancellation).unwrap();
        cancellation.cancel(Duration::ZERO);
        assert_eq!(file.commit().unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
