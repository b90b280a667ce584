//! Values out of results and into parameters.

use bstr::BString;
use lifeboat::wire::{Connection, Param, Row, Rows};

use super::{connect, raw, session};
use crate::support::Server;

fn one(connection: &mut Connection, sql: &str) -> Rows {
    connection.query(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e}"))
}

fn strings(values: &[Option<&str>]) -> Vec<Option<BString>> {
    values.iter().map(|v| v.map(BString::from)).collect()
}

#[test]
fn catalog_types_are_decoded_on_every_version() {
    for server in Server::all() {
        let mut c = session(server);
        let rows = one(
            &mut c,
            "SELECT 'pg_class'::regclass AS oid, 4294967295::oid AS big, 'n'::name AS name, 't'::text AS text, \
             'v'::varchar AS v, (-7)::int2 AS i2, (-70000)::int4 AS i4, (-7000000000)::int8 AS i8, 1.5::float4 AS f4, \
             -0.25::float8 AS f8, true AS yes, false AS no, 'x'::\"char\" AS c, ''::\"char\" AS c0, '\\x00ff'::bytea AS b, \
             NULL::text AS null, \
             ARRAY['a', NULL, '', 'ü'] AS texts, '{}'::text[] AS none, NULL::text[] AS null_array, \
             '1 2'::oidvector AS ov, ''::oidvector AS ov0, '{3,4}'::oid[] AS oids, '5 -6'::int2vector AS iv, \
             ''::int2vector AS iv0, '{7,-8}'::int2[] AS i2s, '{true,false}'::bool[] AS bools, \
             '{x,y}'::\"char\"[] AS chars, '{9}'::int4[] AS i4s, '[5:6]={p,q}'::text[] AS shifted, 'j'::xml AS xml",
        );
        let r = rows.one().unwrap();
        assert_eq!((r.oid("oid").unwrap(), r.oid("big").unwrap()), (1259, u32::MAX));
        for (column, text) in [("name", "n"), ("text", "t"), ("v", "v"), ("xml", "j")] {
            assert_eq!(r.text(column).unwrap(), text);
        }
        assert_eq!((r.i16("i2").unwrap(), r.i32("i4").unwrap(), r.i64("i8").unwrap()), (-7, -70000, -7_000_000_000));
        assert_eq!((r.i32("i2").unwrap(), r.i64("i4").unwrap(), r.i64("i2").unwrap()), (-7, -70000, -7));
        assert_eq!((r.f32("f4").unwrap(), r.f64("f8").unwrap(), r.f64("f4").unwrap()), (1.5, -0.25, 1.5));
        assert_eq!((r.bool("yes").unwrap(), r.bool("no").unwrap()), (true, false));
        assert_eq!((r.char("c").unwrap(), r.char("c0").unwrap(), r.bytes("b").unwrap()), (b'x', 0, &[0, 255][..]));
        assert_eq!((r.opt_text("null").unwrap(), r.opt_texts("null_array").unwrap()), (None, None));
        assert_eq!(r.texts("texts").unwrap(), strings(&[Some("a"), None, Some(""), Some("ü")]));
        assert_eq!((r.texts("none").unwrap(), r.texts("shifted").unwrap()), (vec![], strings(&[Some("p"), Some("q")])));
        assert_eq!(
            (r.oids("ov").unwrap(), r.oids("ov0").unwrap(), r.oids("oids").unwrap()),
            (vec![1, 2], vec![], vec![3, 4])
        );
        assert_eq!(
            (r.i16s("iv").unwrap(), r.i16s("iv0").unwrap(), r.i16s("i2s").unwrap()),
            (vec![5, -6], vec![], vec![7, -8])
        );
        assert_eq!((r.bools("bools").unwrap(), r.chars("chars").unwrap()), (vec![true, false], b"xy".to_vec()));
        assert_eq!(r.i32s("i4s").unwrap(), [9]);
    }
}

#[test]
fn a_wrong_reading_is_an_error_that_names_query_and_column() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    let query = lifeboat::wire::Query::new(
        "the planets",
        "SELECT 1 AS n, 'x'::text AS t, NULL::oid AS o, '{{1},{2}}'::oid[] AS square, '{1,NULL}'::oid[] AS holes, \
         3000000000 AS big",
    );
    let rows = c.run(&query).unwrap();
    let r = rows.one().unwrap();
    let cases: [(&str, String); 8] = [
        ("moons", r.text("moons").unwrap_err().to_string()),
        ("n", r.text("n").unwrap_err().to_string()),
        ("t", r.i32("t").unwrap_err().to_string()),
        ("o", r.oid("o").unwrap_err().to_string()),
        ("square", r.oids("square").unwrap_err().to_string()),
        ("holes", r.oids("holes").unwrap_err().to_string()),
        ("big", r.i32("big").unwrap_err().to_string()),
        ("t", r.oids("t").unwrap_err().to_string()),
    ];
    for (column, error) in cases {
        assert!(error.contains(&format!("{column:?}")) && error.contains("the planets"), "{error}");
    }
    assert!(c.query("SELECT 1 WHERE false", &[]).unwrap().one().is_err());
    assert!(c.query("SELECT generate_series(1, 2)", &[]).unwrap().one().is_err());
}

#[test]
fn parameters_arrive_as_they_were() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    let texts: [&[u8]; 4] = [b"", b"it's", b"\"{,}\\", "ü".as_bytes()];
    let rows = c
        .query(
            "SELECT $1 AS text, $2 AS oid, $3 AS oids, $4 AS i4, $5 AS i8, $6 AS texts, $7 AS bytes, \
             $8 AS none, $9 AS no_texts",
            &[
                Param::text("it's $1"),
                Param::oid(u32::MAX),
                Param::oids(&[1, u32::MAX]),
                Param::int4(i32::MIN),
                Param::int8(i64::MIN),
                Param::texts(&texts),
                Param::bytea(b"\0\xff"),
                Param::oids(&[]),
                Param::texts::<&str>(&[]),
            ],
        )
        .unwrap();
    let r = rows.one().unwrap();
    assert_eq!(r.text("text").unwrap(), "it's $1");
    assert_eq!((r.oid("oid").unwrap(), r.oids("oids").unwrap()), (u32::MAX, vec![1, u32::MAX]));
    assert_eq!((r.i32("i4").unwrap(), r.i64("i8").unwrap()), (i32::MIN, i64::MIN));
    assert_eq!(r.texts("texts").unwrap(), texts.map(|t| Some(BString::from(t))));
    assert_eq!(r.bytes("bytes").unwrap(), b"\0\xff");
    assert_eq!((r.oids("none").unwrap(), r.texts("no_texts").unwrap()), (vec![], vec![]));
}

#[test]
fn text_that_is_not_utf8_goes_through_in_both_directions() {
    for server in Server::all() {
        for (encoding, name) in [("SQL_ASCII", &b"caf\xe9 \xff\xfe"[..]), ("LATIN1", &b"caf\xe9"[..])] {
            let database = server.database_with("bytes", &format!("ENCODING '{encoding}'"));
            let mut c = connect(&database.socket_url());
            raw(&mut c).execute(format!("SET client_encoding = '{encoding}'").as_bytes()).unwrap();
            assert_eq!(c.parameter("client_encoding").unwrap(), encoding);
            let quoted = [b"\"", name, b"\""].concat();
            c.execute(&[b"CREATE TABLE public.".as_slice(), &quoted, b" (a text)"].concat()).unwrap();
            let there = database.sql(
                "SELECT encode(convert_to(relname::text, getdatabaseencoding()::name), 'hex') FROM pg_class \
                 WHERE relnamespace = 'public'::regnamespace",
            );
            assert_eq!(there, name.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            let rows =
                c.query("SELECT relname FROM pg_catalog.pg_class WHERE relname = $1", &[Param::text(name)]).unwrap();
            assert_eq!(rows.one().unwrap().text("relname").unwrap(), name);
            let error = c.query([b"SELECT * FROM no".as_slice(), name].concat().replace_spaces(), &[]).unwrap_err();
            let message = &error.server().unwrap().message;
            assert!(message.windows(4).any(|w| w == b"caf\xe9"), "{message:?}");
        }
    }
}

trait ReplaceSpaces {
    fn replace_spaces(self) -> Vec<u8>;
}

impl ReplaceSpaces for Vec<u8> {
    /// Quotes what follows FROM, so that any bytes can be a name.
    fn replace_spaces(self) -> Vec<u8> {
        let at = self.windows(5).position(|w| w == b"FROM ").unwrap() + 5;
        [&self[..at], b"\"", &self[at..], b"\""].concat()
    }
}

#[test]
fn a_large_result_is_read_in_full() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    let rows = c
        .query(
            "SELECT g AS n, CASE WHEN g % 2 = 0 THEN repeat('x', g % 100) END AS x FROM generate_series(1, 50000) g",
            &[],
        )
        .unwrap();
    assert_eq!(rows.len(), 50_000);
    for (n, row) in (1..).zip(rows.iter()) {
        let x: Row<'_> = row;
        assert_eq!(x.i32("n").unwrap(), n);
        assert_eq!(x.opt_text("x").unwrap().map(|x| x.len()), (n % 2 == 0).then_some((n % 100) as usize));
    }
    let big = c.query("SELECT repeat('y', 20000000) AS y", &[]).unwrap();
    let y = big.one().unwrap().text("y").unwrap();
    assert!(y.len() == 20_000_000 && y.iter().all(|b| *b == b'y'));
}
