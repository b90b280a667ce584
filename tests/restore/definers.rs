//! Functions that run with the rights of their owner, where a restore would make that a superuser.

use crate::support::{REFERENCE, Scene, Server};

#[test]
fn functions_that_would_get_a_superusers_rights_are_named() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("definers");
    database.sql(
        "CREATE FUNCTION risky() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user';
         CREATE FUNCTION plain() RETURNS text LANGUAGE sql AS 'SELECT '' SECURITY DEFINER'''",
    );
    let scene = Scene::of(&database, &[]);
    let target = server.database("definers_target");
    let warned = |more: &[&str]| {
        let out = target.try_restore(&scene.archive(), more);
        assert_eq!(out.code(), 0, "{out}");
        assert!(!out.stderr().contains("plain"), "{out}");
        out.stderr().contains("SECURITY DEFINER: public.risky() will run")
    };
    assert!(warned(&[]) && warned(&["--dry-run"]));
    assert!(!warned(&["--owner", "--acl"]));
    assert!(!warned(&["--data-only"]));
}
