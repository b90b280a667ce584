//! Checking an archive of a PostgreSQL database.

use std::borrow::Cow;
use std::path::Path;

use bstr::ByteSlice;
use pgformat::Header;
use serde::Serialize;

use crate::cli::amounts::{counted, mebibytes};
use crate::cli::archive::open;
use crate::cli::exit;
use crate::cli::facts::{DataFacts, EntryFacts, HeaderFacts};
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::postgres::verify::{Kind, Verified, verify_opened};
use crate::{Level, Message, Reporter, Result, printable};

pub(super) fn verify(path: &Path, console: &Console) -> Result<Outcome> {
    let mut archive = open(path, &format!("verify {}", path.display()))?;
    let verified = verify_opened(&mut archive, console);
    for problem in &verified.problems {
        let text = problem.text.clone();
        // What the reader says names the entry by itself.
        let entry = problem.entry.as_ref().filter(|entry| !text.contains(&format!("entry {} ", entry.dump_id)));
        let subject = entry.map(ToString::to_string).unwrap_or_default();
        console.message(Message::new(Level::Error, subject, text));
    }
    let header = archive.header();
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let line = if verified.is_sound() {
        format!(
            "lifeboat: {name} is sound: {} archive {} of {}, {}",
            header.format.name(),
            header.version,
            printable::name(header.dbname.as_bstr()),
            summary(&verified)
        )
    } else {
        let unchecked = match verified.unchecked {
            0 => String::new(),
            n => format!("; the data of {} could not be checked", counted(n, "entry", "entries")),
        };
        let problems = counted(verified.count(), "problem", "problems");
        let told = if verified.more_problems == 0 { "each is told above" } else { "the first are told above" };
        format!("lifeboat: {name} is damaged: {problems}, {told}{unchecked}")
    };
    let code = if verified.is_sound() { exit::SUCCESS } else { exit::FAILED };
    Ok(Outcome { code, ..Outcome::new(vec![line], facts(path, header, &verified))? })
}

#[derive(Serialize)]
struct Facts<'a> {
    file: Cow<'a, str>,
    #[serde(flatten)]
    header: HeaderFacts<'a>,
    sound: bool,
    entries: u64,
    rows: u64,
    large_objects: u64,
    bytes: u64,
    unknown_dependencies: u64,
    unchecked_entries: u64,
    problems: Vec<ProblemFacts<'a>>,
    more_problems: u64,
    data: Vec<CheckedData>,
}

#[derive(Serialize)]
struct ProblemFacts<'a> {
    id: Option<i32>,
    entry: Option<String>,
    message: &'a str,
}

#[derive(Serialize)]
struct CheckedData {
    #[serde(flatten)]
    entry: EntryFacts,
    #[serde(flatten)]
    found: DataFacts,
    bytes: u64,
}

fn facts<'a>(path: &'a Path, header: &'a Header, verified: &'a Verified) -> Facts<'a> {
    let problems = verified.problems.iter().map(|problem| ProblemFacts {
        id: problem.entry.as_ref().map(|entry| entry.dump_id.0),
        entry: problem.entry.as_ref().map(ToString::to_string),
        message: &problem.text,
    });
    let data = verified.data.iter().map(|data| CheckedData {
        entry: (&data.entry).into(),
        found: Some(data.kind).into(),
        bytes: data.bytes,
    });
    Facts {
        file: path.to_string_lossy(),
        header: header.into(),
        sound: verified.is_sound(),
        entries: verified.entries,
        rows: verified.rows,
        large_objects: verified.large_objects,
        bytes: verified.bytes,
        unknown_dependencies: verified.unknown_dependencies,
        unchecked_entries: verified.unchecked,
        problems: problems.collect(),
        more_problems: verified.more_problems,
        data: data.collect(),
    }
}

fn summary(verified: &Verified) -> String {
    let of = |kind: fn(&Kind) -> bool| verified.data.iter().filter(|data| kind(&data.kind)).count() as u64;
    let (tables, statements) = (of(|kind| matches!(kind, Kind::Rows(_))), of(|kind| matches!(kind, Kind::Statements)));
    let mut parts = vec![counted(verified.entries, "entry", "entries")];
    if tables > 0 || statements == 0 {
        let rows = counted(verified.rows, "row", "rows");
        parts.push(format!("{rows} in {}", counted(tables, "table", "tables")));
    }
    if statements > 0 {
        let tables = counted(statements, "table", "tables");
        parts.push(format!("statements for the rows of {tables}, which are not counted"));
    }
    if verified.large_objects > 0 {
        parts.push(counted(verified.large_objects, "large object", "large objects"));
    }
    parts.push(format!("{} of data", mebibytes(verified.bytes)));
    parts.join(", ")
}
