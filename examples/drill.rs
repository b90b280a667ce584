// Proves that a SQLite database that is in use can be had back from a backup: drill DATABASE FOLDER
use std::path::Path;

use lifeboat::Silent;
use lifeboat::sqlite::{BackupOptions, RestoreOptions, backup, digest_file, restore};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, database, folder] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("give a database and a folder".into());
    };
    let (saved, restored) = (Path::new(folder).join("backup.db"), Path::new(folder).join("restored.db"));
    backup(database.as_ref(), &saved, &BackupOptions::default(), &Silent)?;
    restore(&saved, &restored, &RestoreOptions::default().force(true), &Silent)?;
    // Every table of the backup is in what was restored from it, row by row.
    if digest_file(&saved, &Silent)? == digest_file(&restored, &Silent)? {
        Ok(())
    } else {
        Err("it was not all there".into())
    }
}
