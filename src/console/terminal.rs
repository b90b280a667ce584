//! The one place that writes to standard output and standard error, and the last that sees what is written there: whatever a
//! line holds, it is printed as one line, and as text.

#![expect(clippy::disallowed_methods, reason = "all others come here")]

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::panic;

use serde_json::Value;

use super::{secret, standard_streams};
use crate::printable::{escaped, is_plain};

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// Prints lines, each as one line, and all at once.
pub(crate) fn lines<'a>(to: Stream, lines: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&escaped(&secret::masked(line)));
        text.push('\n');
    }
    match to {
        // Rust's runtime takes a write there as done.
        Stream::Out if standard_streams::is_output_unwritable() => Err(io::ErrorKind::PermissionDenied.into()),
        Stream::Out => {
            let mut to = io::stdout().lock();
            to.write_all(text.as_bytes())?;
            to.flush()
        }
        Stream::Err => io::stderr().lock().write_all(text.as_bytes()),
    }
}

/// Prints a line.
pub(crate) fn line(to: Stream, line: &str) -> io::Result<()> {
    lines(to, [line])
}

/// The text of `value`, on one line. JSON has escapes of its own for what may not stand in a line, so that nothing is lost.
pub(crate) fn json(value: Value) -> String {
    let text = masked(value).to_string();
    if text.chars().all(is_plain) {
        return text;
    }
    let mut result = String::with_capacity(text.len() + 16);
    // Outside of strings, and for the characters below a space, it is plain already.
    for character in text.chars() {
        if is_plain(character) {
            result.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| result.push_str(&format!("\\u{unit:04x}")));
        }
    }
    result
}

/// `value` with [`secret::masked`] strings. Masked here, because JSON has escapes of its own.
fn masked(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(secret::masked(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(masked).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, masked(value))).collect()),
        other => other,
    }
}

/// Standard output of a process that speaks to another one of lifeboat's. Archives and scripts go to `standard_streams::output`.
pub(crate) fn data() -> io::StdoutLock<'static> {
    io::stdout().lock()
}

/// Whether a person reads what goes there.
pub(crate) fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Out => io::stdout().is_terminal(),
        Stream::Err => io::stderr().is_terminal(),
    }
}

/// Has a fault of our own told like everything else: what it says may hold text of others.
pub(crate) fn tell_panics() {
    panic::set_hook(Box::new(|info| {
        let backtrace = std::backtrace::Backtrace::capture().to_string();
        let told = format!("lifeboat: internal error: {info}");
        let more = backtrace.lines().filter(|_| std::env::var_os("RUST_BACKTRACE").is_some());
        let all: Vec<Cow<'_, str>> = std::iter::once(Cow::Owned(told)).chain(more.map(Cow::Borrowed)).collect();
        let _ = lines(Stream::Err, all.iter().map(AsRef::as_ref));
    }));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_plain_and_loses_nothing() {
        let value = json!({"a\u{9b}": ["\u{202e}\u{7f}\n\u{1b}", "\u{e0041}ü", "\u{2028}\\"]});
        let text = json(value.clone());
        assert!(text.chars().all(is_plain), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.contains("\\u202e\\u007f\\n\\u001b") && text.contains("\\udb40\\udc41ü"), "{text}");
    }
}
