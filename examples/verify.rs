// Reads all of an archive and says what is wrong with it: verify FILE
use lifeboat::Silent;
use lifeboat::postgres::{archive, verify};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("give the name of a file")?;
    let mut archive = archive::open(file.as_ref(), "verify the archive")?;
    let verified = verify::verify_opened(&mut archive, &Silent);
    verified.problems.iter().for_each(|problem| eprintln!("{}", problem.text));
    if verified.problems.is_empty() { Ok(()) } else { Err("it is damaged".into()) }
}
