//! What an archive's `CREATE TABLE` says of the table's columns, and `CREATE TYPE … AS (…)` of the type's.

use crate::sql::lexer::{Kind, Token, tokens};
use crate::sql::quote::unquoted;

/// A column, and all that is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, without quotes.
    pub name: Vec<u8>,
    /// Its part of the statement.
    pub text: Vec<u8>,
}

impl Column {
    pub fn has_default(&self) -> bool {
        let words = words(&self.text);
        let serial = words.get(1).is_some_and(|word| word.to_ascii_lowercase().ends_with(b"serial"));
        serial || words.iter().skip(1).any(|word| *word == b"DEFAULT" || *word == b"GENERATED")
    }

    /// The words of its type. Types are written in small letters or in quotes, what else is said of a column is not.
    pub fn type_words(&self) -> Vec<&[u8]> {
        let is_other = |word: &&[u8]| word.first().is_some_and(u8::is_ascii_uppercase);
        let words: Vec<&[u8]> = words(&self.text).into_iter().skip(1).take_while(|word| !is_other(word)).collect();
        match words.as_slice() {
            [b"serial"] => vec![b"integer"],
            [b"bigserial"] => vec![b"bigint"],
            [b"smallserial"] => vec![b"smallint"],
            _ => words,
        }
    }
}

/// The columns that a definition lists. `None` if it has them from elsewhere, too, or is of another shape: what is not listed
/// there need not be missing.
pub fn columns(definition: &[u8]) -> Option<Vec<Column>> {
    // The name is one word or two, with a dot between them; `OF` and `PARTITION OF` take columns from elsewhere.
    let is_name = |name: &[&[u8]]| matches!(name, [_] | [_, b".", _] | [b"IF", b"NOT", b"EXISTS", ..]);
    let (name, open) = name(definition)?;
    if is_name(&name) { listed(list(definition, open?)?) } else { None }
}

/// What a definition says of the columns of a table `OF` a type beside what the type says. `None` if it is of another shape.
pub fn options_of_typed(definition: &[u8]) -> Option<Vec<Column>> {
    let (name, open) = name(definition)?;
    if !matches!(&name[..], [_, b"OF", ..] | [_, b".", _, b"OF", ..]) {
        return None;
    }
    open.map_or(Some(Vec::new()), |open| listed(list(definition, open)?))
}

/// The attributes that the definition of a composite type lists. `None` if it is of another type, or of another shape.
pub fn attributes(definition: &[u8]) -> Option<Vec<Column>> {
    let (open, _) = marks(definition).find(|(_, byte)| *byte == b'(')?;
    let before = words(definition.get(..open)?);
    let is_composite = matches!(&before[..], [b"CREATE", b"TYPE", _, b"AS"] | [b"CREATE", b"TYPE", _, b".", _, b"AS"]);
    if is_composite { listed(list(definition, open)?) } else { None }
}

fn listed(list: &[u8]) -> Option<Vec<Column>> {
    let items = split(list).into_iter().map(<[u8]>::trim_ascii).filter(|item| !item.is_empty());
    let columns = items.filter(|item| !is_constraint(item)).map(|item| {
        let name = first_name(item)?;
        Some(Column { name, text: item.to_vec() })
    });
    columns.collect()
}

/// The words after `CREATE … TABLE` up to the first parenthesis, or to the end where there is none, and where that is.
fn name(definition: &[u8]) -> Option<(Vec<&[u8]>, Option<usize>)> {
    let open = marks(definition).find(|(_, byte)| *byte == b'(').map(|(at, _)| at);
    let before = words(definition.get(..open.unwrap_or(definition.len()))?);
    let create = before.iter().position(|word| *word == b"CREATE")?;
    let table = before.iter().position(|word| *word == b"TABLE").filter(|at| *at > create)?;
    Some((before.get(table + 1..)?.to_vec(), open))
}

/// What is between the parenthesis at `open` and the one that closes it.
fn list(definition: &[u8], open: usize) -> Option<&[u8]> {
    let mut depth = 0usize;
    for (at, byte) in marks(&definition[open..]) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(&definition[open + 1..open + at]),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The parts between commas that are in no parentheses.
fn split(list: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0usize, 0);
    for (at, byte) in marks(list) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[begin..]);
    parts
}

/// Whether it is no column: these words are quoted where they are names.
fn is_constraint(item: &[u8]) -> bool {
    let first = item.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    [b"CONSTRAINT".as_slice(), b"CHECK", b"UNIQUE", b"PRIMARY", b"FOREIGN", b"EXCLUDE", b"LIKE"].contains(&first)
}

fn first_name(item: &[u8]) -> Option<Vec<u8>> {
    let first = tokens(item).next()?;
    match first.kind {
        Kind::Word => Some(first.text.to_vec()),
        Kind::Name => unquoted(first.text),
        _ => None,
    }
}

/// The marks outside of quotes, and where they are.
fn marks(text: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    tokens(text).filter(|token| token.kind == Kind::Mark).filter_map(|token| Some((token.at, *token.text.first()?)))
}

/// Words, names in quotes and marks.
pub fn words(text: &[u8]) -> Vec<&[u8]> {
    tokens(text).filter(Token::is_solid).map(|token| token.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(definition: &str) -> Option<Vec<String>> {
        let columns = columns(definition.as_bytes())?;
        Some(columns.into_iter().map(|column| String::from_utf8(column.name).unwrap()).collect())
    }

    #[test]
    fn columns_are_what_a_definition_lists() {
        let definition = "CREATE UNLOGGED TABLE app.\"t (1\" (\n    id bigint NOT NULL,\n    \"a, \"\"b\" numeric(10,2) DEFAULT \
                          f('x, (', 1)[1:2],\n    \"CONSTRAINT\" text,\n    CONSTRAINT \"k, l\" CHECK ((id > 0)),\n    e integer\n)\n\
                          PARTITION BY LIST (other);\n";
        assert_eq!(names(definition).unwrap(), ["id", "a, \"b", "CONSTRAINT", "e"]);
        assert_eq!(names("CREATE TABLE public.t (n integer);\n").unwrap(), ["n"]);
        assert_eq!(names("CREATE FOREIGN TABLE t (\n)\nSERVER s;\n").unwrap(), Vec::<String>::new());
        assert_eq!(names("CREATE TABLE c (\n    own integer\n)\nINHERITS (p);\n").unwrap(), ["own"]);
    }

    #[test]
    fn what_has_its_columns_from_elsewhere_lists_none() {
        assert_eq!(names("CREATE TABLE t OF app.type (\n    a WITH OPTIONS NOT NULL\n);\n"), None);
        assert_eq!(names("CREATE TABLE t PARTITION OF p\nFOR VALUES IN (1);\n"), None);
        assert_eq!(names("CREATE TABLE t AS SELECT f(1);\n"), None);
        assert_eq!(names("CREATE VIEW v AS SELECT f(1);\n"), None);
        assert_eq!(names("CREATE TABLE t (a integer"), None);
        assert_eq!(names(""), None);
    }

    #[test]
    fn attributes_are_those_of_composite_types() {
        let names = |definition: &str| {
            let attributes = attributes(definition.as_bytes())?;
            Some(attributes.into_iter().map(|a| String::from_utf8(a.name).unwrap()).collect::<Vec<_>>())
        };
        let definition = "CREATE TYPE app.\"AS (\" AS (\n\ta numeric(10,2),\n\t\"b, c\" text COLLATE app.\"x\"\n);\n";
        assert_eq!(names(definition).unwrap(), ["a", "b, c"]);
        assert_eq!(names("CREATE TYPE t AS (\n);\n").unwrap(), Vec::<String>::new());
        for other in
            ["CREATE TYPE app.e AS ENUM (\n    'a'\n);\n", "CREATE TYPE app.r AS RANGE (\n);\n", "CREATE TYPE app.s;\n"]
        {
            assert_eq!(names(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_said_of_the_columns_of_a_typed_table_is_found() {
        let options = |definition: &str| options_of_typed(definition.as_bytes()).map(|columns| columns.len());
        assert_eq!(options("CREATE TABLE app.t OF app.type (\n    a WITH OPTIONS DEFAULT 1\n);\n"), Some(1));
        assert_eq!(options("CREATE TABLE app.\"OF\" OF app.type;\n"), Some(0));
        for other in [
            "CREATE TABLE app.t (a integer);",
            "CREATE TABLE t PARTITION OF p (b DEFAULT 1);",
            "CREATE VIEW v AS SELECT 1",
        ] {
            assert_eq!(options(other), None, "{other}");
        }
    }

    #[test]
    fn defaults_are_told_from_what_looks_like_one() {
        let has = |column: &str| columns(format!("CREATE TABLE t ({column})").as_bytes()).unwrap()[0].has_default();
        for column in ["a integer DEFAULT 1", "a integer GENERATED ALWAYS AS (1) STORED", "a serial NOT NULL"] {
            assert!(has(column), "{column}");
        }
        for column in ["a integer NOT NULL", "\"DEFAULT\" integer", "a text COLLATE \"DEFAULT\""] {
            assert!(!has(column), "{column}");
        }
    }
}
