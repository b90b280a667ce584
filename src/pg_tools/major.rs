//! Which major of PostgreSQL a tool passes for. Callers compare it with their server's, and choose options by it.

use std::ffi::OsStr;
use std::path::{Component, Path};

use pgformat::Version;

use crate::postgres::ServerVersion;

/// The variable that says which major a tool is, where its folder does not.
const VARIABLE: &str = "LIFEBOAT_PG_MAJOR";

/// The majors, each with the release whose behaviour is known.
const KNOWN: &[(u32, &str)] =
    &[(14, "14.23"), (15, "15.19"), (16, "16.15"), (17, "17.11"), (18, "18.6"), (19, "19rc1")];

/// What a tool is where nothing says it.
const DEFAULT: u32 = 18;

/// A major of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Major(u32);

impl Major {
    /// The major of a tool that was called by this name: that of the folder that it is called from (`…/16/bin/pg_dump`), else
    /// that of `LIFEBOAT_PG_MAJOR`, else the newest whose release is final.
    ///
    /// # Errors
    /// The variable holds something else than a major that is known; in words.
    pub(super) fn of_call(called: &OsStr) -> Result<Self, String> {
        if let Some(major) = of_folder(Path::new(called)) {
            return Ok(major);
        }
        match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => Self::parse(&text).ok_or_else(|| {
                let known: Vec<String> = KNOWN.iter().map(|(major, _)| major.to_string()).collect();
                format!("{VARIABLE} holds no major of PostgreSQL that is known: those are {}", known.join(", "))
            }),
            _ => Ok(Self(DEFAULT)),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let number: u32 = text.trim().parse().ok()?;
        KNOWN.iter().any(|(major, _)| *major == number).then_some(Self(number))
    }

    /// The newest.
    pub(super) const NEWEST: Self = Self(19);

    /// Its number.
    pub(super) fn number(self) -> u32 {
        self.0
    }

    /// The release that it passes for, such as 18.6.
    pub(super) fn release(self) -> &'static str {
        KNOWN.iter().find(|(major, _)| *major == self.0).map_or("", |(_, release)| release)
    }

    /// The servers that it is the tool of.
    pub(super) fn server_version(self) -> ServerVersion {
        ServerVersion::of_major(i32::try_from(self.0).unwrap_or_default())
    }

    /// The version of archives that its tools write.
    pub(super) fn archive_version(self) -> Version {
        match self.0 {
            ..=15 => Version::V1_14,
            16 => Version::V1_15,
            _ => Version::V1_16,
        }
    }

    /// What `--version` says of a tool. Callers look for the number after the words, and take what follows for a packager's mark,
    /// as those of distributions are.
    pub(super) fn version_of(self, tool: &str) -> String {
        format!("{tool} (PostgreSQL) {} (lifeboat {})", self.release(), env!("CARGO_PKG_VERSION"))
    }
}

/// The major in a path such as `/usr/lib/postgresql/16/bin/pg_dump` or `/opt/pgsql-16/bin/pg_dump`. A name that was looked for on
/// the PATH has no folder; then the folder is that where the system says the program is.
fn of_folder(called: &Path) -> Option<Major> {
    if called.components().count() > 1 {
        return in_path(called);
    }
    let name = called.file_name()?;
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())?;
    in_path(&found)
}

fn in_path(tool: &Path) -> Option<Major> {
    let folder = tool.parent()?;
    let bin = folder.file_name()?;
    let parent = if bin == "bin" { folder.parent()? } else { folder };
    let Some(Component::Normal(name)) = parent.components().next_back() else { return None };
    let name = name.to_str()?;
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let prefix = &name[..name.len() - digits.len()];
    let prefix = prefix.trim_end_matches(['-', '_', '@']);
    let is_ours = ["", "pg", "pgsql", "postgres", "postgresql", "libpq"].contains(&prefix);
    // `postgresql-16.4` names a release, of which the major counts.
    let major = digits.split('.').next()?;
    is_ours.then(|| Major::parse(major)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_major_says_which() {
        for (path, major) in [
            ("/usr/lib/postgresql/16/bin/pg_dump", Some(16)),
            ("/usr/pgsql-15/bin/pg_dump", Some(15)),
            ("/opt/homebrew/opt/postgresql@17/bin/pg_dump", Some(17)),
            ("/opt/postgresql-14.23/bin/pg_dump", Some(14)),
            ("16/bin/pg_dump", Some(16)),
            ("/usr/bin/pg_dump", None),
            ("/srv/app-16/bin/pg_dump", None),
            ("/usr/lib/postgresql/9/bin/pg_dump", None),
            ("./pg_dump", None),
        ] {
            assert_eq!(in_path(Path::new(path)).map(Major::number), major, "{path}");
        }
    }
}
