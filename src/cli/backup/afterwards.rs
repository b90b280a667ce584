//! What is done with a backup that is complete: its permissions, a file with its checksum, a link that names the newest.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use bstr::ByteSlice;
use sha2::{Digest, Sha256};

use super::name::Fields;
use crate::cli::report::Outcome;
use crate::output::{folder_of, with_suffix};
use crate::{Error, ErrorKind, Existing, OutputFile, Reporter, Result, io_error};

/// How much is hashed at a time.
const PIECE: usize = 256 * 1024;

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output file")]
pub(super) struct AfterwardsArgs {
    /// Give the file these permissions, in octal, instead of those that let nobody but its owner read it
    #[arg(long, value_name = "MODE", value_parser = mode)]
    mode: Option<u32>,
    /// Write the file's checksum beside it, into a file with .sha256 after its name, which sha256sum --check reads
    #[arg(long)]
    sha256: bool,
    /// Let this symbolic link name the backup when it is complete; its name may have the same fields
    #[arg(long, value_name = "LINK")]
    latest: Option<PathBuf>,
}

fn mode(text: &str) -> std::result::Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| (1..=0o777).contains(mode))
        .ok_or_else(|| "it must be permissions in octal, from 1 to 777".to_owned())
}

/// What is to be done with the backup at `path`.
pub(super) struct Afterwards {
    path: PathBuf,
    mode: Option<u32>,
    checksum: Option<OutputFile>,
    link: Option<PathBuf>,
}

impl AfterwardsArgs {
    /// The same with what the fields of the link's name stand for.
    pub(super) fn filled(self, fields: &Fields) -> Result<Self> {
        Ok(Self { latest: self.latest.map(|link| fields.fill(&link)).transpose()?, ..self })
    }

    pub(super) fn link(&self) -> Option<&Path> {
        self.latest.as_deref()
    }

    /// Looks whether it will be possible, before there is a backup. `is_file` is whether that will be a file under a name of its own.
    ///
    /// # Errors
    /// It will not.
    pub(super) fn prepare(
        &self,
        (path, is_file): (&Path, bool),
        existing: Existing,
        reporter: &dyn Reporter,
    ) -> Result<Afterwards> {
        let asked = [("--mode", self.mode.is_some()), ("--sha256", self.sha256), ("--latest", self.latest.is_some())];
        if let Some((option, _)) = asked.into_iter().find(|(option, asked)| *asked && !is_file && *option != "--latest")
        {
            return Err(Error::new(ErrorKind::Usage, format!("use {option}"))
                .why("the backup is no file under a name of its own")
                .hint("leave it out, or name a file with --output"));
        }
        if let Some(link) = &self.latest {
            let doing = || format!("let {} name the newest backup", link.display());
            if crate::console::standard_streams::is_output(path) {
                return Err(Error::new(ErrorKind::Usage, doing()).why("the backup has no name"));
            }
            match fs::symlink_metadata(link) {
                Ok(facts) if !facts.is_symlink() => {
                    return Err(Error::new(ErrorKind::Refused, doing())
                        .why("there is something of that name that is no symbolic link")
                        .hint("choose another name for it"));
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(doing(), link, error)),
                _ => {}
            }
        }
        let checksum = match self.sha256 {
            true => Some(OutputFile::create(&with_suffix(path, ".sha256"), existing, reporter)?),
            false => None,
        };
        Ok(Afterwards { path: path.to_path_buf(), mode: self.mode, checksum, link: self.latest.clone() })
    }
}

impl Afterwards {
    /// Does it, and says so in the report.
    ///
    /// # Errors
    /// Something of it cannot be done. The backup is complete in any case.
    pub(super) fn finish(self, outcome: &mut Outcome) -> Result<()> {
        let path = &*self.path;
        let complete = |error: Error| match error.advice() {
            None => error.hint(format!("the backup itself is complete: {}", path.display())),
            Some(_) => error,
        };
        let mut lines = Vec::new();
        let permit = |path: &Path| match self.mode {
            None => Ok(()),
            Some(mode) => fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|error| {
                complete(io_error(format!("give {} the permissions {mode:o}", path.display()), path, error))
            }),
        };
        permit(path)?;
        if let Some(mut file) = self.checksum {
            let checksum = checksum(path).map_err(complete)?;
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            let written = file.write_all(&line(&checksum, name));
            let doing = || format!("write {}", file.path().display());
            written.map_err(|error| complete(io_error(doing(), file.path(), error)))?;
            let beside = file.path().to_path_buf();
            file.commit().map_err(complete)?;
            permit(&beside)?;
            lines.push(format!("sha256: {checksum}"));
            outcome.json["sha256"] = checksum.into();
        }
        if let Some(link) = self.link {
            point(&link, path).map_err(complete)?;
            lines.push(format!("latest: {}", link.display()));
            outcome.json["latest"] = link.to_string_lossy().into();
        }
        // Before what comes last, the advice.
        let at = outcome.lines.len().saturating_sub(1);
        outcome.lines.splice(at..at, lines);
        Ok(())
    }
}

fn checksum(path: &Path) -> Result<String> {
    let doing = || format!("read {} for its checksum", path.display());
    let failed = |error| io_error(doing(), path, error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => hash.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A line as sha256sum writes it, in which a backslash at the beginning says that there are escapes in the name.
fn line(checksum: &str, name: &[u8]) -> Vec<u8> {
    let escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    let mark = if escaped == name { "" } else { "\\" };
    [mark.as_bytes(), checksum.as_bytes(), b"  ", &escaped, b"\n"].concat()
}

/// Makes `link` a link to `path`, in the place of what it was, at once.
fn point(link: &Path, path: &Path) -> Result<()> {
    let doing = || format!("let {} name the newest backup", link.display());
    let failed = |error| io_error(doing(), link, error);
    let target = seen_from(link, path).map_err(failed)?;
    let made = tempfile::Builder::new().prefix(".lifeboat-").make_in(folder_of(link), |new| symlink(&target, new));
    made.map_err(failed)?.persist(link).map_err(|error| failed(error.error))
}

/// What a link at `link` has to hold to name `path`: within one folder a name that stays true when the folder is moved or mounted
/// elsewhere, else the whole path.
fn seen_from(link: &Path, path: &Path) -> io::Result<PathBuf> {
    let (link, path) = (std::path::absolute(link)?, std::path::absolute(path)?);
    let folder = link.parent().unwrap_or(Path::new("/"));
    Ok(match path.strip_prefix(folder) {
        Ok(below) if below.components().all(|part| matches!(part, Component::Normal(_))) => below.to_path_buf(),
        _ => path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_octal() {
        assert_eq!((mode("640"), mode("0400")), (Ok(0o640), Ok(0o400)));
        for wrong in ["", "8", "0", "1000", "rw", "-1"] {
            assert!(mode(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn links_are_relative_where_they_stand_above() {
        for (link, path, expected) in [
            ("/b/latest", "/b/a.dump", "a.dump"),
            ("/b/latest", "/b/2026/a.dump", "2026/a.dump"),
            ("/b/c/latest", "/b/a.dump", "/b/a.dump"),
        ] {
            assert_eq!(seen_from(Path::new(link), Path::new(path)).unwrap(), Path::new(expected));
        }
    }
}
