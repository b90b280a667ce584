use super::*;

fn lex(text: &[u8], standard_strings: bool) -> Result<(), Trouble> {
    // In pieces of every size there is the same to be seen.
    let mut results: Vec<_> = [1, 2, 3, 5, text.len().max(1)]
        .into_iter()
        .map(|size| {
            let mut lexer = PsqlLexer::new(standard_strings, Encoding::Safe);
            text.chunks(size).try_for_each(|piece| lexer.feed(piece)).and_then(|()| lexer.finish())
        })
        .collect();
    results.dedup();
    assert_eq!(results.len(), 1, "{:?}: {results:?}", bstr::BStr::new(text));
    results.remove(0)
}

#[test]
fn honest_definitions_are_let_through() {
    for text in [
        "",
        "CREATE TABLE public.t (\n    a text DEFAULT 'a\\'::text,\n    \"b\\\" integer\n);\n",
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $_$ BEGIN RETURN '\\! ls' || $1 || :x; END $_$;",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT $a$ \\q ' $a$ $$;",
        "SELECT E'it\\'s \\\\', U&'d\\0061t', B'01', X'1f', N'a';",
        "SELECT 'a'\n  'b\\' -- and 'so on\n  'd', E'e\\\\';",
        "SELECT E'a' -- no more\n , 'b\\';",
        "SELECT E'a''b\\'c';",
        "/* a /* \\! nested */ comment ' */ SELECT 1; -- \\! and ' this\n",
        "SELECT a[1:n], a[lo:hi], b::text, c := 1, d[1:'USERS'::text], 'a':'USER_'  FROM t$a$b;",
        "SELECT $1, $2::text, a$$b;\nSELECT ';', (SELECT ';');",
        "CREATE OPERATOR public.-/ (FUNCTION = f, LEFTARG = a);\nCREATE RULE r AS ON UPDATE TO t DO (SELECT 1; SELECT 2);",
        "COMMENT ON COLUMN t.a IS 'COPY t FROM stdin; \\! ls :LAST_ERROR_MESSAGE';",
        "-- load via partition root public.p;\n",
        "COPY t TO PROGRAM 'x';",
    ] {
        assert_eq!(lex(text.as_bytes(), true), Ok(()), "{text}");
    }
    for text in ["SELECT 'it\\'s', '\\\\', B'\\';", "SELECT 'a' 'b\\'c';", "SELECT U& 'a', U&\"a\", 'b'\n'c\\'';"] {
        assert_eq!(lex(text.as_bytes(), false), Ok(()), "{text}");
    }
}

#[test]
fn what_psql_would_carry_out_or_replace_is_seen() {
    for (text, trouble) in [
        ("\\! ls\n", Trouble::Command),
        ("SELECT 1 \\g /tmp/x\n", Trouble::Command),
        ("SELECT 1\\;", Trouble::Command),
        ("SELECT 'a\\'; \\! ls --';", Trouble::Command),
        ("SELECT $a$ $b$ $a$ \\! ls $b$;", Trouble::Command),
        ("SELECT a$a$ \\! ls $a$;", Trouble::Command),
        ("SELECT -- comment\r\\! ls\n;", Trouble::Command),
        ("/* /* */ */ \\! ls", Trouble::Command),
        ("SELECT xe'\\'; \\! ls", Trouble::Command),
        ("SELECT E'a' '\\' \\! ls", Trouble::Command),
        ("SELECT $e'\\''; \\! ls", Trouble::Command),
        ("SELECT :e'\\'; \\! ls '", Trouble::Command),
        ("SELECT \"a\"\"b\" \\! ls", Trouble::Command),
        ("SELECT :LAST_ERROR_MESSAGE;", Trouble::Variable),
        ("SELECT a::::USER;\nSELECT a::text:USER;", Trouble::Variable),
        ("SELECT :'USER';", Trouble::Variable),
        ("SELECT a[1:\"DBNAME\"];", Trouble::Variable),
        ("SELECT :{?x};", Trouble::Variable),
        ("SELECT 1:HOST", Trouble::Variable),
        ("SELECT 1::HOST:HOST:PORT", Trouble::Variable),
        // Whether this begins a quote depends on the version of psql.
        ("SELECT 1a$b$ ' $b$ ' \\! ls '", Trouble::Dollar),
        ("SELECT 1e5$b$ ' $b$;", Trouble::Dollar),
        ("SELECT 'a", Trouble::Open("a quote")),
        ("SELECT E'a\\'", Trouble::Open("a quote")),
        ("SELECT \"a", Trouble::Open("a quoted name")),
        ("SELECT $a$ $b$", Trouble::Open("a dollar quote")),
        ("SELECT 1; /* /* */", Trouble::Open("a comment")),
        ("SELECT (1;\n", Trouble::Open("a parenthesis")),
        ("SELECT 1; copy t from STDIN;", Trouble::Copy),
        ("COPY t FROM stdin", Trouble::Copy),
        ("copy t from StdOut;", Trouble::Copy),
        // psql reads line by line, and takes the next line's string for a plain one.
        ("SELECT E'a'\n  'b\\' \\! ls\n ';", Trouble::GoesOn),
        ("SELECT E'a' -- 'b\n -- \r \n'b';", Trouble::GoesOn),
        ("SELECT B'1'\n'0'", Trouble::GoesOn),
    ] {
        assert_eq!(lex(text.as_bytes(), true), Err(trouble), "{text}");
    }
    for (text, trouble) in [
        ("SELECT 'a\\', '; \\! ls';", Trouble::Command),
        ("SELECT 'a\\';", Trouble::Open("a quote")),
        ("SELECT U&'a\\' \\! ls\n';", Trouble::Unicode),
        ("SELECT u&'a';", Trouble::Unicode),
        ("SELECT x.au&'a';", Trouble::Unicode),
        ("SELECT B'0'\n'1'", Trouble::GoesOn),
    ] {
        assert_eq!(lex(text.as_bytes(), false), Err(trouble), "{text}");
    }
}

#[test]
fn later_bytes_of_a_character_are_no_backslashes() {
    let lex = |text: &[u8], encoding| {
        let mut lexer = PsqlLexer::new(true, encoding);
        lexer.feed(text).and_then(|()| lexer.finish())
    };
    // 表 ends with a backslash in SJIS, as do others elsewhere.
    for encoding in ["SJIS", "shift_jis_2004", "BIG5", "GBK", "UHC", "JOHAB", "gb18030"] {
        let encoding = Encoding::of(encoding.into());
        assert_eq!(lex(b"CREATE TABLE \x95\x5c (a text);\n", encoding), Ok(()), "{encoding:?}");
        assert_eq!(lex(b"CREATE TABLE t (a text); \\! ls\n", encoding), Err(Trouble::Command), "{encoding:?}");
        assert_eq!(lex(b"SELECT 1 \x95\n\\! ls\n", encoding), Err(Trouble::Command), "{encoding:?}");
    }
    assert_eq!(lex(b"SELECT \xb1\\! ls\n", Encoding::Sjis), Err(Trouble::Command));
    assert_eq!(lex(b"SELECT \x95\x5c", Encoding::of("UTF8".into())), Err(Trouble::Command));
    // What a piece ends in must not matter.
    let texts =
        [(&b"SELECT '\x81\x30\x81\x30' \\! ls"[..], Err(Trouble::Command)), (b"SELECT '\x81\x30\x81\x5c', 1", Ok(()))];
    for (text, expected) in texts {
        for size in 1..text.len() {
            let mut lexer = PsqlLexer::new(false, Encoding::Gb18030);
            let result = text.chunks(size).try_for_each(|piece| lexer.feed(piece)).and_then(|()| lexer.finish());
            assert_eq!(result, expected, "by {size}");
        }
    }
}
