//! Statements that are sent without waiting for each one's answer: over a line with a delay, waiting would take longer than
//! all else.

use std::borrow::Cow;

use crate::postgres::restore::plan::Step;

/// How many statements are sent before the first answer is read, and of how many bytes together.
const STATEMENTS: usize = 100;
const BYTES: usize = 128 * 1024;

/// Statements of steps that are to be sent.
#[derive(Default)]
pub struct Window<'a> {
    pub steps: Vec<(&'a Step, Cow<'a, [u8]>)>,
    bytes: usize,
}

impl<'a> Window<'a> {
    pub fn push(&mut self, step: &'a Step, statement: Cow<'a, [u8]>) {
        self.bytes += statement.len();
        self.steps.push((step, statement));
    }

    pub fn is_full(&self) -> bool {
        self.steps.len() == STATEMENTS || self.bytes > BYTES
    }

    pub fn has(&self, is_such: impl Fn(&Step) -> bool) -> bool {
        self.steps.iter().any(|(step, _)| is_such(step))
    }
}
