// Backs up a PostgreSQL database into a file, while it is in use: backup URL FILE
use lifeboat::postgres::dump::{DumpOptions, Sink, backup};
use lifeboat::{Database, Environment, Existing, OutputFile, Silent, recognise};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, url, file] = &std::env::args().collect::<Vec<_>>()[..] else { return Err("give a URL and a file".into()) };
    let Database::Postgres(target) = recognise(url.as_bytes(), &Environment::of_process())? else {
        return Err("that is no PostgreSQL database".into());
    };
    // It appears when it is complete, or not at all.
    let mut file = OutputFile::create(file.as_ref(), Existing::Refuse, &Silent)?;
    backup(&|| target.connect(), &DumpOptions::default(), Sink::Seekable(&mut file), &Silent)?;
    println!("{} bytes", file.commit()?);
    Ok(())
}
