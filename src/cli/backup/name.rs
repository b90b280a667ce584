//! The name of a backup: fields in it that say when it was made, and of what; the folders on the way to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bstr::BStr;
use jiff::Zoned;
use jiff::fmt::strtime;

use crate::console::standard_streams;
use crate::{Database, Error, ErrorKind, Result, io_error};

/// What fields of a name stand for.
pub(in crate::cli) struct Fields {
    database: String,
    host: String,
    now: Zoned,
}

impl Fields {
    /// Of a backup of this database that begins now.
    pub(in crate::cli) fn of(database: &Database) -> Self {
        let here = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (database, host) = match database {
            Database::Sqlite(target) => {
                (target.path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), None)
            }
            Database::Postgres(target) => (target.database().to_string(), target.host_name()),
        };
        Self {
            database: encoded(database.as_bytes()),
            host: encoded(host.unwrap_or_else(here).as_bytes()),
            now: Zoned::now(),
        }
    }

    /// Of a backup of another database of the server, which belongs to the same moment.
    pub(super) fn with_database(&self, name: &BStr) -> Self {
        Self { database: encoded(name), host: self.host.clone(), now: self.now.clone() }
    }

    /// The name with what its fields stand for: `{database}`, `{host}`, and those of strftime for the time at which the backup begins, as
    /// the machine's clock on the wall shows it. Of a brace or a percent sign that is meant, there are two.
    ///
    /// # Errors
    /// There is no such field.
    pub(in crate::cli) fn fill(&self, name: &Path) -> Result<PathBuf> {
        let has_fields = |name: &[u8]| name.iter().any(|byte| matches!(byte, b'%' | b'{' | b'}'));
        if standard_streams::is_output(name) || !has_fields(name.as_os_str().as_encoded_bytes()) {
            return Ok(name.to_path_buf());
        }
        let bad = |why: String| {
            Error::new(ErrorKind::Usage, format!("name the backup {}", name.display()))
                .why(why)
                .hint("a percent sign or a brace that belongs to the name is written twice: %%, {{, }}")
        };
        let text = name.to_str().ok_or_else(|| bad("with fields, it must be UTF-8".to_owned()))?;
        self.filled(text).map(PathBuf::from).map_err(bad)
    }

    fn filled(&self, text: &str) -> std::result::Result<String, String> {
        let mut filled = String::with_capacity(text.len() + 32);
        let mut rest = text;
        while let Some(at) = rest.find(['%', '{', '}']) {
            let (before, field) = rest.split_at(at);
            filled.push_str(before);
            let (value, length) = self.field(field)?;
            filled.push_str(&value);
            rest = &field[length..];
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// What the field stands for with which the text begins, and how long the field is.
    fn field(&self, text: &str) -> std::result::Result<(String, usize), String> {
        for (twice, once) in [("%%", "%"), ("{{", "{"), ("}}", "}")] {
            if text.starts_with(twice) {
                return Ok((once.to_owned(), twice.len()));
            }
        }
        if let Some(inner) = text.strip_prefix('{') {
            let name = inner.split_once('}').map(|(name, _)| name);
            let value = match name {
                Some("database") => &self.database,
                Some("host") => &self.host,
                _ => return Err("the fields in braces are {database} and {host}".to_owned()),
            };
            return Ok((value.clone(), name.map_or(0, str::len) + 2));
        }
        // A letter, behind what says how wide it is to be and what it is filled with.
        let length =
            text.char_indices().skip(1).find(|(_, c)| !matches!(c, '0'..='9' | '-' | '_' | '^' | '#' | ':' | '.'));
        let Some((at, letter)) = length.filter(|_| text.starts_with('%')) else {
            return Err("there is a brace that closes nothing, or a percent sign without a field".to_owned());
        };
        let field = &text[..at + letter.len_utf8()];
        let value = strtime::format(field, &self.now).map_err(|error| format!("{field} is no field: {error}"))?;
        Ok((component(&value), field.len()))
    }
}

/// A name as one component of a path, or a part of one. What cannot stand there is written as in a URL, and so is the percent sign, so that no
/// two names are written the same.
fn encoded(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    let dots = name.iter().all(|byte| *byte == b'.');
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            if matches!(character, '/' | '%') || character.is_control() || (dots && character == '.') {
                write_bytes(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(character);
            }
        }
        write_bytes(&mut text, chunk.invalid());
    }
    text
}

fn write_bytes(text: &mut String, bytes: &[u8]) {
    bytes.iter().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
}

/// Text that is one component of a path, or a part of one: no slash, nothing that a terminal takes for more than text, and neither `.`
/// nor `..`.
fn component(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect();
    if plain.chars().all(|c| c == '.') { plain.replace('.', "_") } else { plain }
}

/// The folders that were made for a backup, and go again if it is not made.
#[derive(Debug, Default)]
pub(super) struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    /// Makes what is missing of the folders in which `path` is to be.
    ///
    /// # Errors
    /// One cannot be made.
    pub(super) fn on_the_way_to(path: &Path) -> Result<Self> {
        let mut made = Self::default();
        if standard_streams::is_output(path) {
            return Ok(made);
        }
        let missing: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .take_while(|folder| {
                !folder.as_os_str().is_empty()
                    && fs::symlink_metadata(folder).is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
            })
            .collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => made.0.push(folder.to_path_buf()),
                // Another backup was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io_error(format!("make the folder {}", folder.display()), folder, error)),
            }
        }
        Ok(made)
    }

    /// The backup is there, and they stay.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        // What another one has put into them meanwhile keeps them there.
        for folder in self.0.iter().rev() {
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    fn filled(name: &str) -> String {
        let now = date(2026, 3, 9).at(4, 5, 6, 0).to_zoned(TimeZone::UTC).unwrap();
        let fields = Fields { database: encoded(b"a/b"), host: encoded(b".."), now };
        fields.fill(Path::new(name)).map_or_else(|error| error.to_string(), |path| path.display().to_string())
    }

    #[test]
    fn fields_say_when_and_of_what() {
        for (name, expected) in [
            ("a.dump", "a.dump"),
            ("-", "-"),
            ("{database}/%Y/%m-%d/{host}-%H%M%S.dump", "a%2Fb/2026/03-09/%2E%2E-040506.dump"),
            ("100%% {{x}} %F_%T", "100% {x} 2026-03-09_04:05:06"),
            ("%D", "03_09_26"),
            ("%-d.%e", "9. 9"),
            ("é{database}%jé", "éa%2Fb068é"),
        ] {
            assert_eq!(filled(name), expected);
        }
        for wrong in ["%", "a%", "%é", "{name}", "{database", "}", "%5"] {
            assert!(filled(wrong).starts_with("could not name the backup"), "{wrong}: {}", filled(wrong));
        }
    }

    #[test]
    fn no_two_names_are_written_the_same() {
        let names: [&[u8]; 8] = [b"a/b", b"a%2Fb", b"a_b", b"..", b"%2E%2E", b"a\xff", b"a\xc3\xbf", b"a\n"];
        let written = names.map(encoded);
        assert_eq!(written, ["a%2Fb", "a%252Fb", "a_b", "%2E%2E", "%252E%252E", "a%FF", "a\u{ff}", "a%0A"]);
    }

    #[test]
    fn folders_that_were_made_go_again_unless_they_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c.dump");
        drop(MadeFolders::on_the_way_to(&path).unwrap());
        assert!(!dir.path().join("a").exists());
        let made = MadeFolders::on_the_way_to(&path).unwrap();
        fs::write(dir.path().join("a/other"), "").unwrap();
        drop(made);
        assert!(dir.path().join("a").exists() && !dir.path().join("a/b").exists());
        MadeFolders::on_the_way_to(&path).unwrap().keep();
        assert!(dir.path().join("a/b").exists());
        // Who writes there says what is in the way.
        assert!(MadeFolders::on_the_way_to(&dir.path().join("a/other/x/y")).unwrap().0.is_empty());
    }
}
