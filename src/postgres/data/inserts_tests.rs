use bstr::ByteSlice;

use super::*;
use crate::sql::Style;

fn inserts(columns: &[Value], form: InsertForm, standard_strings: bool) -> Inserts {
    let mut table = Sql::new();
    table.kw("t");
    Inserts::new(&table, &Sql::new(), columns.to_vec(), form, standard_strings)
}

/// The statements for rows that come in pieces of every size.
fn made(inserts: &Inserts, rows: &[u8], encoding: Encoding) -> Result<Vec<u8>> {
    let in_pieces = |size: usize| {
        let (mut statements, mut out) = (Statements::new(inserts, encoding), Vec::new());
        rows.chunks(size).try_for_each(|piece| statements.feed(piece, &mut out))?;
        statements.finish(&mut out)?;
        Ok(out)
    };
    let whole = in_pieces(rows.len().max(1));
    for size in 1..rows.len() {
        assert_eq!(in_pieces(size).ok(), whole.as_ref().ok().cloned(), "in pieces of {size}");
    }
    whole
}

fn text(columns: &[Value], form: InsertForm, rows: &str) -> String {
    String::from_utf8(made(&inserts(columns, form, true), rows.as_bytes(), Encoding::Safe).unwrap()).unwrap()
}

#[test]
fn the_name_of_the_table_is_written_otherwise_in_its_encoding() {
    let mut table = Sql::new();
    table.ident(b"\x95\\unrestrict".as_bstr());
    let begin = Sql::styled(Style { encoding: Encoding::Sjis, ..Style::default() });
    let inserts = Inserts::new(&table, &begin, vec![Value::Number], FORM, true);
    let expected = b"INSERT INTO U&\"\x95\\unrestric\\0074\" VALUES (1);\n\n\n";
    assert_eq!(made(&inserts, b"1\n", Encoding::Sjis).unwrap().as_bstr(), expected.as_bstr());
}

const FORM: InsertForm = InsertForm { columns: false, rows_per_insert: 1, on_conflict_do_nothing: false };

#[test]
fn values_are_written_by_their_types() {
    use Value::{Bits, Boolean, Default, Number, Text};
    let all = [Number, Text, Default, Boolean, Bits];
    assert_eq!(
        text(&all, FORM, "1\ta'b\\\\c\\td\tt\t101\n-1.5e-07\t\tf\t\nNaN\t\\N\t\\N\t\\N\n\\N\t\\\\N\tt\t0'\n"),
        "INSERT INTO t VALUES (1, 'a''b\\c\td', DEFAULT, true, B'101');\n\
         INSERT INTO t VALUES (-1.5e-07, '', DEFAULT, false, B'');\n\
         INSERT INTO t VALUES ('NaN', NULL, DEFAULT, NULL, NULL);\n\
         INSERT INTO t VALUES (NULL, '\\N', DEFAULT, true, B'0''');\n\n\n"
    );
    // Whoever sends this wants something else than a number to be read.
    assert_eq!(
        text(&[Number], FORM, "--\n1;DROP TABLE t\n'\n+1\n1.\n\n"),
        "INSERT INTO t VALUES ('--');\nINSERT INTO t VALUES ('1;DROP TABLE t');\nINSERT INTO t VALUES ('''');\n\
         INSERT INTO t VALUES ('+1');\nINSERT INTO t VALUES ('1.');\nINSERT INTO t VALUES ('');\n\n\n"
    );
}

#[test]
fn statements_have_as_many_rows_as_asked_for() {
    let three = InsertForm { rows_per_insert: 3, on_conflict_do_nothing: true, ..FORM };
    assert_eq!(
        text(&[Value::Number], three, "1\n2\n3\n4\n"),
        "INSERT INTO t VALUES\n\t(1),\n\t(2),\n\t(3) ON CONFLICT DO NOTHING;\n\
         INSERT INTO t VALUES\n\t(4) ON CONFLICT DO NOTHING;\n\n\n"
    );
    assert_eq!(text(&[Value::Number], three, ""), "\n\n");
    assert_eq!(text(&[], three, "\n\n"), "INSERT INTO t DEFAULT VALUES;\nINSERT INTO t DEFAULT VALUES;\n\n\n");
    let generated = [Value::Default, Value::Default];
    assert_eq!(text(&generated, FORM, "\n"), "INSERT INTO t VALUES (DEFAULT, DEFAULT);\n\n\n");
}

#[test]
fn backslashes_are_doubled_where_they_mean_something_but_not_within_characters() {
    let inserts = inserts(&[Value::Text, Value::Text], FORM, false);
    assert_eq!(made(&inserts, b"a\\\\b\tc\n", Encoding::Safe).unwrap(), b"INSERT INTO t VALUES ('a\\\\b', 'c');\n\n\n");
    // Two characters whose second byte is that of a backslash, one of which ends a value.
    assert_eq!(
        made(&inserts, b"\x95\\x\t\x83\\\n", Encoding::Sjis).unwrap(),
        b"INSERT INTO t VALUES ('\x95\\x', '\x83\\');\n\n\n"
    );
}

#[test]
fn what_is_no_row_of_the_table_is_an_error() {
    for (columns, rows) in
        [(1, "1\t2\n"), (2, "1\n"), (1, "1"), (1, "\\Nx\n"), (0, "1\n"), (0, "\t\n"), (2, "1\t2\t3\n")]
    {
        let inserts = inserts(&vec![Value::Text; columns], FORM, true);
        assert!(made(&inserts, rows.as_bytes(), Encoding::Safe).is_err(), "{rows:?}");
    }
}

#[test]
fn numbers_that_are_too_long_are_text() {
    let long = "1".repeat(LONGEST_NUMBER + 10);
    let (mut out, inserts) = (Vec::new(), inserts(&[Value::Number], FORM, true));
    let mut statements = Statements::new(&inserts, Encoding::Safe);
    statements.feed(format!("{long}\n2\n").as_bytes(), &mut out).unwrap();
    assert_eq!(out, format!("INSERT INTO t VALUES ('{long}');\nINSERT INTO t VALUES (2);\n").as_bytes());
}
