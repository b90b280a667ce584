//! What a restore tells while it works, as pg_restore tells it: errors with the entry that they belong to, and with `--verbose`
//! what is being done.

use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};

use bstr::{BString, ByteSlice};
use pgformat::{DumpId, Entry};

use crate::pg_tools::Context;
use crate::pg_tools::messages::Messages;
use crate::pg_tools::{server_message, wording};
use crate::wire::Notice;
use crate::{Cancellation, EntryEvent, EntryFailure, Level, Message, Reporter, Work};

/// How much of a statement an error shows.
const STATEMENT: usize = 127;

/// Tells what pg_restore tells.
pub(super) struct Narrator {
    messages: Messages,
    verbose: bool,
    /// Whether the entry of an error and the server's notices are told to everybody.
    tells_entries: bool,
    /// Whether rows of tables that could not be made are left out.
    leaves_out: bool,
    /// What is said of the search path when a session begins.
    path: OnceLock<String>,
    cancellation: Cancellation,
    /// The entry whose error was told last, if any was.
    last: Mutex<Option<DumpId>>,
}

impl Narrator {
    pub(super) fn new(context: &Context, verbose: bool, leaves_out: bool) -> Self {
        let Context { messages, major, cancellation } = context;
        Self {
            messages: messages.clone(),
            verbose,
            tells_entries: verbose || major.number() == 14,
            leaves_out,
            path: OnceLock::new(),
            cancellation: cancellation.clone(),
            last: Mutex::new(None),
        }
    }

    /// Says what is being done, to those who want to know.
    pub(super) fn says(&self, what: &str) {
        if self.verbose {
            self.messages.info(what);
        }
    }

    /// Says that a session begins, with this path, and will say it of others.
    pub(super) fn begins(&self, path: &BString) {
        let path = self.path.get_or_init(|| path.trim_ascii_end().to_str_lossy().into_owned());
        self.says(&format!("executing {path}"));
    }

    /// Says where an error comes from, and what the server has to say.
    fn tells(&self, what: &str) {
        if self.tells_entries {
            self.messages.info(what);
        }
    }

    fn failed(&self, entry: &Entry, failure: &EntryFailure<'_>) {
        // The lines of one error stay together.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none() {
            self.tells("while PROCESSING TOC:");
        }
        if *last != Some(entry.dump_id) {
            let (class, oid) = entry.catalog_oid;
            let shown = |field, none: &'static str| text(field).unwrap_or(Cow::Borrowed(none));
            self.tells(&format!(
                "from TOC entry {}; {class} {oid} {} {} {}",
                entry.dump_id.0,
                shown(&entry.desc, "(no desc)"),
                shown(&entry.tag, "(no tag)"),
                shown(&entry.owner, "(no owner)")
            ));
        }
        *last = Some(entry.dump_id);
        let said = what_failed(entry, failure);
        // One line break at its end is that of the message.
        self.messages.error(said.strip_suffix('\n').unwrap_or(&said));
        let is_table = entry.desc.as_ref().is_some_and(|desc| desc == "TABLE");
        if self.leaves_out && is_table && matches!(failure.work, Work::Definition(_)) {
            let table = text(&entry.tag).unwrap_or_default();
            self.says(&format!("table \"{table}\" could not be created, will not restore its data"));
        }
    }
}

/// What there is to say of an error.
fn what_failed(entry: &Entry, failure: &EntryFailure<'_>) -> String {
    let Some(report) = failure.report else { return failure.why.to_owned() };
    let of_server = |statement: Option<&[u8]>| server_message::text(report, statement);
    let query = |statement: &[u8], end: &str| {
        let whole = [statement, end.as_bytes()].concat();
        format!("could not execute query: {}Command was: {}", of_server(Some(statement)), shortened(&whole))
    };
    match failure.work {
        Work::Definition(statement) => query(statement, "\n\n"),
        Work::Statement(statement) => query(statement, ""),
        Work::Setting(statement) => match setting(statement) {
            Some((name, Some(value))) => format!("could not set \"{name}\" to {value}: {}", of_server(Some(statement))),
            Some((name, None)) => format!("could not set \"{name}\": {}", of_server(Some(statement))),
            None => query(statement, "\n\n"),
        },
        Work::Rows(_) => {
            format!("COPY failed for table \"{}\": {}", text(&entry.tag).unwrap_or_default(), of_server(None))
        }
        Work::LargeObject(oid) => format!("could not write to large object {oid}: {}", of_server(None)),
        _ => of_server(None),
    }
}

/// The beginning of a statement, and points if there is more of it.
fn shortened(statement: &[u8]) -> Cow<'_, str> {
    if statement.len() <= STATEMENT {
        return statement.to_str_lossy();
    }
    let beginning = &statement[..STATEMENT - 3];
    // A character that is cut in two is left out, where pg_restore shows a part of it.
    let end =
        beginning.utf8_chunks().last().filter(|chunk| !chunk.invalid().is_empty()).map_or(0, |c| c.invalid().len());
    let whole = &beginning[..beginning.len() - end];
    format!("{}...", whole.to_str_lossy()).into()
}

/// The name of a setting that a statement makes, and the value where pg_restore shows it.
fn setting(statement: &[u8]) -> Option<(&'static str, Option<String>)> {
    let (name, value) = statement.strip_prefix(b"SET ")?.split_once_str(" = ")?;
    let value = || value.trim_end_with(|c| c == ';').to_str_lossy().into_owned();
    match name {
        b"default_tablespace" => Some(("default_tablespace", Some(value()))),
        b"search_path" => Some(("search_path", Some(format!("\"{}\"", value())))),
        b"default_table_access_method" => Some(("default_table_access_method", None)),
        _ => None,
    }
}

fn text(text: &Option<BString>) -> Option<Cow<'_, str>> {
    text.as_ref().map(|text| text.to_str_lossy())
}

/// An entry's name with its schema, in quotes.
fn name(entry: &Entry) -> String {
    let tag = text(&entry.tag).unwrap_or_default();
    match text(&entry.schema) {
        Some(schema) => format!("\"{schema}.{tag}\""),
        None => format!("\"{tag}\""),
    }
}

/// An entry's kind and its name as it is.
fn bare(entry: &Entry) -> String {
    format!("{} {}", text(&entry.desc).unwrap_or_default(), text(&entry.tag).unwrap_or_default())
}

impl Reporter for Narrator {
    fn message(&self, message: Message) {
        let text = message.text.named(wording::name);
        let subject = message.subject.named(wording::name);
        match message.level {
            Level::Error => self.messages.error(&format!("{subject}: {text}")),
            Level::Warning => self.messages.warning(&format!("{subject}: {text}")),
            _ => self.says(&format!("{subject}: {text}")),
        }
    }

    fn entry(&self, entry: &Entry, event: &EntryEvent<'_>) -> bool {
        let tag = || text(&entry.tag).unwrap_or_default();
        match event {
            EntryEvent::Failed(failure) => self.failed(entry, failure),
            EntryEvent::Drops => self.says(&format!("dropping {}", bare(entry))),
            EntryEvent::Makes => {
                self.says(&format!("creating {} {}", text(&entry.desc).unwrap_or_default(), name(entry)))
            }
            EntryEvent::Runs => self.says(&format!("executing {}", bare(entry))),
            EntryEvent::Connects => {
                self.says(&format!("connecting to new database \"{}\"", tag()));
                if let Some(path) = self.path.get() {
                    self.says(&format!("executing {path}"));
                }
            }
            EntryEvent::LoadsLargeObjects => self.says("processing BLOBS"),
            EntryEvent::LoadsLargeObject(oid) => self.says(&format!("restoring large object with OID {oid}")),
            EntryEvent::LoadedLargeObjects(count) => {
                let plural = if *count == 1 { "" } else { "s" };
                self.says(&format!("restored {count} large object{plural}"));
            }
            EntryEvent::Loads => {
                let name = name(entry);
                self.says(&format!("processing data for table {name}"));
            }
            // That was told with the table.
            EntryEvent::LeftOut => {}
        }
        true
    }

    fn notice(&self, notice: &Notice) -> bool {
        let text = server_message::text(notice, None);
        self.tells(text.strip_suffix('\n').unwrap_or(&text));
        true
    }

    fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }
}
