//! The WeChat client of the page's phone: what is native on a real one. The mini program runs in the browser, whose network it never
//! sees; what it asks for comes here, by the protocol of e2e/phone/README.md, and this sends it. So what crosses the wire is a
//! phone's, and its answers can get lost.

mod account;
mod events;
mod follow;
mod protocol;
mod request;
mod serve;
mod storage;
#[cfg(test)]
pub mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use yaopai_core::ports::Clock as _;
use yaopai_sim::{DEFAULT_APPID, SimHandle};

use crate::cli::demo::phone::Ground;
use crate::cli::demo::shop::BindCode;
use crate::cli::demo::world::DemoClock;
use crate::listen::stopping;
use events::Events;
pub use follow::Follow;
use protocol::{Body, Failure, Message, Request};
pub use serve::HOME;
use storage::Storage;

/// How long a runtime waits for events before it asks again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many requests may be under way; a phone's runtime has ten.
const REQUESTS_MAX: usize = 16;
/// How many messages may come at once.
const MESSAGES_MAX: usize = 256;
/// How wrong a wrong clock is, in milliseconds.
const SLOW: i64 = -10 * 60 * 1000;
/// The base library that it says to be.
const BASE: &str = "3.7.12";

/// The client. Its copies are the same one.
#[derive(Clone)]
pub struct WeChat {
    ground: Ground,
    clock: Arc<DemoClock>,
    sim: SimHandle,
    state: Arc<Mutex<State>>,
    places: Arc<Semaphore>,
    /// Something is to be fetched.
    news: Arc<watch::Sender<()>>,
    stop: watch::Receiver<bool>,
}

#[derive(Default)]
struct State {
    person: Option<&'static str>,
    /// What each person's phone keeps.
    kept: BTreeMap<&'static str, Kept>,
    /// Which page of the browser's the mini program runs in: the one that said hello last.
    page: String,
    /// Counts those pages, so that what an earlier one asked for is not told to a later one.
    turn: u64,
    /// How often the mini program had to be started anew.
    starts: u64,
    events: Events,
    /// Calls that somebody waits for.
    waiting: BTreeSet<u64>,
    /// The next answer is to get lost.
    lose: bool,
    /// The phone's clock is wrong.
    slow: bool,
    /// What the phone's camera sees: the bind code that the shop's website shows.
    code: Option<BindCode>,
}

#[derive(Default)]
struct Kept {
    storage: Storage,
    follow: Follow,
}

/// What the page draws around the phone.
pub struct Look {
    pub person: &'static str,
    pub page: String,
    pub starts: u64,
    pub lose: bool,
    pub slow: bool,
}

/// Whoever speaks is not the page that the mini program runs in.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

impl WeChat {
    /// A phone that is nobody's yet.
    pub fn new(ground: Ground, clock: Arc<DemoClock>, sim: SimHandle, stop: watch::Receiver<bool>) -> Self {
        let places = Arc::new(Semaphore::new(REQUESTS_MAX));
        Self { ground, clock, sim, state: Arc::default(), places, news: Arc::new(watch::channel(()).0), stop }
    }

    /// Somebody takes their phone, and opens the mini program.
    pub fn open(&self, person: &'static str) {
        let mut state = self.state();
        state.change_hands();
        state.person = Some(person);
        (state.lose, state.slow, state.code) = (false, false, None);
        state.kept.entry(person).or_default();
    }

    /// The phone is put away. What it keeps, it keeps.
    pub fn leave(&self) {
        let mut state = self.state();
        state.change_hands();
        (state.person, state.code) = (None, None);
        self.news.send_replace(());
    }

    /// The next answer to a login, a refresh, a bind or an order gets lost; or it doesn't.
    pub fn lose(&self) {
        let mut state = self.state();
        state.lose = !state.lose;
    }

    /// The phone's clock is ten minutes slow from now on, or right again. Apps learn of it when they start.
    pub fn skew(&self) -> bool {
        let mut state = self.state();
        state.slow = !state.slow;
        state.restart();
        state.slow
    }

    /// Time has passed.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.events.push(json!({ "type": "command", "name": "advance", "value": u64::try_from(by.as_millis()).ok() }));
        self.news.send_replace(());
    }

    /// What the phone's camera sees from now on.
    pub fn see(&self, code: BindCode) {
        self.state().code = Some(code);
    }

    /// Looks at what it sees, if there is anything.
    pub fn seen<R>(&self, look: impl FnOnce(&BindCode) -> R) -> Option<R> {
        self.state().code.as_ref().map(look)
    }

    /// What there is to draw; `None` while nobody has the phone.
    pub fn look(&self) -> Option<Look> {
        let state = self.state();
        let (page, starts, lose, slow) = (state.page.clone(), state.starts, state.lose, state.slow);
        Some(Look { person: state.person?, page, starts, lose, slow })
    }

    /// Looks at what the wire has told of the person's mini program.
    pub fn follow<R>(&self, look: impl FnOnce(&mut Follow) -> R) -> Option<R> {
        let mut state = self.state();
        let person = state.person?;
        state.kept.get_mut(person).map(|kept| look(&mut kept.follow))
    }

    /// A page of the browser's begins. Whatever an earlier one had under way ends.
    pub fn hello(&self, page: &str, language: &str) -> Result<Value, Gone> {
        let mut state = self.state();
        let person = state.person.ok_or(Gone)?;
        page.clone_into(&mut state.page);
        state.turn += 1;
        state.waiting.clear();
        state.events.clear();
        self.news.send_replace(());
        let chinese = language.starts_with("zh");
        Ok(json!({
            "appid": DEFAULT_APPID,
            "version": request::VERSION,
            "envVersion": "release",
            "name": if chinese { "街角小店" } else { "The corner shop" },
            "base": BASE,
            "language": if chinese { "zh_CN" } else { "en" },
            "quirks": { "wrongClock": if state.slow { SLOW } else { 0 } },
            "storage": state.kept.get(person).map(|kept| kept.storage.told()),
            "clock": { "skipped": self.clock.ahead() },
            "last": state.events.last(),
        }))
    }

    /// Messages of the runtime's, in their order. `None`: they are none.
    pub fn calls(&self, page: &str, messages: &[u8]) -> Result<Option<()>, Gone> {
        let messages: Option<Vec<Value>> = serde_json::from_slice(messages).ok();
        let Some(messages) = messages.filter(|m| m.len() <= MESSAGES_MAX) else { return Ok(None) };
        let (turn, person) = {
            let state = self.state();
            (state.turn, state.person.filter(|_| state.page == page).ok_or(Gone)?)
        };
        for message in messages {
            match Message::read(message) {
                Message::Store(item) => self.store(person, |storage| storage.keep(item)),
                Message::Clear => self.store(person, |storage| {
                    storage.clear();
                    true
                }),
                Message::Tap(what) => self.ground.wire.step("tap", json!({ "what": what })),
                Message::Cancel(id) => drop(self.state().waiting.remove(&id)),
                Message::Request(id, request) => self.start(turn, person, id, request),
                Message::Ask(id, what) => {
                    self.state().waiting.insert(id);
                    self.finish(turn, id, self.ask(person, &what));
                }
                Message::Other => {}
            }
        }
        Ok(Some(()))
    }

    /// Events after a number: at once if there are any, else when there are, or none after a while.
    pub async fn events(&self, page: &str, after: u64) -> Result<Value, Gone> {
        let (mut news, mut stop) = (self.news.subscribe(), self.stop.clone());
        let mut over = std::pin::pin!(tokio::time::sleep(PATIENCE));
        let mut waited = false;
        loop {
            {
                let mut state = self.state();
                if state.page != page || state.person.is_none() {
                    return Err(Gone);
                }
                let events = state.events.after(after);
                if waited || !events.is_empty() {
                    return Ok(json!({ "last": state.events.last(), "events": events }));
                }
            }
            waited = tokio::select! {
                _ = news.changed() => false,
                // A graceful stop waits for open requests.
                () = stopping(&mut stop) => true,
                () = &mut over => true,
            };
        }
    }

    fn store(&self, person: &'static str, change: impl FnOnce(&mut Storage) -> bool) {
        if !change(&mut self.state().kept.entry(person).or_default().storage) {
            tracing::warn!("the mini program keeps more than the demo's phone has room for");
        }
    }

    /// Sends a request. On a task of its own, which goes on if nobody waits any more: what is on the wire is there.
    fn start(&self, turn: u64, person: &'static str, id: u64, request: Request) {
        self.state().waiting.insert(id);
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return self.finish(turn, id, Err(Failure::new("too many requests at a time")));
        };
        let client = self.clone();
        tokio::spawn(async move {
            let outcome = client.send(person, &request).await;
            client.finish(turn, id, outcome);
            drop(place);
        });
    }

    async fn send(&self, person: &'static str, request: &Request) -> Result<Value, Failure> {
        let sent = request::prepare(request)?;
        let of = |state: &mut State, tell: &mut dyn FnMut(&mut Follow)| {
            if let Some(kept) = state.kept.get_mut(person) {
                tell(&mut kept.follow);
            }
        };
        let (mut note, mut lose) = (None, false);
        {
            let mut state = self.state();
            if follow::is_losable(&sent) {
                lose = std::mem::take(&mut state.lose);
            }
            of(&mut state, &mut |follow| note = follow.asked(&sent));
        }
        if let Some((name, about)) = note {
            self.ground.wire.note("phone", name, about);
        }
        let url = format!("{}{}", self.ground.front, sent.path);
        let answer = self.ground.client.send(sent.method.clone(), &url, sent.headers.clone(), sent.body.clone()).await;
        let answer = answer.map_err(|_| Failure::network(-102, "ERR_CONNECTION_REFUSED"))?;
        if lose {
            self.ground.wire.lost("phone", &sent.method, &sent.path);
            of(&mut self.state(), &mut |follow| follow.lost(&sent));
            return Err(Failure::network(-324, "ERR_EMPTY_RESPONSE"));
        }
        let now = self.clock.now();
        {
            let mut state = self.state();
            of(&mut state, &mut |follow| follow.answered(&sent, &answer, now));
            if follow::is_bind(&sent) && answer.status.is_success() {
                // Used, or no longer needed: the website takes it down.
                state.code = None;
            }
        }
        let headers: Vec<_> =
            answer.headers.iter().map(|(n, v)| (n.as_str(), String::from_utf8_lossy(v.as_bytes()))).collect();
        Ok(json!({ "status": answer.status.as_u16(), "headers": headers, "body": Body::told(&answer.body) }))
    }

    /// Tells what became of a call, if somebody still waits for it.
    fn finish(&self, turn: u64, id: u64, outcome: Result<Value, Failure>) {
        let mut state = self.state();
        if state.turn != turn || !state.waiting.remove(&id) {
            return;
        }
        state.events.push(match outcome {
            Ok(result) => json!({ "id": id, "type": "result", "result": result }),
            Err(Failure { reason, errno }) => json!({ "id": id, "type": "failure", "reason": reason, "errno": errno }),
        });
        self.news.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What still runs in the browser is another person's.
    fn change_hands(&mut self) {
        self.restart();
        self.page.clear();
    }

    /// The mini program has to begin anew, in another page.
    fn restart(&mut self) {
        self.starts += 1;
        self.turn += 1;
        self.waiting.clear();
        self.events.clear();
    }
}
