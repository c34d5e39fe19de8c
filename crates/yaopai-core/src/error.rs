//! This room's one error type. What the client may read and what the log says are two fields, so that nothing internal
//! gets into an answer by accident.

use std::borrow::Cow;
use std::fmt;

use yaopai_wire::problem::Code;

use crate::ports::{PlatformError, StoreError};

/// A refusal: what the client is told, and apart from it what happened inside.
#[derive(Clone)]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// A sentence for the client that says what to do. Never anything internal, never what the client sent.
    pub detail: Cow<'static, str>,
    /// Which field is at fault, if one is.
    pub field: Option<&'static str>,
    /// The back end's own words (`binding_rejected` only).
    pub message: Option<String>,
    /// Seconds after which a retry can help.
    pub retry_after: Option<u32>,
    /// For the log only.
    pub internal: Option<String>,
}

/// Results of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal with its sentence.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), field: None, message: None, retry_after: None, internal: None }
    }

    /// A field that is missing, of the wrong type or out of range.
    pub fn field(field: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), ..Self::new(Code::FieldInvalid, detail) }
    }

    /// Adds when a retry can help.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A platform's failure outside a login: nothing about `wx.login` is to be done over.
    #[must_use]
    pub(crate) fn of_a_call(self) -> Self {
        let detail = match self.code {
            Code::PlatformBusy => "The platform is busy; wait, then try again.",
            Code::PlatformUnavailable => "The platform did not answer as it should; wait, then try again.",
            _ => return self,
        };
        Self { detail: detail.into(), ..self }
    }

    /// Adds what only the log may say.
    #[must_use]
    pub fn internal(mut self, what: impl fmt::Display) -> Self {
        self.internal = Some(what.to_string());
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)?;
        if let Some(internal) = &self.internal {
            write!(f, " ({internal})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(e: StoreError) -> Self {
        let error = Self::new(Code::Unavailable, "The store did not answer; try again.").internal(&e);
        if e.retry { error.retry_after(1) } else { Self { code: Code::Internal, ..error } }
    }
}

impl From<PlatformError> for Error {
    fn from(e: PlatformError) -> Self {
        use PlatformError as P;
        let internal = e.to_string();
        match e {
            P::CodeInvalid => Self::new(Code::CodeInvalid, "Call wx.login again and log in with the new code."),
            P::CodeUsed => Self::new(Code::CodeUsed, "Call wx.login again and log in with the new code."),
            P::Blocked => Self::new(Code::PlatformBlocked, "The platform blocks this user's login; do not retry."),
            P::Busy { retry_after, .. } => {
                Self::new(Code::PlatformBusy, "Wait, then call wx.login again and log in with the new code.")
                    .retry_after(retry_after)
            }
            P::Unavailable { retry_after, .. } => {
                Self::new(Code::PlatformUnavailable, "Wait, then call wx.login again and log in with the new code.")
                    .retry_after(retry_after)
            }
            P::NotReached { retry_after, .. } => {
                Self::new(Code::PlatformUnavailable, "The platform was not reached; the same login may be retried.")
                    .retry_after(retry_after)
            }
            P::KeyStale => Self::new(
                Code::SessionKeyStale,
                "Refresh the session with a new code of wx.login, then send this again.",
            ),
            P::Unsupported => Self::new(Code::PlatformUnavailable, "This app's platform has no such call."),
            P::Misconfigured { .. } => Self::new(
                Code::PlatformUnavailable,
                "The platform refuses this app's configuration; its operators find the reason in the server's log.",
            ),
        }
        .internal(internal)
    }
}
