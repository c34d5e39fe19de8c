//! Faults that can be switched on: what networks and platforms do on a bad day.

mod active;
mod kind;

use std::time::Duration;

pub use active::FaultStatus;
pub(crate) use active::Faults;
pub use kind::{Effect, FaultKind};
use serde::{Deserialize, Serialize};

use crate::{Endpoint, SimError};

const MAX_DELAY_MS: u64 = 600_000;
/// Longest path of a field, in bytes.
const MAX_FIELD: usize = 128;

/// Whether the fault strikes before the call has done its work (nothing is consumed) or after (the code is used up, the answer
/// is lost).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing has been done yet.
    Before,
    /// Everything has been done but answering.
    After,
}

/// A fault, whom it hits, and how often. Made by the constructors and narrowed by the methods:
/// `Fault::reset_after().on(Endpoint::Jscode2session).user("lilei").once()`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When; unless given, the first of [`FaultKind::moments`].
    #[serde(default)]
    pub when: Option<When>,
    /// Milliseconds of a [`FaultKind::Delay`], or between the pieces of a [`FaultKind::SlowBody`].
    #[serde(default)]
    pub ms: u64,
    /// The errcode of [`FaultKind::Errcode`] and [`FaultKind::ErrcodeBeside`].
    #[serde(default = "system_error")]
    pub errcode: i64,
    /// The status of [`FaultKind::HttpStatus`], 400–599; 500 if absent.
    #[serde(default)]
    pub status: Option<u16>,
    /// The field that one of the kinds named `…_field` spoils, as a path with dots (`phone_info.watermark`,
    /// `key_info_list.0.iv`); if absent, [`Endpoint::chief_field`]. An answer without that field stays as it is.
    #[serde(default)]
    pub field: Option<String>,
    /// Only this endpoint.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// Only this appid.
    #[serde(default)]
    pub app: Option<String>,
    /// Only this user; calls that are about no user are spared.
    #[serde(default)]
    pub user: Option<String>,
    /// How often; until cleared if absent.
    #[serde(default)]
    pub times: Option<u64>,
}

fn system_error() -> i64 {
    -1
}

impl Fault {
    /// A fault of this kind with everything else by default; the kinds that last need [`Fault::lasting`], too.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            when: None,
            ms: 0,
            errcode: system_error(),
            status: None,
            field: None,
            endpoint: None,
            app: None,
            user: None,
            times: None,
        }
    }

    /// Waits before doing anything.
    pub fn delay_before(by: Duration) -> Self {
        Self::new(FaultKind::Delay).when(When::Before).lasting(by)
    }

    /// Does the work (consumes the code), then waits before answering: the client times out, its retry sees 40163.
    pub fn delay_after(by: Duration) -> Self {
        Self::new(FaultKind::Delay).when(When::After).lasting(by)
    }

    /// Resets the connection; nothing was done.
    pub fn reset_before() -> Self {
        Self::new(FaultKind::Reset).when(When::Before)
    }

    /// Does the work, then resets the connection: the answer is lost.
    pub fn reset_after() -> Self {
        Self::new(FaultKind::Reset).when(When::After)
    }

    /// Answers -1 `system error`; nothing was done.
    pub fn system_error() -> Self {
        Self::errcode(system_error())
    }

    /// Answers this errcode; nothing was done.
    pub fn errcode(errcode: i64) -> Self {
        Self { errcode, ..Self::new(FaultKind::Errcode) }
    }

    /// Answers HTTP 502 with HTML; nothing was done.
    pub fn bad_gateway() -> Self {
        Self::new(FaultKind::BadGateway)
    }

    /// Answers with this HTTP status (400–599); nothing was done.
    pub fn http_status(status: u16) -> Self {
        Self { status: Some(status), ..Self::new(FaultKind::HttpStatus) }
    }

    /// Does the work; the JSON of the answer stops in the middle.
    pub fn truncated_body() -> Self {
        Self::new(FaultKind::TruncatedBody)
    }

    /// Does the work; the connection breaks in the middle of the body.
    pub fn cut_body() -> Self {
        Self::new(FaultKind::CutBody)
    }

    /// Does the work; the answer has no body.
    pub fn empty_body() -> Self {
        Self::new(FaultKind::EmptyBody)
    }

    /// Does the work; an errcode in the answer is a string.
    pub fn string_errcode() -> Self {
        Self::new(FaultKind::StringErrcode)
    }

    /// Does the work; the answer lacks this field (a path with dots).
    pub fn missing_field(field: impl Into<String>) -> Self {
        Self::new(FaultKind::MissingField).field(field)
    }

    /// So long: a delay in whole, a slow body between two of its pieces.
    #[must_use]
    pub fn lasting(self, by: Duration) -> Self {
        Self { ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// The same fault at the other moment, for instance -1 *after* the code was consumed.
    #[must_use]
    pub fn when(self, when: When) -> Self {
        Self { when: Some(when), ..self }
    }

    /// Spoils this field (a path with dots).
    #[must_use]
    pub fn field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Only on this endpoint.
    #[must_use]
    pub fn on(self, endpoint: Endpoint) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// Only for this app.
    #[must_use]
    pub fn app(self, appid: impl Into<String>) -> Self {
        Self { app: Some(appid.into()), ..self }
    }

    /// Only for this user.
    #[must_use]
    pub fn user(self, name: impl Into<String>) -> Self {
        Self { user: Some(name.into()), ..self }
    }

    /// So many times, then never again.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    pub(crate) fn moment(&self) -> When {
        self.when.unwrap_or(self.kind.moments()[0])
    }

    pub(crate) fn pause(&self) -> Duration {
        Duration::from_millis(self.ms)
    }

    fn check(&self) -> Result<(), SimError> {
        let invalid = |message: String| Err(SimError::Invalid(message));
        let lasts = matches!(self.kind, FaultKind::Delay | FaultKind::SlowBody);
        if self.ms > MAX_DELAY_MS {
            return invalid(format!("ms: at most {MAX_DELAY_MS}"));
        }
        if lasts && self.ms == 0 {
            return invalid("ms: this fault needs its length in milliseconds".to_owned());
        }
        if !lasts && self.ms != 0 {
            return invalid("ms: only a delay and a slow body have a length".to_owned());
        }
        if !self.kind.moments().contains(&self.moment()) {
            return invalid("when: this fault spoils an answer, so it strikes after".to_owned());
        }
        match self.status {
            Some(_) if self.kind != FaultKind::HttpStatus => return invalid("status: only of http_status".to_owned()),
            Some(status) if !(400..=599).contains(&status) => return invalid("status: 400 to 599".to_owned()),
            _ => {}
        }
        if let Some(field) = &self.field {
            if !self.kind.name().ends_with("_field") {
                return invalid("field: only of the kinds that spoil a field".to_owned());
            }
            if field.is_empty() || field.len() > MAX_FIELD {
                return invalid(format!("field: 1 to {MAX_FIELD} bytes"));
            }
        }
        if self.times == Some(0) {
            return invalid("times: at least 1".to_owned());
        }
        Ok(())
    }

    fn hits(&self, endpoint: Endpoint, app: Option<&str>, user: Option<&str>) -> bool {
        self.endpoint.is_none_or(|only| only == endpoint)
            && self.app.as_deref().is_none_or(|only| app == Some(only))
            && self.user.as_deref().is_none_or(|only| user == Some(only))
    }
}
