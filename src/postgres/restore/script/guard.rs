//! What must not get into a script, because psql would do something else with it than send it to a server.
//!
//! Two things are looked for. Statements are read as psql reads them: a command of psql's, or what would make psql take the
//! text after it for something else, is refused. And whatever is written, rows and comments too, is looked through for the
//! one command that psql carries out in a script of ours, `\unrestrict`, with a program in its argument (psql before August
//! 2026 runs that, CVE-2026-18408). That does not depend on where psql believes itself to be, which a failed COPY or a
//! setting that a function changes can bring out of step with the text.

use bstr::ByteSlice;
use pgformat::Entry;

use super::encoding::Encoding;
use super::lexer::{Lexer, is_copy_from_stdin};
use super::text::definition_of_data;
use crate::postgres::restore::large_objects as batches;
use crate::postgres::restore::plan::{Action, Plan, Step};
use crate::postgres::restore::session::ArchiveSettings;
use crate::postgres::restore::summary::EntryName;
use crate::{Error, ErrorKind, Result};

const COMMAND: &[u8] = b"\\unrestrict";
/// The one variable of psql's whose value an archive can choose, by way of an error.
const VARIABLE: &[u8] = b":LAST_ERROR_MESSAGE";
/// So many bytes of what was written before may be the beginning of either.
const OVERLAP: usize = VARIABLE.len() - 1;

/// Looks through everything that is written, in pieces.
#[derive(Debug, Default)]
pub(super) struct Watch {
    before: Vec<u8>,
    /// Whether the line has the command in it.
    is_after_command: bool,
}

impl Watch {
    /// Why the next piece must not be written.
    pub(super) fn look(&mut self, piece: &[u8]) -> std::result::Result<(), &'static str> {
        if piece.contains(&0) {
            return Err("it has a zero byte, where psql would leave out a part of the line");
        }
        let mut joined = std::mem::take(&mut self.before);
        let overlap = joined.len();
        joined.extend(piece.iter().take(OVERLAP));
        if piece.find(VARIABLE).is_some() || joined.find(VARIABLE).is_some() {
            return Err("it has :LAST_ERROR_MESSAGE in it, which psql could replace by a command");
        }
        if self.is_after_command {
            self.rest_of_line(piece)?;
        }
        let ends = joined.find_iter(COMMAND).filter(|at| *at < overlap).map(|at| at + COMMAND.len());
        for end in ends.filter_map(|end| end.checked_sub(overlap)).filter(|end| *end > 0) {
            self.rest_of_line(&piece[end..])?;
        }
        for at in piece.find_iter(COMMAND) {
            self.rest_of_line(&piece[at + COMMAND.len()..])?;
        }
        self.before = match piece.len() < OVERLAP {
            // Both ends are short, and what was put together is all of it.
            true => joined.split_off(joined.len().saturating_sub(OVERLAP)),
            false => piece[piece.len() - OVERLAP..].to_vec(),
        };
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

/// What statements of an archive are held against.
pub(super) struct Guard {
    standard_strings: bool,
    encoding: Encoding,
}

impl Guard {
    pub(super) fn new(settings: &ArchiveSettings) -> Self {
        Self { standard_strings: settings.standard_strings, encoding: Encoding::of(settings.encoding.as_bstr()) }
    }

    /// A reader for statements that come as data.
    pub(super) fn lexer(&self) -> Lexer {
        Lexer::new(self.standard_strings, self.encoding)
    }

    /// Looks at all statements of a plan before the first of them is written.
    pub(super) fn check(&self, plan: &Plan, entries: &[Entry]) -> Result<()> {
        for statement in &plan.session {
            self.statements(statement).map_err(|why| refused("the settings at its beginning", why))?;
        }
        for step in plan.drops.iter().chain(&plan.steps) {
            let result = self.step(step, entries)?;
            result.map_err(|why| refused(&EntryName::of(&entries[step.entry]).to_string(), why))?;
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
            Action::CopyRows { statement, .. } => {
                match is_copy_from_stdin(statement, self.standard_strings, self.encoding) {
                    true => self.watched(statement),
                    false => Err(format!(
                        "its rows are for \"{}\", which is no COPY … FROM stdin",
                        statement.trim_ascii().as_bstr()
                    )),
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

    fn statements(&self, text: &[u8]) -> std::result::Result<(), String> {
        let mut lexer = self.lexer();
        lexer.feed(text).and_then(|()| lexer.finish()).map_err(super::lexer::Trouble::why)?;
        self.watched(text)
    }

    fn watched(&self, text: &[u8]) -> std::result::Result<(), String> {
        Watch::default().look(text).map_err(str::to_owned)
    }
}

/// The error for something that is not written.
pub(super) fn refused(what: &str, why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Archive, format!("write {what} into a script"))
        .why(why)
        .hint("restore without --script, which runs no psql, or leave the entry out, with --use-list")
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
    fn what_psql_could_run_is_seen_wherever_it_stands_and_in_pieces() {
        for wrong in [
            &b"1\t\\unrestrict `touch x`\n"[..],
            b"\\unrestrict\t:x `",
            b"-- Name: \\unrestrict \\unrestrict x \n\\unrestrict x` y",
            b"\\unrestric\\unrestrict`",
            b"SELECT :LAST_ERROR_MESSAGE;",
            b"a ::LAST_ERROR_MESSAGE",
            b"\\unre\0\nstrict `x`",
        ] {
            assert!(!look(wrong), "{:?}", wrong.as_bstr());
        }
        for right in [
            &b"\\restrict k3y\n\nSELECT `x`;\n\\unrestrict k3y\n`x` and\n\\connect d\n"[..],
            b"\\unrestric `x`\nunrestrict `x`\n",
            b"\\unrestrict\n`x`",
            b":LAST_ERROR :'LAST_ERROR_MESSAGE'",
            b"C:\\!x\t\\N\t`y`\n",
        ] {
            assert!(look(right), "{:?}", right.as_bstr());
        }
    }
}
