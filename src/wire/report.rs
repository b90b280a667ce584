//! What the server reports: errors that end a statement, and notices that do not.

use std::fmt;

use bstr::{BString, ByteSlice};
use bytes::Buf;

use super::frame;

/// The fields of an error or a notice, as the server sent them, in the client encoding of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerError {
    /// ERROR, FATAL, PANIC, WARNING, NOTICE, …, never translated.
    pub severity: BString,
    /// The SQLSTATE.
    pub code: BString,
    /// The message itself.
    pub message: BString,
    /// More about it.
    pub detail: Option<BString>,
    /// What could be done.
    pub hint: Option<BString>,
    /// Where in the statement, in characters from 1.
    pub position: Option<usize>,
    /// The statement that the server made up itself and that failed.
    pub internal_query: Option<BString>,
    /// Where in that one.
    pub internal_position: Option<usize>,
    /// The call stack of the server's languages; the line of a COPY.
    pub context: Option<BString>,
    /// The schema of the object concerned.
    pub schema: Option<BString>,
    /// The table concerned.
    pub table: Option<BString>,
    /// The column concerned.
    pub column: Option<BString>,
    /// The data type concerned.
    pub data_type: Option<BString>,
    /// The constraint concerned.
    pub constraint: Option<BString>,
}

/// A message of the server that did not end the statement.
pub type Notice = ServerError;

impl ServerError {
    /// Reads the body of an ErrorResponse or a NoticeResponse; what is missing stays empty, and what is cut off is kept.
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut fields = body;
        let mut error = Self::default();
        let mut local_severity = BString::default();
        while let Ok(kind) = fields.try_get_u8()
            && kind != 0
        {
            let text = frame::cstr(&mut fields).unwrap_or_else(|| std::mem::take(&mut fields));
            let number = || text.to_str().ok().and_then(|t| t.parse().ok());
            let text = || BString::from(text);
            match kind {
                b'S' => local_severity = text(),
                b'V' => error.severity = text(),
                b'C' => error.code = text(),
                b'M' => error.message = text(),
                b'D' => error.detail = Some(text()),
                b'H' => error.hint = Some(text()),
                b'P' => error.position = number(),
                b'p' => error.internal_position = number(),
                b'q' => error.internal_query = Some(text()),
                b'W' => error.context = Some(text()),
                b's' => error.schema = Some(text()),
                b't' => error.table = Some(text()),
                b'c' => error.column = Some(text()),
                b'd' => error.data_type = Some(text()),
                b'n' => error.constraint = Some(text()),
                _ => {}
            }
        }
        if error.severity.is_empty() {
            error.severity = local_severity;
        }
        error
    }

    /// Whether the SQLSTATE is `code`, one of those in [`sqlstate`](super::sqlstate).
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// Whether the SQLSTATE is one of `codes`.
    pub fn is_any(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.is(code))
    }

    pub(super) fn size(&self) -> usize {
        let opt = |t: &Option<BString>| t.as_ref().map_or(0, |t| t.len());
        self.message.len()
            + opt(&self.detail)
            + opt(&self.hint)
            + opt(&self.context)
            + opt(&self.internal_query)
            + std::mem::size_of::<Self>()
    }
}

/// As the server sent it: on several lines, perhaps.
impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)
    }
}

impl std::error::Error for ServerError {}
