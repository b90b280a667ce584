//! The statements that a script of roles and tablespaces consists of, and no others: what is carried out as a superuser must be
//! nothing but what such a script is for.

use bstr::BString;

use super::cursor::Cursor;
use crate::sql::lexer::{Kind, Token};

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// `SET`, of what tells how the script is to be read: the name and the value.
    Setting(&'static str, BString),
    /// `SET SESSION AUTHORIZATION`, up to the `RESET` of it.
    Authorization(BString),
    ResetAuthorization,
    CreateRole(BString),
    /// Attributes, a comment, a label.
    Role(BString),
    /// A setting of a role, or of all.
    RoleSetting(Option<BString>),
    Membership {
        role: BString,
        member: BString,
    },
    /// Privileges on a parameter, and whose; `public` is everybody, for no role has that name.
    Parameter {
        name: BString,
        grantee: BString,
    },
    CreateTablespace {
        name: BString,
        location: BString,
    },
    /// Privileges on a tablespace, and whose.
    TablespacePrivileges {
        name: BString,
        grantee: BString,
    },
    /// Options, a comment, a label.
    Tablespace(BString),
}

/// Settings that a script begins with, and the values they may have; any literal without one.
const SETTINGS: [(&str, Option<&[&str]>); 4] = [
    ("default_transaction_read_only", Some(&["off"])),
    ("client_encoding", None),
    ("standard_conforming_strings", Some(&["on", "off"])),
    ("escape_string_warning", Some(&["off"])),
];

const ATTRIBUTES: [&str; 14] = [
    "SUPERUSER",
    "NOSUPERUSER",
    "INHERIT",
    "NOINHERIT",
    "CREATEROLE",
    "NOCREATEROLE",
    "CREATEDB",
    "NOCREATEDB",
    "LOGIN",
    "NOLOGIN",
    "REPLICATION",
    "NOREPLICATION",
    "BYPASSRLS",
    "NOBYPASSRLS",
];

/// What the tokens of a statement, without spaces, comments and the semicolon, are; `None` if they are nothing that is known.
pub(super) fn parse(tokens: &[Token<'_>]) -> Option<Statement> {
    let mut cursor = Cursor { tokens };
    let statement = cursor.statement()?;
    cursor.tokens.is_empty().then_some(statement)
}

impl Cursor<'_, '_> {
    fn statement(&mut self) -> Option<Statement> {
        let verb = self.next()?;
        (verb.kind == Kind::Word).then_some(())?;
        match verb.text.to_ascii_uppercase().as_slice() {
            b"SET" => self.set(),
            b"RESET" => self.words("SESSION AUTHORIZATION").map(|()| Statement::ResetAuthorization),
            b"CREATE" => self.create(),
            b"ALTER" => self.alter(),
            b"COMMENT" => {
                self.words("ON")?;
                let statement = self.object()?;
                self.words("IS")?;
                self.literal()?;
                Some(statement)
            }
            b"SECURITY" => {
                self.words("LABEL FOR")?;
                self.name()?;
                self.words("ON")?;
                let statement = self.object()?;
                self.words("IS")?;
                self.literal()?;
                Some(statement)
            }
            b"GRANT" => self.grant(),
            b"REVOKE" => self.revoke(),
            _ => None,
        }
    }

    fn set(&mut self) -> Option<Statement> {
        if self.takes("SESSION") {
            self.words("AUTHORIZATION")?;
            return self.name().map(Statement::Authorization);
        }
        let (name, values) = SETTINGS.into_iter().find(|(name, _)| self.takes(name))?;
        self.takes_mark(b'=').then_some(())?;
        let value = match self.tokens.first()?.kind {
            Kind::Word => self.next()?.text.to_ascii_lowercase(),
            _ => self.text()?,
        };
        let is_known = values.is_none_or(|values| values.iter().any(|known| known.as_bytes() == value));
        // The name of an encoding has letters and the like.
        let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        (is_known && is_plain).then(|| Statement::Setting(name, value.into()))
    }

    fn create(&mut self) -> Option<Statement> {
        if self.takes("ROLE") {
            return self.name().map(Statement::CreateRole);
        }
        self.words("TABLESPACE")?;
        let name = self.name()?;
        self.words("OWNER")?;
        self.name()?;
        self.words("LOCATION")?;
        let location = self.text()?.into();
        Some(Statement::CreateTablespace { name, location })
    }

    /// A role or a tablespace.
    fn object(&mut self) -> Option<Statement> {
        if self.takes("ROLE") {
            return self.name().map(Statement::Role);
        }
        self.words("TABLESPACE")?;
        self.name().map(Statement::Tablespace)
    }

    fn alter(&mut self) -> Option<Statement> {
        if self.takes("TABLESPACE") {
            let name = self.name()?;
            self.words("SET")?;
            self.takes_mark(b'(').then_some(())?;
            loop {
                self.name()?;
                self.takes_mark(b'=').then_some(())?;
                self.number()?;
                if !self.takes_mark(b',') {
                    break;
                }
            }
            return self.takes_mark(b')').then_some(Statement::Tablespace(name));
        }
        self.words("ROLE")?;
        let role = if self.takes("ALL") { None } else { Some(self.name()?) };
        if self.takes("SET") {
            self.name()?;
            self.words("TO")?;
            self.values()?;
            return Some(Statement::RoleSetting(role));
        }
        self.words("WITH")?;
        while !self.tokens.is_empty() {
            self.attribute()?;
        }
        role.map(Statement::Role)
    }

    /// What a setting is set to.
    fn values(&mut self) -> Option<()> {
        if self.takes("NULL") {
            return Some(());
        }
        self.literal()?;
        while self.takes_mark(b',') {
            self.literal()?;
        }
        Some(())
    }

    fn attribute(&mut self) -> Option<()> {
        if ATTRIBUTES.into_iter().any(|word| self.takes(word)) {
            return Some(());
        }
        if self.takes("CONNECTION") {
            self.words("LIMIT")?;
            return self.number();
        }
        if self.takes("PASSWORD") {
            return if self.takes("NULL") { Some(()) } else { self.literal() };
        }
        self.words("VALID UNTIL")?;
        self.literal()
    }

    fn grant(&mut self) -> Option<Statement> {
        if let Some(object) = self.privileges() {
            self.words("TO")?;
            let statement = object.of(self.name()?);
            if self.takes("WITH") {
                self.words("GRANT OPTION")?;
            }
            return Some(statement);
        }
        let role = self.name()?;
        self.words("TO")?;
        let member = self.name()?;
        if self.takes("WITH") {
            loop {
                let option = ["ADMIN", "INHERIT", "SET"].into_iter().find(|word| self.takes(word))?;
                let has_value =
                    self.takes("TRUE") || self.takes("FALSE") || (option == "ADMIN" && self.takes("OPTION"));
                has_value.then_some(())?;
                if !self.takes_mark(b',') {
                    break;
                }
            }
        }
        if self.takes("GRANTED") {
            self.words("BY")?;
            self.name()?;
        }
        Some(Statement::Membership { role, member })
    }

    fn revoke(&mut self) -> Option<Statement> {
        let object = self.privileges()?;
        self.words("FROM")?;
        Some(object.of(self.name()?))
    }

    /// Privileges, and what they are on. Takes nothing if it is something else.
    fn privileges(&mut self) -> Option<Object> {
        let before = self.tokens;
        let found = self.privileges_on();
        if found.is_none() {
            self.tokens = before;
        }
        found
    }

    fn privileges_on(&mut self) -> Option<Object> {
        loop {
            let is_known = self.takes("ALL")
                || self.takes("CREATE")
                || self.takes("SET")
                || (self.takes("ALTER") && self.takes("SYSTEM"));
            is_known.then_some(())?;
            if !self.takes_mark(b',') {
                break;
            }
        }
        self.words("ON")?;
        if self.takes("TABLESPACE") {
            return self.name().map(Object::Tablespace);
        }
        self.words("PARAMETER")?;
        let mut name = self.name()?;
        while self.takes_mark(b'.') {
            name.push(b'.');
            name.extend_from_slice(&self.name()?);
        }
        Some(Object::Parameter(name))
    }
}

/// What there are privileges on.
enum Object {
    Tablespace(BString),
    Parameter(BString),
}

impl Object {
    fn of(self, grantee: BString) -> Statement {
        match self {
            Self::Tablespace(name) => Statement::TablespacePrivileges { name, grantee },
            Self::Parameter(name) => Statement::Parameter { name, grantee },
        }
    }
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
