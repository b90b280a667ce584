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

impl Rename {
    /// Finds a name under which the database `name` is put aside, where there are these databases and no name may be longer than
    /// `longest` bytes: one that none of them has. Where there are earlier ones, it has a number, and a higher one means later. They
    /// keep their names: somebody may be connected to them, or own them. A name that is too long with what is put after it is cut.
    ///
    /// # Errors
    /// It is too long, and nobody knows where it can be cut.
    pub(super) fn aside(name: &BStr, others: &HashSet<BString>, longest: usize) -> Result<Self> {
        let to = |to| Self { from: name.into(), to };
        let aside = with(name, ASIDE, longest)?;
        // All that are so called: cut ones as well.
        let number = |other: &BString| -> Option<u64> {
            let (stem, digits) = other.rsplit_once_str(ASIDE)?;
            let is_cut = name.starts_with(stem) && other.len() + 4 > longest;
            if name != stem && !is_cut {
                return None;
            }
            if digits.is_empty() {
                return Some(0);
            }
            let digits = digits.strip_prefix(b"_").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
            // A number that nobody has counted up to is no number of ours.
            std::str::from_utf8(digits).ok()?.parse::<u32>().ok().map(u64::from)
        };
        let highest = others.iter().filter_map(number).max();
        if highest.is_none() && !others.contains(&aside) {
            return Ok(to(aside));
        }
        for next in highest.unwrap_or(0) + 1.. {
            let numbered = with(name, &format!("{ASIDE}_{next}"), longest)?;
            if !others.contains(&numbered) {
                return Ok(to(numbered));
            }
        }
        Err(Error::new(ErrorKind::Refused, format!("put database \"{name}\" aside under another name"))
            .why("all names are taken")
            .hint("nothing was changed: drop databases that were put aside earlier"))
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

    fn found(name: &str, others: &[&str]) -> String {
        let others = others.iter().map(|other| BString::from(*other)).collect();
        Rename::aside(name.into(), &others, 63).unwrap().to.to_string()
    }

    #[test]
    fn a_later_one_gets_the_number_after_the_highest() {
        assert_eq!(found("app", &["app", "application_pre_restore_bak"]), "app_pre_restore_bak");
        let aside = "app_pre_restore_bak";
        assert_eq!(found("app", &[aside]), "app_pre_restore_bak_1");
        let others =
            [aside, "app_pre_restore_bak_9", "app_pre_restore_bak_10", "app_pre_restore_bak_x", "b_pre_restore_bak_77"];
        assert_eq!(found("app", &others), "app_pre_restore_bak_11");
        // The first was dropped, and a later one is there.
        assert_eq!(found("app", &["app_pre_restore_bak_2"]), "app_pre_restore_bak_3");
        let many = format!("app_pre_restore_bak_{}", u64::MAX);
        assert_eq!(found("app", &[aside, &many]), "app_pre_restore_bak_1");
        let most = format!("app_pre_restore_bak_{}", u32::MAX);
        assert_eq!(found("app", &[aside, &most]), "app_pre_restore_bak_4294967296");
    }

    #[test]
    fn a_long_name_is_cut_where_a_character_ends() {
        let name = "ü".repeat(31);
        let aside = format!("{}_pre_restore_bak", "ü".repeat(23));
        assert_eq!(found(&name, &[]), aside);
        let numbered = format!("{}_pre_restore_bak_1", "ü".repeat(22));
        assert_eq!(found(&name, &[&aside]), numbered);
        // One that is cut to itself.
        let name = format!("{}_pre_restore_bak", "x".repeat(47));
        assert_eq!(found(&name, &[&name]), format!("{}_pre_restore_bak_1", "x".repeat(45)));
        let error = Rename::aside(BStr::new(&[0xe9; 60]), &HashSet::new(), 63).unwrap_err();
        assert!(error.to_string().contains("longer than 63 bytes"), "{error}");
    }
}
