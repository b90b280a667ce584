//! The rows of a result: one buffer, and an offset for each value.

use bstr::BString;
use bytes::Buf;
use postgres_types::{Kind, Type};

use super::error::{Error, Result};
use super::frame;

const NULL: u32 = u32::MAX;
/// How much memory the results of queries may take that are sent together, and a single one of them. What a catalog says of
/// an object is some hundred bytes.
const TOGETHER: usize = 2 << 30;
const SINGLE: usize = 1 << 30;
/// What a result takes without any rows, about.
const EMPTY: usize = 256;

/// How much room there is for results.
#[derive(Debug)]
pub(super) struct Room {
    together: usize,
    single: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { together: TOGETHER, single: SINGLE }
    }
}

impl Room {
    /// The next result begins.
    pub(super) fn next(&mut self) -> Result<()> {
        self.take("the server", EMPTY)?;
        self.single = SINGLE;
        Ok(())
    }

    fn take(&mut self, what: &str, bytes: usize) -> Result<()> {
        let left = (self.single.checked_sub(bytes), self.together.checked_sub(bytes));
        let (Some(single), Some(together)) = left else {
            return Err(Error::result(
                format!("query {what}"),
                "the result is larger than 1 GiB, or the results of several queries than 2 GiB, which is more than is taken into memory",
            ));
        };
        (self.single, self.together) = (single, together);
        Ok(())
    }
}

/// A column of a result.
#[derive(Debug, Clone)]
pub(super) struct Column {
    name: BString,
    /// Its type; the base type for a domain. Of others than the server's own, only the OID is known.
    pub(super) declared: Type,
    pub(super) is_binary: bool,
}

/// All rows of one result, in the order in which the server sent them.
#[derive(Debug, Clone)]
pub struct Rows {
    what: Box<str>,
    columns: Vec<Column>,
    /// The values, each after its length, as they came.
    data: Vec<u8>,
    /// Where each value starts, row after row.
    cells: Vec<u32>,
    /// The length of each value lies in the four bytes before it, so that only NULL needs a mark of its own.
    rows: usize,
}

/// One row of [`Rows`]; its getters are in `decode`.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub(super) rows: &'a Rows,
    index: usize,
}

impl Rows {
    pub(super) fn none(what: &str) -> Self {
        Self { what: what.into(), columns: Vec::new(), data: Vec::new(), cells: Vec::new(), rows: 0 }
    }

    /// Reads a RowDescription; `None` if it is cut short.
    pub(super) fn describe(what: &str, body: &[u8]) -> Option<Self> {
        let mut fields = body;
        let mut rows = Self::none(what);
        for _ in 0..u16::try_from(fields.try_get_i16().ok()?).ok()? {
            let name = frame::cstr(&mut fields)?.into();
            fields.split_off(..6)?;
            let oid = fields.try_get_u32().ok()?;
            fields.split_off(..6)?;
            let is_binary = fields.try_get_i16().ok()? == 1;
            let unknown = || Type::new(String::new(), oid, Kind::Simple, String::new());
            rows.columns.push(Column { name, declared: Type::from_oid(oid).unwrap_or_else(unknown), is_binary });
        }
        fields.is_empty().then_some(rows)
    }

    /// Takes in the body of a DataRow, as long as there is `room`.
    pub(super) fn push(&mut self, body: &[u8], room: &mut Room) -> Result<()> {
        let malformed = |rows: &Self| {
            Error::lost(
                format!("query {}", rows.what),
                "the server broke the protocol: a row does not agree with its description",
            )
        };
        let mut fields = body;
        if fields.try_get_i16().ok().and_then(|n| usize::try_from(n).ok()) != Some(self.columns.len()) {
            return Err(malformed(self));
        }
        let start = fields;
        let columns = self.columns.len();
        room.take(&self.what, start.len() + columns * size_of::<u32>())?;
        let reserved = self.data.try_reserve(start.len()).and_then(|()| self.cells.try_reserve(columns));
        reserved
            .map_err(|_| Error::result(format!("query {}", self.what), "there is no memory left for the result"))?;
        let base = self.data.len();
        for _ in 0..columns {
            let Ok(len) = fields.try_get_i32() else { return Err(malformed(self)) };
            if len < 0 {
                self.cells.push(NULL);
                continue;
            }
            let at = base + (start.len() - fields.len());
            if fields.split_off(..len as usize).is_none() {
                return Err(malformed(self));
            }
            self.cells.push(at as u32);
        }
        if !fields.is_empty() {
            return Err(malformed(self));
        }
        self.data.extend_from_slice(start);
        self.rows += 1;
        Ok(())
    }

    /// What the query is about, as the query said.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// How many bytes the values take.
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The row at `index`, from 0.
    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        (index < self.rows).then_some(Row { rows: self, index })
    }

    /// The first row.
    pub fn first(&self) -> Option<Row<'_>> {
        self.get(0)
    }

    /// The only row.
    ///
    /// # Errors
    /// There are none, or several.
    pub fn one(&self) -> Result<Row<'_>> {
        match self.get(0) {
            Some(row) if self.rows == 1 => Ok(row),
            _ => Err(Error::result(
                format!("query {}", self.what),
                format!("one row was expected, and {} came", self.rows),
            )),
        }
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(|index| Row { rows: self, index })
    }

    /// The value at a row and a column; `None` is NULL.
    fn cell(&self, row: usize, column: usize) -> Option<&[u8]> {
        let at = *self.cells.get(row * self.columns.len() + column)?;
        if at == NULL {
            return None;
        }
        let at = at as usize;
        let len = self.data.get(at - 4..at)?.try_into().ok().map(u32::from_be_bytes)?;
        self.data.get(at..at + len as usize)
    }
}

impl<'a> Row<'a> {
    /// The column called `name`, and this row's value in it.
    pub(super) fn find(self, name: &str) -> Result<(&'a Column, Option<&'a [u8]>)> {
        match self.rows.columns.iter().position(|c| c.name == name) {
            Some(i) => Ok((&self.rows.columns[i], self.rows.cell(self.index, i))),
            None => Err(Error::program(
                format!("read column {name:?} of {}", self.rows.what),
                "the result has no such column",
            )),
        }
    }

    /// The bytes of the value in the column at `index`, whatever its type; `None` for NULL, and beyond the last column.
    pub fn raw(&self, index: usize) -> Option<&'a [u8]> {
        if index >= self.rows.columns.len() {
            return None;
        }
        self.rows.cell(self.index, index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_for_one_result_and_for_all_of_them() {
        let mut room = Room::default();
        for _ in 0..2 {
            room.take("it", SINGLE - EMPTY).unwrap();
            assert!(room.take("it", EMPTY + 1).unwrap_err().to_string().contains("larger than 1 GiB"));
            room.next().unwrap();
        }
        assert!(room.take("it", 1).is_err());
        // Results without rows take something, too.
        let mut room = Room::default();
        assert!((0..=TOGETHER / EMPTY).any(|_| room.next().is_err()));
    }
}
