//! Codes under way and codes spent: one code, one exchange, however often it is sent and for whatever.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use super::{Granted, Service};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::AppName;
use crate::ports::{PlatformError, Vouched};
use crate::seal::Place;
use crate::session::Session;
use crate::time::Timestamp;

/// How long a spent code is remembered: the platform's codes live five minutes.
const CODE_REMEMBERED: Duration = Duration::from_secs(360);
/// How long a login or a step-up may go on from the platform's word. The store may have done it and its answer been lost; it
/// knows either for 60 s, and what is asked of it last must still arrive within.
const VOUCHED_KEPT: Duration = Duration::from_secs(30);
/// How many codes are remembered at a time. Beyond it those that are done are forgotten at once: the store remembers what was
/// done with them, and the platform the code.
const FLIGHTS_MAX: usize = 200_000;

/// What `wx.login` gives in DevTools without an appid. The real WeChat refuses it; the simulator lets a test user in.
const MOCK_CODE: &str = "the code is a mock one";

/// Logins and step-ups under way and codes spent, by code.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<[u8; 32], Flight>>);

struct Flight {
    /// Which login or step-up uses the code: of the same code, another one is refused.
    intent: [u8; 32],
    since: Timestamp,
    state: State,
}

type Landing = watch::Receiver<Option<Result<Granted>>>;

enum State {
    /// Under way: those who ask meanwhile wait for the one answer.
    Running(Landing),
    /// The platform vouched, but something behind it failed: the same intent goes on from here with its spent code.
    Vouched(Box<Vouched>),
    /// Done; the store has the answer.
    Done,
    /// The platform did not vouch.
    Failed(Box<Error>),
}

/// What to do with a request that shows a code.
pub(super) enum Boarding {
    /// The same is under way.
    Wait(Landing),
    /// The same is done.
    Again,
    /// It is the first, or goes on from the platform's word.
    Fly(Option<Vouched>, watch::Sender<Option<Result<Granted>>>),
}

/// What became of a code.
pub(super) enum Spent {
    /// The platform was never asked, or doesn't know the code: the same intent may ask it again.
    No,
    /// It was asked and what it did is unknown: never sent again.
    Maybe,
    /// It vouched.
    Vouched(Vouched),
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who flies, who waits, who is too late.
    pub(super) fn board(&self, code: [u8; 32], intent: [u8; 32], now: Timestamp) -> Result<Boarding> {
        let mut flights = self.lock();
        let (mut vouched, mut since) = (None, now);
        if let Some(flight) = flights.get(&code) {
            if flight.intent != intent {
                return Err(code_used());
            }
            match &flight.state {
                // The task is gone if it panicked; then its code counts as spent.
                State::Running(answer) if answer.has_changed().is_err() && answer.borrow().is_none() => {
                    return Err(code_used());
                }
                State::Running(answer) => return Ok(Boarding::Wait(answer.clone())),
                State::Done => return Ok(Boarding::Again),
                State::Failed(error) => return Err(Error::clone(error)),
                State::Vouched(_) if flight.since + VOUCHED_KEPT <= now => return Err(code_used()),
                State::Vouched(v) => (vouched, since) = (Some(Vouched::clone(v)), flight.since),
            }
        } else if flights.len() >= FLIGHTS_MAX {
            flights.retain(|_, f| matches!(f.state, State::Running(_) | State::Vouched(_)));
            if flights.len() >= FLIGHTS_MAX {
                return Err(Error::new(Code::Unavailable, "Too many logins at a time; try again.").retry_after(5));
            }
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(code, Flight { intent, since, state: State::Running(receiver) });
        Ok(Boarding::Fly(vouched, sender))
    }

    /// What is remembered of the code of one that has come to its end.
    pub(super) fn land(&self, code: [u8; 32], result: &Result<Granted>, spent: Spent) {
        let state = match (result, spent) {
            (Ok(_), _) => Some(State::Done),
            (Err(_), Spent::Vouched(vouched)) => Some(State::Vouched(Box::new(vouched))),
            (Err(_), Spent::No) => None,
            (Err(e), Spent::Maybe) => Some(State::Failed(Box::new(e.clone()))),
        };
        let mut flights = self.lock();
        match (state, flights.get_mut(&code)) {
            (Some(state), Some(flight)) => flight.state = state,
            (None, _) => drop(flights.remove(&code)),
            (Some(_), None) => {}
        }
    }

    /// How many are under way.
    pub(super) fn running(&self) -> usize {
        self.lock().values().filter(|f| matches!(f.state, State::Running(_))).count()
    }

    /// Forgets codes that the platform has forgotten too.
    pub(super) fn purge(&self, now: Timestamp) {
        self.lock().retain(|_, f| matches!(f.state, State::Running(_)) || f.since + CODE_REMEMBERED > now);
    }
}

impl Service {
    /// Exchanges a code, unless the platform's word on it is known.
    pub(super) async fn vouch(&self, app: &App, code: &str, spent: &mut Spent) -> Result<Vouched> {
        if let Spent::Vouched(vouched) = spent {
            return Ok(vouched.clone());
        }
        *spent = Spent::Maybe;
        let exchanged = self.world().platform.exchange(app, code).await;
        if matches!(exchanged, Err(PlatformError::NotReached { .. } | PlatformError::CodeInvalid)) {
            *spent = Spent::No;
        }
        let vouched = exchanged?;
        *spent = Spent::Vouched(vouched.clone());
        Ok(vouched)
    }

    /// Our copy of an identity's session_key, opened, and as it is sealed: each sealing differs, which tells copies apart. `None`: there
    /// is none.
    pub(super) async fn kept_session_key(&self, session: &Session) -> Result<Option<(Zeroizing<String>, Vec<u8>)>> {
        let world = self.world();
        let Some(copy) = world.store.session_key(session.identity).await? else { return Ok(None) };
        let row = session_key_row(&session.app, &session.openid);
        let bytes = world.sealer.unseal(session_key_place(&row), &copy)?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            tracing::warn!(session = %session.id, "a kept session_key is no text");
            return Ok(None);
        };
        Ok(Some((Zeroizing::new(text.to_owned()), copy)))
    }

    /// The session_key that came with the platform's word, sealed for its identity.
    pub(super) fn seal_session_key(&self, app: &App, vouched: &Vouched) -> Result<Option<Vec<u8>>> {
        let Some(key) = &vouched.session_key else { return Ok(None) };
        let row = session_key_row(&app.name, &vouched.openid);
        Ok(Some(self.world().sealer.seal(session_key_place(&row), key.as_bytes())?))
    }
}

/// The answer of one that is under way.
pub(super) async fn landed(mut answer: Landing) -> Result<Granted> {
    let result = answer.wait_for(Option::is_some).await.ok().and_then(|r| r.clone());
    result.unwrap_or_else(|| Err(Error::new(Code::Internal, "Call wx.login again.").internal("the task panicked")))
}

/// Under what a code is remembered.
pub(super) fn code_key(app: &AppName, code: &str, request_id: &str) -> [u8; 32] {
    // DevTools without an appid has one code for everybody, which no platform ever spends.
    let once = if code == MOCK_CODE { request_id.as_bytes() } else { b"" };
    digest(&[b"code", app.as_str().as_bytes(), code.as_bytes(), once])
}

pub(super) fn code_used() -> Error {
    Error::new(Code::CodeUsed, "Call wx.login again and log in with the new code.")
}

/// Where a session_key lies: with its identity.
fn session_key_row(app: &AppName, openid: &str) -> String {
    format!("{app}/{openid}")
}

fn session_key_place(row: &str) -> Place<'_> {
    Place { table: "identities", row, column: "session_key" }
}

/// SHA-256 over parts that can't be shifted into each other.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_be_bytes());
        sha.update(part);
    }
    sha.finalize().into()
}
