// Replaces what is in a PostgreSQL database by what is in an archive, or changes nothing: restore FILE URL
use lifeboat::postgres::archive;
use lifeboat::postgres::restore::{RestoreOptions, restore_from};
use lifeboat::{Database, Environment, Silent, recognise};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, file, url] = &std::env::args().collect::<Vec<_>>()[..] else { return Err("give a file and a URL".into()) };
    let Database::Postgres(target) = recognise(url.as_bytes(), &Environment::of_process())? else {
        return Err("that is no PostgreSQL database".into());
    };
    let mut archive = archive::open(file.as_ref(), "restore the archive")?;
    let options = RestoreOptions::default().force(true).single_transaction(true);
    let elsewhere = |name: &_| target.with_database(name).connect();
    let summary = restore_from(|| target.connect(), &elsewhere, &mut archive, &options, &Silent)?;
    summary.errors.iter().for_each(|error| eprintln!("{error}"));
    println!("{} entries, {} rows", summary.entries, summary.rows);
    if summary.is_complete() { Ok(()) } else { Err("not everything was restored".into()) }
}
