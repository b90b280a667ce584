//! The password file, `~/.pgpass`: `host:port:database:user:password`.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bstr::BString;

/// What the password file has for a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FoundPassword {
    /// This password.
    Password(Vec<u8>),
    /// No line that fits, or no file.
    Nothing,
    /// The file is there and must not be used; why.
    Unusable(String),
}

/// Looks a password up. `hosts` are the names that the server goes by; `localhost` is that of the default sockets.
pub(super) fn look_up(path: &Path, hosts: &[BString], port: u16, database: &[u8], user: &[u8]) -> FoundPassword {
    let unusable =
        |why: String| FoundPassword::Unusable(format!("the password file {} is not used: {why}", path.display()));
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return FoundPassword::Nothing;
        }
        Err(e) => return unusable(e.to_string()),
    };
    if !metadata.is_file() {
        return unusable("it is no plain file".to_owned());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return unusable("others than its owner may read or write it (chmod 0600 it)".to_owned());
    }
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) => return unusable(e.to_string()),
    };
    let port = port.to_string();
    for line in text.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        for host in hosts {
            if let Some(password) = password_in(line, [host, port.as_bytes(), database, user]) {
                return FoundPassword::Password(password);
            }
        }
    }
    FoundPassword::Nothing
}

/// The password of a line whose four fields fit.
fn password_in(line: &[u8], wanted: [&[u8]; 4]) -> Option<Vec<u8>> {
    let mut rest = line;
    for wanted in wanted {
        rest = field_fits(rest, wanted)?;
    }
    // What a colon ends is left for fields that may come one day.
    let (password, _) = unescape(rest);
    Some(password)
}

/// What follows the field at the start of `line`, if the field stands for `wanted`.
fn field_fits<'a>(line: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let (field, rest) = unescape(line);
    (field == wanted).then_some(rest?)
}

/// Text up to a colon that no backslash stands before, and what follows that.
fn unescape(text: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b':' {
            return (out, Some(&text[at + 1..]));
        }
        if byte == b'\\'
            && let Some(&next) = text.get(at + 1)
        {
            out.push(next);
            at += 2;
            continue;
        }
        out.push(byte);
        at += 1;
    }
    (out, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn found(text: &str, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
        match look_up(file(text, 0o600).path(), &[host.into()], port, database.as_bytes(), user.as_bytes()) {
            FoundPassword::Password(p) => Some(String::from_utf8(p).unwrap()),
            FoundPassword::Nothing => None,
            FoundPassword::Unusable(why) => panic!("{why}"),
        }
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# comment\nh:5432:d:u:one\n*:*:d:u:two\r\nh:*:*:*:three\nlocalhost:5432:*:u:four\n";
        assert_eq!(found(text, "h", 5432, "d", "u").as_deref(), Some("one"));
        assert_eq!(found(text, "h", 5433, "d", "u").as_deref(), Some("two"));
        assert_eq!(found(text, "h", 1, "e", "v").as_deref(), Some("three"));
        assert_eq!(found(text, "localhost", 5432, "e", "u").as_deref(), Some("four"));
        assert_eq!(found(text, "other", 5432, "e", "u"), None);
    }

    #[test]
    fn escapes_stand_for_colons_and_backslashes() {
        assert_eq!(found(r"\:\:1:5432:a\\b:u:p\:w\\x:y", "::1", 5432, r"a\b", "u").as_deref(), Some(r"p:w\x"));
        assert_eq!(found(r"\*:5432:d:u:p", "h", 5432, "d", "u"), None);
        assert_eq!(found("h:5432:d", "h", 5432, "d", "u"), None);
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        for mode in [0o640, 0o604, 0o620] {
            let file = file("*:*:*:*:p", mode);
            assert!(
                matches!(look_up(file.path(), &["h".into()], 1, b"d", b"u"), FoundPassword::Unusable(why) if why.contains("0600"))
            );
        }
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(look_up(directory.path(), &["h".into()], 1, b"d", b"u"), FoundPassword::Unusable(_)));
        assert_eq!(look_up(&directory.path().join("none"), &["h".into()], 1, b"d", b"u"), FoundPassword::Nothing);
    }
}
