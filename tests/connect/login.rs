//! Ways to log in.

use std::os::unix::fs::PermissionsExt;

use super::{connect, encoded, refusal, target};
use crate::support::needs::Needed;
use crate::support::server::{PASSWORD, newest};
use crate::support::{Options, Server};

/// A server where the user's name tells how to log in.
fn server(major: u32) -> Needed<Server> {
    let hba = ["md5", "scram-sha-256", "password", "trust", "reject", "gss"]
        .map(|method| format!("host all by_{} 127.0.0.1/32 {method}", method.split('-').next().unwrap()))
        .join("\n");
    let hba = hba.replace("host all by_gss 127.0.0.1/32 gss", "");
    let server = Server::with(major, &Options { hba, ..Options::default() })?;
    let password = PASSWORD.replace('\'', "''");
    for (user, encryption) in [("by_md5", "md5"), ("by_scram", "scram-sha-256"), ("by_password", "scram-sha-256")] {
        let sql = format!("SET password_encryption = '{encryption}'; CREATE ROLE {user} LOGIN PASSWORD '{password}'");
        server.sql("postgres", &sql);
    }
    server.sql("postgres", "CREATE ROLE by_trust LOGIN; CREATE ROLE by_reject LOGIN; CREATE ROLE by_none LOGIN");
    Ok(server)
}

#[test]
fn every_way_to_log_in_works_and_a_wrong_password_does_not() {
    for major in [13, 16, 18] {
        let Ok(server) = server(major) else { continue };
        let place = format!("127.0.0.1:{}/postgres", server.port());
        for user in ["by_md5", "by_scram", "by_password"] {
            let mut c = connect(&format!("postgresql://{user}:{}@{place}", encoded(PASSWORD)));
            let rows = c.query("SELECT current_user AS u", &[]).unwrap();
            assert_eq!(rows.one().unwrap().text("u").unwrap(), user);

            let wrong = target(&format!("postgresql://{user}:geheim@{place}")).connect().unwrap_err();
            assert!(wrong.server().is_some_and(|s| s.is("28P01")), "{wrong}");
            assert!(!format!("{wrong} {wrong:?}").contains("geheim"), "{wrong:?}");

            let none = target(&format!("postgresql://{user}@{place}")).connect().unwrap_err();
            assert!(none.to_string().contains("none was given") && none.hint_text().is_some(), "{none}");
        }
        connect(&format!("postgresql://by_trust@{place}"));
        for user in ["by_reject", "by_none"] {
            let refused = target(&format!("postgresql://{user}@{place}")).connect().unwrap_err();
            assert!(refused.server().is_some_and(|s| s.is("28000")), "{refused}");
            assert!(refused.to_string().contains(user), "{refused}");
        }
        let nowhere = refusal(&format!("postgresql://by_trust@127.0.0.1:{}/nonsense", server.port()));
        assert!(nowhere.contains("\"nonsense\""), "{nowhere}");
        // Without TLS there is nothing that SCRAM could be tied to.
        for user in ["by_scram", "by_trust", "by_md5"] {
            let url = format!("postgresql://{user}:{}@{place}?channel_binding=require", encoded(PASSWORD));
            assert!(refusal(&url).contains("channel binding"), "{user}");
        }
    }
}

#[test]
fn the_password_file_is_used_unless_others_can_read_it() {
    let server = needed!(newest(server));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("passwords");
    let line = PASSWORD.replace('\\', r"\\").replace(':', r"\:");
    let text = format!("# ours\n127.0.0.1:{}:*:by_md5:wrong\n127.0.0.1:{0}:postgres:*:{line}\n", server.port());
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let of = |user: &str| {
        format!("host=127.0.0.1 port={} user={user} dbname=postgres passfile={}", server.port(), file.display())
    };
    connect(&of("by_scram"));
    let wrong = target(&of("by_md5")).connect().unwrap_err();
    assert!(wrong.hint_text().is_some_and(|h| h.contains("passwords")), "{wrong:?}");
    // What is said beats the file.
    assert!(refusal(&format!("{} password=geheim", of("by_scram"))).contains("28P01"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let unused = target(&of("by_scram")).connect().unwrap_err();
    assert!(unused.hint_text().is_some_and(|h| h.contains("chmod")), "{unused:?}");
}
