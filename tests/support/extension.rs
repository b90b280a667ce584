//! Extensions that the tests bring along: SQL alone, put where the server's installation has its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::REFERENCE;
use super::needs::{self, Needed};
use super::server::{Options, Server};

/// Puts the files of an extension among those of the server's installation. Test processes share installations: all put the
/// same there, each file in one step, and nobody takes it away.
pub fn provide(server: &Server, files: &[(&str, &str)]) -> Needed<()> {
    needs::need(&format!("extensions-{}", server.major()), put(server, files))
}

/// A server of its own that has an extension in `folder`, which `script` makes. Servers before 18 look for extensions in their
/// installation and nowhere else.
pub fn server_with(name: &str, control: &str, script: &str, folder: &Path) -> Needed<Server> {
    let files = folder.join("extension");
    fs::create_dir(&files).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(
        files.join(format!("{name}.control")),
        format!("default_version = '1.0'\nrelocatable = false\n{control}"),
    )
    .unwrap();
    fs::write(files.join(format!("{name}--1.0.sql")), script).unwrap();
    let config = format!("extension_control_path = '{}:$system'", folder.display());
    Server::with(REFERENCE, &Options { config, ..Options::default() })
}

fn put(server: &Server, files: &[(&str, &str)]) -> Result<(), String> {
    let share = server.sql("postgres", "SELECT setting FROM pg_catalog.pg_config WHERE name = 'SHAREDIR'");
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
