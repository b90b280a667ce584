// Proves that a SQLite database that is in use can be had back from a backup: drill DATABASE FOLDER
use std::path::Path;

use lifeboat::{Silent, sqlite};

/// Whether every table of the backup, made in `folder`, is in what was restored from it, row by row.
pub fn drill(database: &Path, folder: &Path) -> lifeboat::Result<bool> {
    let (saved, restored) = (folder.join("backup.db"), folder.join("restored.db"));
    sqlite::backup(database, &saved, &sqlite::BackupOptions::default(), &Silent)?;
    sqlite::restore(&saved, &restored, &sqlite::RestoreOptions::default().force(true), &Silent)?;
    Ok(sqlite::digest_file(&saved, &Silent)? == sqlite::digest_file(&restored, &Silent)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [database, folder] = <[String; 2]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| "give a database and a folder")?;
    if drill(database.as_ref(), folder.as_ref())? { Ok(()) } else { Err("it was not all there".into()) }
}
