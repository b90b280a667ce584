//! Values of settings as they stand in the catalog (`setconfig`, `proconfig`), and as SET takes them.

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

impl Sql {
    /// Appends a setting's stored value in the form that `SET name TO` takes: literals, between commas for a list of names.
    pub fn setting_value(&mut self, name: &BStr, value: &BStr) -> &mut Self {
        let names = NAME_LISTS.iter().any(|list| name.eq_ignore_ascii_case(list.as_bytes()));
        let Some(elements) = names.then(|| split_names(value)).flatten() else {
            return self.literal(value);
        };
        for (i, element) in elements.iter().enumerate() {
            if i > 0 {
                self.kw(", ");
            }
            self.literal(element.as_bstr());
        }
        self
    }
}

/// Splits `name=value`, as the catalog stores settings.
pub fn split_setting(item: &BStr) -> Option<(&BStr, &BStr)> {
    let (name, value) = item.split_once_str("=")?;
    Some((name.as_bstr(), value.as_bstr()))
}

/// The names in a list between commas, out of their double quotes; `None` if it is not such a list. Case is kept: a name
/// that is not quoted was stored as it was given.
fn split_names(list: &BStr) -> Option<Vec<BString>> {
    let mut rest = list.trim_ascii_start();
    let mut names = Vec::new();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let name;
        (name, rest) = if rest.starts_with(b"\"") { quoted(&rest[1..])? } else { plain(rest)? };
        names.push(name);
        rest = rest.trim_ascii_start();
        match rest.split_first() {
            None => return Some(names),
            Some((b',', after)) => rest = after.trim_ascii_start(),
            Some(_) => return None,
        }
    }
}

fn quoted(mut rest: &[u8]) -> Option<(BString, &[u8])> {
    let mut name = BString::default();
    loop {
        let end = rest.find_byte(b'"')?;
        name.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        if !rest.starts_with(b"\"") {
            return Some((name, rest));
        }
        name.push(b'"');
        rest = &rest[1..];
    }
}

fn plain(rest: &[u8]) -> Option<(BString, &[u8])> {
    let end = rest.iter().position(|c| *c == b',' || c.is_ascii_whitespace()).unwrap_or(rest.len());
    (end > 0).then(|| (rest[..end].into(), &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, value: &str) -> String {
        let mut sql = Sql::new();
        sql.setting_value(name.into(), value.into());
        sql.into_bstring().to_string()
    }

    #[test]
    fn lists_of_names_are_taken_apart() {
        assert_eq!(value("search_path", r#""$user", public"#), "'$user', 'public'");
        assert_eq!(value("Search_Path", r#""a""b,c" , D"#), r#"'a"b,c', 'D'"#);
        assert_eq!(value("search_path", r#""""#), "''");
        assert_eq!(value("search_path", ""), "");
        assert_eq!(value("temp_tablespaces", "it's"), "'it''s'");
    }

    #[test]
    fn other_values_are_literals() {
        assert_eq!(value("DateStyle", "ISO, MDY"), "'ISO, MDY'");
        assert_eq!(value("search_path", "a b"), "'a b'");
    }
}
