//! What must not get into a script, because psql would do something else with it than send it to a server.
//!
//! Two things are looked for. Statements are read as psql reads them: a command of psql's, or what would make psql take the
//! text after it for something else, is refused. And whatever is written, rows and comments too, is looked through for the
//! one command that psql carries out in a script of ours, `\unrestrict`, with a program in its argument (psql before August
//! 2026 runs that, CVE-2026-18408). That does not depend on where psql believes itself to be, which a failed COPY or a
//! setting that a function changes can bring out of step with the text. Whoever may write a row can bring such a text into a
//! database, and must not be able to stop its backup by that: what is quoted is written otherwise ([`harmless`]), and only what
//! cannot be is refused.

use std::borrow::Cow;

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::{ArchiveSettings, EntryName};
use crate::postgres::restore::plan::{Action, Plan, Step, large_objects as batches};
use crate::postgres::script::psql::{PsqlLexer, Trouble};
use crate::postgres::script::text::definition_of_data;
use crate::sql::Encoding;
use crate::sql::harmless::{self, Before, Harm};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result};

/// Looks through everything that is written, in pieces.
#[derive(Debug, Default)]
pub(in crate::postgres) struct Watch {
    before: Before,
    /// Whether the line has the command in it.
    is_after_command: bool,
    /// Whether everybody knows what follows the command, so that nobody but the writer may give it.
    is_keyless: bool,
}

impl Watch {
    /// Of a script whose `\\restrict` has a key that nobody can guess, or none.
    pub(in crate::postgres) fn new(has_key: bool) -> Self {
        Self { is_keyless: !has_key, ..Self::default() }
    }

    /// Looks at what the writer says himself, who may give the command.
    pub(super) fn look_at_own(&mut self, piece: &[u8]) -> std::result::Result<(), &'static str> {
        let is_keyless = std::mem::take(&mut self.is_keyless);
        let looked = self.look(piece);
        self.is_keyless = is_keyless;
        looked
    }

    /// The next piece of rows as COPY takes them, written so that psql takes nothing in it for anything else.
    pub(super) fn rows<'a>(&self, piece: &'a [u8]) -> Cow<'a, [u8]> {
        harmless::rows(&self.before, piece)
    }

    /// Why the next piece must not be written; then it is as if it had not been looked at.
    pub(in crate::postgres) fn look(&mut self, piece: &[u8]) -> std::result::Result<(), &'static str> {
        let is_after_command = self.is_after_command;
        let looked = self.look_further(piece);
        match looked {
            Ok(()) => self.before.push(piece),
            Err(_) => self.is_after_command = is_after_command,
        }
        looked
    }

    fn look_further(&mut self, piece: &[u8]) -> std::result::Result<(), &'static str> {
        if piece.contains(&0) {
            return Err("it has a zero byte, where psql would leave out a part of the line");
        }
        if self.is_after_command {
            self.rest_of_line(piece)?;
        }
        for (last, harm) in self.before.find(piece) {
            match harm {
                Harm::Variable => {
                    return Err("it has :LAST_ERROR_MESSAGE or :DBNAME in it, which psql could replace by a command");
                }
                Harm::Command if self.is_keyless => {
                    return Err("it has \\unrestrict in it, which this script has no key against");
                }
                Harm::Command => self.rest_of_line(&piece[last + 1..])?,
            }
        }
        Ok(())
    }

    fn rest_of_line(&mut self, text: &[u8]) -> std::result::Result<(), &'static str> {
        let end = text.find_byteset(b"\n`");
        self.is_after_command = end.is_none();
        match end.and_then(|at| text.get(at)) {
            Some(b'`') => Err("it has \\unrestrict and ` on one line, for which psql could run a program"),
            _ => Ok(()),
        }
    }
}

/// Statements as they are written into a script that has a key, or none: as they are, or if a [`Watch`] refuses that, with what is
/// quoted in them written otherwise. With them comes what a watch says of that.
pub(in crate::postgres) fn written(
    text: &[u8],
    standard_strings: bool,
    encoding: Encoding,
    has_key: bool,
) -> (Cow<'_, [u8]>, std::result::Result<(), &'static str>) {
    let look = |text: &[u8]| Watch::new(has_key).look(text);
    if look(text).is_ok() {
        return (Cow::Borrowed(text), Ok(()));
    }
    let text = harmless::statements(text, standard_strings, encoding);
    let looked = look(&text);
    (text, looked)
}

/// What statements of an archive are held against.
pub(super) struct Guard {
    standard_strings: bool,
    encoding: Encoding,
    /// Whether the statements are those of an archive, and not of a database.
    is_of_archive: bool,
    /// Whether the script has a key that nobody can guess.
    has_key: bool,
}

impl Guard {
    /// Of what an archive says.
    pub(super) fn of_archive(settings: &ArchiveSettings, has_key: bool) -> Self {
        Self {
            standard_strings: settings.standard_strings,
            encoding: Encoding::of(settings.encoding.as_bstr()),
            is_of_archive: true,
            has_key,
        }
    }

    /// Of what a database has. It may be made by others, too.
    pub(super) fn of_database(settings: &ArchiveSettings, has_key: bool) -> Self {
        Self { is_of_archive: false, ..Self::of_archive(settings, has_key) }
    }

    /// The error for something that is not written.
    pub(super) fn refused(&self, what: &str, why: impl Into<Words>) -> Error {
        let (kind, hint) = match self.is_of_archive {
            true => (
                ErrorKind::Archive,
                "restore without "
                    + Choice::Script
                    + ", which runs no psql, or leave the entry out, with "
                    + Choice::List,
            ),
            false => (
                ErrorKind::Incomplete,
                Words::from("make an archive instead, in custom or directory format, whose restore runs no psql"),
            ),
        };
        Error::new(kind, format!("write {what} into a script")).why(why).hint(hint)
    }

    pub(super) fn lexer(&self) -> PsqlLexer {
        PsqlLexer::new(self.standard_strings, self.encoding)
    }

    /// Looks at all statements of a plan before the first of them is written.
    pub(super) fn check(&self, plan: &Plan, entries: &[Entry]) -> Result<()> {
        for statement in &plan.session {
            self.statements(statement).map_err(|why| self.refused("the settings at its beginning", why))?;
        }
        for step in plan.drops.iter().chain(&plan.steps) {
            let result = self.step(step, entries)?;
            result.map_err(|why| self.refused(&EntryName::of(&entries[step.entry]).to_string(), why))?;
        }
        Ok(())
    }

    fn step(&self, step: &Step, entries: &[Entry]) -> Result<std::result::Result<(), String>> {
        Ok(match &step.action {
            Action::Heading(heading) => match definition_of_data(&entries[step.entry], *heading) {
                Some(definition) => self.statements(definition),
                None => Ok(()),
            },
            Action::Define(_) => self.statements(step.statement(entries).unwrap_or_default()),
            Action::Drop(text)
            | Action::DropCascade(text)
            | Action::Set(text)
            | Action::Become(text)
            | Action::Alter(text) => self.statements(text),
            // It is one such statement and nothing else, or there would be no plan; but psql wants to see its end.
            Action::CopyRows { statement, .. } => {
                let (text, looked) = self.written(statement);
                match self.lexer().feed(&text) {
                    Err(Trouble::Copy) => looked.map_err(str::to_owned),
                    Err(trouble) => Err(trouble.why()),
                    Ok(()) => {
                        Err("its COPY statement has no semicolon, so that psql would take its rows for a part of it"
                            .into())
                    }
                }
            }
            Action::EachLargeObject { before, after, oids_of, .. } => {
                match batches::oids(&entries[*oids_of])?.first() {
                    Some(oid) => self.statements(&batches::statement(before, *oid, after)),
                    None => Ok(()),
                }
            }
            Action::Connect(_) | Action::RunData { .. } | Action::LargeObjects { .. } | Action::Say(_) => Ok(()),
        })
    }

    /// Statements with what is quoted in them written otherwise.
    pub(super) fn otherwise<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        harmless::statements(text, self.standard_strings, self.encoding)
    }

    pub(super) fn statements(&self, text: &[u8]) -> std::result::Result<(), String> {
        let (text, looked) = self.written(text);
        let mut lexer = self.lexer();
        lexer.feed(&text).and_then(|()| lexer.finish()).map_err(Trouble::why)?;
        looked.map_err(str::to_owned)
    }

    fn written<'a>(&self, text: &'a [u8]) -> (Cow<'a, [u8]>, std::result::Result<(), &'static str>) {
        written(text, self.standard_strings, self.encoding, self.has_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a watch says of a text, in pieces of every size.
    fn look(text: &[u8]) -> bool {
        let results: Vec<bool> = (1..=text.len())
            .map(|size| {
                let mut watch = Watch::default();
                text.chunks(size).all(|piece| watch.look(piece).is_ok())
            })
            .collect();
        assert!(results.iter().all(|result| *result == results[0]), "{:?}: {results:?}", text.as_bstr());
        results[0]
    }

    #[test]
    fn where_everybody_knows_the_key_only_the_writer_gives_the_command() {
        let mut watch = Watch::new(false);
        assert!(watch.look_at_own(b"\\unrestrict (null)\n\\connect x\n\\restrict (null)\n").is_ok());
        assert!(watch.look(b"COMMENT ON TABLE t IS E'\\\\unrestrict';\n").is_ok());
        assert!(watch.look(b"E'a\\'' \\unrestrict (null)\n\\! touch x\n'").is_err());
        assert!(Watch::new(true).look(b"E'a\\'' \\unrestrict (null)\n'").is_ok());
    }

    #[test]
    fn what_psql_could_run_is_seen_wherever_it_stands_and_in_pieces() {
        for wrong in [
            &b"1\t\\unrestrict `touch x`\n"[..],
            b"\\unrestrict\t:x `",
            b"-- Name: \\unrestrict \\unrestrict x \n\\unrestrict x` y",
            b"\\unrestric\\unrestrict`",
            b"SELECT :LAST_ERROR_MESSAGE;",
            b"a ::LAST_ERROR_MESSAGE",
            b"http://localhost:DBNAME",
            b"\\unre\0\nstrict `x`",
            b"\\\\\\unrestrict `x`",
            // In an encoding in which the first of them belongs to the letter.
            b"\x95\\\\unrestrict `x`",
            b"\xe2\x82\xac0x\\\\unrestrict `x`",
            &[&b"x"[..], &[b'\\'; 5001], b"unrestrict `x`"].concat(),
        ] {
            assert!(!look(wrong), "{:?}", wrong.as_bstr());
        }
        for right in [
            &b"\\restrict k3y\n\nSELECT `x`;\n\\unrestrict k3y\n`x` and\n\\connect d\n"[..],
            b"\\unrestric `x`\nunrestrict `x`\n",
            b"\\unrestrict\n`x`",
            b":LAST_ERROR :'LAST_ERROR_MESSAGE'",
            b"C:\\!x\t\\N\t`y`\n",
            // As COPY writes it.
            b"1\t\\\\unrestrict `x`\n\\\\\\\\unrestrict `x`\n",
            &[&b"x"[..], &[b'\\'; 5000], b"unrestrict `x`"].concat(),
        ] {
            assert!(look(right), "{:?}", right.as_bstr());
        }
    }
}
