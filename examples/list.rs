// Lists what is in an archive: list FILE
use std::path::Path;

use lifeboat::postgres::archive::{self, EntryName};

/// The entries by their names.
pub fn list(file: &Path) -> lifeboat::Result<Vec<String>> {
    let archive = archive::open(file, "list the archive")?;
    Ok(archive.entries().iter().map(|entry| EntryName::of(entry).to_string()).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("give the name of a file")?;
    list(file.as_ref())?.iter().for_each(|name| println!("{name}"));
    Ok(())
}
