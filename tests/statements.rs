//! The number of statements that a backup sends does not grow with the number of objects, but for one COPY a table, and
//! batches.

use std::collections::BTreeMap;

use crate::support::{Database, Options, REFERENCE, Server};

/// Tables with what belongs to them, from the number `first` to `last`.
fn fill(database: &Database<'_>, first: u32, last: u32) {
    database.sql(&format!(
        "DO $$ BEGIN FOR i IN {first}..{last} LOOP
           EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, name text CHECK (name <> ''''), n integer DEFAULT 1)', i);
           EXECUTE format('CREATE INDEX ON t%s (lower(name))', i);
           EXECUTE format('CREATE VIEW v%s AS SELECT id, name FROM t%s', i, i);
           EXECUTE format('CREATE FUNCTION f%s(a t%s) RETURNS SETOF v%s LANGUAGE sql AS ''SELECT 1, $1.name''', i, i, i);
           EXECUTE format('CREATE TYPE e%s AS ENUM (''a'', ''b'')', i);
           EXECUTE format('CREATE AGGREGATE a%s(e%s) (SFUNC = array_append, STYPE = e%s[])', i, i, i);
           EXECUTE format('COMMENT ON TABLE t%s IS ''x''', i);
           EXECUTE format('GRANT SELECT ON v%s TO alice', i);
         END LOOP; END $$"
    ));
}

/// How many statements of each sort a backup sends, by what the server's log says.
fn sent(server: &Server, database: &Database<'_>) -> BTreeMap<&'static str, usize> {
    let quoted = database.name();
    server.sql("postgres", &format!("ALTER DATABASE \"{quoted}\" SET log_statement = 'all'"));
    let before = server.log().len();
    let dir = tempfile::tempdir().unwrap();
    database.backup(&dir.path().join("archive"), &[]);
    server.sql("postgres", &format!("ALTER DATABASE \"{quoted}\" SET log_statement = 'none'"));
    let mut counts = BTreeMap::from([("COPY", 0), ("LOCK", 0), ("others", 0)]);
    let log = server.log();
    let ours = format!("{quoted}: LOG:  ");
    for line in log[before..].lines().filter_map(|line| line.strip_prefix(&ours)) {
        // As one message, or parsed before it is executed.
        let text =
            line.strip_prefix("statement: ").or_else(|| line.strip_prefix("execute ")?.split_once(": ").map(|s| s.1));
        let sort = match text {
            Some(text) if text.starts_with("COPY") => "COPY",
            Some(text) if text.starts_with("LOCK") => "LOCK",
            Some(_) => "others",
            None => continue,
        };
        *counts.entry(sort).or_default() += 1;
    }
    counts
}

#[test]
fn number_of_statements_does_not_grow_with_the_number_of_objects() {
    for major in [13, REFERENCE] {
        let config = "log_line_prefix = '%d: '".to_owned();
        let Ok(server) = Server::with(major, &Options { config, ..Options::default() }) else { continue };
        let database = server.database("statements");
        fill(&database, 1, 10);
        let few = sent(&server, &database);
        assert_eq!((few["COPY"], few["LOCK"]), (10, 1), "on {major}: {few:?}");
        assert!(few["others"] > 20, "on {major}, the log says nothing: {few:?}");
        for (first, last) in [(11, 150), (151, 300)] {
            fill(&database, first, last);
        }
        let many = sent(&server, &database);
        assert_eq!(many["COPY"], 300, "on {major}: {many:?}");
        assert_eq!(many["LOCK"], 1, "on {major}: {many:?}");
        // Before 18, sequences' values are read in batches.
        let batches = if major < 18 { 3 } else { 0 };
        assert!(many["others"] <= few["others"] + batches, "on {major}: {few:?} became {many:?}");
    }
}
