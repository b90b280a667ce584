//! Lists of what is to be restored.

use bstr::ByteSlice;
use pgformat::{DumpId, Entry};

/// Reads a list of entries as `lifeboat list` and `pg_restore -l` write it, which somebody may have edited: the number of an
/// entry is at the beginning of a line, and what is after a semicolon is a comment. What else there is in the lines that
/// make no sense is handed to `ignored`, with the number of the line.
pub fn parse(text: &[u8], entries: &[Entry], mut ignored: impl FnMut(usize, &str)) -> Vec<DumpId> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_may_be_edited() {
        let entries: Vec<Entry> = [1, 5, 9].map(|id| Entry::new(DumpId(id), "TABLE")).into();
        let text = b";\n; Archive created at noon\n;\n9; 1259 16384 TABLE public a alice\n;5; TABLE\n  1\r\n\nx; y\n9;\n10; z\n-1\n";
        let mut ignored = Vec::new();
        let list = parse(text, &entries, |line, text| ignored.push((line, text.to_owned())));
        assert_eq!(list, [DumpId(9), DumpId(1)]);
        assert_eq!(ignored, [(8, "x".into()), (9, "9".into()), (10, "10".into()), (11, "-1".into())]);
    }
}
