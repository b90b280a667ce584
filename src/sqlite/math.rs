//! SQLite's mathematical functions. The SQLite that is built in is compiled without them, but those of distributions have them, and a
//! CHECK, an index or a computed column may call them.

use std::f64::consts::PI;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};

type One = fn(f64) -> f64;
type Two = fn(f64, f64) -> f64;

/// Functions whose result has the type of their argument.
const ROUNDING: [(&str, One); 4] =
    [("ceil", f64::ceil), ("ceiling", f64::ceil), ("floor", f64::floor), ("trunc", f64::trunc)];

const OF_ONE: [(&str, One); 16] = [
    ("acos", f64::acos),
    ("acosh", f64::acosh),
    ("asin", f64::asin),
    ("asinh", f64::asinh),
    ("atan", f64::atan),
    ("atanh", f64::atanh),
    ("cos", f64::cos),
    ("cosh", f64::cosh),
    ("degrees", |x| x * (180.0 / PI)),
    ("exp", f64::exp),
    ("radians", |x| x * (PI / 180.0)),
    ("sin", f64::sin),
    ("sinh", f64::sinh),
    ("sqrt", f64::sqrt),
    ("tan", f64::tan),
    ("tanh", f64::tanh),
];

/// Functions that have no value for what is not above zero.
const LOGARITHMS: [(&str, One); 4] = [("ln", f64::ln), ("log", f64::log10), ("log10", f64::log10), ("log2", f64::log2)];

const OF_TWO: [(&str, Two); 5] = [
    ("atan2", f64::atan2),
    ("log", |base, x| if base > 0.0 && base.ln() > 0.0 && x > 0.0 { x.ln() / base.ln() } else { f64::NAN }),
    ("mod", |x, y| x % y),
    ("pow", f64::powf),
    ("power", f64::powf),
];

/// Defines them for a connection.
pub(super) fn define(connection: &Connection) -> rusqlite::Result<()> {
    for (name, function) in ROUNDING {
        scalar(connection, name, 1, move |context| {
            Ok(match number(context, 0) {
                Some(Value::Real(x)) => real(function(x)),
                other => other.unwrap_or(Value::Null),
            })
        })?;
    }
    for (name, function) in OF_ONE {
        scalar(connection, name, 1, move |context| Ok(as_real(context, 0).map_or(Value::Null, |x| real(function(x)))))?;
    }
    for (name, function) in LOGARITHMS {
        let of = move |x: f64| if x > 0.0 { real(function(x)) } else { Value::Null };
        scalar(connection, name, 1, move |context| Ok(as_real(context, 0).map_or(Value::Null, of)))?;
    }
    for (name, function) in OF_TWO {
        scalar(connection, name, 2, move |context| {
            let both = as_real(context, 0).zip(as_real(context, 1));
            Ok(both.map_or(Value::Null, |(x, y)| real(function(x, y))))
        })?;
    }
    scalar(connection, "pi", 0, |_| Ok(Value::Real(PI)))
}

fn scalar(
    connection: &Connection,
    name: &str,
    arguments: i32,
    function: impl Fn(&Context<'_>) -> rusqlite::Result<Value> + Send + 'static,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(name, arguments, flags, move |context| function(context))
}

/// What is no number is NULL.
fn real(x: f64) -> Value {
    if x.is_nan() { Value::Null } else { Value::Real(x) }
}

fn as_real(context: &Context<'_>, at: usize) -> Option<f64> {
    match number(context, at)? {
        Value::Integer(n) => Some(n as f64),
        Value::Real(x) => Some(x),
        _ => None,
    }
}

/// An argument as a number: a text counts if all of it is one.
fn number(context: &Context<'_>, at: usize) -> Option<Value> {
    match context.get_raw(at) {
        ValueRef::Integer(n) => Some(Value::Integer(n)),
        ValueRef::Real(x) => Some(Value::Real(x)),
        ValueRef::Text(text) => of_text(std::str::from_utf8(text).ok()?),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

fn of_text(text: &str) -> Option<Value> {
    let text = text.trim_ascii();
    let plain = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    match text.parse::<i64>() {
        Ok(n) => Some(Value::Integer(n)),
        Err(_) if plain => text.parse().ok().map(Value::Real),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_those_of_sqlite() {
        let connection = Connection::open_in_memory().unwrap();
        define(&connection).unwrap();
        for (expression, expected) in [
            ("ceil(3)", Value::Integer(3)),
            ("ceil('3')", Value::Integer(3)),
            ("ceiling(-3.5)", Value::Real(-3.0)),
            ("floor(' -3.5 ')", Value::Real(-4.0)),
            ("trunc(-3.5)", Value::Real(-3.0)),
            ("sqrt('1e2')", Value::Real(10.0)),
            ("sqrt(-1)", Value::Null),
            ("sqrt('x')", Value::Null),
            ("sqrt('inf')", Value::Null),
            ("sqrt(x'31')", Value::Null),
            ("sqrt(NULL)", Value::Null),
            ("log(100)", Value::Real(2.0)),
            ("log2(8)", Value::Real(3.0)),
            ("log(2, 8)", Value::Real(8_f64.ln() / 2_f64.ln())),
            ("log(1, 8)", Value::Null),
            ("log(2, 0)", Value::Null),
            ("ln(0)", Value::Null),
            ("mod(7, 3)", Value::Real(1.0)),
            ("mod(-7, 0)", Value::Null),
            ("pow(2, 10)", Value::Real(1024.0)),
            ("degrees(pi())", Value::Real(180.0)),
        ] {
            let found: Value = connection.query_row(&format!("SELECT {expression}"), [], |r| r.get(0)).unwrap();
            assert_eq!(found, expected, "{expression}");
        }
    }
}
