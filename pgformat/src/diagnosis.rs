//! What an input looks like that is no archive, or that something has changed on its way that takes every file for text.

use bstr::ByteSlice;

use crate::header::MAGIC;
use crate::tar;

/// How much of a text is shown.
const SHOWN: usize = 60;

/// What begins with these bytes instead of an archive, in words that say what to do; `None` if it is not known.
pub(crate) fn recognise(start: &[u8]) -> Option<String> {
    let contains = |text: &[u8]| start.find(text).is_some();
    if contains(b"PostgreSQL database dump") || contains(b"PostgreSQL database cluster dump") {
        return Some("it is an SQL script of pg_dump, which psql runs".into());
    }
    if start.starts_with(b"SQLite format 3\0") {
        return Some("it is an SQLite database".into());
    }
    packed(start)
        .or_else(|| encrypted(start))
        .or_else(|| encoded(start))
        .or_else(|| late(start))
        .or_else(|| text(start))
}

/// Files of programs that compress, or pack several files into one.
fn packed(start: &[u8]) -> Option<String> {
    const COMPRESSED: [(&[u8], &str, &str); 11] = [
        (&[0x1f, 0x8b], "a gzip file", "gunzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "a Zstandard file", "unzstd"),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], "an xz file", "unxz"),
        (b"BZh", "a bzip2 file", "bunzip2"),
        (&[0x04, 0x22, 0x4d, 0x18], "an lz4 file", "unlz4"),
        (&[0x02, 0x21, 0x4c, 0x18], "an lz4 file", "unlz4"),
        (b"LZIP", "an lzip file", "lzip -d"),
        (&[0x5d, 0, 0], "an lzma file", "unlzma"),
        (&[0x1f, 0x9d], "a file of compress", "uncompress"),
        (b"\x89LZO", "an lzop file", "lzop -d"),
        (b"\xff\x06\0\0sNaPpY", "a snappy file", "unsnap"),
    ];
    if let Some((_, what, command)) = COMPRESSED.iter().find(|(magic, ..)| start.starts_with(magic)) {
        let why = "an archive of pg_dump is compressed inside, not as a whole";
        return Some(format!("it is {what}; {why}: {command} it first"));
    }
    // Zstandard may begin with a frame that is to be passed over.
    if start.get(1..4) == Some(&[0x2a, 0x4d, 0x18]) && start[0] & 0xf0 == 0x50 {
        return Some("it is a Zstandard file; an archive of pg_dump is compressed inside: unzstd it first".into());
    }
    const PACKED: [(&[u8], &str, &str); 5] = [
        (b"PK\x03\x04", "a zip file", "unzip"),
        (b"PK\x05\x06", "a zip file without anything in it", "unzip"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file", "7z x"),
        (b"Rar!\x1a\x07", "a RAR file", "unrar x"),
        (b"!<arch>\n", "a file of ar", "ar x"),
    ];
    let (_, what, command) = PACKED.iter().find(|(magic, ..)| start.starts_with(magic))?;
    Some(format!("it is {what}: take the archive out of it first ({command})"))
}

fn encrypted(start: &[u8]) -> Option<String> {
    let begins = |text: &[u8]| start.starts_with(text);
    let program = match start {
        _ if begins(b"age-encryption.org/") || begins(b"-----BEGIN AGE ENCRYPTED FILE") => "age (age --decrypt)",
        _ if begins(b"-----BEGIN PGP MESSAGE") => "OpenPGP (gpg --decrypt)",
        // Packets with a session's key, for a public key or a password.
        [0x84, _, 3, ..] | [0x85, _, _, 3, ..] | [0x8c, _, 4..=6, ..] => "OpenPGP (gpg --decrypt)",
        [0xc1, _, 3 | 6, ..] | [0xc1, _, _, 3 | 6, ..] | [0xc3, _, 4..=6, ..] => "OpenPGP (gpg --decrypt)",
        _ if begins(b"Salted__") || begins(b"U2FsdGVkX1") => "OpenSSL (openssl enc -d)",
        _ if begins(b"$ANSIBLE_VAULT") => "ansible-vault (ansible-vault decrypt)",
        _ if begins(b"LUKS\xba\xbe") => "LUKS (cryptsetup)",
        _ => return None,
    };
    Some(format!("it is encrypted with {program}: decrypt it first"))
}

/// An archive that was written as text of some kind.
fn encoded(start: &[u8]) -> Option<String> {
    let bare: Vec<u8> = start.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let lower = bare.to_ascii_lowercase();
    let every_other = |from: usize| -> Vec<u8> { start.iter().skip(from).step_by(2).copied().take(5).collect() };
    let is_utf16 = [0, 1, 2, 3].iter().any(|from| every_other(*from) == MAGIC) && !start.starts_with(MAGIC);
    let why = if is_utf16 {
        "it was written as UTF-16 text, as > of PowerShell does, and bytes are lost: let the program itself write the file"
    } else if start.starts_with(b"\xef\xbb\xbfPGDMP") {
        "it was written as UTF-8 text, with a mark before it, and bytes are lost: let the program itself write the file"
    } else if bare.find(b"UEdETV").is_some_and(|at| at == 0 || start.find(b"base64").is_some()) {
        "it is an archive in base64: decode it first (base64 -d)"
    } else if bare.starts_with(b"H4sIA") {
        "it is a gzip file in base64: decode it first (base64 -d | gunzip)"
    } else if start.starts_with(b"begin ") || start.find(b"\nbegin ").is_some_and(|_| start.find(b"M4$=$35").is_some())
    {
        "it was written by uuencode: decode it first (uudecode)"
    } else if lower.starts_with(b"5047444d50") || lower.starts_with(b"\\x5047444d50") {
        "it is an archive in hexadecimal digits: decode it first (xxd -r -p)"
    } else if start.len() >= 16 && start.iter().all(|byte| *byte == 0) {
        "it begins with nothing but zeros: it was not written to its end, or lost in a crash"
    } else {
        return None;
    };
    Some(why.into())
}

/// An archive that begins later than the input.
fn late(start: &[u8]) -> Option<String> {
    let at = start.find_iter(MAGIC).find(|at| {
        let header = &start[at + MAGIC.len()..];
        matches!(header, [1, 8..=32, _, 1..=32, 1..=32, 1 | 3, ..])
    })?;
    Some(format!(
        "the archive begins only at byte {at}, after what another program has written ({}); tail -c +{} gives what \
         follows that",
        first_line(&start[..at]),
        at + 1
    ))
}

/// Text of which something is known.
fn text(start: &[u8]) -> Option<String> {
    let bare = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let lower = bare[..bare.len().min(200)].to_ascii_lowercase();
    let begins = |text: &str| lower.starts_with(text.as_bytes());
    let line = first_line(bare);
    let instead = "what it was fetched from had none to give: see to that, and fetch it again";
    let why = if begins("<!doctype html") || begins("<html") || begins("<head") {
        format!("it is a page of HTML and no archive ({line}): {instead}")
    } else if begins("<?xml") || begins("<error") {
        format!("it is XML and no archive ({line}): {instead}")
    } else if (begins("{") || begins("[")) && is_text(bare) {
        format!("it is JSON and no archive ({line}): {instead}")
    } else if begins("http/") {
        format!("it is the answer of a web server with its head ({line}): take what follows the first empty line")
    } else if begins("version https://git-lfs") {
        "it is what Git LFS has in place of a file: fetch the file itself (git lfs pull)".into()
    } else if begins("pgcopy\n") {
        "it is what COPY writes in binary format, and no archive".into()
    } else if begins("pg_dump: ") || begins("lifeboat: ") || begins("error: ") {
        format!("it is a message and no archive ({line}): the backup failed, or the message went where it was to go")
    } else {
        return None;
    };
    Some(why)
}

fn is_text(bytes: &[u8]) -> bool {
    // A character may be cut at the end.
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && !bytes.contains(&0)
}

/// The first line that is not empty, as much of it as is shown.
fn first_line(text: &[u8]) -> String {
    let line = text.lines().map(<[u8]>::trim_ascii).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.to_str_lossy();
    let mut shown: String = line.chars().take(SHOWN).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// Says, of an archive that turned out to be damaged, whether it looks as if something took it for text on its way: `sample`
/// is its beginning, the more of it the surer. `None` if it does not.
pub fn mangled(sample: &[u8]) -> Option<&'static str> {
    // The first member of a tar file has it, and what is changed in one changes all.
    let sample = match sample.get(tar::BLOCK..) {
        Some(member) if tar::is_tar(sample) => member,
        _ => sample,
    };
    if !sample.starts_with(MAGIC) {
        return None;
    }
    let count = |wanted: &dyn Fn(usize) -> bool| (0..sample.len()).filter(|at| wanted(*at)).count();
    let feeds = count(&|at| sample[at] == b'\n');
    let returns = count(&|at| sample[at] == b'\r');
    let pairs = count(&|at| sample[at] == b'\n' && at > 0 && sample[at - 1] == b'\r');
    let high = count(&|at| sample[at] >= 0x80);
    let marks = sample.find_iter("\u{fffd}").count();
    // The statements in a table of contents have line feeds.
    if feeds >= 3 && pairs == feeds {
        return Some(
            "each of its line feeds has become CR LF: on its way something took it for text (FTP in ASCII mode, a terminal as \
             of docker exec -t, a program on Windows)",
        );
    }
    if feeds == 0 && returns >= 3 {
        return Some("each of its line feeds has become CR: on its way something took it for text");
    }
    if has_utf8_only(sample) && marks > 0 {
        return Some(
            "its bytes were taken for UTF-8 text, and those that are none were replaced: on its way it went through a program \
             that takes everything for text (such as > of PowerShell)",
        );
    }
    if has_utf8_only(sample) && high >= 16 && is_compressed(sample) {
        return Some(
            "each of its bytes from 128 on has become two: on its way it was converted from Latin-1 to UTF-8, as text",
        );
    }
    // What is compressed has each byte, and each pair of bytes, as often as any other.
    let is_random = |n: usize| n >= sample.len() / 512;
    if sample.len() >= 8 * 1024 && returns == 0 && is_random(feeds) && high >= sample.len() / 4 {
        return Some("it has no CR at all, which compressed data has: on its way something took it for text");
    }
    if sample.len() >= 192 * 1024 && pairs == 0 && is_random(feeds) && is_random(returns) {
        return Some(
            "no CR LF is in it, which so much compressed data has: it seems that each has become LF (FTP in ASCII mode)",
        );
    }
    None
}

fn has_utf8_only(sample: &[u8]) -> bool {
    std::str::from_utf8(sample).is_ok_and(|text| !text.is_ascii())
        || std::str::from_utf8(sample).is_err_and(|error| error.error_len().is_none() && error.valid_up_to() > 0)
}

/// What the header says, before the first number in it that can have been changed.
fn is_compressed(sample: &[u8]) -> bool {
    match sample.get(6..13) {
        Some([minor, _, _, _, _, algorithm, ..]) if *minor >= 15 => *algorithm != 0,
        Some([_, _, _, _, _, sign, level]) => (*sign, *level) != (0, 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const HEADER: &[u8] = b"PGDMP\x01\x0e\x00\x04\x08\x01\x01\x01\0\0\0";

    #[test]
    fn what_is_no_archive_is_named_with_what_to_do() {
        let utf16 = |text: &[u8]| text.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<u8>>();
        let late = [b"Defaulted container \"db\" out of: db\n", HEADER].concat();
        for (start, named, to_do) in [
            (&[0x28, 0xb5, 0x2f, 0xfd, 0x24][..], "Zstandard", "unzstd"),
            (&[0x50, 0x2a, 0x4d, 0x18, 1], "Zstandard", "unzstd"),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0, 0], "an xz file", "unxz"),
            (b"BZh91AY&SY", "bzip2", "bunzip2"),
            (&[0x04, 0x22, 0x4d, 0x18, 0x64], "lz4", "unlz4"),
            (b"PK\x03\x04\x14\0", "zip file", "unzip"),
            (b"7z\xbc\xaf\x27\x1c\0", "7-Zip", "7z x"),
            (b"age-encryption.org/v1\n-> X25519", "age", "decrypt"),
            (b"-----BEGIN PGP MESSAGE-----\n", "OpenPGP", "gpg"),
            (&[0x8c, 0x0d, 0x04, 0x09, 3], "OpenPGP", "gpg"),
            (&[0x85, 0x02, 0x0c, 0x03, 9], "OpenPGP", "gpg"),
            (b"Salted__\x01\x02", "OpenSSL", "openssl"),
            (&[&[0xff, 0xfe][..], &utf16(HEADER)].concat(), "UTF-16", "itself"),
            (&utf16(HEADER), "UTF-16", "itself"),
            (&[&[0xfe, 0xff, 0][..], &utf16(HEADER)].concat(), "UTF-16", "itself"),
            (b"\xef\xbb\xbfPGDMP\x01\x0e", "UTF-8", "itself"),
            (b"UEdETVABDgAECAE=\n", "base64", "base64 -d"),
            (b"Content-Transfer-Encoding: base64\r\n\r\nUEdETVABDgAECAE=", "base64", "base64 -d"),
            (b"H4sIAAAAAAAA", "gzip file in base64", "gunzip"),
            (b"begin 644 app.dump\nM4$=$35 !#@ $", "uuencode", "uudecode"),
            (b"5047444D50010e00", "hexadecimal", "xxd"),
            (&[0; 512], "zeros", "written"),
            (&late, "begins only at byte 36", "tail -c +37"),
            (b"\n<!DOCTYPE html>\n<title>404", "HTML", "\"<!DOCTYPE html>\""),
            (b"<?xml version=\"1.0\"?><Error>", "XML", "<Error>"),
            (b"{\"message\": \"Not Found\"}", "JSON", "Not Found"),
            (b"HTTP/1.1 200 OK\r\n", "web server", "first empty line"),
            (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
            (b"pg_dump: error: connection failed\n", "message", "connection failed"),
        ] {
            let said = recognise(start).unwrap_or_else(|| panic!("{:?}", start.as_bstr()));
            assert!(said.contains(named) && said.contains(to_do), "{:?}: {said}", start.as_bstr());
        }
        for unknown in [&b"hello, world"[..], b"PGDMP", b"", &[0xff; 40], b"UEdET", b"beginning"] {
            assert_eq!(recognise(unknown), None, "{:?}", unknown.as_bstr());
        }
    }

    /// An archive of 400 KB: a header, statements and what looks like compressed data.
    fn archive() -> Vec<u8> {
        let mut seed = 1_u64;
        let mut archive = [HEADER, b"SET a;\nCREATE TABLE b;\n\nDROP TABLE b;\n"].concat();
        archive.extend((0..400_000).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        }));
        archive
    }

    #[test]
    fn what_took_it_for_text_is_recognised() {
        let archive = archive();
        assert_eq!(mangled(&archive), None);
        let lossy = archive.to_str_lossy().into_owned().into_bytes();
        let latin: String = archive.iter().map(|byte| char::from(*byte)).collect();
        for (changed, said) in [
            (archive.replace("\n", "\r\n"), "has become CR LF"),
            (archive.replace("\n", "\r"), "has become CR:"),
            (archive.replace("\r\n", "\n"), "no CR LF is in it"),
            (archive.replace("\r", ""), "no CR at all"),
            (lossy, "those that are none were replaced"),
            (latin.into_bytes(), "has become two"),
        ] {
            // Little of it is enough, but for what is seen by what is missing.
            for length in [changed.len(), 4096, 10_000] {
                match mangled(&changed[..length.min(changed.len())]) {
                    Some(why) => assert!(why.contains(said), "{said}, {length}: {why}"),
                    None => assert!(said.starts_with("no CR") && length < 100_000, "{said}, {length}"),
                }
            }
        }
        for sound in [&archive[..4096], &archive[..20], b"PGDMP", b"", b"PGDMP\n\r\n"] {
            assert_eq!(mangled(sound), None);
        }
    }
}
