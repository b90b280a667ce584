//! What a file system can do, found out by doing it with empty files, before there is work that could be lost.

use std::ffi::OsStr;
use std::io;
use std::sync::Arc;

use super::Existing;
use super::folder::Folder;
use super::temporary_name::{self, TemporaryName};
use crate::cancellation::Cancellation;

/// How a file that has a temporary name gets its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Publish {
    /// By a rename, which replaces what is there.
    Rename,
    /// By a rename that fails if the name is there.
    RenameNew,
    /// By a second name, which fails if it is there.
    Link,
    /// By a look, and a rename that would replace what appears between the two. There is no better way on some network file
    /// systems and the like; that two programs make the same file there in the same instant is not to be expected.
    CheckThenRename,
}

/// What can be done in a folder.
#[derive(Debug, Clone, Copy)]
pub(super) enum Capabilities {
    /// A file can be made without a name, and get one.
    Unnamed,
    /// It must have a name, and gets another in this way.
    Named(Publish),
}

impl Capabilities {
    /// Tries it. `name` is the one that a file is to get, and `named` says that it must have one from the beginning.
    ///
    /// # Errors
    /// A file can be made there, but not be given another name; or none can be made.
    pub(super) fn find_out(
        (folder, name): (&Arc<Folder>, &OsStr),
        named: bool,
        existing: Existing,
        cancellation: &Cancellation,
    ) -> io::Result<Self> {
        if !named && can_be_unnamed(folder, name) {
            return Ok(Self::Unnamed);
        }
        // Closed at once, as some systems do not rename what is open. The lock ends with that, which does no harm to what is empty.
        let empty = || TemporaryName::create(folder, name, cancellation).map(|(_, part)| part);
        let (first, second) = (empty()?, empty()?);
        let unable = |e: io::Error| io::Error::new(e.kind(), format!("files cannot be renamed there: {e}"));
        if existing == Existing::Replace {
            first.publish(&second.name, Publish::Rename).map_err(unable)?;
            return Ok(Self::Named(Publish::Rename));
        }
        // The name must be free for each.
        folder.remove(&second.name)?;
        let can = |publish: &Publish| first.publish(&second.name, *publish).is_ok();
        let publish = [Publish::RenameNew, Publish::Link].into_iter().find(can);
        match publish {
            Some(publish) => Ok(Self::Named(publish)),
            None => first
                .publish(&second.name, Publish::CheckThenRename)
                .map(|()| Self::Named(Publish::CheckThenRename))
                .map_err(unable),
        }
    }
}

/// Whether a file can be made without a name and get one later. What it is that cannot be done is of no interest: it is done
/// in the other way then, which says what is wrong if that fails, too.
fn can_be_unnamed(folder: &Folder, name: &OsStr) -> bool {
    // An empty file without a lock is taken for one that was left, if this is killed in between.
    let linked = folder.unnamed().and_then(|file| temporary_name::link(&file, folder, name));
    linked.is_ok_and(|made| folder.remove(&made).is_ok())
}
