#![allow(clippy::unwrap_used)]

use pgformat::{DumpId, Entry};
use proptest::prelude::*;

use super::{line, parse};

fn entry(id: i32, desc: &str, texts: [Option<String>; 3]) -> Entry {
    let mut entry = Entry::new(DumpId(id), desc);
    [entry.schema, entry.tag, entry.owner] = texts.map(|text| text.map(Into::into));
    entry
}

proptest! {
    /// Whatever entries are called, the list that is written names each of them once, in its order, and nothing else.
    #[test]
    fn what_is_written_is_read(
        names in proptest::collection::vec(("[A-Z ;\\n]*", proptest::array::uniform3(any::<Option<String>>())), 0..20),
        first in 1..i32::MAX - 20,
    ) {
        let mut entries: Vec<Entry> = (first..).zip(names).map(|(id, (desc, texts))| entry(id, &desc, texts)).collect();
        entries.reverse();
        let list: String = entries.iter().map(|entry| line(entry) + "\n").collect();
        let mut ignored = Vec::new();
        let read = parse(list.as_bytes(), &entries, |line, text| ignored.push((line, text.to_owned())));
        prop_assert_eq!(ignored, []);
        prop_assert_eq!(read, entries.iter().map(|entry| entry.dump_id).collect::<Vec<_>>());
    }
}
