// Lists what is in an archive: list FILE
use lifeboat::postgres::archive::{self, EntryName};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("give the name of a file")?;
    let archive = archive::open(file.as_ref(), "list the archive")?;
    archive.entries().iter().for_each(|entry| println!("{}", EntryName::of(entry)));
    Ok(())
}
