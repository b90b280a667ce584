//! Extensions that the tests bring along: SQL alone, put where the server's installation has its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::needs::{self, Needed};
use super::server::Server;

/// Puts the files of an extension among those of the server's installation. Test processes share installations: all put the
/// same there, each file in one step, and nobody takes it away.
pub fn provide(server: &Server, files: &[(&str, &str)]) -> Needed<()> {
    needs::need(&format!("extensions-{}", server.major()), put(server, files))
}

fn put(server: &Server, files: &[(&str, &str)]) -> Result<(), String> {
    let share = server.psql("postgres", "SELECT setting FROM pg_catalog.pg_config WHERE name = 'SHAREDIR'");
    let dir = PathBuf::from(share).join("extension");
    for (name, text) in files {
        let path = dir.join(name);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        let failed = |e: &dyn std::fmt::Display| format!("cannot write {}: {e}", path.display());
        let file = tempfile::NamedTempFile::new_in(&dir).map_err(|e| failed(&e))?;
        fs::write(file.path(), text).map_err(|e| failed(&e))?;
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).map_err(|e| failed(&e))?;
        file.persist(&path).map_err(|e| failed(&e))?;
    }
    Ok(())
}
