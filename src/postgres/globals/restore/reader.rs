//! A script of roles and tablespaces, read as what it is: statements of few kinds, comments, and the two commands for psql that
//! keep that from taking anything else for one.

use bstr::{BStr, BString, ByteSlice};

use super::grammar::{self, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Encoding;
use crate::sql::lexer::{Kind, Lexer, Token, tokens_of};
use crate::words::Choice;

/// What a script says.
pub(super) struct Script {
    /// The encoding of its names; the database's own without one.
    pub encoding: Option<BString>,
    pub standard_strings: bool,
    pub steps: Vec<Step>,
}

/// What is sent at once: a statement, or those that another role is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub about: Statement,
    pub text: BString,
}

/// Reads a script.
///
/// # Errors
/// It has a statement that does not belong into one, or is cut off.
pub(super) fn read(text: &[u8]) -> Result<Script> {
    let mut reader =
        Reader { text, script: Script { encoding: None, standard_strings: true, steps: Vec::new() }, authorized: None };
    let mut at = 0;
    while let Some(next) = reader.statements(at)? {
        at = next;
    }
    Ok(reader.script)
}

struct Reader<'a> {
    text: &'a [u8],
    script: Script,
    /// Where `SET SESSION AUTHORIZATION` begins, and what the statements after it are about.
    authorized: Option<(usize, Option<Statement>)>,
}

impl Reader<'_> {
    /// Reads statements from `begin` on; where literals are read otherwise from some place on, gives that.
    fn statements(&mut self, begin: usize) -> Result<Option<usize>> {
        let text = self.text;
        let lexer = Lexer::new(self.script.standard_strings);
        let mut tokens = tokens_of(&text[begin..], lexer).map(|token| Token { at: token.at + begin, ..token });
        let mut statement: Vec<Token<'_>> = Vec::new();
        while let Some(token) = tokens.next() {
            if statement.is_empty() && token.is_mark(b'\\') {
                self.command(token.at, &mut tokens)?;
            } else if token.is_mark(b';') {
                let end = token.at + 1;
                let strings = self.script.standard_strings;
                self.statement(&statement, end)?;
                statement.clear();
                if self.script.standard_strings != strings {
                    return Ok(Some(end));
                }
            } else if token.is_solid() {
                statement.push(token);
            }
        }
        match (statement.first(), &self.authorized) {
            (Some(token), _) => Err(refused(self.text, token.at, "it ends in the middle of a statement")),
            (None, Some((at, _))) => Err(refused(self.text, *at, "what another role is to run has no end")),
            (None, None) => Ok(None),
        }
    }

    /// A command for psql.
    fn command<'t>(&self, at: usize, tokens: &mut impl Iterator<Item = Token<'t>>) -> Result<()> {
        let is_first = at == 0 || self.text.get(at - 1) == Some(&b'\n');
        let words: Vec<Token<'_>> = tokens.by_ref().take(3).collect();
        let is_known = match words.as_slice() {
            [command, space, key] => {
                [b"restrict".as_slice(), b"unrestrict"].contains(&command.text)
                    && space.text == b" "
                    && key.kind == Kind::Word
            }
            _ => false,
        };
        let end = tokens.next().map_or(&b"\n"[..], |token| token.text);
        if is_first && is_known && end.trim_start_with(|c| c == '\r').starts_with(b"\n") {
            return Ok(());
        }
        Err(refused(self.text, at, "it has a command for psql"))
    }

    fn statement(&mut self, tokens: &[Token<'_>], end: usize) -> Result<()> {
        let Some(first) = tokens.first() else { return Ok(()) };
        let text = self.text;
        let unknown = || refused(text, first.at, "that is no statement of such a script");
        // A server would say in its error what the second one is, and that may be a part of a password.
        if tokens.windows(2).any(|pair| are_texts_apart(text, pair)) {
            return Err(unknown());
        }
        let statement = grammar::parse(tokens).ok_or_else(unknown)?;
        if let Some((begin, about)) = &mut self.authorized {
            match statement {
                Statement::ResetAuthorization => {
                    let text = self.text[*begin..end].into();
                    if let Some(about) = about.take() {
                        self.script.steps.push(Step { about, text });
                    }
                    self.authorized = None;
                }
                Statement::Tablespace(_) | Statement::TablespacePrivileges { .. } | Statement::Parameter { .. } => {
                    _ = about.get_or_insert(statement)
                }
                _ => return Err(unknown()),
            }
            return Ok(());
        }
        // The server is told once how to read, before all: what is read in two ways here would be another statement there.
        let settles = ["client_encoding", "standard_conforming_strings"];
        if matches!(&statement, Statement::Setting(name, _) if settles.contains(name) && !self.script.steps.is_empty())
        {
            return Err(refused(text, first.at, "it says in its middle how literals are to be read"));
        }
        match statement {
            Statement::Setting("client_encoding", encoding) => {
                if Encoding::of(encoding.as_bstr()) != Encoding::Safe {
                    return Err(refused(
                        self.text,
                        first.at,
                        "it is in an encoding in which a part of a letter can look like a quote",
                    ));
                }
                self.script.encoding = Some(encoding);
            }
            Statement::Setting("standard_conforming_strings", value) => self.script.standard_strings = value == "on",
            // The session that carries it out is set up so.
            Statement::Setting(..) => {}
            Statement::Authorization(_) => self.authorized = Some((first.at, None)),
            Statement::ResetAuthorization => return Err(unknown()),
            about => self.script.steps.push(Step { about, text: self.text[first.at..end].into() }),
        }
        Ok(())
    }
}

/// Whether these are two literals, and not one that goes on in the next line.
fn are_texts_apart(text: &[u8], pair: &[Token<'_>]) -> bool {
    let [one, other] = pair else { return false };
    let gap = &text[one.at + one.text.len()..other.at];
    one.kind == Kind::Text && other.kind == Kind::Text && (!gap.contains_str("\n") || gap.contains_str("/*"))
}

fn refused(text: &[u8], at: usize, why: &str) -> Error {
    let line = text[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    Error::new(ErrorKind::Archive, "restore roles and tablespaces")
        .why(format!("line {line} of the script: {why}"))
        .hint("such a script is what " + Choice::Globals + " writes, or pg_dumpall --globals-only; others are for psql")
}

/// The name of what a step is about, for people.
impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |name: &BString| crate::printable::name(BStr::new(name));
        match self {
            Self::CreateRole(role) | Self::Role(role) => write!(f, "role {}", name(role)),
            Self::RoleSetting(Some(role)) => write!(f, "setting of role {}", name(role)),
            Self::RoleSetting(None) => f.write_str("setting of all roles"),
            Self::Membership { role, member } => write!(f, "membership of {} in {}", name(member), name(role)),
            Self::Parameter { name: parameter, .. } => write!(f, "privileges on parameter {}", name(parameter)),
            Self::CreateTablespace { name: space, .. }
            | Self::TablespacePrivileges { name: space, .. }
            | Self::Tablespace(space) => {
                write!(f, "tablespace {}", name(space))
            }
            Self::Setting(setting, _) => write!(f, "setting {setting}"),
            Self::Authorization(role) => write!(f, "session of {}", name(role)),
            Self::ResetAuthorization => f.write_str("session"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        match read(text.as_bytes()) {
            Ok(script) => script.steps.iter().map(|step| format!("{}: {}|", step.about, step.text)).collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn scripts_are_taken_apart() {
        assert_eq!(
            said(
                "--\n-- x; \\! ls\n--\n\n\\restrict k3y\n\nSET client_encoding = 'UTF8';\n\nCREATE ROLE a;\n\
                 ALTER ROLE a SET x TO 'it''s;';\nSET SESSION AUTHORIZATION b;\nGRANT ALL ON TABLESPACE s TO a;\n\
                 RESET SESSION AUTHORIZATION;\n\\unrestrict k3y\n"
            ),
            "role a: CREATE ROLE a;|setting of role a: ALTER ROLE a SET x TO 'it''s;';|tablespace s: SET SESSION AUTHORIZATION b;\n\
             GRANT ALL ON TABLESPACE s TO a;\nRESET SESSION AUTHORIZATION;|"
        );
        assert_eq!(said("COMMENT ON ROLE a IS 'x' -- y\n 'z';"), "role a: COMMENT ON ROLE a IS 'x' -- y\n 'z';|");
        // From there on, a backslash takes away the meaning of what follows it.
        assert_eq!(
            said("SET standard_conforming_strings = off;\nCOMMENT ON ROLE a IS 'x\\';--';"),
            "role a: COMMENT ON ROLE a IS 'x\\';--';|"
        );
    }

    #[test]
    fn what_does_not_belong_there_is_refused_with_its_line() {
        for (text, why) in [
            ("CREATE ROLE a;\n\\! ls\n", "line 2 of the script: it has a command for psql"),
            ("\\restrict k `ls`\n", "line 1 of the script: it has a command for psql"),
            (" \\restrict k\n", "line 1 of the script: it has a command for psql"),
            ("\\connect x\n", "line 1 of the script: it has a command for psql"),
            ("CREATE ROLE a; SELECT 1;", "line 1 of the script: that is no statement of such a script"),
            ("ALTER ROLE a WITH PASSWORD 'a' 'b';", "line 1 of the script: that is no statement of such a script"),
            (
                "ALTER ROLE a WITH PASSWORD 'a' /*\n*/ 'b';",
                "line 1 of the script: that is no statement of such a script",
            ),
            ("CREATE ROLE a", "line 1 of the script: it ends in the middle of a statement"),
            ("CREATE ROLE \"a", "line 1 of the script: it ends in the middle of a statement"),
            (
                "SET SESSION AUTHORIZATION a;\nCREATE ROLE a;",
                "line 2 of the script: that is no statement of such a script",
            ),
            ("\nSET SESSION AUTHORIZATION a;", "line 2 of the script: what another role is to run has no end"),
            ("SET client_encoding = 'SJIS';", "line 1 of the script: it is in an encoding in which a part of a letter"),
        ] {
            assert!(said(text).contains(why), "{text}: {}", said(text));
        }
    }
}
