//! The statements that take away what is about to be created.

use bstr::{BStr, BString};
use pgformat::Entry;
use pgformat::kinds::DropForm;

use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::plan::{Action, Purpose, subscription};
use crate::sql::lexer::{Kind, tokens};

/// What drops the object of the `entry` at this place, with `IF EXISTS` where it is asked for; `None` if it has none.
pub fn action(entry: &Entry, at: EntryIndex, if_exists: bool) -> Option<Action> {
    let statement = entry.drop_statement.as_ref()?;
    let drop = kinds::drop(entry);
    if drop == DropForm::UnlinkAll {
        let (before, after) = if if_exists { (UNLINK_IF_EXISTS, "'") } else { ("SELECT pg_catalog.lo_unlink('", "')") };
        let (before, after) = (before.into(), after.into());
        return Some(Action::EachLargeObject { purpose: Purpose::Drop, before, after, oids_of: at });
    }
    // A comment says why there is nothing to drop: the schema public comes with every database.
    if statement.trim_ascii().is_empty() || statement.starts_with(b"--") {
        return None;
    }
    if if_exists && drop == DropForm::Unlink {
        return Some(Action::Drop(format!("{UNLINK_IF_EXISTS}{}';\n", entry.catalog_oid.1).into()));
    }
    let statement = if if_exists {
        with_if_exists(BStr::new(statement.as_slice()), words(drop), &[b"ALTER TABLE", b"ALTER FOREIGN TABLE"])
    } else {
        statement.clone()
    };
    Some(match statement.trim_ascii_end().strip_suffix(b" CASCADE;") {
        None if kinds::is(entry, "SUBSCRIPTION") => Action::Drop(subscription::drop_here_alone(statement)),
        None => Action::Drop(statement),
        Some(_) if kinds::is(entry, "TYPE") => Action::DropCascade(statement),
        // Nothing else needs it, and it would take along what is not in the archive.
        Some(alone) => Action::Drop([alone, b";\n"].concat().into()),
    })
}

/// What pg_restore writes into a script to drop the entry's object: as the archive has it, `CASCADE` included, and
/// comments too, which say why there is nothing to drop. Only where it looks for the place of `IF EXISTS` inside of a
/// quoted name as well, this does not.
pub fn for_script(entry: &Entry, at: EntryIndex, if_exists: bool) -> Option<Action> {
    let statement = entry.drop_statement.as_ref()?;
    let drop = kinds::drop(entry);
    let is_verbatim = !if_exists || statement.is_empty() || statement.starts_with(b"--");
    if matches!(drop, DropForm::UnlinkAll | DropForm::Unlink) && (drop == DropForm::UnlinkAll || !is_verbatim) {
        return action(entry, at, if_exists);
    }
    if is_verbatim || statement.starts_with(b"CREATE OR REPLACE VIEW") {
        return Some(Action::Drop(statement.clone()));
    }
    let words = match drop {
        DropForm::Constraint | DropForm::Column => words(drop),
        _ if kinds::is(entry, "DATABASE PROPERTIES") => None,
        _ => Some([b"DROP ".as_slice(), kinds::text(&entry.desc)].concat()),
    };
    Some(Action::Drop(with_if_exists(BStr::new(statement.as_slice()), words, &[b"ALTER TABLE"])))
}

const UNLINK_IF_EXISTS: &str = "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '";

/// The words after which a drop of this kind says `IF EXISTS`; `None` where its grammar has no place for that.
fn words(drop: DropForm) -> Option<Vec<u8>> {
    match drop {
        DropForm::Words(words) => Some([b"DROP ", words.as_bytes()].concat()),
        DropForm::Constraint => Some(b"DROP CONSTRAINT".to_vec()),
        DropForm::NoDrop | DropForm::Column | DropForm::Unlink | DropForm::UnlinkAll | DropForm::AsIs => None,
    }
}

/// Puts `IF EXISTS` into a statement: after the first of `alters` that it begins with, and after `words`.
fn with_if_exists(statement: &BStr, words: Option<Vec<u8>>, alters: &[&[u8]]) -> BString {
    let mut result = Vec::with_capacity(statement.len() + 20);
    let mut rest: &[u8] = statement;
    for alter in alters {
        if let Some(tail) = rest.strip_prefix(*alter) {
            result.extend_from_slice(alter);
            result.extend_from_slice(b" IF EXISTS");
            rest = tail;
            break;
        }
    }
    // Not found is right for a view in a loop: it is not dropped at first but emptied, by a statement that replaces it.
    let end = words.and_then(|words| find_outside_quotes(rest, &words).map(|at| at + words.len())).unwrap_or(0);
    result.extend_from_slice(&rest[..end]);
    if end > 0 {
        result.extend_from_slice(b" IF EXISTS");
    }
    result.extend_from_slice(&rest[end..]);
    result.into()
}

/// Where `words` stand in `statement` as words of their own: not within a quoted name, which may be called anything.
fn find_outside_quotes(statement: &[u8], words: &[u8]) -> Option<usize> {
    tokens(statement).filter(|token| token.kind == Kind::Word).map(|token| token.at).find(|&at| {
        let starts = at == 0 || statement[at - 1].is_ascii_whitespace();
        let next = statement.get(at + words.len());
        let ends = next.is_none_or(|next| next.is_ascii_whitespace() || *next == b';');
        starts && ends && statement[at..].starts_with(words)
    })
}
