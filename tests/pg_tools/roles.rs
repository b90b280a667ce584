//! `--role`, beside PostgreSQL's own tools.

use super::Face;
use crate::support::installation::{installation, needed};
use crate::support::{REFERENCE, Server, output};

#[test]
fn a_role_that_cannot_be_taken_is_told_in_the_same_words() {
    let server = needed!(Server::get(REFERENCE));
    needed!(needed(REFERENCE));
    let database = server.database("roles");
    let face = Face::new(REFERENCE);
    let of_server: &[&str] = &["--exclude-database=*"];
    // alice may not take bob's role; the others do not exist.
    for (tool, role, more) in [
        ("pg_dump", "nobody_at_all", &[][..]),
        ("pg_dump", "nobody_at_all", &["--encoding=LATIN1"]),
        ("pg_dump", "Odd \"name", &[]),
        ("pg_dump", "bob", &["-U", "alice"]),
        ("pg_dumpall", "nobody_at_all", of_server),
    ] {
        let said = [installation(REFERENCE).unwrap().tool(tool).unwrap(), face.tool(tool)].map(|mut command| {
            server.address(&mut command, database.name());
            let out = output(command.arg("--role").arg(role).args(more));
            (out.code(), out.stdout(), out.stderr())
        });
        assert_eq!(said[1], said[0], "{tool} --role {role} {more:?}");
        assert!(said[0].2.contains("Query was: SET ROLE "), "{said:?}");
    }
}
