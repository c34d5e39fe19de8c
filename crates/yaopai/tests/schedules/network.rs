//! The network: loses, doubles, delays and reorders requests and answers.

use super::client::Ids;
use super::dice::Dice;
use super::schedule::{Event, HOUR, MINUTE, Run, SECOND, Schedule};
use super::server::{Call, Reply};

/// Who sent a request, and so who waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Page { phone: usize, page: usize, call: u64 },
    Thief(usize),
}

pub struct Message {
    pub from: From,
    pub call: Call,
}

/// How bad the network is, in messages of a thousand.
#[derive(Debug)]
pub struct Weather {
    lose: u64,
    lose_answer: u64,
    double: u64,
    late: u64,
}

impl Weather {
    pub fn new(dice: &mut Dice) -> Self {
        let mut pick = |of: [u64; 4]| of[dice.index(4)];
        Self {
            lose: pick([0, 30, 100, 300]),
            lose_answer: pick([0, 50, 150, 400]),
            double: pick([0, 50, 100, 300]),
            late: pick([0, 30, 80, 200]),
        }
    }
}

/// A client that mints an id per try is safe only while a refresh is never later than this. Below 30 s by what a request
/// may be held inside the server.
const LATE_REFRESH_MAX: i64 = 18 * SECOND;

impl Schedule {
    /// A request goes out.
    pub fn send(&mut self, from: From, call: Call) {
        let message = self.messages.len();
        self.note(|_| format!("  message {message}: {from:?} {}", told(&call)));
        let punctual = matches!(call, Call::Refresh { .. })
            && matches!(from, From::Page { phone, .. } if self.phones[phone].client.ids == Ids::PerPage);
        self.messages.push(Message { from, call });
        let copies = if self.dice.chance(self.weather.double) { 2 + self.dice.index(3) } else { 1 };
        self.figures.duplicates += copies as u64 - 1;
        let lost = self.dice.chance(self.weather.lose);
        self.figures.lost_requests += u64::from(lost && copies == 1);
        for copy in 0..copies {
            if copy == 0 && lost {
                continue;
            }
            let mut after = self.delay(if copy == 0 { self.weather.late } else { 600 });
            if punctual {
                after = after.min(LATE_REFRESH_MAX);
            }
            self.figures.late += u64::from(after > 30 * SECOND);
            self.at(after, Event::Deliver { message, copy });
        }
    }

    fn delay(&mut self, late: u64) -> i64 {
        if !self.dice.chance(late) {
            return self.dice.between(5, 300);
        }
        match self.dice.below(10) {
            0..4 => self.dice.between(SECOND, 29 * SECOND),
            4..7 => self.dice.between(30 * SECOND, 70 * SECOND),
            7..9 => self.dice.between(2 * MINUTE, 40 * MINUTE),
            _ => self.dice.between(HOUR, 8 * HOUR),
        }
    }

    /// A request arrives.
    pub fn deliver(&mut self, message: usize, copy: usize) {
        let Some(life) = &self.life else {
            if copy == 0 {
                self.at(20, Event::Answer { message, reply: Reply::Down });
            }
            return;
        };
        let Message { from, call } = &self.messages[message];
        let shown = self.ghost.shown(call);
        let ledger = self.ground.ledger.lock().unwrap();
        let session = shown.and_then(|k| ledger.sessions.get(&k.session).map(|s| (k, s)));
        let opened = self.ghost.opened_by(call);
        let run = Run {
            message,
            ran: self.ran(),
            life: self.lives,
            answered: false,
            ended: session.is_some_and(|(_, s)| s.ended.is_some()),
            acted_as_user: session
                .is_some_and(|(k, s)| s.has_user && s.secrets.get(&k.hash.0).is_some_and(|sec| sec.bound)),
            // Whoever joins the same login under way shares its answer.
            used: opened.is_some_and(|id| self.ghost.used_in(id) == Some(self.lives)) && !self.under_way(call),
        };
        let stolen = session.filter(|_| matches!(from, From::Thief(_))).map(|(k, _)| k.session);
        drop(ledger);
        self.figures.delivered += 1;
        life.take(self.runs.len(), call.clone());
        let from = *from;
        self.runs.push(run);
        if let (Some(session), From::Thief(thief)) = (stolen, from) {
            self.ghost.stolen.insert(session);
            self.thieves[thief].acted = true;
        }
        self.settle();
    }

    fn under_way(&self, call: &Call) -> bool {
        let runs = self.runs.iter().filter(|r| !r.answered && r.life == self.lives);
        runs.into_iter().any(|r| self.messages[r.message].call == *call)
    }

    /// An answer goes back.
    pub fn send_answer(&mut self, message: usize, reply: Reply) {
        if self.dice.chance(self.weather.lose_answer) {
            self.figures.lost_answers += 1;
            return self.note(|_| "  the answer is lost".into());
        }
        let after = self.delay(self.weather.late);
        self.at(after, Event::Answer { message, reply });
    }

    /// An answer arrives.
    pub fn answered(&mut self, message: usize, reply: Reply) {
        match self.messages[message].from {
            From::Page { phone, page, call } => self.page_answered(phone, page, call, message, reply),
            From::Thief(thief) => self.thief_answered(thief, reply),
        }
    }
}

/// A call in the log: tokens by their last letters.
fn told(call: &Call) -> String {
    let tail = super::schedule::tail;
    match call {
        Call::LogIn { code, request_id } => format!("log in with {code} as {}", tail(request_id)),
        Call::Check { token, background } => format!("check …{}, background {background}", tail(token)),
        Call::Read { token } => format!("read …{}", tail(token)),
        Call::Refresh { token, request_id } => format!("refresh …{} as {}", tail(token), tail(request_id)),
        Call::Bind { token, request_id } => format!("bind …{} as {}", tail(token), tail(request_id)),
        Call::StepUp { token, request_id, code } => {
            format!("step up …{} as {} with {code}", tail(token), tail(request_id))
        }
        Call::LogOut { token } => format!("log out …{}", tail(token)),
        Call::Kick { token, session } => format!("kick {} by …{}", super::schedule::name(*session), tail(token)),
    }
}
