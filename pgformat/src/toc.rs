//! The table of contents: what an archive says about each object in it.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};
use std::ops::Deref;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use crate::compression::Codec;
use crate::error::{ErrorKind, Fault, Result};
use crate::header::{Format, Header};
use crate::names::Name;
use crate::primitives::{DataPosition, Input, Output};
use crate::setters::setters;
use crate::{Limits, Version};

/// The number by which the entries of one archive refer to each other; positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DumpId(pub i32);

impl fmt::Display for DumpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which part of a restore an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Belongs to no part of its own: comments, privileges and the like go where their object goes.
    None,
    /// Definitions that data needs.
    PreData,
    /// Rows, large objects, sequences' values.
    Data,
    /// Definitions that want the data to be there: indexes, triggers, foreign keys.
    PostData,
}

/// One entry of the table of contents. Texts are bytes in the archive's encoding; `None` is the format's NULL, which is
/// not the empty string. One begins with [`Entry::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The entry's number.
    pub dump_id: DumpId,
    /// Whether the dump holds data for it.
    pub has_data: bool,
    /// The OIDs of the system catalog and of the object in it; zeros where there is no such row.
    pub catalog_oid: (u32, u32),
    /// The object's name as a list of contents shows it, arguments of functions included.
    pub tag: Option<BString>,
    /// The kind of object, in the format's upper-case words: `TABLE`, `FK CONSTRAINT`, …
    pub desc: Option<BString>,
    /// The part of a restore it belongs to.
    pub section: Section,
    /// The statements that create it.
    pub definition: Option<BString>,
    /// The statement that drops it.
    pub drop_statement: Option<BString>,
    /// The COPY statement for its data.
    pub copy_statement: Option<BString>,
    /// Its schema.
    pub schema: Option<BString>,
    /// Its tablespace.
    pub tablespace: Option<BString>,
    /// Its table access method (from 1.14).
    pub table_access_method: Option<BString>,
    /// Its `pg_class.relkind`, or 0 (from 1.16).
    pub relkind: u8,
    /// The role that owns it.
    pub owner: Option<BString>,
    /// The entries that must be restored before it.
    pub dependencies: Vec<DumpId>,
}

impl Entry {
    /// An entry of which nothing is known but its number, its kind, and that kind's section (none, if it is not known).
    pub fn new(dump_id: DumpId, desc: impl Into<BString>) -> Self {
        let desc = desc.into();
        Self {
            dump_id,
            has_data: false,
            catalog_oid: (0, 0),
            tag: None,
            section: crate::kinds::find(&desc).map_or(Section::None, |kind| kind.section),
            desc: Some(desc),
            definition: None,
            drop_statement: None,
            copy_statement: None,
            schema: None,
            tablespace: None,
            table_access_method: None,
            relkind: 0,
            owner: None,
            dependencies: Vec::new(),
        }
    }

    setters! {
        has_data: bool => has_data,
        catalog_oid: (u32, u32) => catalog_oid,
        tag: impl Into<BString> => Some(tag.into()),
        section: Section => section,
        definition: impl Into<BString> => Some(definition.into()),
        drop_statement: impl Into<BString> => Some(drop_statement.into()),
        copy_statement: impl Into<BString> => Some(copy_statement.into()),
        schema: impl Into<BString> => Some(schema.into()),
        tablespace: impl Into<BString> => Some(tablespace.into()),
        table_access_method: impl Into<BString> => Some(table_access_method.into()),
        relkind: u8 => relkind,
        owner: impl Into<BString> => Some(owner.into()),
        dependencies: Vec<DumpId> => dependencies,
    }

    /// What this crate knows about the entry's kind; `None` for one it has never heard of.
    pub fn kind(&self) -> Option<&'static crate::Kind> {
        self.desc.as_ref().and_then(|desc| crate::kinds::find(desc))
    }

    /// Whether its data is a block of large objects.
    pub(crate) fn holds_large_objects(&self) -> bool {
        self.desc.as_ref().is_some_and(|desc| desc == "BLOBS")
    }

    /// The entry in words, for messages: `entry 12 (TABLE DATA public.t)`. What is not UTF-8 is replaced, and control
    /// characters, which would change how a terminal shows a message, are escaped.
    pub fn label(&self) -> String {
        let desc = shown(self.desc.as_ref());
        let tag = shown(self.tag.as_ref());
        match self.schema.as_ref().filter(|schema| !schema.is_empty()) {
            Some(schema) => format!("entry {} ({desc} {}.{tag})", self.dump_id, shown(Some(schema))),
            None if tag.is_empty() => format!("entry {} ({desc})", self.dump_id),
            None => format!("entry {} ({desc} {tag})", self.dump_id),
        }
    }
}

fn shown(text: Option<&BString>) -> String {
    let mut shown = String::new();
    for c in words(text).chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

fn words(text: Option<&BString>) -> &BStr {
    text.map_or(BStr::new(b""), |text| text.as_bstr())
}

/// What an archive says about the data of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) position: DataPosition,
    pub(crate) with_oids: bool,
}

/// The table of contents as read.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) index: HashMap<DumpId, usize>,
}

/// The entries of an archive, in its order. A clone is the same table of contents, and no copy of it.
#[derive(Debug, Clone)]
pub struct Entries(pub(crate) Arc<Contents>);

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0.entries
    }
}

impl Contents {
    /// The entries that have data, as far as the archive says, and their places.
    pub(crate) fn with_data(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.with_data_from(0)
    }

    /// The same from a place on.
    pub(crate) fn with_data_from(&self, from: usize) -> impl Iterator<Item = (usize, &Entry)> {
        let entries = self.entries.iter().zip(&self.slots).enumerate().skip(from);
        entries.filter(|(_, (_, slot))| slot.position != DataPosition::NoData).map(|(at, (entry, _))| (at, entry))
    }

    pub(crate) fn read<R: Read>(input: &mut Input<R>, header: &Header, limits: &Limits) -> Result<Self> {
        let count = count(input, header, limits).map_err(|fault| fault.reading("the number of entries"))?;
        let start = input.offset();
        // What is allocated ahead stays small, whatever the archive says.
        let mut contents =
            Self { entries: Vec::with_capacity(count.min(4_096)), slots: Vec::new(), index: HashMap::new() };
        for number in 1..=count {
            let mut fields = Fields { input, header, limits, start, number, count, dump_id: None };
            let at = fields.input.offset();
            let (entry, slot) = fields.entry()?;
            if contents.index.insert(entry.dump_id, contents.entries.len()).is_some() {
                let fault = Fault::malformed(at, format!("two entries have the number {}", entry.dump_id));
                return Err(fields.error("number", fault));
            }
            contents.entries.push(entry);
            contents.slots.push(slot);
        }
        Ok(contents)
    }

    /// Reads what must be the same table of contents once more, in which only the places of the data may differ.
    pub(crate) fn read_again<R: Read>(&self, input: &mut Input<R>, header: &Header, limits: &Limits) -> Result<()> {
        let what = "what comes after the last block, where the table of contents may be repeated";
        let start = input.offset();
        let count = count(input, header, limits).map_err(|fault| fault.reading(what))?;
        let differs = |at| Err(Fault::malformed(at, "it is not the same as in the beginning").reading(what));
        if count != self.entries.len() {
            return differs(start);
        }
        for (number, (known, slot)) in (1..).zip(self.entries.iter().zip(&self.slots)) {
            let at = input.offset();
            let mut fields = Fields { input, header, limits, start, number, count, dump_id: None };
            let (entry, again) = fields.entry()?;
            if entry != *known || again.with_oids != slot.with_oids {
                return differs(at);
            }
        }
        Ok(())
    }
}

fn count<R: Read>(input: &mut Input<R>, header: &Header, limits: &Limits) -> Result<usize, Fault> {
    let at = input.offset();
    let count = input.int(header.int_size)?;
    let Ok(amount) = u64::try_from(count) else {
        return Err(Fault::malformed(at, format!("there cannot be {count} entries")));
    };
    if amount > limits.entries {
        return Err(Fault::new(at, ErrorKind::Limit { amount, limit: limits.entries }));
    }
    usize::try_from(amount).map_err(|_| Fault::new(at, ErrorKind::Limit { amount, limit: limits.entries }))
}

/// Reads the fields of one entry, and names the field when that fails.
struct Fields<'a, R> {
    input: &'a mut Input<R>,
    header: &'a Header,
    limits: &'a Limits,
    /// Where the table of contents begins.
    start: u64,
    number: usize,
    count: usize,
    dump_id: Option<DumpId>,
}

impl<R: Read> Fields<'_, R> {
    fn error(&self, field: &str, fault: Fault) -> crate::Error {
        let Self { number, count, .. } = self;
        let place = format!("{number} of {count} in the table of contents");
        fault.reading(match self.dump_id {
            Some(id) => format!("the {field} of entry {id} ({place})"),
            None => format!("the {field} of the entry that is {place}"),
        })
    }

    fn entry(&mut self) -> Result<(Entry, Slot)> {
        let version = self.header.version;
        let dump_id = self.dump_id()?;
        let has_data = self.int("data flag")? != 0;
        let catalog_oid = (self.oid("catalog OID")?, self.oid("object OID")?);
        let tag = self.text("tag")?;
        let desc = self.text("kind")?;
        let section = if version.has_sections() { self.section()? } else { section_before_1_11(desc.as_deref()) };
        let entry = Entry {
            dump_id,
            has_data,
            catalog_oid,
            tag,
            desc,
            section,
            definition: self.text("definition")?,
            drop_statement: self.text("drop statement")?,
            copy_statement: self.text("copy statement")?,
            schema: self.text("schema")?,
            tablespace: self.text("tablespace")?,
            table_access_method: match version.has_table_access_methods() {
                true => self.text("table access method")?,
                false => None,
            },
            relkind: if version.has_relkinds() { self.relkind()? } else { 0 },
            owner: self.text("owner")?,
            dependencies: Vec::new(),
        };
        let with_oids = self.with_oids()?;
        let entry = Entry { dependencies: self.dependencies()?, ..entry };
        let position = match self.header.format {
            Format::Custom => {
                let position = self.input.position(self.header.offset_size);
                position.map_err(|fault| self.error("data offset", fault))?
            }
            Format::Tar | Format::Directory => self.file_name(&entry)?,
        };
        let read = self.input.offset() - self.start;
        if read > self.limits.contents {
            let kind = ErrorKind::Limit { amount: read, limit: self.limits.contents };
            let fault = Fault::new(self.input.offset(), kind);
            return Err(fault.reading("the size of the table of contents"));
        }
        Ok((entry, Slot { position, with_oids }))
    }

    fn dump_id(&mut self) -> Result<DumpId> {
        let at = self.input.offset();
        let number = self.int("number")?;
        if number <= 0 {
            return Err(self.error("number", Fault::malformed(at, format!("{number} is no number of an entry"))));
        }
        self.dump_id = Some(DumpId(number));
        Ok(DumpId(number))
    }

    fn int(&mut self, field: &str) -> Result<i32> {
        self.input.int32(self.header.int_size).map_err(|fault| self.error(field, fault))
    }

    fn text(&mut self, field: &str) -> Result<Option<BString>> {
        self.input.text(self.header.int_size, self.limits.text).map_err(|fault| self.error(field, fault))
    }

    /// OIDs of the catalog are decimal texts.
    fn oid(&mut self, field: &str) -> Result<u32> {
        let at = self.input.offset();
        let text = self.text(field)?;
        text.as_deref().and_then(decimal).ok_or_else(|| {
            let text = words(text.as_ref());
            self.error(field, Fault::malformed(at, format!("{text:?} is no OID")))
        })
    }

    fn section(&mut self) -> Result<Section> {
        let at = self.input.offset();
        match self.int("section")? {
            1 => Ok(Section::None),
            2 => Ok(Section::PreData),
            3 => Ok(Section::Data),
            4 => Ok(Section::PostData),
            n => Err(self.error("section", Fault::malformed(at, format!("there is no section {n}")))),
        }
    }

    fn relkind(&mut self) -> Result<u8> {
        let at = self.input.offset();
        let n = self.int("relkind")?;
        u8::try_from(n).map_err(|_| self.error("relkind", Fault::malformed(at, format!("{n} is no relkind"))))
    }

    fn with_oids(&mut self) -> Result<bool> {
        let at = self.input.offset();
        match self.text("OID flag")?.as_deref().map(Vec::as_slice) {
            Some(b"true") => Ok(true),
            Some(b"false") | None => Ok(false),
            Some(other) => {
                let why = format!("{:?} is neither \"true\" nor \"false\"", other.as_bstr());
                Err(self.error("OID flag", Fault::malformed(at, why)))
            }
        }
    }

    /// The name of the file with the entry's data, empty where there is none. A reader never opens a file by it: what it
    /// must be is known, and another one could lead out of the archive.
    fn file_name(&mut self, entry: &Entry) -> Result<DataPosition> {
        let at = self.input.offset();
        let Some(name) = self.text("file name")?.filter(|name| !name.is_empty()) else {
            return Ok(DataPosition::NoData);
        };
        let named = match Name::parse(&name) {
            Some((Name::Data(id), Codec::None)) => id == entry.dump_id,
            Some((Name::List(id), Codec::None)) => {
                entry.holds_large_objects() && id.is_none_or(|id| id == entry.dump_id)
            }
            _ => false,
        };
        if named {
            return Ok(DataPosition::NotSet);
        }
        let why = format!("its data cannot be in {name:?}: it would be in {}", Name::Data(entry.dump_id));
        Err(self.error("file name", Fault::malformed(at, why)))
    }

    fn dependencies(&mut self) -> Result<Vec<DumpId>> {
        let mut dependencies = Vec::new();
        loop {
            let at = self.input.offset();
            let Some(text) = self.text("dependencies")? else { return Ok(dependencies) };
            let Some(id) = decimal(&text).and_then(|n| i32::try_from(n).ok()) else {
                let why = format!("{text:?} is no number of an entry");
                return Err(self.error("dependencies", Fault::malformed(at, why)));
            };
            let limit = self.limits.dependencies;
            if dependencies.len() as u64 >= limit {
                let kind = ErrorKind::Limit { amount: limit.saturating_add(1), limit };
                return Err(self.error("dependencies", Fault::new(at, kind)));
            }
            dependencies.push(DumpId(id));
        }
    }
}

fn decimal(text: &Vec<u8>) -> Option<u32> {
    let digits = text.as_slice();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.to_str().ok()?.parse().ok()
}

/// Before 1.11 the section was not stored; it follows from the kind.
fn section_before_1_11(desc: Option<&Vec<u8>>) -> Section {
    match desc.map(Vec::as_slice).unwrap_or_default() {
        b"COMMENT" | b"ACL" | b"ACL LANGUAGE" => Section::None,
        b"TABLE DATA" | b"BLOBS" | b"BLOB COMMENTS" => Section::Data,
        b"CONSTRAINT" | b"CHECK CONSTRAINT" | b"FK CONSTRAINT" | b"INDEX" | b"RULE" | b"TRIGGER" => Section::PostData,
        _ => Section::PreData,
    }
}

/// Writes an entry whose data has no place yet, if it has data, and gives where that place will be written.
pub(crate) fn write<W: Write>(output: &mut Output<W>, header: &Header, entry: &Entry) -> Result<u64, Fault> {
    let Header { version, int_size: size, offset_size, .. } = *header;
    let text = |output: &mut Output<W>, text: &Option<BString>| output.text(size, text.as_ref().map(|t| t.as_bstr()));
    output.int(size, entry.dump_id.0.into())?;
    output.int(size, entry.has_data.into())?;
    output.text(size, Some(entry.catalog_oid.0.to_string().as_str().into()))?;
    output.text(size, Some(entry.catalog_oid.1.to_string().as_str().into()))?;
    text(output, &entry.tag)?;
    text(output, &entry.desc)?;
    if version.has_sections() {
        let section = match entry.section {
            Section::None => 1,
            Section::PreData => 2,
            Section::Data => 3,
            Section::PostData => 4,
        };
        output.int(size, section)?;
    }
    text(output, &entry.definition)?;
    text(output, &entry.drop_statement)?;
    text(output, &entry.copy_statement)?;
    text(output, &entry.schema)?;
    text(output, &entry.tablespace)?;
    if version.has_table_access_methods() {
        text(output, &entry.table_access_method)?;
    }
    if version.has_relkinds() {
        output.int(size, entry.relkind.into())?;
    }
    text(output, &entry.owner)?;
    output.text(size, Some("false".into()))?;
    for dependency in &entry.dependencies {
        output.text(size, Some(dependency.0.to_string().as_str().into()))?;
    }
    output.text(size, None)?;
    let place = output.offset();
    if header.format == Format::Custom {
        output.position(offset_size, if entry.has_data { DataPosition::NotSet } else { DataPosition::NoData })?;
    } else {
        output.text(size, Some(file_name(entry, header).as_str().into()))?;
    }
    Ok(place)
}

/// The name of the file with the data of an entry, or with the list of its large objects. In a tar file, the entry of large objects
/// names one that there is not.
fn file_name(entry: &Entry, header: &Header) -> String {
    match entry.has_data {
        true if header.format == Format::Tar => Name::Data(entry.dump_id).to_string(),
        true => Name::of(entry, header.version).to_string(),
        false => String::new(),
    }
}

/// Whether so many entries with large objects have a list each: files of lists had one name before 1.16.
pub(crate) fn check_lists(lists: usize, header: &Header) -> Result<(), ErrorKind> {
    let (version, needed) = (header.version, Version::V1_16);
    if header.format == Format::Custom || lists < 2 || version >= needed {
        return Ok(());
    }
    let why = format!(
        "archive version {version} has one list of large objects, and they are in {lists} entries: that takes {needed}"
    );
    Err(ErrorKind::Unsupported(why))
}

/// What is wrong with entries that have one number.
pub(crate) fn two_of(id: DumpId) -> ErrorKind {
    ErrorKind::Protocol(format!("two entries have the number {id}"))
}

/// Whether `entry` can be told in an archive of `version` without loss.
pub(crate) fn check(entry: &Entry, version: Version) -> Result<(), ErrorKind> {
    if entry.dump_id.0 <= 0 {
        return Err(ErrorKind::Protocol(format!("the number of {} is not positive", entry.label())));
    }
    if let Some(bad) = entry.dependencies.iter().find(|id| id.0 <= 0) {
        return Err(ErrorKind::Protocol(format!("{} depends on {bad}, which is no entry's number", entry.label())));
    }
    if entry.table_access_method.is_some() && !version.has_table_access_methods() {
        let (label, needed) = (entry.label(), Version::V1_14);
        let why =
            format!("archive version {version} cannot say the table access method of {label}: that takes {needed}");
        return Err(ErrorKind::Unsupported(why));
    }
    if !version.has_sections() && section_before_1_11(entry.desc.as_deref()) != entry.section {
        let (label, needed) = (entry.label(), Version::V1_11);
        let why = format!("archive version {version} cannot say the section of {label}: that takes {needed}");
        return Err(ErrorKind::Unsupported(why));
    }
    Ok(())
}
