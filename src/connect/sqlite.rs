//! `sqlite:///relative.db`, `sqlite:////absolute.db`: the file of a SQLite database.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bstr::ByteSlice;

use super::url::{decode, malformed};
use crate::Result;

/// A SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteTarget {
    /// Its file; a relative path is relative to the working directory.
    pub path: PathBuf,
}

/// Query parameters of Python's sqlite3 and of SQLite's own URIs; none changes which file is meant.
const PARAMETERS: &[&str] = &[
    "cache",
    "cached_statements",
    "check_same_thread",
    "detect_types",
    "immutable",
    "isolation_level",
    "mode",
    "nolock",
    "psow",
    "timeout",
    "uri",
    "vfs",
];

/// Reads what follows `sqlite://`.
///
/// # Errors
/// A host, no file, a database in memory, an unknown parameter.
pub(super) fn parse(rest: &[u8]) -> Result<SqliteTarget> {
    let (path, query) = match rest.find_byte(b'?') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &b""[..]),
    };
    for pair in query.split_str(b"&").filter(|p| !p.is_empty()) {
        let name = pair.split_str(b"=").next().unwrap_or_default();
        if !PARAMETERS.iter().any(|p| p.as_bytes() == name) {
            return Err(super::settings::bad(&name.to_str_lossy()).why("SQLite's URLs have no parameter of this name"));
        }
        if name == b"vfs" {
            return Err(super::settings::bad("vfs").why("only the operating system's own files are supported"));
        }
        if pair == b"mode=memory" {
            return Err(in_memory());
        }
    }
    let Some(path) = path.strip_prefix(b"/") else {
        if path.is_empty() {
            return Err(in_memory());
        }
        return Err(malformed("a SQLite URL has no host")
            .hint("three slashes go before a relative path (sqlite:///app.db), four before an absolute one (sqlite:////srv/app.db)"));
    };
    let mut path = decode(path)?;
    if let Some(file) = path.strip_prefix(b"file:") {
        // SQLite's own URI inside of SQLAlchemy's: file:app.db, file:/srv/app.db, file:///srv/app.db.
        path = file.strip_prefix(b"//").unwrap_or(file).to_vec();
    }
    if path.is_empty() || path == b":memory:" {
        return Err(in_memory());
    }
    Ok(SqliteTarget { path: PathBuf::from(OsStr::from_bytes(&path)) })
}

fn in_memory() -> crate::Error {
    malformed("it means a SQLite database in the memory of one process, and no file")
        .hint("write sqlite:///app.db, or sqlite:////srv/app.db for an absolute path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_urls() {
        for (url, path) in [
            ("/relative.db", "relative.db"),
            ("/dir/relative.db", "dir/relative.db"),
            ("//absolute/app.db", "/absolute/app.db"),
            ("//a%20b/app.db", "/a b/app.db"),
            ("/app.db?timeout=5&check_same_thread=false", "app.db"),
            ("/file:app.db?mode=ro&uri=true", "app.db"),
            ("/file:///srv/app.db?uri=true", "/srv/app.db"),
        ] {
            assert_eq!(parse(url.as_bytes()).unwrap().path, PathBuf::from(path), "{url}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        for (url, said) in [
            ("", "memory"),
            ("/", "memory"),
            ("/:memory:", "memory"),
            ("/x?mode=memory", "memory"),
            ("relative.db", "no host"),
            ("/x?nonsense=1", "\"nonsense\""),
            ("/x?vfs=unix-none", "\"vfs\""),
            ("/100%.db", "percent sign"),
        ] {
            let error = parse(url.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{url}: {error}");
        }
    }
}
