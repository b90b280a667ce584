// Restores an archive into a PostgreSQL database, in one transaction, and replaces what is there: restore FILE URL
use std::path::Path;

use lifeboat::postgres::archive;
use lifeboat::postgres::restore::{RestoreOptions, RestoreSummary, restore_from};
use lifeboat::{Database, Environment, Silent, recognise};

/// Gives what was restored; or says why nothing was changed.
pub fn restore(file: &Path, url: &str) -> Result<RestoreSummary, Box<dyn std::error::Error>> {
    let Database::Postgres(target) = recognise(url.as_bytes(), &Environment::of_process())? else {
        return Err("that is no PostgreSQL database".into());
    };
    let mut archive = archive::open(file, "restore the archive")?;
    let options = RestoreOptions::default().force(true).single_transaction(true);
    let elsewhere = |name: &_| target.with_database(name).connect();
    Ok(restore_from(|| target.connect(), &elsewhere, &mut archive, &options, &Silent)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [file, url] = <[String; 2]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| "give the name of a file and a URL")?;
    let summary = restore(file.as_ref(), &url)?;
    summary.errors.iter().for_each(|error| eprintln!("{error}"));
    println!("{} entries, {} rows", summary.entries, summary.rows);
    Ok(())
}
