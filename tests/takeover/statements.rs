//! The statements of ours in a server's log. They are those of the extended protocol; an archive's are not.

use std::collections::BTreeSet;

/// The statements that `lifeboat` sent, each once.
pub fn sent(log: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut current: Option<String> = None;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some(current) = &mut current {
                current.push('\n');
                current.push_str(more);
            }
            continue;
        }
        found.extend(current.take());
        current = line.strip_prefix("lifeboat|LOG:  execute <unnamed>: ").map(str::to_owned);
    }
    found.extend(current);
    found
}
