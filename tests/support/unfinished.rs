//! The file that a run of lifeboat makes, while it has no name, or a temporary one.

use std::fs;
use std::path::Path;

/// The size of the unfinished file in `folder` that the process has open, if it has one.
pub fn unfinished(process: u32, folder: &Path) -> Option<u64> {
    let folder = fs::canonicalize(folder).ok()?;
    let open = fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    open.filter_map(|entry| {
        let path = entry.ok()?.path();
        let file = fs::read_link(&path).ok()?;
        let name = file.file_name()?.to_str()?;
        let is_ours = file.parent() == Some(&folder) && (name.ends_with(".part") || name.ends_with(" (deleted)"));
        is_ours.then(|| fs::metadata(&path).ok().map(|found| found.len()))?
    })
    .max()
}
