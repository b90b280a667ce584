//! Statistics, read while the table of contents is written.
//!
//! With a hundred values and their frequencies, the bounds of a histogram and more for each column, statistics are larger
//! than all definitions together. So they are asked for in batches, in the order in which they are written, and no more
//! than one batch is held: memory grows with neither tables nor columns, and round trips with batches only.

use crate::error::Result;
use crate::postgres::model::DumpId;
use crate::postgres::session::Session;
use crate::postgres::version::ServerVersion;
use crate::sql::{Sql, Style};
use crate::wire::{Query, Row, Rows};

/// What has statistics that its entry gets.
pub trait HasStatistics: Sized {
    /// How much the first query is about, in columns or objects.
    const FIRST: usize;

    /// A query for the first of `wanted`, about so much at the most, and how many of them it is about. Each row of the result
    /// has as `place` which of all it belongs to, where the first of `wanted` is the one at `first`.
    fn query(wanted: &[(DumpId, Self)], first: i32, most: usize, server: ServerVersion) -> (Query, usize);

    /// How much the query after one with this result may be about.
    fn next(most: usize, rows: &Rows) -> usize;

    /// Appends the statement that a row is for.
    ///
    /// # Errors
    /// The row cannot be read.
    fn append(&self, sql: &mut Sql, row: Row<'_>, server: ServerVersion) -> Result<()>;
}

/// Reads the statistics for entries, in their order.
pub struct Reader<'a, T> {
    wanted: &'a [(DumpId, T)],
    server: ServerVersion,
    style: Style,
    /// How many of `wanted` were asked for so far.
    asked: usize,
    /// How much the next query may be about.
    most: usize,
    /// How many of `wanted` were given out.
    given: usize,
    /// The statistics of the last batch, each row with its place in `wanted`.
    rows: Option<Rows>,
    next_row: usize,
}

impl<'a, T: HasStatistics> Reader<'a, T> {
    /// A reader of the statistics that are `wanted` by entries, in the order of the entries.
    pub fn new(wanted: &'a [(DumpId, T)], session: &Session) -> Self {
        let (server, style) = (session.server(), session.style());
        Self { wanted, server, style, asked: 0, most: T::FIRST, given: 0, rows: None, next_row: 0 }
    }

    /// The statements for what the entry with this number is about; `None` for one that is not about statistics of this
    /// sort, or out of turn.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn statements(&mut self, of: DumpId, session: &mut Session) -> Result<Option<Sql>> {
        let Some((_, wanted)) = self.wanted.get(self.given).filter(|(id, _)| *id == of) else { return Ok(None) };
        if self.given == self.asked {
            self.ask(session)?;
        }
        let mut sql = Sql::styled(self.style);
        while let Some(row) = self.rows.as_ref().and_then(|rows| rows.get(self.next_row)) {
            if usize::try_from(row.i32("place")?) != Ok(self.given) {
                break;
            }
            wanted.append(&mut sql, row, self.server)?;
            self.next_row += 1;
        }
        self.given += 1;
        Ok(Some(sql))
    }

    fn ask(&mut self, session: &mut Session) -> Result<()> {
        let rest = self.wanted.get(self.asked..).unwrap_or_default();
        let first = i32::try_from(self.asked).unwrap_or(i32::MAX);
        let (query, count) = T::query(rest, first, self.most, self.server);
        self.asked += count;
        // The last batch is let go before the next one comes.
        self.rows = None;
        let rows = session.connection().run(&query)?;
        self.most = T::next(self.most, &rows);
        self.rows = Some(rows);
        self.next_row = 0;
        Ok(())
    }
}

/// Appends the arguments that all such statements end with: whether they are about children as well, and the `figures` that
/// there are, which are columns of the row and arguments by the same names, with the arguments' types.
pub(super) fn append_figures<'f>(
    sql: &mut Sql,
    row: Row<'_>,
    figures: impl IntoIterator<Item = &'f (&'static str, &'static str)>,
) -> Result<()> {
    sql.kw(",\n\t'inherited', '").kw(if row.bool("inherited")? { "t" } else { "f" }).kw("'::boolean");
    for (figure, of_type) in figures {
        if let Some(value) = row.opt_text(figure)? {
            sql.kw(",\n\t'").kw(figure).kw("', ").literal(value).kw("::").kw(of_type);
        }
    }
    sql.kw("\n);\n");
    Ok(())
}
