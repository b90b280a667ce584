// Reads all of an archive and says what is wrong with it: verify FILE
use std::path::Path;

use lifeboat::Silent;
use lifeboat::postgres::verify::verify_file;

/// What is wrong; nothing, if it is sound.
pub fn verify(file: &Path) -> lifeboat::Result<Vec<String>> {
    let (_, verified) = verify_file(file, &Silent)?;
    Ok(verified.problems.into_iter().map(|problem| problem.text).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("give the name of a file")?;
    let problems = verify(file.as_ref())?;
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    if problems.is_empty() { Ok(()) } else { Err("it is damaged".into()) }
}
