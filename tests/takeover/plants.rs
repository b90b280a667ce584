//! Overloads of the operators and functions that statements of ours use.

use std::collections::BTreeSet;

use super::CONTROL;
use super::texts::{Token, tokens};
use crate::support::{Server, run as run_command};

/// What a plant says in the server's log when it is run.
const MARK: &str = "PLANTED ";

/// The names that are planted.
pub struct Plants {
    operators: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Plants {
    /// Those in `statements`.
    pub fn of(statements: &BTreeSet<String>) -> Self {
        let mut plants = Self { operators: BTreeSet::new(), functions: BTreeSet::new() };
        for statement in statements {
            let tokens = tokens(statement);
            for (at, token) in tokens.iter().enumerate() {
                match token {
                    Token::Operator(name) => plants.operators.extend([name.clone()]),
                    Token::Word(name) if tokens.get(at + 1) == Some(&Token::Sign('(')) => {
                        plants.functions.insert(name.clone());
                    }
                    Token::Word(name) => {
                        let stands_for: &[&str] = match name.as_str() {
                            "in" | "any" | "distinct" | "case" | "using" => &["=", "<>"],
                            "like" => &["~~", "!~~"],
                            "ilike" => &["~~*", "!~~*"],
                            "between" => &["<=", ">="],
                            _ => &[],
                        };
                        plants.operators.extend(stands_for.iter().map(|name| (*name).to_owned()));
                    }
                    _ => {}
                }
            }
        }
        assert!(plants.operators.contains("=") && plants.operators.contains("!~"), "{:?}", plants.operators);
        assert!(plants.functions.contains("current_database"), "{:?}", plants.functions);
        plants
    }

    /// Plants them in a schema of `database`, and puts that before the system's on the search path.
    pub fn plant(&self, server: &Server, database: &str) {
        let list = |names: &BTreeSet<String>| {
            names.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
        };
        let script = SCRIPT
            .replace("@operators", &list(&self.operators))
            .replace("@functions", &list(&self.functions))
            .replace("@mark", MARK);
        server.sql(database, &script);
        let quoted = database.replace('"', "\"\"");
        server.sql("postgres", &format!("ALTER DATABASE \"{quoted}\" SET search_path = planted, pg_catalog"));
        let planted: u32 = server.sql(database, "SELECT pg_catalog.count(*) FROM planted.planted").parse().unwrap();
        assert!(planted > 500, "only {planted} were planted in {database}");
    }

    /// Runs some of them as anybody would who does not empty the path.
    pub fn show_that_they_live(&self, server: &Server, database: &str) {
        let before = server.log().len();
        let mut command = server.psql_command(database);
        command.env("PGAPPNAME", CONTROL).env("PGOPTIONS", "").args(["-At", "-c"]);
        run_command(
            command.arg("SELECT relname !~ '^pg_', oid = 1, current_database() FROM pg_catalog.pg_class LIMIT 1"),
        );
        let log = server.log();
        let lines: Vec<&str> =
            log[before..].lines().filter(|line| line.starts_with(CONTROL) && line.contains(MARK)).collect();
        for name in ["!~ (", "= (", "current_database ("] {
            let is_alive = |line: &&str| line.contains(&format!("{MARK}{name}"));
            assert!(lines.iter().any(is_alive), "{name} is not run even where it should be: {lines:#?}");
        }
    }
}

/// What was run of them by sessions of ours.
pub fn run(log: &str) -> BTreeSet<String> {
    log.lines()
        .filter(|line| !line.starts_with(CONTROL) && line.contains(&format!("LOG:  {MARK}")))
        .map(str::to_owned)
        .collect()
}

/// For each name all that PostgreSQL has under it, and more types that a value could be taken for without a word.
const SCRIPT: &str = r#"
SET check_function_bodies = off; SET client_min_messages = error; SET search_path = '';
CREATE SCHEMA planted; CREATE TABLE planted.planted (what text);
DO $do$
DECLARE
  it record; n integer := 0; body text;
  more CONSTANT text[] := ARRAY['pg_catalog.name', 'pg_catalog.text', 'pg_catalog.oid', 'pg_catalog."char"',
    'pg_catalog.int4', 'pg_catalog.bool', 'pg_catalog.anyelement', 'pg_catalog.anynonarray'];
BEGIN
  FOR it IN
    SELECT DISTINCT o.oprname::text AS name, o.l, o.r, o.result FROM (
      SELECT oprname, CASE WHEN oprleft <> 0 THEN pg_catalog.format_type(oprleft, NULL) END AS l,
        pg_catalog.format_type(oprright, NULL) AS r, pg_catalog.format_type(oprresult, NULL) AS result
      FROM pg_catalog.pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprright <> 0
      UNION SELECT p.oprname, x.x, y.y, 'boolean' FROM pg_catalog.pg_operator p, pg_catalog.unnest(more) x (x), pg_catalog.unnest(more) y (y)
      WHERE p.oprname IN ('=', '<>', '<', '>', '<=', '>=', '~', '!~', '~~', '!~~')
    ) o WHERE o.oprname IN (@operators)
  LOOP
    n := n + 1;
    body := pg_catalog.format('BEGIN RAISE LOG ''@mark%%'', %L; RETURN NULL; END',
      it.name || ' (' || coalesce(it.l, 'none') || ', ' || it.r || ')');
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION planted.f%s(%s %s) RETURNS %s LANGUAGE plpgsql AS %L', n,
        it.l || ',', it.r, it.result, body);
      EXECUTE pg_catalog.format('CREATE OPERATOR planted.%s (%s RIGHTARG = %s, FUNCTION = planted.f%s)', it.name,
        'LEFTARG = ' || it.l || ',', it.r, n);
      INSERT INTO planted.planted VALUES (body);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR it IN
    SELECT DISTINCT p.proname::text AS name, p.arguments, p.result FROM (
      SELECT proname, pg_catalog.array_to_string(ARRAY(SELECT CASE WHEN proargmodes IS NULL THEN '' WHEN m.m = 'v' THEN 'VARIADIC ' ELSE '' END
          || pg_catalog.format_type(t, NULL) FROM pg_catalog.unnest(proargtypes) WITH ORDINALITY t (t, i)
          LEFT JOIN pg_catalog.unnest(proargmodes) WITH ORDINALITY m (m, i) USING (i) ORDER BY i), ', ') AS arguments,
        CASE WHEN proretset THEN 'SETOF ' ELSE '' END || pg_catalog.format_type(prorettype, NULL) AS result
      FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
      UNION SELECT f.f, t.t, 'text' FROM pg_catalog.unnest(ARRAY[@functions]) f (f), pg_catalog.unnest(more) t (t)
      UNION SELECT f.f, t.t || ', ' || u.u, 'text' FROM pg_catalog.unnest(ARRAY[@functions]) f (f),
        pg_catalog.unnest(more[1:3]) t (t), pg_catalog.unnest(more[1:3]) u (u)
    ) p WHERE p.proname IN (@functions)
  LOOP
    body := pg_catalog.format('BEGIN RAISE LOG ''@mark%%'', %L; RETURN NULL; END', it.name || ' (' || it.arguments || ')');
    IF it.result LIKE 'SETOF %' THEN body := pg_catalog.replace(body, 'RETURN NULL', 'RETURN'); END IF;
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION planted.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', it.name, it.arguments, it.result, body);
      INSERT INTO planted.planted VALUES (body);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $do$;
CREATE FUNCTION planted.relation() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE LOG ''@mark relation''; RETURN NULL; END';
CREATE VIEW planted.pg_class AS SELECT 1::oid AS oid, planted.relation() AS relname;
CREATE VIEW planted.pg_namespace AS SELECT 1::oid AS oid, planted.relation() AS nspname;
CREATE VIEW planted.pg_settings AS SELECT planted.relation() AS name;
"#;
