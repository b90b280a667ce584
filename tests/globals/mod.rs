//! Roles and tablespaces, which are in no database: pg_dumpall is the oracle.

mod backup;
mod pg_dumpall;
mod restore;

use std::path::{Path, PathBuf};

use crate::support::archive::line_difference;
use crate::support::needs::Needed;
use crate::support::{Options, Output, Server, output, pg_tool, reference_for, run};

/// What lifeboat says that pg_dumpall has no words for.
const MORE: [&str; 2] = [
    "--\n-- User Config of all roles\n--\n\nALTER ROLE ALL SET statement_timeout TO '1h';\n\n",
    "GRANT ALL ON TABLESPACE pg_default TO alice;\n",
];

/// A server of its own: what roles there are is a change for every backup on the same server.
fn own(major: u32) -> Needed<Server> {
    Server::with(major, &Options::default())
}

/// How a server's database is named for lifeboat.
fn url(server: &Server, role: &str) -> String {
    format!("host={} port={} user={role} dbname=postgres", server.socket_dir().display(), server.port())
}

fn spaces_of(server: &Server) -> PathBuf {
    server.socket_dir().join("space")
}

/// Folders for tablespaces, which must be the server's.
fn spaces(server: &Server) -> PathBuf {
    let dir = spaces_of(server);
    let make =
        format!("COPY (SELECT 1) TO PROGRAM 'cd \"{}\" && mkdir one two three && cat >/dev/null'", dir.display());
    server.sql("postgres", &make);
    dir
}

/// A server with what is hard to write.
fn hard(major: u32) -> Needed<Server> {
    let server = own(major)?;
    let spaces = spaces(&server);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/globals/hard.sql");
    run(server.psql_command("postgres").env("SPACES", spaces).arg("-f").arg(script));
    Ok(server)
}

/// What pg_dumpall of this major says.
fn pg_dumpall(server: &Server, tool: u32, options: &[&str]) -> Output {
    let mut command = pg_tool(tool, "pg_dumpall");
    server.address(&mut command, "postgres");
    output(command.args(options))
}

/// What the reference says of a server's roles and tablespaces.
fn reference(server: &Server, options: &[&str]) -> String {
    let out = pg_dumpall(server, reference_for(server.major()), options);
    assert!(out.success(), "{out}");
    out.stdout()
}

/// A script without its key, which differs each time.
fn without_key(script: &str) -> String {
    let mut out = String::new();
    for line in script.split_inclusive('\n') {
        let is_key = ["\\restrict ", "\\unrestrict "].iter().find(|word| line.starts_with(*word));
        out.push_str(is_key.map_or(line, |word| word));
    }
    out
}

fn without_more(script: &str) -> String {
    MORE.iter().fold(script.to_owned(), |script, more| script.replace(more, ""))
}

fn assert_same(theirs: &str, ours: &str) {
    assert!(theirs == ours, "{}", line_difference(theirs, ours));
}
