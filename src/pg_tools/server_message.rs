//! What a server says, as libpq shows it to people: the message, the place in the statement, and what there is to say besides, each on
//! lines of its own.

use bstr::{BStr, ByteSlice};

use crate::wire::ServerError;

/// How many columns of the line are shown in which an error is.
const SHOWN: usize = 60;
/// How many of them, at least, come after the place.
const BEYOND: usize = 10;

/// All that libpq shows of a report on a `statement`, with a line break at its end.
pub(super) fn text(report: &ServerError, statement: Option<&[u8]>) -> String {
    let mut text = format!("{}:  {}\n", report.severity, report.message.to_str_lossy());
    let internal = report.internal_query.as_ref().map(|query| query.as_bstr());
    let place = match (report.position, report.internal_position) {
        (Some(at), _) => statement.map(|statement| (BStr::new(statement), at)),
        (None, Some(at)) => internal.map(|query| (query, at)),
        (None, None) => None,
    };
    if let Some((query, at)) = place {
        text.push_str(&excerpt(&query.to_str_lossy(), at));
    }
    let parts = [
        ("DETAIL", &report.detail),
        ("HINT", &report.hint),
        ("QUERY", &report.internal_query),
        ("CONTEXT", &context(report)),
    ];
    for (what, part) in parts {
        if let Some(part) = part {
            text.push_str(&format!("{what}:  {}\n", part.to_str_lossy()));
        }
    }
    text
}

/// The call stack is shown with errors only.
fn context(report: &ServerError) -> Option<bstr::BString> {
    let is_error = [&b"ERROR"[..], b"FATAL", b"PANIC"].contains(&report.severity.as_slice());
    report.context.clone().filter(|_| is_error)
}

/// The line in which the character with this number is, from 1, as much of it as there is room for, and a mark below that character.
fn excerpt(query: &str, at: usize) -> String {
    let Some(at) = at.checked_sub(1) else { return String::new() };
    let characters: Vec<char> = query.chars().collect();
    if at > characters.len() {
        return String::new();
    }
    let is_break = |n: usize| matches!(characters.get(n), Some('\n' | '\r'));
    let begin = (0..at).rev().find(|n| is_break(*n)).map_or(0, |n| n + 1);
    let end = (at..characters.len()).find(|n| is_break(*n)).unwrap_or(characters.len());
    // A line feed after a carriage return ends no line of its own.
    let breaks = (0..at).filter(|n| is_break(*n) && !(characters[*n] == '\n' && *n > 0 && characters[n - 1] == '\r'));
    let line = breaks.count() + 1;
    let (from, to) = window(begin, end, at);
    let mut shown = format!("LINE {line}: {}", if from > begin { "..." } else { "" });
    let column = shown.chars().count() + at - from;
    shown.extend(characters[from..to].iter().map(|c| if *c == '\t' { ' ' } else { *c }));
    shown.push_str(if to < end { "...\n" } else { "\n" });
    shown.push_str(&" ".repeat(column));
    shown.push_str("^\n");
    shown
}

/// Which part of a line is shown, so that the place is in it: the beginning if that will do.
fn window(begin: usize, end: usize, at: usize) -> (usize, usize) {
    if end - begin <= SHOWN {
        return (begin, end);
    }
    if begin + SHOWN >= at + BEYOND {
        return (begin, begin + SHOWN);
    }
    let end = end.min(at + BEYOND);
    (begin.max(end.saturating_sub(SHOWN)), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_shown() {
        assert_eq!(excerpt("SELECT x", 8), "LINE 1: SELECT x\n               ^\n");
        assert_eq!(excerpt("SELECT\n\tx,\r\n y", 8 + 6), "LINE 3:  y\n         ^\n");
        let long = format!("SELECT {}y{}", "a, ".repeat(40), " + 1".repeat(20));
        let shown = excerpt(&long, 128);
        assert_eq!(shown.lines().next().unwrap().chars().count(), "LINE 1: ".len() + 3 + SHOWN + 3);
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().nth(mark.find('^').unwrap()), Some('y'));
        assert_eq!(excerpt("x", 0), "");
        assert_eq!(excerpt("x", 3), "");
    }
}
