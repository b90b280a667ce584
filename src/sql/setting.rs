//! Values of settings as they stand in the catalog (`setconfig`, `proconfig`), and as SET takes them.

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

use super::Sql;

/// The settings whose value is a list of names, stored with each name quoted: SET wants the names one by one. (The
/// server flags them so; an extension cannot add any.)
const NAME_LISTS: &[&str] = &[
    "local_preload_libraries",
    "oauth_validator_libraries",
    "output_plugin_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// What is wrong with a stored setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedSetting {
    /// It is not of the form `name=value`.
    NoValue,
    /// Its value should be a list of names, and is not.
    NoList,
}

impl fmt::Display for MalformedSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MalformedSetting::NoValue => "is not of the form name=value",
            MalformedSetting::NoList => "is not a list of names",
        })
    }
}

impl std::error::Error for MalformedSetting {}

/// How a list of names is written that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNames {
    /// `NULL`, as PostgreSQL 19 and later take it.
    Null,
    /// One name, which is empty, where the setting has that mean the same. Older servers have no way to say that there is none,
    /// though functions can come to such a list (`SET … FROM CURRENT`); their pg_dump writes nothing, which nobody reads.
    EmptyName,
}

/// Of [`NAME_LISTS`], those for which a name that is empty is no name.
const EMPTY_NAME_IS_NONE: &[&str] = &["search_path", "temp_tablespaces"];

impl Sql {
    /// Appends a stored setting (`name=value`) in the form that SET takes, `name TO value`: the value a literal, or
    /// literals between commas for a list of names.
    ///
    /// # Errors
    /// The setting is malformed; nothing usable was appended.
    pub fn setting(&mut self, item: &BStr, no_names: NoNames) -> Result<&mut Self, MalformedSetting> {
        self.setting_with(item, no_names, Sql::literal)
    }

    /// As [`Sql::setting`], with literals that mean the same whatever `standard_conforming_strings` is: what this is for
    /// may set just that.
    ///
    /// # Errors
    /// The setting is malformed; nothing usable was appended.
    pub fn portable_setting(&mut self, item: &BStr, no_names: NoNames) -> Result<&mut Self, MalformedSetting> {
        self.setting_with(item, no_names, Sql::portable_literal)
    }

    fn setting_with(
        &mut self,
        item: &BStr,
        no_names: NoNames,
        literal: for<'s> fn(&'s mut Sql, &BStr) -> &'s mut Sql,
    ) -> Result<&mut Self, MalformedSetting> {
        let (name, value) = item.split_once_str("=").ok_or(MalformedSetting::NoValue)?;
        self.ident(name.as_bstr()).kw(" TO ");
        let is_one_of = |lists: &[&str]| lists.iter().any(|list| name.eq_ignore_ascii_case(list.as_bytes()));
        if !is_one_of(NAME_LISTS) {
            return Ok(literal(self, value.as_bstr()));
        }
        let names = split_names(value).ok_or(MalformedSetting::NoList)?;
        if names.is_empty() {
            return Ok(match no_names {
                NoNames::EmptyName if is_one_of(EMPTY_NAME_IS_NONE) => literal(self, BStr::new("")),
                _ => self.kw("NULL"),
            });
        }
        for (i, name) in names.iter().enumerate() {
            literal(self.kw(if i > 0 { ", " } else { "" }), name.as_bstr());
        }
        Ok(self)
    }
}

/// The names in a list between commas, out of their double quotes; `None` if it is not such a list. Case is kept: a name
/// that is not quoted was stored as it was given.
fn split_names(list: &[u8]) -> Option<Vec<BString>> {
    let mut rest = list.trim_ascii_start();
    let mut names = Vec::new();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let name;
        (name, rest) = match rest.strip_prefix(b"\"") {
            Some(quoted) => quoted_name(quoted)?,
            None => plain_name(rest)?,
        };
        names.push(name);
        rest = rest.trim_ascii_start();
        match rest.split_first() {
            None => return Some(names),
            Some((b',', after)) => rest = after.trim_ascii_start(),
            Some(_) => return None,
        }
    }
}

fn quoted_name(mut rest: &[u8]) -> Option<(BString, &[u8])> {
    let mut name = BString::default();
    loop {
        let end = rest.find_byte(b'"')?;
        name.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        let Some(after) = rest.strip_prefix(b"\"") else { return Some((name, rest)) };
        name.push(b'"');
        rest = after;
    }
}

fn plain_name(rest: &[u8]) -> Option<(BString, &[u8])> {
    let end = rest.iter().position(|c| *c == b',' || c.is_ascii_whitespace()).unwrap_or(rest.len());
    (end > 0).then(|| (rest[..end].into(), &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(item: &str) -> Result<String, MalformedSetting> {
        let mut sql = Sql::new();
        sql.setting(item.into(), NoNames::Null)?;
        Ok(sql.into_bstring().to_string())
    }

    #[test]
    fn values_are_literals() {
        assert_eq!(clause("work_mem=4MB").unwrap(), "work_mem TO '4MB'");
        assert_eq!(clause("DateStyle=iso, mdy").unwrap(), "\"DateStyle\" TO 'iso, mdy'");
        assert_eq!(clause("my.x=a=b'").unwrap(), "\"my.x\" TO 'a=b'''");
    }

    #[test]
    fn lists_are_taken_apart() {
        for (list, names) in [
            ("", "NULL"),
            ("  ", "NULL"),
            ("public", "'public'"),
            ("public , \"$user\"", "'public', '$user'"),
            ("\"\"", "''"),
            ("\"a\"\"b\",c", "'a\"b', 'c'"),
            ("\"a,b\"", "'a,b'"),
            ("\"it's\"", "'it''s'"),
        ] {
            assert_eq!(clause(&format!("Search_Path={list}")).unwrap(), format!("\"Search_Path\" TO {names}"));
        }
    }

    #[test]
    fn lists_without_names_are_what_the_server_takes() {
        for (setting, older) in [("search_path", "''"), ("temp_tablespaces", "''"), ("local_preload_libraries", "NULL")]
        {
            let mut sql = Sql::new();
            sql.setting(format!("{setting}=").as_str().into(), NoNames::EmptyName).unwrap();
            assert_eq!(sql.into_bstring(), format!("{setting} TO {older}"));
            assert_eq!(clause(&format!("{setting}=")).unwrap(), format!("{setting} TO NULL"));
        }
        assert_eq!(clause("DateStyle=").unwrap(), "\"DateStyle\" TO ''");
    }

    #[test]
    fn malformed_settings_are_errors() {
        for list in ["a,,b", "\"a", "a b", "a,", "\"a\"b"] {
            assert_eq!(clause(&format!("search_path={list}")), Err(MalformedSetting::NoList), "{list}");
        }
        assert_eq!(clause("nothing"), Err(MalformedSetting::NoValue));
    }
}
