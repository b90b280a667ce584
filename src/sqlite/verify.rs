//! Is a database sound, and what is in it?

use std::path::Path;

use super::check::faults_of;
use super::contents::{self, Contents, WAIT};
use super::error::{About, Unopened, is_damage, words};
use super::header::Header;
use super::source::{Opening, Source};
use crate::error::Result;
use crate::progress::Reporter;

/// What a look at all of a database has shown.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What is wrong with it; nothing, if it is sound.
    pub problems: Vec<String>,
    /// What is in it, if it is sound.
    pub contents: Option<Contents>,
}

/// Checks the database at `path`, which may be in use, and counts its rows.
///
/// Fails if that could not be done.
pub fn verify(path: &Path, reporter: &dyn Reporter) -> Result<Verified> {
    let doing = format!("verify {}", path.display());
    let about = About { doing: &doing, database: path, written: None, waited: WAIT };
    let source = match Source::try_open(path, Opening { wait: WAIT, spare: None }, &doing) {
        Ok(source) => source,
        Err(Unopened::Sqlite(e)) if is_damage(&e) => {
            return Ok(Verified { problems: vec![words(&e)], contents: None });
        }
        Err(Unopened::Sqlite(e)) => return Err(about.failed(e)),
        Err(Unopened::Other(e)) => return Err(e),
    };
    let problems = faults_of(&source, &doing, reporter)?;
    let contents = match problems.is_empty() {
        true => Some(contents::of(&source, Header::read(path, &doing)?, &doing)?),
        false => None,
    };
    source.check_undisturbed(&doing)?;
    Ok(Verified { problems, contents })
}
