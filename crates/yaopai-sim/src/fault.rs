//! Faults that can be switched on: what networks and platforms do on a bad day.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Endpoint, SimError, state::Subject};

/// Most faults switched on at a time.
const MAX_FAULTS: usize = 256;
const MAX_DELAY_MS: u64 = 600_000;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Waits `ms` of real time, whatever the clock.
    Delay,
    /// The connection is reset (TCP RST) without an answer.
    Reset,
    /// HTTP 200 with `errcode`: -1 `system error` unless another is given.
    Errcode,
    /// HTTP 502 with an HTML page, as a gateway in between answers.
    BadGateway,
    /// A whole HTTP answer whose JSON stops in the middle.
    TruncatedBody,
    /// The connection breaks in the middle of the body.
    CutBody,
    /// HTTP 200 without a body.
    EmptyBody,
    /// A numeric errcode comes as a string: `"40029"`.
    StringErrcode,
}

/// Whether the fault strikes before the call has done its work (nothing is consumed) or after (the code is used up, the answer
/// is lost).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
    /// When; unless given, [`FaultKind::Errcode`] and [`FaultKind::BadGateway`] strike before, the others after.
    #[serde(default)]
    pub when: Option<When>,
    /// Length of a delay in milliseconds.
    #[serde(default)]
    pub ms: u64,
    /// The errcode of [`FaultKind::Errcode`].
    #[serde(default = "system_error")]
    pub errcode: i64,
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
    fn new(kind: FaultKind, when: When) -> Self {
        let when = Some(when);
        Self { kind, when, ms: 0, errcode: system_error(), endpoint: None, app: None, user: None, times: None }
    }

    /// Waits before doing anything.
    pub fn delay_before(by: Duration) -> Self {
        Self::new(FaultKind::Delay, When::Before).lasting(by)
    }

    /// Does the work (consumes the code), then waits before answering: the client times out, its retry sees 40163.
    pub fn delay_after(by: Duration) -> Self {
        Self::new(FaultKind::Delay, When::After).lasting(by)
    }

    /// Resets the connection; nothing was done.
    pub fn reset_before() -> Self {
        Self::new(FaultKind::Reset, When::Before)
    }

    /// Does the work, then resets the connection: the answer is lost.
    pub fn reset_after() -> Self {
        Self::new(FaultKind::Reset, When::After)
    }

    /// Answers -1 `system error`; nothing was done.
    pub fn system_error() -> Self {
        Self::errcode(system_error())
    }

    /// Answers this errcode; nothing was done.
    pub fn errcode(errcode: i64) -> Self {
        Self { errcode, ..Self::new(FaultKind::Errcode, When::Before) }
    }

    /// Answers HTTP 502 with HTML; nothing was done.
    pub fn bad_gateway() -> Self {
        Self::new(FaultKind::BadGateway, When::Before)
    }

    /// Does the work; the JSON of the answer stops in the middle.
    pub fn truncated_body() -> Self {
        Self::new(FaultKind::TruncatedBody, When::After)
    }

    /// Does the work; the connection breaks in the middle of the body.
    pub fn cut_body() -> Self {
        Self::new(FaultKind::CutBody, When::After)
    }

    /// Does the work; the answer has no body.
    pub fn empty_body() -> Self {
        Self::new(FaultKind::EmptyBody, When::After)
    }

    /// Does the work; an errcode in the answer is a string.
    pub fn string_errcode() -> Self {
        Self::new(FaultKind::StringErrcode, When::After)
    }

    fn lasting(self, by: Duration) -> Self {
        Self { ms: u64::try_from(by.as_millis()).unwrap_or(MAX_DELAY_MS), ..self }
    }

    /// The same fault at the other moment, for instance -1 *after* the code was consumed.
    #[must_use]
    pub fn when(self, when: When) -> Self {
        Self { when: Some(when), ..self }
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
        self.when.unwrap_or(match self.kind {
            FaultKind::Errcode | FaultKind::BadGateway => When::Before,
            _ => When::After,
        })
    }

    fn check(&self) -> Result<(), SimError> {
        if self.ms > MAX_DELAY_MS {
            return Err(SimError::Invalid(format!("ms: a delay is at most {MAX_DELAY_MS}")));
        }
        if self.kind == FaultKind::Delay && self.ms == 0 {
            return Err(SimError::Invalid("ms: a delay needs its length in milliseconds".to_owned()));
        }
        if self.kind != FaultKind::Delay && self.ms != 0 {
            return Err(SimError::Invalid("ms: only a delay has a length".to_owned()));
        }
        let needs_answer =
            matches!(self.kind, FaultKind::TruncatedBody | FaultKind::CutBody | FaultKind::StringErrcode);
        if needs_answer && self.moment() == When::Before {
            return Err(SimError::Invalid("when: this fault spoils an answer, so it strikes after".to_owned()));
        }
        if self.times == Some(0) {
            return Err(SimError::Invalid("times: at least 1".to_owned()));
        }
        Ok(())
    }

    fn hits(&self, endpoint: Endpoint, app: Option<&str>, user: Option<&str>) -> bool {
        self.endpoint.is_none_or(|only| only == endpoint)
            && self.app.as_deref().is_none_or(|only| app == Some(only))
            && self.user.as_deref().is_none_or(|only| user == Some(only))
    }
}

/// A fault that is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultStatus {
    /// Its number, to switch it off by.
    pub id: u64,
    /// The fault; `times` is what is left.
    pub fault: Fault,
    /// How often it has struck.
    pub struck: u64,
}

#[derive(Default)]
pub(crate) struct Faults {
    last_id: u64,
    on: Vec<FaultStatus>,
}

impl Faults {
    pub(crate) fn set(&mut self, fault: Fault) -> Result<u64, SimError> {
        fault.check()?;
        if self.on.len() >= MAX_FAULTS {
            return Err(SimError::TooMany("faults"));
        }
        self.last_id += 1;
        self.on.push(FaultStatus { id: self.last_id, fault, struck: 0 });
        Ok(self.last_id)
    }

    pub(crate) fn list(&self) -> Vec<FaultStatus> {
        self.on.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.on.clear();
    }

    pub(crate) fn clear_one(&mut self, id: u64) -> bool {
        let before = self.on.len();
        self.on.retain(|status| status.id != id);
        self.on.len() < before
    }

    /// The first fault that hits this call, used up once.
    pub(crate) fn strike(&mut self, endpoint: Endpoint, app: Option<&str>, subject: Option<&Subject>) -> Option<Fault> {
        let user = subject.map(|subject| subject.user.as_str());
        let app = subject.map(|subject| subject.app.as_str()).or(app);
        let at = self.on.iter().position(|status| status.fault.hits(endpoint, app, user))?;
        let status = &mut self.on[at];
        status.struck += 1;
        let fault = status.fault.clone();
        if let Some(left) = &mut status.fault.times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.on.remove(at);
            }
        }
        Some(fault)
    }
}
