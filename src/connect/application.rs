//! Parameters in the URLs of applications that have a meaning for the application alone: for its connection pool, its ORM, its driver.
//!
//! None of them says which database is meant, nor how safe the connection to it is to be: what would, and is not known, is an error.

/// Those of Prisma, Rails, Django, node-postgres, pgx, sqlx and pgjdbc, by their own documentation.
const PARAMETERS: &[&str] = &[
    "advisory_locks",
    "assumeMinServerVersion",
    "autosave",
    "binaryTransfer",
    "binary_parameters",
    "checkout_timeout",
    "cleanupSavepoints",
    "connection_limit",
    "conn_health_checks",
    "conn_max_age",
    "connectionTimeoutMillis",
    "currentSchema",
    "databaseMetadataCacheFields",
    "default_query_exec_mode",
    "defaultRowFetchSize",
    "description_cache_capacity",
    "disable_server_side_cursors",
    "encoding",
    "hostRecheckSeconds",
    "idleTimeoutMillis",
    "idle_in_transaction_session_timeout",
    "idle_timeout",
    "lock_timeout",
    "loginTimeout",
    "max_connections",
    "max_identifier_length",
    "min_connections",
    "min_messages",
    "pgbouncer",
    "pool",
    "pool_health_check_period",
    "pool_max_conn_idle_time",
    "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter",
    "pool_max_conns",
    "pool_min_conns",
    "pool_timeout",
    "preferQueryMode",
    "prepareThreshold",
    "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB",
    "prepared_statements",
    "query_timeout",
    "reWriteBatchedInserts",
    "reaping_frequency",
    "schema",
    "schema_search_path",
    "search_path",
    "single_use_connections",
    "socketTimeout",
    "socket_timeout",
    "statement-cache-capacity",
    "statement_cache_capacity",
    "statement_cache_size",
    "statement_limit",
    "statement_timeout",
    "stringtype",
    "tcpKeepAlive",
    "uselibpqcompat",
];

/// Those that say which part of the database the application works with.
const OF_SCHEMAS: &[&str] = &["currentSchema", "schema", "schema_search_path", "search_path"];

/// What to tell whoever gave such a parameter; nothing if the name is none.
pub(super) fn note(name: &str) -> Option<String> {
    PARAMETERS.contains(&name).then(|| {
        let more =
            if OF_SCHEMAS.contains(&name) { ": what is asked for here counts, whatever schema it is in" } else { "" };
        format!("the connection parameter {name:?} is the application's own, and has no effect here{more}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_bearing_on_the_connection_is_not_passed_over() {
        assert!(note("schema").is_some_and(|note| note.contains("whatever schema")));
        assert!(note("pgbouncer").is_some_and(|note| note.contains("\"pgbouncer\"")));
        for name in ["sslaccept", "ssl-mode", "sslmod", "sslfactory", "host", "targetServerType"] {
            assert_eq!(note(name), None, "{name}");
        }
    }
}
