//! What goes wrong in a conversation with a server.

use std::fmt;

use bstr::{BString, ByteSlice};

use super::report::ServerError;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A conversation with a server that did not come to its end.
#[derive(Debug)]
#[non_exhaustive]
pub struct Error {
    /// What was being done, worded to follow "could not".
    pub doing: String,
    /// Why it failed.
    pub why: Why,
}

/// Why something failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Why {
    /// The server answered with this error, and goes on.
    Server(Box<ServerError>),
    /// The server ended the session, and this was the last that it said.
    Ended(Box<ServerError>),
    /// The connection is lost: the deadline has passed.
    NoAnswer,
    /// The connection is lost, or what the server sends makes no sense.
    Lost(String),
    /// The server wants to be logged in to in a way that is not possible.
    Login(Login),
    /// The result is not of the size that it may have.
    Result(String),
    /// The caller's text cannot be sent, or not in this place.
    Statement(String),
    /// A fault of the program's own.
    Program(String),
}

/// Why a login was given up before the server could refuse it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login {
    /// A password is asked for, and there is none.
    NoPassword,
    /// Channel binding is required, and the server lets log in without it.
    Unbound,
    /// Channel binding is required, and not possible on this connection.
    Unbindable,
    /// The server asks for this method, which the caller does not allow.
    Forbidden(&'static str),
    /// The method that this number stands for is not known here.
    Method(i32),
    /// None of these SASL mechanisms is known here.
    Mechanisms(BString),
}

impl std::error::Error for Login {}

/// The error that the connection's deadline has passed.
#[derive(Debug)]
pub struct NoAnswer;

impl Error {
    pub(super) fn new(doing: impl Into<String>, why: Why) -> Self {
        Self { doing: doing.into(), why }
    }

    pub(super) fn lost(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(doing, Why::Lost(why.into()))
    }

    pub(super) fn result(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(doing, Why::Result(why.into()))
    }

    pub(super) fn statement(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(doing, Why::Statement(why.into()))
    }

    pub(super) fn program(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(doing, Why::Program(why.into()))
    }

    /// The server's own report, where a server's error is what went wrong.
    pub fn server(&self) -> Option<&ServerError> {
        match &self.why {
            Why::Server(report) | Why::Ended(report) => Some(report),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.doing, self.why)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(report) | Self::Ended(report) => report.fmt(f),
            Self::NoAnswer => NoAnswer.fmt(f),
            Self::Login(login) => login.fmt(f),
            Self::Lost(why) | Self::Result(why) | Self::Statement(why) | Self::Program(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPassword => f.write_str("the server asks for a password, and none was given"),
            Self::Unbound => f.write_str("channel binding is required, and the server lets log in without it"),
            Self::Unbindable => f.write_str("channel binding is required, and not possible on this connection"),
            Self::Forbidden(method) => {
                write!(f, "the server asks for the method {method}, which is not among those that are allowed")
            }
            Self::Method(number) => {
                let name = match number {
                    2 => "Kerberos V5",
                    6 => "SCM credentials",
                    7 | 8 => "GSSAPI",
                    9 => "SSPI",
                    _ => "an unknown one",
                };
                write!(f, "the server asks for a way to authenticate that is not supported: {name} ({number})")
            }
            Self::Mechanisms(offered) => {
                write!(f, "the server offers only unknown SASL mechanisms: {}", offered.as_bstr())
            }
        }
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server did not answer in time")
    }
}

impl std::error::Error for NoAnswer {}
