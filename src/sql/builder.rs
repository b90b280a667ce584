//! The builder of SQL text.

use bstr::{BStr, BString, ByteSlice};

use super::quote;
use super::style::Style;

/// Text that the server's own deparser (`pg_get_expr`, `format_type` and their like) made, or that an earlier [`Sql`]
/// made: it is SQL already and goes into a statement as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Deparsed(BString);

impl Deparsed {
    /// Vouches that `text` came out of the server's deparser.
    pub fn by_server(text: impl Into<BString>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_bstr(&self) -> &BStr {
        self.0.as_bstr()
    }
}

/// SQL text in the making.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sql {
    text: Vec<u8>,
    style: Style,
}

impl Sql {
    /// No text yet; literals are written for `standard_conforming_strings = on`.
    pub fn new() -> Self {
        Self::default()
    }

    /// No text yet; literals are written for the given state of `standard_conforming_strings`.
    pub fn with_strings(standard: bool) -> Self {
        Self::styled(Style { standard_strings: standard, ..Style::default() })
    }

    /// No text yet; names and literals are written as `style` says.
    pub fn styled(style: Style) -> Self {
        Self { text: Vec::new(), style }
    }

    /// How its names and literals are written.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Appends key words and punctuation.
    pub fn kw(&mut self, text: &'static str) -> &mut Self {
        self.text.extend_from_slice(text.as_bytes());
        self
    }

    /// Appends an identifier, quoted where needed, or in any case if that is the style.
    pub fn ident(&mut self, name: &BStr) -> &mut Self {
        if self.style.quote_all {
            quote::quoted_ident(&mut self.text, name);
        } else {
            quote::ident(&mut self.text, name);
        }
        self
    }

    /// Appends an identifier, quoted where needed, whatever the style.
    pub fn ident_where_needed(&mut self, name: &BStr) -> &mut Self {
        quote::ident(&mut self.text, name);
        self
    }

    /// Appends `schema.name`.
    pub fn qualified(&mut self, schema: &BStr, name: &BStr) -> &mut Self {
        self.ident(schema).kw(".").ident(name)
    }

    /// Appends identifiers between commas.
    pub fn idents<'a>(&mut self, names: impl IntoIterator<Item = &'a BStr>) -> &mut Self {
        for (i, name) in names.into_iter().enumerate() {
            if i > 0 {
                self.kw(", ");
            }
            self.ident(name);
        }
        self
    }

    /// Appends a string literal that means the same whatever `standard_conforming_strings` is.
    pub fn portable_literal(&mut self, text: &BStr) -> &mut Self {
        quote::portable_literal(&mut self.text, text, self.style.encoding);
        self
    }

    /// Appends a string literal.
    pub fn literal(&mut self, text: &BStr) -> &mut Self {
        quote::literal(&mut self.text, text, self.style.standard_strings, self.style.encoding);
        self
    }

    /// Appends a string between dollar quotes whose tag begins with `tag` and does not occur in it, or as a literal if the
    /// style has no dollar quotes.
    pub fn dollar_quoted(&mut self, text: &BStr, tag: &'static str) -> &mut Self {
        if !self.style.dollar_quotes {
            return self.literal(text);
        }
        quote::dollar_quoted(&mut self.text, text, tag);
        self
    }

    /// Appends text that the server deparsed.
    pub fn deparsed(&mut self, text: &Deparsed) -> &mut Self {
        self.text.extend_from_slice(text.as_bstr());
        self
    }

    /// Appends text that the server deparsed, between key words, where there is any.
    pub fn opt_deparsed<'a>(
        &mut self,
        before: &'static str,
        text: impl Into<Option<&'a Deparsed>>,
        after: &'static str,
    ) -> &mut Self {
        match text.into() {
            Some(text) => self.kw(before).deparsed(text).kw(after),
            None => self,
        }
    }

    /// Appends SQL that was built before.
    pub fn sql(&mut self, other: &Sql) -> &mut Self {
        self.text.extend_from_slice(&other.text);
        self
    }

    /// Appends a whole number.
    pub fn num(&mut self, number: impl Into<i64>) -> &mut Self {
        self.text.extend_from_slice(number.into().to_string().as_bytes());
        self
    }

    /// Appends a floating-point number as the server printed it; other text is an error of the caller's and is quoted.
    pub fn numeric_text(&mut self, number: &BStr) -> &mut Self {
        if number.iter().all(|c| c.is_ascii_digit() || b"+-.eE".contains(c)) {
            self.text.extend_from_slice(number);
            self
        } else {
            self.literal(number)
        }
    }

    /// Whether nothing was appended yet.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text so far.
    pub fn as_bstr(&self) -> &BStr {
        self.text.as_bstr()
    }

    /// The text.
    pub fn into_bstring(self) -> BString {
        self.text.into()
    }

    /// The text, to be put into other statements.
    pub fn into_deparsed(self) -> Deparsed {
        Deparsed(self.text.into())
    }
}
