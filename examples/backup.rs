// Backs up a database of either kind into a file, while it is in use: backup URL FILE
use std::path::Path;

use lifeboat::postgres::dump::{DumpOptions, Sink, backup};
use lifeboat::{Database, Environment, Error, ErrorKind, Existing, OutputFile, Silent, recognise, sqlite};

/// Gives the size of the file, which appears when it is complete, or not at all.
pub fn back_up(url: &str, file: &Path) -> lifeboat::Result<u64> {
    match recognise(url.as_bytes(), &Environment::of_process())? {
        Database::Postgres(target) => {
            let mut file = OutputFile::create(file, Existing::Refuse, &Silent)?;
            backup(&|| target.connect(), &DumpOptions::default(), Sink::Seekable(&mut file), &Silent)?;
            file.commit()
        }
        Database::Sqlite(source) => {
            Ok(sqlite::backup(&source.path, file, &sqlite::BackupOptions::default(), &Silent)?.bytes)
        }
        _ => Err(Error::new(ErrorKind::Usage, "back it up").why("it is a database of another kind")),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [url, file] = <[String; 2]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| "give a URL and the name of a file")?;
    println!("{} bytes", back_up(&url, file.as_ref())?);
    Ok(())
}
