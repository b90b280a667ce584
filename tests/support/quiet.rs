//! Scripts in which psql finds nothing to carry out, even where it has lost track of quotes.

use bstr::ByteSlice;

/// Fails the test if one of psql's variables whose value others choose is in the script, or its one command with a program, unless
/// another backslash takes away its meaning, which no encoding makes a part of the character before it.
pub fn assert_quiet(script: &[u8]) {
    for variable in [":LAST_ERROR_MESSAGE", ":DBNAME"] {
        assert!(!script.contains_str(variable), "{}", script.as_bstr());
    }
    for at in script.find_iter("\\unrestrict `") {
        let backslashes = script[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        let before = &script[at.saturating_sub(backslashes + 3)..at];
        assert!(backslashes % 2 == 1 && before.is_ascii(), "{}", script.as_bstr());
    }
}
