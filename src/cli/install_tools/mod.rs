//! `lifeboat install-tools`.

mod placing;

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::report::Outcome;
use crate::pg_tools::Tool;
use crate::{Context, Error, ErrorKind, Result, io_error};

const ABOUT: &str = "\
Called by one of these names, lifeboat reads the command line, writes the formats and says the words of that tool. Its major is that
of the folder that it is called from (.../16/bin/pg_dump is 16), else that of LIFEBOAT_PG_MAJOR, else 18.

The names are hard links to this program, or copies where the file system has none: after an update of lifeboat, install them
again.";

/// Put pg_dump, pg_restore and pg_dumpall into a folder: this program, by the names that other programs call
#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT)]
pub(crate) struct Args {
    /// The folder; one on the PATH, or the one that a program is told to find the tools in
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Replace what is there by these names
    #[arg(long)]
    force: bool,
}

/// How a name came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Link,
    Copy,
    /// It was there, and is this program.
    Unchanged,
}

#[derive(Serialize)]
struct Facts<'a> {
    folder: String,
    tools: Vec<Installed<'a>>,
}

#[derive(Serialize)]
struct Installed<'a> {
    name: &'a str,
    how: Way,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let folder = &args.folder;
    let program = std::env::current_exe().context(ErrorKind::Io, || "find the file of this program")?;
    let found = fs::metadata(&program).map_err(|e| io_error("look at the file of this program", &program, e))?;
    check_folder(folder)?;
    let mut names = Vec::new();
    let mut in_the_way = Vec::new();
    for tool in Tool::ALL {
        let path = folder.join(tool.name());
        let way = match fs::symlink_metadata(&path) {
            Ok(there) if is_same(&there, &found) => Some(Way::Unchanged),
            Ok(there) if there.is_dir() => {
                return Err(Error::new(ErrorKind::Refused, format!("install {}", path.display())).why("it is a folder"));
            }
            Ok(_) => {
                in_the_way.push(path.display().to_string());
                None
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(io_error(format!("look for {}", path.display()), &path, e)),
        };
        names.push((tool.name(), path, way));
    }
    if !in_the_way.is_empty() && !args.force {
        return Err(Error::new(ErrorKind::Refused, format!("install PostgreSQL's tools in {}", folder.display()))
            .why(format!("these are there already: {}", in_the_way.join(", ")))
            .hint("choose another folder, or replace them with --force"));
    }
    let lacking = names.iter().filter(|(.., way)| way.is_none());
    let made = lacking.map(|(_, path, _)| placing::make(&program, path)).collect::<Result<_>>()?;
    let mut ways = placing::place(made, args.force)?.into_iter();
    let tools: Vec<Installed<'_>> = names
        .iter()
        .filter_map(|(name, _, way)| Some(Installed { name, how: (*way).or_else(|| ways.next())? }))
        .collect();
    let mut lines = vec!["lifeboat: tools installed".to_owned(), format!("folder: {}", folder.display())];
    lines.extend(tools.iter().map(|tool| {
        let how = match tool.how {
            Way::Link => "a hard link",
            Way::Copy => "a copy",
            Way::Unchanged => "was there",
        };
        format!("{}: {how}", tool.name)
    }));
    Outcome::new(lines, Facts { folder: folder.to_string_lossy().into_owned(), tools })
}

fn check_folder(folder: &Path) -> Result<()> {
    let refused = |why: &str, hint: String| {
        Err(Error::new(ErrorKind::Usage, format!("install tools in {}", folder.display())).why(why).hint(hint))
    };
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => refused("it is no folder", "name the folder, and not a tool in it".to_owned()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            refused("there is no such folder", format!("make it first: mkdir -p {}", folder.display()))
        }
        Err(e) => Err(io_error(format!("look at the folder {}", folder.display()), folder, e)),
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
