//! What the database that was there is called afterwards.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice};

use crate::{Error, ErrorKind, Result};

/// What is put after the name of a database that was put aside. (SQLite's files have the same in a form that needs no quotes here.)
const ASIDE: &str = "_pre_restore_bak";

/// A database's old and new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rename {
    pub(crate) from: BString,
    pub(crate) to: BString,
}

/// What is to be renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// One that was put aside earlier and makes room, under a number: a higher one means later.
    pub(crate) earlier: Option<Rename>,
    /// The one that is there.
    pub(crate) current: Rename,
}

impl Names {
    /// Finds names for the database `name`, where there are these databases and no name may be longer than `longest` bytes. A
    /// name that is too long with what is put after it is cut.
    ///
    /// # Errors
    /// It is too long, and nobody knows where it can be cut.
    pub(super) fn find(name: &BStr, others: &HashSet<BString>, longest: usize) -> Result<Self> {
        let aside = with(name, ASIDE, longest)?;
        let current = |to| Rename { from: name.into(), to };
        if !others.contains(&aside) {
            return Ok(Self { earlier: None, current: current(aside) });
        }
        // All that are so called: cut ones as well.
        let number = |other: &BString| -> Option<u64> {
            let (stem, digits) = other.rsplit_once_str(ASIDE)?;
            let digits = digits.strip_prefix(b"_")?;
            let is_ours = name.starts_with(stem) && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            if is_ours { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
        };
        let next = others.iter().filter_map(number).max().map_or(1, |highest| highest.saturating_add(1));
        let numbered = with(name, &format!("{ASIDE}_{next}"), longest)?;
        Ok(Self { earlier: Some(Rename { from: aside.clone(), to: numbered }), current: current(aside) })
    }
}

/// `name` with `suffix`.
fn with(name: &BStr, suffix: &str, longest: usize) -> Result<BString> {
    let room = longest.saturating_sub(suffix.len());
    let stem = match name.to_str() {
        _ if name.len() <= room => name.as_bytes(),
        Ok(text) => text.get(..text.floor_char_boundary(room)).unwrap_or_default().as_bytes(),
        Err(_) => {
            return Err(Error::new(ErrorKind::Refused, format!("put database \"{name}\" aside under another name"))
                .why(format!("with \"{suffix}\" it would be longer than {longest} bytes, and it is not in UTF-8"))
                .hint("nothing was changed: give it a shorter name first"));
        }
    };
    Ok([stem, suffix.as_bytes()].concat().into())
}

/// `rsplit_once` for bytes.
trait RSplitOnce {
    fn rsplit_once_str(&self, at: &str) -> Option<(&[u8], &[u8])>;
}

impl RSplitOnce for BString {
    fn rsplit_once_str(&self, at: &str) -> Option<(&[u8], &[u8])> {
        let found = self.rfind(at)?;
        Some((self.get(..found)?, self.get(found + at.len()..)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(name: &str, others: &[&str]) -> (Option<(String, String)>, String) {
        let others = others.iter().map(|other| BString::from(*other)).collect();
        let Names { earlier, current } = Names::find(name.into(), &others, 63).unwrap();
        (earlier.map(|one| (one.from.to_string(), one.to.to_string())), current.to.to_string())
    }

    #[test]
    fn an_earlier_one_gets_the_number_after_the_highest() {
        assert_eq!(found("app", &["app", "application_pre_restore_bak"]), (None, "app_pre_restore_bak".into()));
        let aside = "app_pre_restore_bak";
        let earlier = |to: &str| (Some((aside.to_owned(), to.to_owned())), aside.to_owned());
        assert_eq!(found("app", &[aside]), earlier("app_pre_restore_bak_1"));
        let others =
            [aside, "app_pre_restore_bak_9", "app_pre_restore_bak_10", "app_pre_restore_bak_x", "b_pre_restore_bak_77"];
        assert_eq!(found("app", &others), earlier("app_pre_restore_bak_11"));
    }

    #[test]
    fn a_long_name_is_cut_where_a_character_ends() {
        let name = "ü".repeat(31);
        let aside = format!("{}_pre_restore_bak", "ü".repeat(23));
        assert_eq!(found(&name, &[]), (None, aside.clone()));
        let numbered = format!("{}_pre_restore_bak_1", "ü".repeat(22));
        assert_eq!(found(&name, &[&aside]), (Some((aside.clone(), numbered)), aside));
        let error = Names::find(BStr::new(&[0xe9; 60]), &HashSet::new(), 63).unwrap_err();
        assert!(error.to_string().contains("longer than 63 bytes"), "{error}");
    }
}
