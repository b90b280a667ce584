//! Who may do what with a restored database: as with the one that it replaces.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::traced::with_fault;
use crate::support::needs::Needed;
use crate::support::{Scene, machine, needs};

const FORCE: [&str; 5] = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];
const ACL: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";

fn scene() -> Scene {
    let scene = Scene::new();
    scene.database("app.db", "wal", 4);
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    scene
}

/// A list as the kernel keeps it: the owner, the user 1234, the owning group, the mask, others.
fn list(owner: u16, user: u16, group: u16, mask: u16, others: u16) -> Vec<u8> {
    let mut list = 2_u32.to_le_bytes().to_vec();
    let none = u32::MAX;
    for (tag, permissions, id) in
        [(1_u16, owner, none), (2, user, 1234), (4, group, none), (16, mask, none), (32, others, none)]
    {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

/// Sets an attribute, where the file system has such.
fn set(path: &Path, name: &str, value: &[u8]) -> Needed<()> {
    let failed = |e| format!("{name} of a file in the folder for temporary files: {e}");
    needs::need("file-attributes", xattr::set(path, name, value).map_err(failed))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn acl(path: &Path) -> Option<Vec<u8>> {
    xattr::get(path, ACL).unwrap()
}

#[test]
fn access_control_list_is_kept_and_its_mask_does_not_become_the_groups() {
    let scene = scene();
    let path = scene.path("app.db");
    let before = list(6, 6, 0, 6, 0);
    needed!(set(&path, ACL, &before));
    assert_eq!(mode(&path), 0o660);
    let out = scene.run(&FORCE);
    assert_eq!(out.stderr(), "", "{out}");
    for name in ["app.db", "app.db.pre-restore-bak"] {
        assert_eq!(acl(&scene.path(name)).unwrap(), before, "{name}");
        assert_eq!(mode(&scene.path(name)), 0o660, "{name}");
    }
    // Where the list cannot be kept, nobody gets what only the list gave.
    needed!(machine::strace());
    let out = with_fault(&scene, "fsetxattr:error=ENOSPC", &FORCE);
    assert!(out.success() && out.stderr().contains("its access control list could not be kept"), "{out}");
    assert_eq!((acl(&path), mode(&path)), (None, 0o600));
}

#[test]
fn default_list_of_the_folder_opens_nothing() {
    let scene = scene();
    fs::set_permissions(scene.path("app.db"), fs::Permissions::from_mode(0o660)).unwrap();
    needed!(set(&scene.path("."), DEFAULT, &list(7, 7, 7, 7, 7)));
    scene.run(&FORCE);
    assert_eq!((acl(&scene.path("app.db")), mode(&scene.path("app.db"))), (None, 0o660));
}

#[test]
fn extended_attributes_are_kept_or_named() {
    let scene = scene();
    let path = scene.path("app.db");
    needed!(set(&path, "user.origin", b"berlin\0"));
    needed!(set(&path, "user.a\u{1b}[2K", b""));
    let out = scene.run(&FORCE);
    assert_eq!(out.stderr(), "");
    assert_eq!(xattr::get(&path, "user.origin").unwrap().unwrap(), b"berlin\0");
    assert_eq!(xattr::get(&path, "user.a\u{1b}[2K").unwrap().unwrap(), b"");
    needed!(machine::strace());
    let out = with_fault(&scene, "fsetxattr:error=EPERM", &FORCE);
    assert!(out.success() && out.stderr().contains("its extended attribute user.origin could not be kept"), "{out}");
    crate::support::process::assert_text_is_plain(&out.stderr(), &out);
    assert!(xattr::get(&path, "user.origin").unwrap().is_none());
}

#[test]
fn owner_and_mode_are_kept_or_named() {
    let scene = scene();
    let path = scene.path("app.db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o2664)).unwrap();
    needed!(machine::root());
    chown(&path, Some(4321), Some(5432)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o2664)).unwrap();
    let owner = |path: &Path| fs::metadata(path).map(|m| (m.uid(), m.gid())).unwrap();
    scene.run(&FORCE);
    assert_eq!((owner(&path), mode(&path)), ((4321, 5432), 0o2664));
    needed!(machine::strace());
    let out = with_fault(&scene, "fchown:error=EPERM", &FORCE);
    assert!(out.success() && out.stderr().contains("former owner (4321:5432)"), "{out}");
    // Another group gets no more than all others have.
    assert_eq!(mode(&path), 0o2644);
}
