//! Scripts in which psql finds nothing to carry out, even where it has lost track of quotes.

use bstr::ByteSlice;

/// Fails the test if psql's variable for errors is in the script, or its one command with a program, unless another backslash in
/// ASCII takes away its meaning.
pub fn assert_quiet(script: &[u8]) {
    assert!(!script.contains_str(":LAST_ERROR_MESSAGE"), "{}", script.as_bstr());
    for at in script.find_iter("\\unrestrict `") {
        let backslashes = script[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        let other = script[..at - backslashes].last();
        assert!(backslashes % 2 == 1 && other.is_none_or(u8::is_ascii), "{}", script.as_bstr());
    }
}
