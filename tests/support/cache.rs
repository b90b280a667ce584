//! A cache on disk that several test processes share: whatever is under its final name is complete.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The directory `name` of the cache. If it is not there, `fill` makes its content in an empty directory, which then gets
/// the name. Only one process fills at a time; one that dies in the middle leaves nothing under the final name.
pub fn directory(name: &str, fill: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let root = root()?;
    let done = root.join(name);
    if done.is_dir() {
        return Ok(done);
    }
    let lock_path = root.join(format!(".{name}.lock"));
    let lock = File::create(&lock_path).map_err(|e| format!("cannot create {}: {e}", lock_path.display()))?;
    lock.lock().map_err(|e| format!("cannot lock {}: {e}", lock_path.display()))?;
    if done.is_dir() {
        return Ok(done);
    }
    let partial = tempfile::Builder::new()
        .prefix(&format!(".{name}.partial."))
        .tempdir_in(&root)
        .map_err(|e| format!("cannot create a directory in {}: {e}", root.display()))?;
    fill(partial.path())?;
    allow_reading(partial.path())?;
    let partial = partial.keep();
    fs::rename(&partial, &done)
        .map_err(|e| format!("cannot rename {} to {}: {e}", partial.display(), done.display()))?;
    Ok(done)
}

/// Where the cache is: `LIFEBOAT_TEST_CACHE`, or `lifeboat-test` in the user's cache directory. Servers do not run as
/// root, so root's own cache directory only serves if others may pass through it.
pub fn root() -> Result<PathBuf, String> {
    let root = if let Some(dir) = std::env::var_os("LIFEBOAT_TEST_CACHE") {
        PathBuf::from(dir)
    } else {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache")));
        match base {
            Some(base) if !rustix::process::geteuid().is_root() || passable(&base) => base.join("lifeboat-test"),
            _ => PathBuf::from("/var/cache/lifeboat-test"),
        }
    };
    fs::create_dir_all(&root).map_err(|e| format!("cannot create {}: {e}", root.display()))?;
    Ok(root)
}

/// Whether every user may pass through `path` and its parents, as far as they exist.
fn passable(path: &Path) -> bool {
    path.ancestors().all(|p| fs::metadata(p).map_or(true, |m| m.permissions().mode() & 0o001 != 0))
}

fn allow_reading(dir: &Path) -> Result<(), String> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
        .map_err(|e| format!("cannot set the mode of {}: {e}", dir.display()))
}
