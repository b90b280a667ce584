//! Owner, permissions, access control list and extended attributes of a file, given to the one that takes its place.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Gid, Uid, fchown};
use xattr::FileExt;

use super::acl;
use crate::error::Result;
use crate::output::io_error;
use crate::progress::{Message, Reporter};

/// What the kernel calls a file's access control list.
const ACL: &str = "system.posix_acl_access";
/// What says something of a file's content, and would be wrong of another one.
const OF_THE_CONTENT: [&str; 2] = ["security.ima", "security.evm"];

/// Gives `new`, which is made for the path `target`, what `old` has. What cannot be kept is told in warnings; nobody may do
/// more with `new` then than with `old`.
pub(super) fn take_over(new: &File, old: &File, target: &Path, reporter: &dyn Reporter) -> Result<()> {
    let failed = |e: io::Error| io_error(format!("give {} its attributes", target.display()), target, e);
    let model = old.metadata().map_err(failed)?;
    let lost = |text: String| {
        reporter.message(Message::warning(target.display().to_string(), text));
    };
    let group_kept = take_over_owner(new, &model, &lost).map_err(failed)?;
    let list = old.get_xattr(ACL).or_else(none_there).map_err(failed)?;
    let mut mode = model.permissions().mode() & 0o7777;
    if !group_kept {
        mode = acl::without_group(mode);
    }
    let list_kept = take_over_list(new, list.as_deref(), group_kept, &lost).map_err(failed)?;
    if !list_kept && let Some(list) = &list {
        mode = acl::mode_without_list(mode, list);
    }
    take_over_others(new, old, &lost).map_err(failed)?;
    // After the change of owner, which takes special bits away, and after the list, of which it is a part.
    let now = new.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    match new.set_permissions(Permissions::from_mode(mode)) {
        Ok(()) => Ok(()),
        // There are file systems on which all files have the same; what is made is for its owner only.
        Err(_) if now == mode => Ok(()),
        Err(e) if refuses(&e) => {
            lost(format!("its permissions ({mode:o}) could not be kept, they are {now:o}: {e}"));
            Ok(())
        }
        Err(e) => Err(failed(e)),
    }
}

/// Whether a file system says that it does not change what it is asked to.
fn refuses(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Gives `new`, where there was no file before, to the owner of the folder `folder` if this is root.
pub(super) fn take_over_folder(new: &File, folder: &Metadata, target: &Path, reporter: &dyn Reporter) -> Result<()> {
    let lost = |text: String| {
        reporter.message(Message::warning(target.display().to_string(), text));
    };
    let failed = |e: io::Error| io_error(format!("give {} its owner", target.display()), target, e);
    if new.metadata().map_err(failed)?.uid() == 0 {
        take_over_owner(new, folder, &lost).map_err(failed)?;
    }
    Ok(())
}

/// Gives whether the group was kept.
fn take_over_owner(new: &File, model: &Metadata, lost: &dyn Fn(String)) -> io::Result<bool> {
    let mine = new.metadata()?;
    let (owner, group) = (Uid::from_raw(model.uid()), Gid::from_raw(model.gid()));
    if (model.uid(), model.gid()) == (mine.uid(), mine.gid()) {
        return Ok(true);
    }
    let Err(e) = fchown(new, Some(owner), Some(group)) else { return Ok(true) };
    let kept = mine.gid() == model.gid() || fchown(new, None, Some(group)).is_ok();
    let (uid, gid) = (model.uid(), model.gid());
    let then = if kept { "" } else { ", and its group may do no more than all others" };
    lost(format!("it could not be given to its former owner ({uid}:{gid}): {e}{then}"));
    Ok(kept)
}

/// Gives whether `new` has the list that it is to have, which may be none.
fn take_over_list(new: &File, list: Option<&[u8]>, group_kept: bool, lost: &dyn Fn(String)) -> io::Result<bool> {
    let Some(list) = list else {
        // The folder's default list must not open the file to others than before.
        return match new.get_xattr(ACL).or_else(none_there)? {
            Some(_) => new.remove_xattr(ACL).map(|()| true),
            None => Ok(true),
        };
    };
    let list = if group_kept { list.to_vec() } else { acl::list_without_group(list) };
    match new.set_xattr(ACL, &list) {
        Ok(()) => Ok(true),
        Err(e) => {
            lost(format!("its access control list could not be kept: {e}"));
            match new.remove_xattr(ACL).or_else(|e| none_there::<()>(e).map(|_| ())) {
                Ok(()) => Ok(false),
                Err(e) => Err(e),
            }
        }
    }
}

fn take_over_others(new: &File, old: &File, lost: &dyn Fn(String)) -> io::Result<()> {
    let names = match old.list_xattr() {
        Ok(names) => names,
        Err(e) => return none_there::<()>(e).map(|_| ()),
    };
    for name in names.filter(|name| name != ACL && !OF_THE_CONTENT.iter().any(|other| name == *other)) {
        let shown = String::from_utf8_lossy(name.as_bytes()).into_owned();
        let set = old.get_xattr(&name).and_then(|value| match value {
            // It may be there already: the policy gives labels.
            Some(value) if new.get_xattr(&name).ok().flatten().as_ref() == Some(&value) => Ok(()),
            Some(value) => new.set_xattr(&name, &value),
            None => Ok(()),
        });
        if let Err(e) = set {
            lost(format!("its extended attribute {shown} could not be kept: {e}"));
        }
    }
    Ok(())
}

/// A file system without such attributes has none; that is no error.
fn none_there<T>(error: io::Error) -> io::Result<Option<T>> {
    match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NODATA) => Ok(None),
        _ if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        _ => Err(error),
    }
}
