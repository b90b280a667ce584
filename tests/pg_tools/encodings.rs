//! In which encoding pg_dump dumps, and what it says of encodings that there are not.

use std::path::Path;

use super::Face;
use crate::support::archive::{self, Rows};
use crate::support::installation::{installation, needed};
use crate::support::{Options, Output, REFERENCE, Server, output};

#[test]
fn the_encoding_is_said_by_an_option_or_the_environment() {
    for major in [14, 18] {
        // The names of roles are converted, too: those of other tests' may not be there.
        let server = needed!(Server::with(major, &Options::default()));
        needed!(needed(major));
        let database = server.database_with("encodings", "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
        database.sql("CREATE TABLE \"Größe\" AS SELECT 'Öl' AS \"Stoff\"");
        let dir = tempfile::tempdir().unwrap();
        let face = Face::new(major);
        let dump = |is_ours: bool, path: &Path, variable: &str, options: &[&str]| -> Output {
            let mut command =
                if is_ours { face.tool("pg_dump") } else { installation(major).unwrap().tool("pg_dump").unwrap() };
            server.address(&mut command, database.name());
            command.env("PGCLIENTENCODING", variable).args(["-Fc", "-f"]).arg(path).args(options);
            output(&mut command)
        };
        let (theirs, ours) = (dir.path().join("theirs"), dir.path().join("ours"));
        for (variable, options) in
            [("", &[][..]), ("LATIN1", &[]), ("LATIN1", &["-E", "UTF8"]), ("", &["-E", "latin-9"]), ("unicode", &[])]
        {
            for (is_ours, path) in [(false, &theirs), (true, &ours)] {
                let out = dump(is_ours, path, variable, options);
                assert!(out.success() && out.stderr().is_empty(), "{out}");
            }
            if major == REFERENCE {
                archive::assert_same(&format!("{variable}, {options:?} on {major}"), &theirs, &ours, Rows::InOrder);
            }
            let [a, b] = [&theirs, &ours].map(|path| archive::read(path).unwrap());
            assert!(
                a.entries[0].definition == b.entries[0].definition && a.entries[0].desc.as_deref() == Some(b"ENCODING")
            );
        }
        for options in [&["-E", "klingon"][..], &["-E", ""]] {
            let told = [false, true].map(|is_ours| {
                let out = dump(is_ours, &ours, "", options);
                (out.code(), out.stderr())
            });
            assert_eq!(told[1], told[0], "{options:?} on {major}");
        }
    }
}
