//! Flags that come in pairs, of which the last one wins.

/// What a pair of flags comes to: `yes` and `no` override each other, so at most one is set.
pub(crate) fn pair(yes: bool, no: bool, default: bool) -> bool {
    match (yes, no) {
        (true, _) => true,
        (_, true) => false,
        _ => default,
    }
}
