//! What a drill leaves that was killed: a database and a folder, each with a copy of all data. The next one names them. It
//! removes nothing: that its maker is gone can be seen, but not for certain, and not that nobody has taken it into use.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bstr::ByteSlice;

use crate::wire::Connection;
use crate::{Message, Reporter, Result, printable};

/// How the name of a scratch folder begins.
pub(super) const FOLDER: &str = "lifeboat-drill-";
/// The file in a scratch folder that its drill has locked.
pub(super) const LOCK: &str = ".drill";

/// A name for a scratch database, which needs no quotes. The drill has a session of this name as long as it is on its way,
/// which every role may see.
pub(super) fn database_name() -> String {
    let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.subsec_nanos());
    format!("lifeboat_drill_{}_{nanos:08x}", std::process::id())
}

/// Names the databases whose drill is gone. What their sessions do may go on for a while.
pub(super) fn tell_databases(connection: &mut Connection, reporter: &dyn Reporter) -> Result<()> {
    let sql = "SELECT d.datname::pg_catalog.text AS name, pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text AS owner \
               FROM pg_catalog.pg_database d WHERE d.datname ~ '^lifeboat_drill_[0-9]+_[0-9a-f]{8}$' \
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a \
                               WHERE a.application_name = d.datname::pg_catalog.text) \
               ORDER BY 1";
    for row in connection.query(sql, &[])?.iter() {
        let (name, owner) = (row.string("name")?, row.string("owner")?);
        reporter.message(Message::warning(
            format!("database {name} of {}", printable::name(owner.as_bstr())),
            format!("a drill that was killed left it, a copy of all data: DROP DATABASE {name}"),
        ));
    }
    Ok(())
}

/// Names the folders in `parent` that belong to this user and whose drill is gone.
pub(super) fn tell_folders(parent: &Path, reporter: &dyn Reporter) {
    // One that cannot be read is none in which a folder could be made; that is said then.
    let Ok(entries) = fs::read_dir(parent) else { return };
    let me = rustix::process::geteuid().as_raw();
    let mut left: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(FOLDER))
        .filter(|entry| entry.metadata().is_ok_and(|facts| facts.is_dir() && facts.uid() == me))
        .map(|entry| entry.path())
        .filter(|path| !is_alive(path))
        .collect();
    left.sort();
    for path in left {
        reporter.message(Message::warning(
            path.display().to_string(),
            "a drill that was killed left it, with copies of all data: remove it",
        ));
    }
}

/// Whether the drill of the folder is on its way.
fn is_alive(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => true,
        // It may have gone since, or only just be made, which is done before anything is put into it.
        Err(_) => fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none()),
        Ok(_) => false,
    }
}
