//! SQL taken apart, as far as it takes to see which names in it have no schema.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word, in lower case.
    Word(String),
    /// A name in quotes.
    Quoted,
    Operator(String),
    Sign(char),
    /// A literal, a number, a parameter.
    Value,
}

/// The parts of `sql`; `{name}` of a Rust format string counts as a value.
pub fn tokens(sql: &str) -> Vec<Token> {
    const OPERATOR: &str = "+-*/<>=~!@#%^&|`?";
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let end_of = |quote: char| rest[1..].find(quote).map_or(rest.len(), |n| n + 2);
        let while_in = |is: &dyn Fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = match c {
            '\'' => end_of('\''),
            '"' => end_of('"'),
            '{' => rest.find('}').map_or(rest.len(), |n| n + 1),
            '$' => 1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1),
            _ if c.is_ascii_digit() => while_in(&|c| c.is_ascii_alphanumeric() || c == '.'),
            _ if is_word(c) => while_in(&is_word),
            _ if OPERATOR.contains(c) => while_in(&|c| OPERATOR.contains(c)),
            _ => c.len_utf8(),
        };
        let (token, later) = rest.split_at(length);
        rest = later;
        match c {
            '\'' | '{' | '$' => tokens.push(Token::Value),
            '"' => tokens.push(Token::Quoted),
            _ if c.is_whitespace() => {}
            _ if c.is_ascii_digit() => tokens.push(Token::Value),
            _ if is_word(c) => tokens.push(Token::Word(token.to_lowercase())),
            _ if OPERATOR.contains(c) => tokens.push(Token::Operator(token.to_owned())),
            _ => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

/// What stands before a parenthesis and is no function: syntax, and what the grammar makes of it.
const SYNTAX: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "by",
    "case",
    "coalesce",
    "conflict",
    "cross",
    "distinct",
    "else",
    "except",
    "exists",
    "filter",
    "from",
    "greatest",
    "in",
    "is",
    "join",
    "lateral",
    "least",
    "materialized",
    "not",
    "nullif",
    "on",
    "operator",
    "or",
    "over",
    "row",
    "select",
    "some",
    "then",
    "to",
    "union",
    "using",
    "values",
    "when",
    "where",
    "within",
    "group",
    "intersect",
    "only",
    "ordinality",
    "like",
    "copy",
];
/// What may follow FROM and is no relation.
const NO_RELATION: &[&str] = &["lateral", "only", "rows", "stdin"];

/// The functions, relations and types of a query that have no schema. What texts `beside` it give names to counts as well.
pub fn unqualified(sql: &str, beside: &[Token]) -> Vec<String> {
    let tokens = tokens(sql);
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let sign = |at: usize, sign: char| tokens.get(at) == Some(&Token::Sign(sign));
    let short: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
    let mut faults = Vec::new();
    for at in 0..tokens.len() {
        let is_qualified = at > 0 && sign(at - 1, '.');
        let Some(name) = word(at) else { continue };
        // `name (columns) AS (` and `AS name (columns)` make names of their own.
        let is_alias = at > 0 && matches!(word(at - 1), Some("as" | "recursive"))
            || defined_here(&tokens, name)
            || at > 0 && sign(at - 1, ')') && word(at + 1).is_none() && sign(at + 1, '(');
        if sign(at + 1, '(') && !is_qualified && !is_alias && !SYNTAX.contains(&name) {
            faults.push(format!("function {name} in: {short}"));
        }
        let is_source = matches!(name, "from" | "join") && (at == 0 || word(at - 1) != Some("distinct"));
        if is_source
            && let Some(relation) = word(at + 1)
            && !sign(at + 2, '.')
            && !NO_RELATION.contains(&relation)
            && !defined_here(&tokens, relation)
            && !defined_here(beside, relation)
        {
            faults.push(format!("relation {relation} in: {short}"));
        }
        let is_cast = at > 1 && sign(at - 1, ':') && sign(at - 2, ':');
        if is_cast && !sign(at + 1, '.') {
            faults.push(format!("type {name} in: {short}"));
        }
    }
    faults
}

/// Whether the query itself gives something this name: `WITH name (…) AS (`, or `, name AS (`.
fn defined_here(tokens: &[Token], name: &str) -> bool {
    (0..tokens.len()).any(|at| {
        if tokens[at] != Token::Word(name.to_owned()) {
            return false;
        }
        let mut next = at + 1;
        if tokens.get(next) == Some(&Token::Sign('(')) {
            let Some(end) = tokens[next..].iter().position(|token| *token == Token::Sign(')')) else { return false };
            next += end + 1;
        }
        let is = |at: usize, wanted: &str| tokens.get(at) == Some(&Token::Word(wanted.to_owned()));
        is(next, "as")
            && (tokens.get(next + 1) == Some(&Token::Sign('(')) || is(next + 1, "materialized") || is(next + 1, "not"))
    })
}

/// The string literals in the source that are queries or parts of them, by file.
pub fn of_the_source() -> Vec<(PathBuf, Vec<String>)> {
    let mut found: Vec<(PathBuf, Vec<String>)> = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                // SQLite has no schemas to be fooled with.
                if !path.ends_with("sqlite") {
                    folders.push(path);
                }
            } else if !path.to_string_lossy().contains("test") && !path.to_string_lossy().ends_with("sample.rs") {
                let source = fs::read_to_string(&path).unwrap();
                let source = source.split("#[cfg(test)]").next().unwrap_or_default();
                let is_query = |text: &String| text.contains("pg_catalog.") || text.starts_with("SELECT ");
                found.push((path, literals(source).into_iter().filter(is_query).collect()));
            }
        }
    }
    let count: usize = found.iter().map(|(_, texts)| texts.len()).sum();
    assert!(count > 150, "only {count} queries are found");
    found
}

/// The string literals of Rust code. Comments are passed over; raw strings are taken as they are.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let here = &rest[at..];
        if here.starts_with("//") {
            rest = here.split_once('\n').map_or("", |(_, later)| later);
        } else if let Some(text) = here.strip_prefix('\'') {
            // A character, of which a quote is one; or a lifetime.
            let length = if text.starts_with('\\') { 3 } else { text.char_indices().nth(1).map_or(0, |(n, _)| n + 1) };
            let is_character = length > 0 && text.get(..length).is_some_and(|text| text.ends_with('\''));
            rest = if is_character { &text[length..] } else { text };
        } else if here.starts_with('"') {
            let hashes = rest[..at].len() - rest[..at].trim_end_matches('#').len();
            let is_raw = rest[..at].trim_end_matches('#').ends_with('r');
            let mut text = String::new();
            let mut chars = here.char_indices().skip(1).peekable();
            let mut end = here.len();
            while let Some((n, c)) = chars.next() {
                match c {
                    '"' if !is_raw || here[n + 1..].starts_with(&"#".repeat(hashes)) => {
                        end = n + 1;
                        break;
                    }
                    '\\' if !is_raw => match chars.next() {
                        Some((_, '\n')) => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                        Some((_, 'n')) => text.push('\n'),
                        Some((_, c)) => text.push(c),
                        None => {}
                    },
                    c => text.push(c),
                }
            }
            found.push(text);
            rest = &here[end..];
        } else {
            rest = &here[1..];
        }
    }
    found
}
