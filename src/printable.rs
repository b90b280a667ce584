//! Text that is not ours, made fit for one line on a terminal or in a log.
//!
//! Names of objects, messages of servers, paths and tags of archives are written by others, who may be hostile: a line feed
//! in a name would begin a line that looks like one of ours, and escape codes, or marks that turn the direction of writing,
//! would rewrite the lines before it. Our own lines consist of printable characters, and their ends are added when they are
//! printed. So a character that this module does not let through never was ours.

use std::borrow::Cow;

use bstr::{BStr, ByteSlice};

use crate::wire::{Notice, ServerError};

/// Whether `character` may stand in a line as it is. What ends a line anywhere, drives a terminal, turns the direction of
/// writing or cannot be seen at all may not; what joins letters of some scripts and signs may.
pub fn is_plain(character: char) -> bool {
    // The first are those of categories Zl, Zp and Cf, but for the two joiners and the Arabic and Syriac signs that are seen.
    !matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) && !character.is_control()
}

/// `text` with escapes (`\n`, `\u{1b}`) in place of what may not stand in a line. What is plain, or was escaped before, stays
/// as it is.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_plain(character) { result.push(character) } else { result.extend(character.escape_default()) }
    }
    Cow::Owned(result)
}

/// The name of an object, from a catalog or an archive: [`escaped`], with what is not UTF-8 replaced.
pub fn name(name: &BStr) -> String {
    escaped(&name.to_str_lossy()).into_owned()
}

/// Text of several lines that is to be read, such as a statement, or the context of a server's error: line breaks and runs
/// of space become single spaces, the rest is [`escaped`].
pub fn on_one_line(text: &BStr) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.to_str_lossy().chars() {
        match character {
            '\n' | '\r' | '\t' | ' ' if result.ends_with(' ') => {}
            '\n' | '\r' | '\t' => result.push(' '),
            c if is_plain(c) => result.push(c),
            c => result.extend(c.escape_default()),
        }
    }
    result
}

/// What a server's error says.
pub fn report(report: &ServerError) -> String {
    let part = |text: &[u8]| on_one_line(text.as_bstr());
    format!("{} (SQLSTATE {}){}", part(&report.message), part(&report.code), more(report))
}

/// What a server's notice says.
pub fn notice(notice: &Notice) -> String {
    on_one_line(notice.message.as_bstr()) + &more(notice)
}

fn more(report: &ServerError) -> String {
    let parts = [("detail", &report.detail), ("hint", &report.hint)];
    let said = parts.iter().filter_map(|(what, part)| Some((what, part.as_ref()?)));
    said.map(|(what, part)| format!("; {what}: {}", on_one_line(part.as_bstr()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would begin a line, drive a terminal or turn its text.
    const HOSTILE: [char; 15] = [
        '\n', '\r', '\t', '\0', '\u{b}', '\u{c}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{2029}',
        '\u{202e}', '\u{2066}', '\u{feff}',
    ];

    #[test]
    fn what_is_not_plain_is_escaped_everywhere() {
        for hostile in HOSTILE {
            let text = format!("{hostile}a{hostile}{hostile}ü");
            for made in [escaped(&text).into_owned(), name(text.as_str().into()), on_one_line(text.as_str().into())] {
                assert!(made.chars().all(is_plain), "{made:?}");
            }
            let escape = hostile.escape_default();
            assert_eq!(escaped(&text), format!("{escape}a{escape}{escape}ü"));
            // Once more changes nothing.
            assert_eq!(escaped(&escaped(&text)), escaped(&text));
        }
    }

    #[test]
    fn honest_text_of_any_script_stays_as_it_is() {
        for text in ["", "a\\nb", "Zoë's \"table\"", "用户", "می‌خواهم", "👩‍👩‍👧", "שלום", "e\u{301}", "\u{fffd}"]
        {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        assert_eq!(name(BStr::new(b"a\x9bb\xff")), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn lines_become_one() {
        let text = "CREATE TABLE t (\n    a integer\r\n)\u{85}\u{2028};";
        assert_eq!(on_one_line(text.into()), "CREATE TABLE t ( a integer )\\u{85}\\u{2028};");
    }
}
