use super::*;
use crate::sql::lexer::tokens;

fn parsed(text: &str) -> Option<Statement> {
    let tokens: Vec<_> = tokens(text.as_bytes()).filter(Token::is_solid).collect();
    parse(&tokens)
}

#[test]
fn what_pg_dumpall_writes_is_known() {
    let role = |name: &str| Statement::Role(name.into());
    let space = |name: &str| Statement::Tablespace(name.into());
    let privileges =
        |name: &str, grantee: &str| Statement::TablespacePrivileges { name: name.into(), grantee: grantee.into() };
    for (text, statement) in [
        ("SET client_encoding = 'UTF8'", Statement::Setting("client_encoding", "UTF8".into())),
        ("SET standard_conforming_strings = on", Statement::Setting("standard_conforming_strings", "on".into())),
        ("SET SESSION AUTHORIZATION \"a b\"", Statement::Authorization("a b".into())),
        ("RESET SESSION AUTHORIZATION", Statement::ResetAuthorization),
        ("CREATE ROLE \"quo\"\"te'd\\back\"", Statement::CreateRole("quo\"te'd\\back".into())),
        (
            "ALTER ROLE a WITH NOSUPERUSER INHERIT LOGIN CONNECTION LIMIT 5 PASSWORD 'SCRAM' VALID UNTIL 'infinity'",
            role("a"),
        ),
        ("ALTER ROLE a WITH NOBYPASSRLS PASSWORD NULL CONNECTION LIMIT -1", role("a")),
        ("ALTER ROLE a SET search_path TO 'x', 'Y z', E'it\\'s'", Statement::RoleSetting(Some("a".into()))),
        ("ALTER ROLE ALL SET \"my.x\" TO NULL", Statement::RoleSetting(None)),
        ("COMMENT ON ROLE a IS E'\\\\'", role("a")),
        ("SECURITY LABEL FOR selinux ON TABLESPACE s IS 'x'", space("s")),
        ("GRANT a TO b", Statement::Membership { role: "a".into(), member: "b".into() }),
        (
            "GRANT \"set\" TO b WITH ADMIN OPTION, INHERIT TRUE, SET FALSE GRANTED BY postgres",
            Statement::Membership { role: "set".into(), member: "b".into() },
        ),
        ("GRANT set TO b", Statement::Membership { role: "set".into(), member: "b".into() }),
        (
            "GRANT SET,ALTER SYSTEM ON PARAMETER \"foo.bar\" TO PUBLIC",
            Statement::Parameter { name: "foo.bar".into(), grantee: "public".into() },
        ),
        ("GRANT ALL ON TABLESPACE s TO a WITH GRANT OPTION", privileges("s", "a")),
        ("REVOKE ALL ON TABLESPACE s FROM postgres", privileges("s", "postgres")),
        ("CREATE ROLE U&\"a\\0045\\\\\"", Statement::CreateRole("aE\\".into())),
        (
            "CREATE TABLESPACE s OWNER a LOCATION '/x'",
            Statement::CreateTablespace { name: "s".into(), location: "/x".into() },
        ),
        ("ALTER TABLESPACE s SET (seq_page_cost=2.5, random_page_cost=1e-05, x='1')", space("s")),
    ] {
        assert_eq!(parsed(text), Some(statement), "{text}");
    }
}

#[test]
fn anything_else_is_not() {
    for text in [
        "",
        "SELECT 1",
        "SET search_path = ''",
        "SET client_encoding = 'UTF8'; SELECT 1",
        "SET client_encoding = E'a''b'",
        "SET default_transaction_read_only = on",
        "SET SESSION AUTHORIZATION DEFAULT",
        "CREATE ROLE a SUPERUSER",
        "CREATE ROLE current_user",
        "CREATE ROLE U&\"\\00e9\"",
        "CREATE ROLE U& \"a\"",
        "CREATE ROLE U&\"a\" UESCAPE '!'",
        "ALTER ROLE current_user WITH SUPERUSER",
        "ALTER ROLE ALL WITH SUPERUSER",
        "ALTER ROLE a WITH PASSWORD x",
        "ALTER ROLE a RESET ALL",
        "ALTER ROLE a IN DATABASE b SET x TO 'y'",
        "ALTER ROLE a SET x FROM CURRENT",
        "COMMENT ON TABLE a IS 'x'",
        "COMMENT ON ROLE a IS e 'x'",
        "COMMENT ON ROLE a IS $$x$$",
        "GRANT a, b TO c",
        "GRANT SELECT ON TABLE t TO a",
        "GRANT a TO b WITH ADMIN",
        "CREATE TABLESPACE s LOCATION '/x'",
        "DROP ROLE a",
        "CREATE DATABASE d",
        "ALTER TABLESPACE s OWNER TO a",
        "ALTER TABLESPACE s SET (x=y)",
        "COPY t FROM PROGRAM 'x'",
    ] {
        assert_eq!(parsed(text), None, "{text}");
    }
}
