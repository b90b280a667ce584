//! What statements a backup sends, by the server's log: their number does not grow with the number of objects, but for one COPY a
//! table, and batches; what others changed is looked for where somebody can have.

use std::collections::BTreeMap;

use crate::support::{Database, MAJORS, Options, REFERENCE, Server, Session};

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

/// The statements that a backup sends.
fn sent(server: &Server, database: &Database<'_>) -> Vec<String> {
    let quoted = database.name();
    server.sql("postgres", &format!("ALTER DATABASE \"{quoted}\" SET log_statement = 'all'"));
    let before = server.log().len();
    let dir = tempfile::tempdir().unwrap();
    database.backup(&dir.path().join("archive"), &[]);
    server.sql("postgres", &format!("ALTER DATABASE \"{quoted}\" SET log_statement = 'none'"));
    let ours = format!("{quoted}: LOG:  ");
    let log = server.log();
    // As one message, or parsed before it is executed.
    let text = |line: &str| {
        let line = line.strip_prefix(&ours)?;
        let executed = || Some(line.strip_prefix("execute ")?.split_once(": ")?.1);
        line.strip_prefix("statement: ").or_else(executed).map(str::to_owned)
    };
    let sent: Vec<String> = log[before..].lines().filter_map(text).collect();
    assert!(sent.len() > 20, "the log says nothing: {sent:?}");
    sent
}

/// How many there are of each sort.
fn counted(sent: &[String]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([("COPY", 0), ("LOCK", 0), ("others", 0)]);
    for text in sent {
        let sort = ["COPY", "LOCK"].into_iter().find(|word| text.starts_with(word)).unwrap_or("others");
        *counts.entry(sort).or_default() += 1;
    }
    counts
}

fn server(major: u32) -> Option<Server> {
    let config = "log_line_prefix = '%d: '\nautovacuum = off".to_owned();
    Server::with(major, &Options { config, ..Options::default() }).ok()
}

#[test]
fn number_of_statements_does_not_grow_with_the_number_of_objects() {
    for major in [13, REFERENCE] {
        let Some(server) = server(major) else { continue };
        let database = server.database("statements");
        fill(&database, 1, 10);
        let few = counted(&sent(&server, &database));
        assert_eq!((few["COPY"], few["LOCK"]), (10, 1), "on {major}: {few:?}");
        for (first, last) in [(11, 150), (151, 300)] {
            fill(&database, first, last);
        }
        let many = counted(&sent(&server, &database));
        assert_eq!(many["COPY"], 300, "on {major}: {many:?}");
        assert_eq!(many["LOCK"], 1, "on {major}: {many:?}");
        // Before 18, sequences' values are read in batches.
        let batches = if major < 18 { 3 } else { 0 };
        assert!(many["others"] <= few["others"] + batches, "on {major}: {few:?} became {many:?}");
    }
}

#[test]
fn what_others_changed_is_looked_for_where_somebody_can_have() {
    for major in [MAJORS[0], REFERENCE] {
        let Some(server) = server(major) else { continue };
        let database = server.database("statements");
        database.sql("CREATE VIEW v AS SELECT 1 AS one");
        let mut other = Session::on(&server, "postgres");
        let looks = |sent: &[String]| sent.iter().filter(|text| text.starts_with("WITH RECURSIVE next (xid)")).count();
        let mut held = |sql: &str| {
            other.run(sql);
            let sent = sent(&server, &database);
            // The server would answer a second time what it answered the first.
            let asked = sent.iter().filter(|text| text.contains("age(")).count();
            assert_eq!(asked, 1, "on {major}: {sent:?}");
            looks(&sent)
        };
        assert_eq!(held("SELECT 1"), 0, "on {major}");
        assert_eq!(held("BEGIN; SELECT 1"), 0, "on {major}: who has not written is nobody");
        assert_eq!(held("SELECT pg_current_xact_id()"), 1, "on {major}: who is about to write");
        assert_eq!(held("COMMIT"), 0, "on {major}");
    }
}
