//! The encoding that a dump is in, where the command line does not say it: libpq takes it from the environment.

use bstr::{BString, ByteSlice};

use crate::connect::Environment;

/// The variable that says it for all programs that use libpq.
const VARIABLE: &str = "PGCLIENTENCODING";
/// What of it stands for the encoding of the locale.
const OF_LOCALE: &[u8] = b"auto";

/// The encoding that is `asked` for, or that of the environment; none is the database's own.
pub(super) fn of(asked: Option<BString>, environment: &Environment) -> Option<BString> {
    let named = asked.or_else(|| environment.get(VARIABLE).filter(|name| !name.is_empty()).map(Into::into))?;
    if named.as_slice() != OF_LOCALE {
        return Some(named);
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
    let codeset = locale.and_then(|locale| locale.split_once_str(".").map(|(_, rest)| rest));
    let codeset = codeset.and_then(|rest| rest.split_str("@").next()).unwrap_or(b"SQL_ASCII");
    Some(codeset.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_it_where_nobody_else_does() {
        let environment = |value: &str| Environment::empty().with(VARIABLE, value).with("LANG", "de_DE.UTF-8@euro");
        let of = |asked: Option<&str>, value| super::of(asked.map(Into::into), &environment(value));
        assert_eq!(of(None, ""), None);
        assert_eq!(of(None, "LATIN1"), Some("LATIN1".into()));
        assert_eq!(of(Some("SJIS"), "LATIN1"), Some("SJIS".into()));
        assert_eq!(of(None, "auto"), Some("UTF-8".into()));
        assert_eq!(super::of(Some("auto".into()), &Environment::empty()), Some("SQL_ASCII".into()));
    }
}
