//! The GRANT and REVOKE statements that lead from one list of privileges to another.

use bstr::{BStr, BString, ByteSlice};

use super::item::{Held, Item};
use super::words::{self, Privilege};
use crate::error::Result;
use crate::sql::{Sql, Style};

/// What the statements are about.
pub(super) struct Grantable<'a> {
    /// What comes before GRANT and REVOKE, with a space at its end: `ALTER DEFAULT PRIVILEGES …`.
    pub prefix: &'a Sql,
    /// The key words for the kind of object.
    pub words: &'static str,
    /// The quoted name with its schema; empty for default privileges.
    pub name: &'a Sql,
    /// The column's name.
    pub column: Option<&'a BStr>,
    /// How names are written.
    pub style: Style,
    /// The owner, who gives the privileges unless a list says otherwise.
    pub owner: &'a BStr,
}

/// The privileges of one item: those without the grant option, and those with it.
struct Lists {
    plain: Vec<&'static str>,
    with_option: Vec<&'static str>,
}

/// The statements that lead from the list `before` to the list `after`.
///
/// # Errors
/// An item of a list is not understood.
pub(super) fn statements(target: &Grantable<'_>, before: &[BString], after: &[BString]) -> Result<Sql> {
    let privileges = words::of(target.words, target.column.is_some(), target.style.maintain)?;
    let parse =
        |list: &[BString]| list.iter().map(|item| Item::parse(item.as_bstr(), privileges)).collect::<Result<Vec<_>>>();
    let (before, after) = (parse(before)?, parse(after)?);

    // What the owner gives to himself must be there before what he, or another with the option, hands on.
    let mut first = Sql::styled(target.style);
    let mut then = Sql::styled(target.style);
    for item in before.iter().filter(|item| !after.contains(item)) {
        revoke(&mut first, target, item, privileges);
    }
    for item in after.iter().filter(|item| !before.contains(item)) {
        let own = !target.owner.is_empty() && item.grantee == target.owner && item.grantor == target.owner;
        grant(if own { &mut first } else { &mut then }, target, item, privileges);
    }
    first.sql(&then);
    Ok(first)
}

fn revoke(sql: &mut Sql, target: &Grantable<'_>, item: &Item, privileges: &[Privilege]) {
    let held = all_or(having(item, privileges, |held| held != Held::No), privileges);
    if held.is_empty() {
        return;
    }
    sql.sql(target.prefix).kw("REVOKE ");
    on(sql, target, &held);
    sql.kw("FROM ");
    grantee(sql, item);
    sql.kw(";\n");
}

fn grant(sql: &mut Sql, target: &Grantable<'_>, item: &Item, privileges: &[Privilege]) {
    let lists = Lists::of(item, privileges);
    if lists.plain.is_empty() && lists.with_option.is_empty() {
        return;
    }
    let other_grantor = item.grantor != target.owner;
    if other_grantor {
        sql.kw("SET SESSION AUTHORIZATION ").ident(item.grantor.as_bstr()).kw(";\n");
    }
    for (list, end) in [(&lists.plain, ";\n"), (&lists.with_option, " WITH GRANT OPTION;\n")] {
        if !list.is_empty() {
            sql.sql(target.prefix).kw("GRANT ");
            on(sql, target, list);
            sql.kw("TO ");
            grantee(sql, item);
            sql.kw(end);
        }
    }
    if other_grantor {
        sql.kw("RESET SESSION AUTHORIZATION;\n");
    }
}

fn having(item: &Item, privileges: &[Privilege], which: impl Fn(Held) -> bool) -> Vec<&'static str> {
    privileges.iter().filter(|(letter, _)| which(item.held(*letter))).map(|(_, word)| *word).collect()
}

fn all_or(list: Vec<&'static str>, privileges: &[Privilege]) -> Vec<&'static str> {
    if list.len() == privileges.len() { vec!["ALL"] } else { list }
}

impl Lists {
    fn of(item: &Item, privileges: &[Privilege]) -> Self {
        Self {
            plain: all_or(having(item, privileges, |held| held == Held::Plain), privileges),
            with_option: all_or(having(item, privileges, |held| held == Held::WithGrantOption), privileges),
        }
    }
}

/// `SELECT(column),UPDATE(column) ON TABLE schema.name `.
fn on(sql: &mut Sql, target: &Grantable<'_>, list: &[&'static str]) {
    for (i, word) in list.iter().enumerate() {
        if i > 0 {
            sql.kw(",");
        }
        sql.kw(word);
        if let Some(column) = target.column {
            sql.kw("(").ident(column).kw(")");
        }
    }
    sql.kw(" ON ").kw(target.words).kw(" ");
    if !target.name.is_empty() {
        sql.sql(target.name).kw(" ");
    } else if target.style.old_spaces {
        sql.kw(" ");
    }
}

fn grantee(sql: &mut Sql, item: &Item) {
    if item.grantee.is_empty() {
        sql.kw("PUBLIC");
    } else {
        sql.ident(item.grantee.as_bstr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_to(words: &'static str, column: Option<&str>, before: &[&str], after: &[&str]) -> String {
        let (prefix, mut name) = (Sql::new(), Sql::new());
        name.qualified("s".into(), "T".into());
        let target = Grantable {
            prefix: &prefix,
            words,
            name: &name,
            column: column.map(Into::into),
            style: Style::default(),
            owner: "alice".into(),
        };
        let list = |items: &[&str]| items.iter().map(|i| BString::from(*i)).collect::<Vec<_>>();
        let sql = statements(&target, &list(before), &list(after)).unwrap();
        String::from_utf8(sql.into_bstring().into()).unwrap()
    }

    #[test]
    fn equal_lists_need_nothing() {
        assert_eq!(from_to("SCHEMA", None, &["alice=UC/alice"], &["alice=UC/alice"]), "");
    }

    #[test]
    fn what_is_gone_is_revoked_before_what_is_new_is_granted() {
        assert_eq!(
            from_to("TYPE", None, &["=U/alice", "alice=U/alice"], &["bob=U*/alice", "alice=U*/alice", "carl=U/bob"]),
            "REVOKE ALL ON TYPE s.\"T\" FROM PUBLIC;\n\
             REVOKE ALL ON TYPE s.\"T\" FROM alice;\n\
             GRANT ALL ON TYPE s.\"T\" TO alice WITH GRANT OPTION;\n\
             GRANT ALL ON TYPE s.\"T\" TO bob WITH GRANT OPTION;\n\
             SET SESSION AUTHORIZATION bob;\n\
             GRANT ALL ON TYPE s.\"T\" TO carl;\n\
             RESET SESSION AUTHORIZATION;\n"
        );
    }

    #[test]
    fn the_grant_option_splits_a_list() {
        assert_eq!(
            from_to("TABLE", None, &[], &["bob=ar*wd/alice"]),
            "GRANT INSERT,DELETE,UPDATE ON TABLE s.\"T\" TO bob;\n\
             GRANT SELECT ON TABLE s.\"T\" TO bob WITH GRANT OPTION;\n"
        );
    }

    #[test]
    fn column_privileges_name_the_column_each() {
        assert_eq!(
            from_to("TABLE", Some("Col"), &[], &["bob=rw/alice", "=arwx/alice"]),
            "GRANT SELECT(\"Col\"),UPDATE(\"Col\") ON TABLE s.\"T\" TO bob;\n\
             GRANT ALL(\"Col\") ON TABLE s.\"T\" TO PUBLIC;\n"
        );
    }

    #[test]
    fn all_privileges_of_an_older_server_are_named() {
        assert_eq!(
            from_to("TABLE", None, &[], &["bob=arwdDxt/alice"]),
            "GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE s.\"T\" TO bob;\n"
        );
    }
}
