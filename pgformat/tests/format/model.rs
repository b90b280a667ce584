//! An archive as a value: what the tests write, and what they expect to read.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, Write};

use pgformat::{Block, DumpId, Entry, Header, LargeObjectsReader, Reader, Result, Writer};

use crate::many_files::{Set, Written};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Rows(Vec<u8>),
    Objects(Vec<(u32, Vec<u8>)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    pub header: Header,
    pub entries: Vec<Entry>,
    pub contents: BTreeMap<DumpId, Content>,
}

impl Archive {
    /// Writes it, without seeking.
    pub fn streamed(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), self.header.clone(), self.entries.clone()).unwrap();
        self.write_blocks(&mut writer);
        writer.finish().unwrap()
    }

    /// Writes it, with offsets filled in.
    pub fn seekable(&self) -> Vec<u8> {
        let out = Cursor::new(Vec::new());
        let mut writer = Writer::seekable(out, self.header.clone(), self.entries.clone()).unwrap();
        self.write_blocks(&mut writer);
        writer.finish().unwrap().into_inner()
    }

    /// Writes it in directory format.
    pub fn in_folder(&self) -> Set {
        let written = Written::default();
        let header = self.header.clone().in_folder();
        let mut writer = Writer::folder(Box::new(written.clone()), header, self.entries.clone()).unwrap();
        self.write_blocks(&mut writer);
        let mut set = written.0.lock().unwrap().clone();
        set.add("toc.dat", &writer.finish().unwrap());
        set
    }

    fn write_blocks<W: Write>(&self, writer: &mut Writer<W>) {
        for entry in self.entries.iter().filter(|entry| entry.has_data) {
            match &self.contents[&entry.dump_id] {
                Content::Rows(rows) => {
                    let mut data = writer.data(entry.dump_id).unwrap();
                    data.write_all(rows).unwrap();
                    data.finish().unwrap();
                }
                Content::Objects(objects) => {
                    let mut block = writer.large_objects(entry.dump_id).unwrap();
                    for (oid, content) in objects {
                        let mut object = block.object(*oid).unwrap();
                        object.write_all(content).unwrap();
                        object.finish().unwrap();
                    }
                    block.finish().unwrap();
                }
            }
        }
    }

    /// Reads all of an archive in its order.
    pub fn read<R: Read>(mut reader: Reader<R>) -> Result<Self> {
        let mut contents = BTreeMap::new();
        while let Some(block) = reader.next_block()? {
            let id = block.entry().unwrap().dump_id;
            contents.insert(id, content(block)?);
        }
        Ok(Self { header: reader.header().clone(), entries: reader.entries().to_vec(), contents })
    }

    /// Reads the data of each entry by its number, last one first.
    pub fn read_backwards<R: Read + Seek>(mut reader: Reader<R>) -> Result<Self> {
        let entries = reader.entries().to_vec();
        let mut contents = BTreeMap::new();
        for entry in entries.iter().rev() {
            if let Some(block) = reader.block(entry.dump_id)? {
                contents.insert(entry.dump_id, content(block)?);
            }
        }
        Ok(Self { header: reader.header().clone(), entries, contents })
    }
}

fn content<R: Read>(block: Block<'_, R>) -> Result<Content> {
    match block {
        Block::Data(data) => Ok(Content::Rows(all(data)?)),
        Block::LargeObjects(block) => Ok(Content::Objects(objects(block)?)),
    }
}

fn objects<R: Read>(mut block: LargeObjectsReader<'_, R>) -> Result<Vec<(u32, Vec<u8>)>> {
    let mut objects = Vec::new();
    while let Some((oid, object)) = block.next()? {
        objects.push((oid, all(object)?));
    }
    Ok(objects)
}

fn all(mut data: impl Read) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    match data.read_to_end(&mut all) {
        Ok(_) => Ok(all),
        Err(error) => Err(pgformat::Error::from_io(error).unwrap()),
    }
}

/// Gives its bytes a few at a time, and cannot seek.
pub struct Trickle<'a>(pub &'a [u8], pub usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(out.len()).min(self.0.len());
        let (now, later) = self.0.split_at(n);
        out[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}
