//! Who uses the server: honest phones with their pages, thieves, and the back end.

use yaopai_core::ports::BindingFilter;
use yaopai_wire::problem::Code;

use super::client::{Change, Client, Ids, Login, Next};
use super::dice::Dice;
use super::fakes::found;
use super::network::From;
use super::schedule::{Event, MINUTE, SECOND, Schedule, tail};
use super::server::{APP, Call, Reply};

/// One app on one phone.
pub struct Phone {
    pub client: Client,
    pub openid: String,
    pub bound: bool,
    pub pages: Vec<Page>,
    calls: u64,
}

/// A page or worker of the app: one request at a time.
#[derive(Default)]
pub struct Page {
    waiting: Option<u64>,
    /// What the last answer asks for.
    want: Option<Want>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Use,
    Refresh,
    Bind,
    StepUp,
}

impl Phone {
    pub fn some(dice: &mut Dice) -> Vec<Self> {
        let count = 1 + dice.index(2);
        // Sometimes two phones of one person.
        let same = dice.chance(300);
        let phone = |n: usize, dice: &mut Dice| {
            let pages = 1 + dice.index(3);
            let ids = if dice.chance(500) { Ids::WithToken } else { Ids::PerPage };
            Self {
                client: Client::new(ids, pages),
                openid: format!("openid{}", if same { 0 } else { n }),
                bound: false,
                pages: (0..pages).map(|_| Page::default()).collect(),
                calls: 0,
            }
        };
        (0..count).map(|n| phone(n, dice)).collect()
    }
}

impl Schedule {
    pub fn think(&mut self) -> i64 {
        if self.churn {
            return self.dice.between(0, MINUTE);
        }
        match self.dice.below(100) {
            0..55 => self.dice.between(0, 2 * SECOND),
            55..75 => self.dice.between(5 * SECOND, 45 * SECOND),
            75..94 => self.dice.between(MINUTE, 20 * MINUTE),
            94..99 => self.dice.between(20 * MINUTE, 29 * MINUTE),
            _ => self.dice.between(31 * MINUTE, 90 * MINUTE),
        }
    }

    /// A page does something.
    pub fn wake(&mut self, phone: usize, page: usize) {
        if self.phones[phone].pages[page].waiting.is_some() {
            return;
        }
        if self.dice.chance(20) {
            self.at(0, Event::Restart { phone });
        }
        let webhook = self.ground.policy.binding == yaopai_core::app::BindingWay::Webhook;
        let want = self.phones[phone].pages[page].want.take();
        let mut together = false;
        // In some schedules little else is done than refreshing and using.
        let roll = if self.churn && self.dice.chance(500) { 0 } else { self.dice.below(1000) };
        let idle = want.is_none() && self.phones[phone].client.stored.is_some();
        let other = if self.dice.chance(3) && idle { self.another_session(phone) } else { None };
        let (dice, openid) = (&mut self.dice, self.phones[phone].openid.clone());
        let this = &mut self.phones[phone];
        let call = match this.client.show(page, &mut || dice.id()) {
            None => {
                let code = format!("code-{openid}-{}", tail(&dice.id()));
                let login = this.client.log_in(|| code, &mut || dice.id());
                // `wx.login` answers with a fresh code; one that was sent before is known to the platform already.
                if self.ghost.issued.insert(login.code.clone()) {
                    self.ground.platform.codes.lock().unwrap().insert(login.code.clone(), openid);
                }
                Call::LogIn { code: login.code, request_id: login.request_id }
            }
            Some(shown) => {
                let again = shown.clone();
                let token = shown.token;
                let call = match want {
                    Some(Want::Refresh) => Call::Refresh { token, request_id: shown.refresh_id },
                    Some(Want::Bind) => Call::Bind { token, request_id: shown.bind_id },
                    Some(Want::StepUp) => step_up(token),
                    Some(Want::Use) => Call::Check { token, background: false },
                    None if other.is_some() => match other {
                        Some(session) => Call::Kick { token, session },
                        None => Call::Read { token },
                    },
                    None => match roll {
                        0..270 => Call::Refresh { token, request_id: shown.refresh_id },
                        270..360 if webhook && !this.bound => Call::Bind { token, request_id: shown.bind_id },
                        360..500 => Call::Read { token },
                        500..600 => Call::Check { token, background: true },
                        600..606 => {
                            this.client.log_out();
                            this.bound = false;
                            self.figures.ends_played += 1;
                            self.ghost.logged_out(&token);
                            Call::LogOut { token }
                        }
                        606..680 => step_up(token),
                        _ => Call::Check { token, background: false },
                    },
                };
                let wanted = match &call {
                    Call::Bind { .. } => Some(Change::Bind),
                    Call::Refresh { .. } => Some(Change::Refresh),
                    Call::StepUp { .. } => Some(Change::StepUp),
                    _ => None,
                };
                match wanted.map(|wanted| this.client.change(wanted)) {
                    Some(Change::Bind) => Call::Bind { token: again.token, request_id: again.bind_id },
                    Some(Change::Refresh) => {
                        together = want.is_none();
                        Call::Refresh { token: again.token, request_id: again.refresh_id }
                    }
                    Some(Change::StepUp) => {
                        let fresh = format!("code-{openid}-{}", tail(&dice.id()));
                        match this.client.step_up(|| fresh, &mut || dice.id()) {
                            Some(Login { code, request_id }) => {
                                if self.ghost.issued.insert(code.clone()) {
                                    self.ground.platform.codes.lock().unwrap().insert(code.clone(), openid);
                                }
                                Call::StepUp { token: again.token, request_id, code }
                            }
                            None => call,
                        }
                    }
                    None => call,
                }
            }
        };
        if together && self.dice.chance(400) {
            // The same moment has come for every page: the token is due.
            for page in 0..self.phones[phone].pages.len() {
                let other = &mut self.phones[phone].pages[page];
                other.want = Some(if self.dice.chance(700) { Want::Refresh } else { Want::Use });
                let after = self.dice.between(0, 100);
                self.at(after, Event::Wake { phone, page });
            }
        }
        self.phones[phone].calls += 1;
        let number = self.phones[phone].calls;
        self.phones[phone].pages[page].waiting = Some(number);
        let patience = if self.dice.chance(700) { 60 * SECOND } else { self.dice.between(2 * SECOND, 20 * SECOND) };
        self.send(From::Page { phone, page, call: number }, call);
        self.at(patience, Event::TimeOut { phone, page, call: number });
    }

    fn another_session(&mut self, phone: usize) -> Option<yaopai_core::ids::SessionId> {
        let others =
            self.phones.iter().enumerate().filter(|(n, p)| *n != phone && p.openid == self.phones[phone].openid);
        let token = others.filter_map(|(_, p)| p.client.stored.as_ref()).map(|s| s.token.clone()).next()?;
        let session = self.ghost.known.get(&token)?.session;
        self.ghost.kicked.insert(session);
        self.figures.ends_played += 1;
        Some(session)
    }

    pub fn restart(&mut self, phone: usize) {
        self.phones[phone].client.restart();
        for page in 0..self.phones[phone].pages.len() {
            self.phones[phone].pages[page] = Page::default();
            let after = self.dice.between(100, 5 * SECOND);
            self.at(after, Event::Wake { phone, page });
        }
    }

    pub fn time_out(&mut self, phone: usize, page: usize, call: u64) {
        if self.phones[phone].pages[page].waiting == Some(call) {
            self.phones[phone].pages[page].waiting = None;
            // A step-up's answer is kept for a minute: a client in the foreground doesn't put that off.
            let hurries = self.noted(phone).is_some() && self.dice.chance(900);
            if hurries {
                self.phones[phone].pages[page].want = Some(Want::StepUp);
            }
            let after = if hurries { self.dice.between(SECOND, 4 * SECOND) } else { self.think() };
            self.at(after, Event::Wake { phone, page });
        }
    }

    pub fn page_answered(&mut self, phone: usize, page: usize, call: u64, message: usize, reply: Reply) {
        if self.phones[phone].pages[page].waiting != Some(call) {
            return; // Given up, or answered already.
        }
        self.phones[phone].pages[page].waiting = None;
        let next = self.take_answer(phone, message, reply);
        let sent = &self.messages[message].call;
        let (want, soon) = match (next, sent) {
            (Next::Again, Call::Refresh { .. }) | (Next::Refresh, _) => (Some(Want::Refresh), true),
            (Next::Again, Call::Bind { .. }) => (Some(Want::Bind), true),
            (Next::Again, Call::StepUp { .. }) | (Next::StepUp, _) => (Some(Want::StepUp), true),
            (Next::Again, _) => (Some(Want::Use), true),
            (Next::LogIn, _) => (None, true),
            (Next::Later, _) => (None, false),
        };
        self.phones[phone].pages[page].want = want;
        let after = if soon { 10 } else { self.think() };
        self.at(after, Event::Wake { phone, page });
    }

    /// What an answer does to the phone's client.
    pub fn take_answer(&mut self, phone: usize, message: usize, reply: Reply) -> Next {
        let sent = self.messages[message].call.clone();
        let (this, dice) = (&mut self.phones[phone], &mut self.dice);
        let mut mint = || dice.id();
        match (&sent, reply) {
            (Call::LogIn { request_id, .. }, Reply::Granted { token, bound, .. }) => {
                let stored = this.client.logged_in(request_id, &token, &mut mint);
                this.bound = if stored { bound } else { this.bound };
            }
            (Call::LogIn { request_id, .. }, Reply::Refused(code)) => this.client.login_refused(request_id, code),
            (
                call @ (Call::Refresh { token: sent, .. }
                | Call::Bind { token: sent, .. }
                | Call::StepUp { token: sent, .. }),
                Reply::Granted { token, bound, .. },
            ) => {
                if this.client.granted(sent, &token, step_up_of(call), &mut mint) {
                    this.bound = bound;
                } else {
                    self.figures.dropped_answers += 1;
                }
            }
            (Call::Check { token, .. } | Call::Read { token }, Reply::Passes { bound }) => {
                let shown_is_stored = this.client.stored.as_ref().is_some_and(|s| s.token == *token);
                this.bound = if shown_is_stored { bound } else { this.bound };
            }
            (Call::LogOut { .. }, _) => {}
            (sent, Reply::Refused(code)) => {
                let Some(token) = shown(sent).map(str::to_owned) else { return Next::Later };
                let had = this.client.stored.is_some();
                let next = this.client.refused(&token, code, step_up_of(sent), &mut mint);
                if code == Code::SessionSuperseded && matches!(next, Next::Again | Next::StepUp) {
                    self.figures.superseded += 1;
                }
                if had && self.phones[phone].client.stored.is_none() {
                    self.phones[phone].bound = false;
                    self.logged_out(&token, code);
                }
                return next;
            }
            _ => {}
        }
        Next::Later
    }

    /// The back end binds, unbinds or kicks by itself.
    pub fn back_end_acts(&mut self) {
        let Some(life) = &self.life else { return };
        let phone = self.dice.index(self.phones.len());
        let openid = self.phones[phone].openid.clone();
        let session = self.phones[phone].client.stored.as_ref().and_then(|s| self.ghost.known.get(&s.token));
        let service = life.service.clone();
        let realm = "default".into();
        match (self.dice.below(4), session) {
            (0..2, _) => life.spawn(async move {
                let _ = service.admin_bind(&realm, &APP.into(), &openid, found(&openid), None).await;
            }),
            (2, _) => {
                self.ghost.unbound.insert(openid.clone());
                life.spawn(async move {
                    let filter = BindingFilter {
                        app: Some(APP.into()),
                        openid: Some(openid),
                        limit: 1,
                        ..BindingFilter::default()
                    };
                    if let Ok(list) = service.admin_bindings(&realm, &filter).await
                        && let Some(identity) = list.first()
                    {
                        let _ = service.admin_unbind(&realm, identity.id, None).await;
                    }
                });
            }
            (_, Some(known)) => {
                let id = known.session;
                self.ghost.kicked.insert(id);
                life.spawn(async move {
                    let _ = service.admin_kick(&realm, id, None).await;
                });
            }
            _ => return,
        }
        self.figures.ends_played += 1;
        self.settle();
    }
}

/// A step-up whose code and request id are not chosen yet: that is the client's.
/// The request id of a step-up.
fn step_up_of(call: &Call) -> Option<&str> {
    if let Call::StepUp { request_id, .. } = call { Some(request_id) } else { None }
}

fn step_up(token: String) -> Call {
    Call::StepUp { token, request_id: String::new(), code: String::new() }
}

/// The token of a request that shows one.
pub fn shown(call: &Call) -> Option<&str> {
    match call {
        Call::LogIn { .. } => None,
        Call::Check { token, .. }
        | Call::Read { token }
        | Call::Refresh { token, .. }
        | Call::Bind { token, .. }
        | Call::StepUp { token, .. }
        | Call::LogOut { token }
        | Call::Kick { token, .. } => Some(token),
    }
}
