//! The SET clauses of a function.

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Sql;

/// The settings whose value is a list of names: the server keeps them as one text in which each name is quoted by itself.
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "oauth_validator_libraries",
    "output_plugin_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Appends the clause for a `name=value` of the function called `function`.
pub(super) fn append(sql: &mut Sql, setting: &BStr, function: &BStr) -> Result<()> {
    let malformed = |why: &str| {
        Error::new(ErrorKind::Incomplete, format!("read the settings of the function \"{function}\""))
            .why(format!("\"{setting}\" {why}"))
    };
    let (name, value) = setting.split_once_str("=").ok_or_else(|| malformed("is not a name and a value"))?;
    sql.kw("\n    SET ").ident(name.as_bstr()).kw(" TO ");
    if !LISTS.iter().any(|list| name.eq_ignore_ascii_case(list.as_bytes())) {
        sql.literal(value.as_bstr());
        return Ok(());
    }
    let names = split(value).ok_or_else(|| malformed("is not a list of names"))?;
    for (i, name) in names.iter().enumerate() {
        sql.kw(if i > 0 { ", " } else { "" }).literal(name.as_bstr());
    }
    Ok(())
}

/// The names in a list; none if it is malformed.
fn split(list: &[u8]) -> Option<Vec<BString>> {
    let is_space = |c: &u8| c.is_ascii_whitespace() || *c == b'\x0b';
    let trim = |text: &[u8]| text.iter().position(|c| !is_space(c)).unwrap_or(text.len());
    let mut names = Vec::new();
    let mut rest = &list[trim(list)..];
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let mut name = Vec::new();
        if let Some(mut quoted) = rest.strip_prefix(b"\"") {
            loop {
                let end = quoted.find_byte(b'"')?;
                name.extend_from_slice(&quoted[..end]);
                quoted = &quoted[end + 1..];
                let Some(after) = quoted.strip_prefix(b"\"") else { break };
                name.push(b'"');
                quoted = after;
            }
            rest = quoted;
        } else {
            let end = rest.iter().position(|c| *c == b',' || is_space(c)).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            name.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        names.push(name.into());
        rest = &rest[trim(rest)..];
        match rest.split_first() {
            None => return Some(names),
            Some((b',', after)) => rest = &after[trim(after)..],
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(setting: &str) -> Option<String> {
        let mut sql = Sql::new();
        append(&mut sql, setting.into(), "f".into()).ok()?;
        Some(sql.as_bstr().to_string())
    }

    #[test]
    fn values_are_literals() {
        assert_eq!(clause("work_mem=4MB").unwrap(), "\n    SET work_mem TO '4MB'");
        assert_eq!(clause("DateStyle=iso, mdy").unwrap(), "\n    SET \"DateStyle\" TO 'iso, mdy'");
        assert_eq!(clause("my.x=a=b'").unwrap(), "\n    SET \"my.x\" TO 'a=b'''");
    }

    #[test]
    fn lists_are_taken_apart() {
        for (list, names) in [
            ("", ""),
            ("  ", ""),
            ("public", "'public'"),
            ("public , \"$user\"", "'public', '$user'"),
            ("\"\"", "''"),
            ("\"a\"\"b\",c", "'a\"b', 'c'"),
            ("\"a,b\"", "'a,b'"),
            ("\"it's\"", "'it''s'"),
        ] {
            assert_eq!(
                clause(&format!("Search_Path={list}")).unwrap(),
                format!("\n    SET \"Search_Path\" TO {names}")
            );
        }
    }

    #[test]
    fn malformed_lists_are_errors() {
        for list in ["a,,b", "\"a", "a b", "a,", "\"a\"b"] {
            assert_eq!(clause(&format!("search_path={list}")), None, "{list}");
        }
        assert_eq!(clause("nothing"), None);
    }
}
