//! The help of a tool, made of its options.

use super::getopt::OptionSpec;
use super::major::Major;

/// How long a line may be.
const WIDTH: usize = 80;
/// Where what an option does begins.
const COLUMN: usize = 31;

/// The lines of a tool's help: what it does, how it is called, and the options that its major has.
pub(super) fn lines<K: Copy>(
    major: Major,
    (what, usage): (&str, &str),
    specs: &[OptionSpec<K>],
    closing: &[&str],
) -> Vec<String> {
    let mut lines = vec![what.to_owned(), String::new(), "Usage:".to_owned(), format!("  {usage}"), String::new()];
    lines.push("Options:".to_owned());
    for spec in specs.iter().filter(|spec| spec.is_of(major.number()) && !spec.help.is_empty()) {
        option(spec, &mut lines);
    }
    lines.extend(
        [
            "  -V, --version                show the version, then exit",
            "  -?, --help                   show this help, then exit",
        ]
        .map(str::to_owned),
    );
    if !closing.is_empty() {
        lines.push(String::new());
        lines.extend(closing.iter().map(|line| (*line).to_owned()));
    }
    lines
}

fn option<K>(spec: &OptionSpec<K>, lines: &mut Vec<String>) {
    let short = spec.short.map(|letter| format!("-{}", char::from(letter)));
    let long = (!spec.long.is_empty()).then(|| format!("--{}", spec.long));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let assigned = if spec.argument { format!("={}", spec.placeholder) } else { String::new() };
    let mut line = format!("  {}{assigned}", names.join(", "));
    if line.len() + 1 > COLUMN {
        lines.push(std::mem::take(&mut line));
    }
    for word in spec.help.split(' ') {
        let begins = line.len() <= COLUMN;
        if begins {
            line = format!("{line:COLUMN$}");
        } else if line.len() + 1 + word.len() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(COLUMN)));
        } else {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
}
