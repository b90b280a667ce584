//! Storage parameters.

use bstr::{BStr, BString, ByteSlice};

use crate::sql::Sql;

/// Appends `name=value` for each option, between commas. `prefix` comes before each name. A value that could be an
/// identifier stays bare.
pub fn append(sql: &mut Sql, options: &[BString], prefix: &'static str) {
    for (i, option) in options.iter().enumerate() {
        let (name, value): (&BStr, &BStr) = match option.split_once_str("=") {
            Some((name, value)) => (name.as_bstr(), value.as_bstr()),
            None => (option.as_bstr(), BStr::new("")),
        };
        if i > 0 {
            sql.kw(", ");
        }
        sql.kw(prefix).ident(name).kw("=");
        let mut bare = Sql::styled(sql.style());
        bare.ident(value);
        if bare.as_bstr() == value {
            sql.ident(value);
        } else {
            sql.literal(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_unless_they_are_plain_words() {
        let options: Vec<BString> =
            ["fillfactor=70", "buffering=auto", "autovacuum_enabled=false", "odd", "x=a=b"].map(BString::from).into();
        let mut sql = Sql::new();
        append(&mut sql, &options, "toast.");
        assert_eq!(
            sql.as_bstr(),
            "toast.fillfactor='70', toast.buffering=auto, toast.autovacuum_enabled='false', toast.odd='', toast.x='a=b'"
        );
    }
}
