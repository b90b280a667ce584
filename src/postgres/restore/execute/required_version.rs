//! Which PostgreSQL a statement needs: for the statements of a newer server's archive that an older one does not
//! understand. Facts are from the release notes of PostgreSQL 14 to 19.

use crate::postgres::version::ServerVersion;
use crate::sql::lexer::{Kind, tokens};

/// Words that follow each other in statements, with any others in the place of `…`, the major version that understands them
/// first, and what they are.
const FEATURES: &[(&[&str], i32, &str)] = &[
    (&["EXCEPT", "(", "TABLE"], 19, "publications of all tables but some"),
    (&["ALL", "SEQUENCES"], 19, "publications of all sequences"),
    (&["CREATE", "SUBSCRIPTION", "…", "SERVER", "…", "PUBLICATION"], 19, "subscriptions to foreign servers"),
    (&["RETAIN_DEAD_TUPLES", "="], 19, "retain_dead_tuples of subscriptions"),
    (&["MAX_RETENTION_DURATION", "="], 19, "max_retention_duration of subscriptions"),
    (&["WAL_RECEIVER_TIMEOUT", "="], 19, "wal_receiver_timeout of subscriptions"),
    (&["CREATE", "FOREIGN", "DATA", "WRAPPER", "…", "CONNECTION"], 19, "connections of foreign data wrappers"),
    (&["PG_RESTORE_EXTENDED_STATS"], 19, "the data of extended statistics"),
    (&["CREATE", "AGGREGATE", "…", "SUPPORT", "="], 19, "support functions of aggregates"),
    (&["SET", "…", "TO", "NULL"], 19, "settings that are empty lists"),
    (&["IGNORE", "NULLS"], 19, "window functions that ignore NULLs"),
    (&["ON", "CONFLICT", "…", "DO", "SELECT"], 19, "ON CONFLICT DO SELECT"),
    (&["AUTOVACUUM_PARALLEL_WORKERS", "="], 19, "autovacuum_parallel_workers"),
    (&["OID8"], 19, "the type oid8"),
    (&["REGDATABASE"], 19, "the type regdatabase"),
    (&["NOT", "ENFORCED"], 18, "NOT ENFORCED"),
    (&["WITHOUT", "OVERLAPS"], 18, "WITHOUT OVERLAPS"),
    (&["PG_RESTORE_RELATION_STATS"], 18, "statistics as data"),
    (&["PG_RESTORE_ATTRIBUTE_STATS"], 18, "statistics as data"),
    (&["PUBLISH_GENERATED_COLUMNS"], 18, "generated columns in publications"),
    (&["GRANT", "MAINTAIN"], 17, "the privilege MAINTAIN"),
    (&["FAILOVER", "="], 17, "failover of subscriptions"),
    (&["TRANSACTION_TIMEOUT"], 17, "transaction_timeout"),
    (&["RUN_AS_OWNER", "="], 16, "run_as_owner of subscriptions"),
    (&["PASSWORD_REQUIRED", "="], 16, "password_required of subscriptions"),
    (&["ORIGIN", "="], 16, "origin of subscriptions"),
    (&["NULLS", "NOT", "DISTINCT"], 15, "NULLS NOT DISTINCT"),
    (&["TABLES", "IN", "SCHEMA"], 15, "schemas in publications"),
    (&["SECURITY_INVOKER", "="], 15, "security_invoker views"),
    (&["SET", "NULL", "("], 15, "column lists of ON DELETE SET NULL"),
    (&["SET", "DEFAULT", "("], 15, "column lists of ON DELETE SET DEFAULT"),
    (&["TWO_PHASE", "="], 15, "two-phase subscriptions"),
    (&["DISABLE_ON_ERROR", "="], 15, "disable_on_error of subscriptions"),
    (&["ADD", "TABLE", "ONLY"], 15, "row filters and column lists of publications"),
    (&["LOCALE_PROVIDER"], 15, "locale providers of databases"),
    (&["BEGIN", "ATOMIC"], 14, "functions with SQL bodies"),
    (&["SET", "COMPRESSION"], 14, "compression methods of columns"),
    (&["MULTIRANGE_TYPE_NAME"], 14, "multiranges"),
    (&["SUBSCRIPT", "="], 14, "subscripts of types"),
    (&["BINARY", "="], 14, "binary subscriptions"),
];

/// What in a statement the `server` does not understand: the major version that does, and what it is. `None` if
/// nothing that is known here.
pub fn newer_than(statement: &[u8], server: ServerVersion) -> Option<(i32, &'static str)> {
    let words = words(statement);
    let has = |feature: &[&str]| {
        let mut parts = feature.split(|word| *word == "…");
        let mut rest = words.as_slice();
        parts.all(|part| match place(part, rest) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    };
    FEATURES
        .iter()
        .filter(|(feature, since, _)| server.is_before(*since) && has(feature))
        .map(|(_, since, what)| (*since, *what))
        .max()
}

/// Where in `words` these follow each other.
fn place(part: &[&str], words: &[&[u8]]) -> Option<usize> {
    words.windows(part.len()).position(|here| here.iter().zip(part).all(|(a, b)| a.eq_ignore_ascii_case(b.as_bytes())))
}

/// The words and marks of a statement, without what is quoted or commented.
fn words(statement: &[u8]) -> Vec<&[u8]> {
    tokens(statement).filter(|token| matches!(token.kind, Kind::Word | Kind::Mark)).map(|token| token.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(major: i32) -> ServerVersion {
        ServerVersion::new(major * 10_000)
    }

    #[test]
    fn newest_feature_that_the_server_lacks_is_named() {
        let statement =
            b"ALTER TABLE ONLY t ADD CONSTRAINT u UNIQUE  nulls NOT\nDISTINCT (a), ADD CHECK (a > 0) NOT ENFORCED;";
        assert_eq!(newer_than(statement, of(13)), Some((18, "NOT ENFORCED")));
        assert_eq!(
            newer_than(b"CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT;", of(14)),
            Some((15, "NULLS NOT DISTINCT"))
        );
        assert_eq!(newer_than(b"CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT;", of(15)), None);
        assert_eq!(newer_than(b"CREATE TABLE t (a integer);", of(13)), None);
        let by_server = b"CREATE SUBSCRIPTION s SERVER \"f g\" PUBLICATION p WITH (connect = false);";
        assert_eq!(newer_than(by_server, of(18)), Some((19, "subscriptions to foreign servers")));
        assert_eq!(newer_than(b"CREATE SUBSCRIPTION s CONNECTION 'SERVER x' PUBLICATION p;", of(18)), None);
        let except = b"CREATE PUBLICATION p FOR ALL TABLES EXCEPT (TABLE ONLY a.b) WITH (publish = 'insert');";
        assert_eq!(newer_than(except, of(18)), Some((19, "publications of all tables but some")));
        assert_eq!(newer_than(except, of(19)), None);
    }

    #[test]
    fn what_is_quoted_is_no_feature() {
        for statement in [
            "COMMENT ON TABLE t IS 'it''s NOT ENFORCED';",
            "CREATE TABLE \"NOT ENFORCED\" (\"BEGIN\" atomic);",
            "CREATE FUNCTION f() RETURNS text AS $x$SELECT $$BEGIN ATOMIC$$ $x$;",
            "-- NOT ENFORCED\nSELECT 1;",
            "SELECT 'never closed NOT ENFORCED",
            "SELECT $1, $never",
            "$",
            "$$",
        ] {
            assert_eq!(newer_than(statement.as_bytes(), of(13)), None, "{statement}");
        }
    }
}
