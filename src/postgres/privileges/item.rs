//! One item of an access control list, from its text form `grantee=letters/grantor`.

use bstr::{BStr, BString, ByteSlice};

use super::words::Privilege;
use crate::error::{Error, ErrorKind, Result};

/// What a list says of one grantee by one grantor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The role that has the privileges; empty for PUBLIC.
    pub grantee: BString,
    /// The privileges' letters, each followed by `*` where it comes with the grant option.
    letters: Vec<u8>,
    /// The role that gave them.
    pub grantor: BString,
}

/// Whether an item has a privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    No,
    Plain,
    WithGrantOption,
}

impl Item {
    /// Reads one item of a list about what can have these privileges.
    ///
    /// # Errors
    /// It is not of that form, or has the letter of another privilege.
    pub fn parse(text: &BStr, privileges: &[Privilege]) -> Result<Self> {
        let malformed = || {
            Error::new(ErrorKind::Incomplete, "read a list of privileges")
                .why(format!("\"{text}\" is not of the form grantee=privileges/grantor"))
        };
        let (grantee, rest) = role(text).ok_or_else(malformed)?;
        let rest = rest.strip_prefix(b"=").ok_or_else(malformed)?;
        let slash = rest.find_byte(b'/').ok_or_else(malformed)?;
        let (grantor, end) = role(rest[slash + 1..].as_bstr()).ok_or_else(malformed)?;
        if !end.is_empty() {
            return Err(malformed());
        }
        let letters = rest[..slash].to_vec();
        let is_known = |letter: &u8| *letter == b'*' || privileges.iter().any(|(known, _)| known == letter);
        if let Some(unknown) = letters.iter().find(|letter| !is_known(letter)) {
            return Err(Error::new(ErrorKind::Incomplete, "read a list of privileges").why(format!(
                "the letter \"{}\" in \"{text}\" stands for a privilege that is not known here",
                char::from(*unknown).escape_default()
            )));
        }
        Ok(Self { grantee, letters, grantor })
    }

    /// Whether it has the privilege of that letter.
    pub fn held(&self, letter: u8) -> Held {
        match self.letters.iter().position(|l| *l == letter) {
            None => Held::No,
            Some(at) if self.letters.get(at + 1) == Some(&b'*') => Held::WithGrantOption,
            Some(_) => Held::Plain,
        }
    }
}

/// A role's name, in double quotes or parts of it so, up to `=` or the end; and what follows it.
fn role(text: &BStr) -> Option<(BString, &BStr)> {
    let mut name = Vec::new();
    let mut quoted = false;
    let mut bytes = text.iter().copied().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek().is_some_and(|(_, next)| *next == b'"') => {
                name.push(byte);
                bytes.next();
            }
            b'"' => quoted = !quoted,
            b'=' if !quoted => return Some((name.into(), text[at..].as_bstr())),
            _ => name.push(byte),
        }
    }
    (!quoted).then(|| (name.into(), b"".as_bstr()))
}

/// Appends a role's name as it stands in an item.
pub(super) fn quote_role(out: &mut Vec<u8>, name: &BStr) {
    if name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_') {
        out.extend_from_slice(name);
        return;
    }
    out.push(b'"');
    for &byte in name.iter() {
        if byte == b'"' {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    fn parse(text: &BStr) -> Result<Item> {
        Item::parse(text, words::of("TABLE", false, true).unwrap())
    }

    #[test]
    fn items_are_taken_apart() {
        let item = parse("bob=ar*w/alice".into()).unwrap();
        assert_eq!((item.grantee.as_bstr(), item.grantor.as_bstr()), ("bob".into(), "alice".into()));
        assert_eq!(item.held(b'a'), Held::Plain);
        assert_eq!(item.held(b'r'), Held::WithGrantOption);
        assert_eq!(item.held(b'd'), Held::No);
        assert_eq!(parse("=r/alice".into()).unwrap().grantee, "");
    }

    #[test]
    fn roles_may_hold_anything() {
        for name in ["a=b", "a/b", "say \"hi\"", "\"", "ünï", "comma,brace{}", "x"] {
            let mut text = Vec::new();
            quote_role(&mut text, name.into());
            text.extend_from_slice(b"=r*/");
            quote_role(&mut text, name.into());
            let item = parse(text.as_bstr()).unwrap();
            assert_eq!((item.grantee, item.grantor), (name.into(), name.into()));
        }
    }

    #[test]
    fn privileges_that_such_an_object_does_not_have_are_refused() {
        let of = |words| Item::parse("bob=rU/alice".into(), words::of(words, false, true).unwrap());
        assert!(of("SEQUENCE").is_ok());
        assert!(of("TABLE").unwrap_err().to_string().contains("\"U\""));
    }

    #[test]
    fn damaged_items_are_refused() {
        for text in ["", "bob", "bob=r", "\"bob=r/alice", "bob=r/alice=x", "bob=r/\"alice", "bob=r?/alice"] {
            assert!(parse(text.into()).is_err(), "{text}");
        }
    }
}
