//! Files that say what is to be restored: lists of entries, and filters.

use bstr::ByteSlice;
use pgformat::{DumpId, Entry};

use super::options::Selection;
use crate::Result;
use crate::postgres::filter::{self, Command};

/// Reads a list of entries as `lifeboat list` and `pg_restore -l` write it, which somebody may have edited: the number of an
/// entry is at the beginning of a line, and what is after a semicolon is a comment. What else there is in the lines that
/// make no sense is handed to `ignored`, with the number of the line.
pub fn parse_list(text: &[u8], entries: &[Entry], mut ignored: impl FnMut(usize, &str)) -> Vec<DumpId> {
    let last = entries.iter().map(|entry| entry.dump_id).max().unwrap_or(DumpId(0));
    let mut list = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if line.is_empty() {
            continue;
        }
        let digits = line.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(line.len());
        let id = line[..digits].to_str().ok().and_then(|digits| digits.parse().ok()).map(DumpId);
        match id {
            Some(id) if id.0 > 0 && id <= last && seen.insert(id) => list.push(id),
            _ => ignored(number + 1, &line.to_str_lossy()),
        }
    }
    list
}

impl Selection {
    /// Adds what the filter file with this `text` says; `file` is its name, for errors.
    ///
    /// # Errors
    /// A line that is not in the grammar, or names what cannot be chosen in a restore.
    pub fn add_filters(&mut self, text: &[u8], file: &str) -> Result<()> {
        for item in filter::parse(text, file)? {
            let names = match (item.command, item.kind) {
                (Command::Include, "function") => &mut self.functions,
                (Command::Include, "index") => &mut self.indexes,
                (Command::Include, "schema") => &mut self.schemas,
                (Command::Include, "table") => &mut self.tables,
                (Command::Include, "trigger") => &mut self.triggers,
                (Command::Exclude, "schema") => &mut self.exclude_schemas,
                _ => return Err(item.refuse(file)),
            };
            // A function's name in an archive is its signature, which keeps its quotes.
            names.push(if item.kind == "function" { item.pattern } else { item.name() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_may_be_edited() {
        let entries: Vec<Entry> = [1, 5, 9].map(|id| Entry::new(DumpId(id), "TABLE")).into();
        let text = b";\n; Archive created at noon\n;\n9; 1259 16384 TABLE public a alice\n;5; TABLE\n  1\r\n\nx; y\n9;\n10; z\n-1\n";
        let mut ignored = Vec::new();
        let list = parse_list(text, &entries, |line, text| ignored.push((line, text.to_owned())));
        assert_eq!(list, [DumpId(9), DumpId(1)]);
        assert_eq!(ignored, [(8, "x".into()), (9, "9".into()), (10, "10".into()), (11, "-1".into())]);
    }

    #[test]
    fn filters_become_a_selection() {
        let mut only = Selection::default();
        let text = b"include table \"A b\"\ninclude function \"F\"(integer)\nexclude schema s\ninclude trigger t g\n";
        only.add_filters(text, "f").unwrap();
        assert_eq!(
            only,
            Selection {
                tables: vec!["A b".into()],
                functions: vec!["\"F\"(integer)".into()],
                exclude_schemas: vec!["s".into()],
                triggers: vec!["t g".into()],
                ..Selection::default()
            }
        );
        for wrong in ["exclude table a", "include extension e", "include table_data a", "include table_and_children a"]
        {
            assert!(only.add_filters(wrong.as_bytes(), "f").is_err(), "{wrong}");
        }
    }
}
