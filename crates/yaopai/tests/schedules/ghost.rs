//! What somebody who sees everything knows: every token that was handed out, who played what, when a session was used. An
//! answer is judged by it, and by the ledger.

use std::collections::{BTreeMap, HashMap, HashSet};

use yaopai_core::ids::SessionId;
use yaopai_core::session::EndReason;
use yaopai_core::time::{Timestamp, millis};
use yaopai_wire::problem::Code;
use yaopai_wire::token::{SecretHash, Token};

use super::ledger::State;
use super::people::shown;
use super::schedule::{Schedule, name, tail};
use super::server::{Call, Reply};

#[derive(Default)]
pub struct Ghost {
    pub known: HashMap<String, Known>,
    by_session: BTreeMap<SessionId, Vec<String>>,
    uses: HashMap<SessionId, Uses>,
    /// What each request was answered with: (kind, token or code, request id).
    answers: HashMap<(&'static str, String, String), String>,
    by_code: HashMap<String, SessionId>,
    pub issued: HashSet<String>,
    pub stolen: HashSet<SessionId>,
    pub kicked: HashSet<SessionId>,
    logged_out: HashSet<SessionId>,
    pub unbound: HashSet<String>,
    /// Sessions whose step-up was done, and its answer asked for too late.
    stepped_up_late: HashSet<SessionId>,
}

pub struct Known {
    pub token: Token,
    pub hash: SecretHash,
    pub session: SessionId,
}

/// When a session was used, in milliseconds the server has been running.
#[derive(Default)]
struct Uses {
    last: i64,
    /// As of the last flush.
    flushed: i64,
    /// (wall, running) since then.
    since: Vec<(i64, i64)>,
    /// In which process it was used last.
    life: u64,
    /// A crash forgot a use.
    forgotten: bool,
    forgotten_last: i64,
}

impl Ghost {
    /// The token that a call shows, if it was ever handed out.
    pub fn shown(&self, call: &Call) -> Option<&Known> {
        self.known.get(shown(call)?)
    }

    /// The session that this login opened before.
    pub fn opened_by(&self, call: &Call) -> Option<SessionId> {
        let Call::LogIn { code, .. } = call else { return None };
        self.by_code.get(code).copied()
    }

    pub fn used_in(&self, id: SessionId) -> Option<u64> {
        self.uses.get(&id).map(|u| u.life)
    }

    pub fn logged_out(&mut self, token: &str) {
        if let Some(known) = self.known.get(token) {
            self.logged_out.insert(known.session);
        }
    }

    /// An older token of the same session.
    pub fn older(&self, token: &str) -> Option<String> {
        let all = self.by_session.get(&self.known.get(token)?.session)?;
        all.iter().rev().find(|t| *t != token).cloned()
    }

    /// So many of a session's tokens, newest first.
    pub fn newest(&self, id: SessionId, count: usize) -> Vec<String> {
        self.by_session.get(&id).into_iter().flatten().rev().take(count).cloned().collect()
    }

    /// A crash may forget what was used since the last flush.
    pub fn crashed(&mut self) {
        for uses in self.uses.values_mut().filter(|u| !u.since.is_empty()) {
            uses.forgotten = true;
            uses.forgotten_last = uses.last;
            uses.last = uses.flushed;
            uses.since.clear();
        }
    }

    fn flushed(&mut self, as_of: Timestamp) {
        for uses in self.uses.values_mut() {
            // What was used in that very millisecond may have come after the walk.
            for (_, ran) in uses.since.extract_if(.., |(wall, _)| *wall < as_of.0) {
                uses.flushed = uses.flushed.max(ran);
            }
        }
    }

    fn used(&mut self, id: SessionId, wall: i64, ran: i64, life: u64) {
        let uses = self.uses.entry(id).or_default();
        uses.life = life;
        uses.last = uses.last.max(ran);
        uses.since.push((wall, ran));
        uses.forgotten &= uses.last < uses.forgotten_last;
    }

    fn learn(&mut self, text: &str, session: SessionId) {
        let token = Token::parse(text.as_bytes()).unwrap();
        let known = Known { hash: token.secret.hash(), token, session };
        if self.known.insert(text.to_owned(), known).is_none() {
            self.by_session.entry(session).or_default().push(text.to_owned());
        }
    }
}

impl Schedule {
    /// Judges an answer as it leaves the server.
    pub fn observe(&mut self, run: usize, reply: &Reply) {
        let call = self.messages[self.runs[run].message].call.clone();
        let (ran, was_ended, acted_as_user, used) = {
            let r = &self.runs[run];
            (r.ran, r.ended, r.acted_as_user, r.used)
        };
        let (now, lives) = (Timestamp(self.now), self.lives);
        if let Reply::Granted { token, session, bound } = reply {
            self.granted(&call, token, *session, *bound, used);
            let login = matches!(call, Call::LogIn { .. });
            // A login's answer that is handed out again is no use of the session: it says how long is left.
            if !login || self.ghost.used_in(*session).is_none() {
                self.ghost.used(*session, self.now, ran, if login { 0 } else { lives });
            }
        }
        let Some(known) = self.ghost.shown(&call) else { return };
        let (id, hash) = (known.session, known.hash);
        let at = format!("…{} of {}", tail(shown(&call).unwrap_or_default()), name(id));
        let ledger = self.ground.ledger.clone();
        let ledger = ledger.lock().unwrap();
        let Some((sess, sec)) = ledger.sessions.get(&id).and_then(|s| Some((s, s.secrets.get(&hash.0)?))) else {
            return self.wrong(format!("{at}: handed out, and unknown to the ledger"));
        };
        if was_ended && matches!(reply, Reply::Passes { .. } | Reply::Granted { .. }) {
            self.wrong(format!("{at} passes after its session ended as {:?}", sess.ended));
        }
        match reply {
            Reply::Passes { bound } => {
                let background = matches!(call, Call::Check { background: true, .. });
                if sec.state == State::Successor {
                    self.wrong(format!("{at} passes for the first time, and that is not durable"));
                }
                if *bound && !(sec.bound && sess.has_user) {
                    self.wrong(format!("{at} acts as the user and must not"));
                }
                if !*bound && acted_as_user {
                    self.wrong(format!("{at} does not act as the user any more"));
                }
                if !background {
                    self.ghost.used(id, self.now, ran, lives);
                }
            }
            Reply::Refused(code) => {
                let fits = match code {
                    Code::SessionUnknown | Code::SessionMissing => false,
                    Code::SessionSuperseded => {
                        let step_up = matches!(call, Call::StepUp { .. });
                        match sec.state {
                            State::Current | State::Successor => false,
                            // In its grace it still passes, but can't step up.
                            state => !state.passes(now) || step_up,
                        }
                    }
                    Code::SessionExpired => {
                        matches!(sess.ended, None | Some(EndReason::ExpiredIdle | EndReason::ExpiredAbsolute))
                    }
                    code if code.as_str().starts_with("session_") => sess.ended.is_some_and(|r| r.code() == *code),
                    Code::IdentityMismatch => is_a_thief_s_code(&call),
                    Code::Internal => false,
                    _ => true,
                };
                let late = matches!(call, Call::StepUp { .. }) && matches!(sec.state, State::Cut(_));
                let absolute = sess.absolute_at;
                if !fits {
                    let why = format!("{:?}, {:?}", sec.state, sess.ended);
                    self.wrong(format!("{at} is refused as {}; the ledger has {why}", code.as_str()));
                }
                drop(ledger);
                if late && *code == Code::SessionSuperseded {
                    self.ghost.stepped_up_late.insert(id);
                }
                if *code == Code::SessionExpired {
                    self.judge_expiry(id, absolute);
                }
            }
            _ => {}
        }
    }

    fn granted(&mut self, call: &Call, token: &str, session: SessionId, bound: bool, used: bool) {
        self.ghost.learn(token, session);
        let key = match call {
            Call::LogIn { code, request_id } => {
                let before = self.ghost.by_code.insert(code.clone(), session);
                match before {
                    Some(before) if before != session => {
                        self.wrong(format!("{code} opened two sessions, {} and {}", name(before), name(session)));
                    }
                    Some(_) => self.figures.same_logins += 1,
                    None => self.figures.logins += 1,
                }
                if used {
                    self.wrong(format!("{code}: its answer was handed out again after its first use"));
                }
                ("login", code.clone(), request_id.clone())
            }
            Call::Bind { token, request_id } => {
                self.figures.binds += 1;
                ("bind", token.clone(), request_id.clone())
            }
            Call::StepUp { token, request_id, code } => {
                if is_a_thief_s_code(call) {
                    self.wrong(format!("{code} is another account's, and stepped {} up", name(session)));
                }
                ("step-up", token.clone(), format!("{request_id} {code}"))
            }
            Call::Refresh { token, request_id } => {
                self.figures.refreshes += 1;
                ("refresh", token.clone(), request_id.clone())
            }
            _ => return,
        };
        if let Some(before) = self.ghost.answers.insert(key, token.to_owned())
            && before != token
        {
            self.wrong(format!("one request was given …{} and …{}", tail(&before), tail(token)));
        }
        let hash = self.ghost.known[token].hash;
        let ledger = self.ground.ledger.lock().unwrap();
        let may = ledger
            .sessions
            .get(&session)
            .is_some_and(|s| s.has_user && s.secrets.get(&hash.0).is_some_and(|s| s.bound));
        drop(ledger);
        if bound && !may {
            self.wrong(format!("…{} is said to act as the user and must not", tail(token)));
        }
    }

    /// A session has expired: was it unused for so long, or so old?
    fn judge_expiry(&mut self, id: SessionId, absolute: Timestamp) {
        let idle = millis(self.ground.policy.idle);
        let used = self.ghost.uses.get(&id).map_or(0, |u| u.last);
        if self.now < absolute.0 && self.ran() - used < idle {
            let unused = (self.ran() - used) / 1000;
            self.wrong(format!("{} expired after {unused} s without use", name(id)));
        }
    }

    /// An honest client had to forget its token. Was there a cause?
    pub fn logged_out(&mut self, token: &str, code: Code) {
        let Some(known) = self.ghost.known.get(token) else { return self.wrong("a token from nowhere".into()) };
        let id = known.session;
        let cause = match code {
            Code::SessionExpired => {
                self.figures.expired += 1;
                let forgot =
                    self.ghost.uses.get(&id).is_some_and(|u| {
                        u.forgotten && self.ran() - u.forgotten_last < millis(self.ground.policy.idle)
                    });
                self.figures.forgotten_slides += u64::from(forgot);
                true // Judged when it was answered.
            }
            Code::SessionReused if self.ghost.stepped_up_late.contains(&id) => {
                self.figures.step_ups_lost += 1;
                true
            }
            Code::SessionReused => self.ghost.stolen.contains(&id),
            Code::SessionKicked => self.ghost.kicked.contains(&id),
            Code::SessionReplaced => self.ground.policy.max_sessions < 12,
            Code::SessionRevoked => !self.ghost.unbound.is_empty(),
            Code::SessionEnded => self.ghost.logged_out.contains(&id),
            _ => false,
        };
        if !cause {
            self.figures.logouts += 1;
            self.wrong(format!("an honest client was logged out of {}: {}", name(id), code.as_str()));
        }
    }

    /// Looks at the table, the ledger and, now and then or when asked, at the store.
    pub fn look(&mut self, deep: bool) {
        let as_of = self.ground.flushed.lock().unwrap().take();
        if let Some(as_of) = as_of {
            self.ghost.flushed(as_of);
        }
        if std::mem::take(&mut self.settled)
            && let Some(run) = self.runs.last()
        {
            let call = &self.messages[run.message].call;
            let touched = self.ghost.shown(call).map(|k| k.session).or_else(|| self.ghost.opened_by(call));
            if let Some(id) = touched {
                self.compare_table(id);
            }
        }
        if deep || self.figures.steps % 40 == 39 {
            let all: Vec<SessionId> = self.ghost.by_session.keys().copied().collect();
            for id in all {
                self.compare_table(id);
                self.compare_store(id);
            }
        }
        let wrong = std::mem::take(&mut self.ground.ledger.lock().unwrap().wrong);
        wrong.into_iter().for_each(|w| self.wrong(w));
    }

    /// The table and the ledger must say the same of the session's tokens.
    fn compare_table(&mut self, id: SessionId) {
        use yaopai_core::live::{Looked, Presence as _};
        use yaopai_core::proof::Unproved;
        let Some(life) = &self.life else { return };
        let downtime = &life.service.world().downtime;
        let now = Timestamp(self.now);
        let up = now.uptime(downtime.get());
        let ledger = self.ground.ledger.lock().unwrap();
        let (Some(sess), Some(tokens)) = (ledger.sessions.get(&id), self.ghost.by_session.get(&id)) else { return };
        let mut wrong = Vec::new();
        for text in tokens.iter().rev().take(5) {
            let known = &self.ghost.known[text];
            let is_current = sess.current == known.hash.0;
            // A look counts as a use, and a login's answer is handed out again until the first.
            if is_current && !life.table.used(id) {
                continue;
            }
            let looked = life.table.check(
                &known.token,
                (now, downtime.get()),
                false,
                |_, _| Err(Unproved::Missing),
                |p, _| p.is_bound(),
            );
            let seen = life.table.last_seen(id).unwrap_or_default();
            let expired = now >= sess.absolute_at || up.0 >= seen.0 + millis(self.ground.policy.idle);
            let bound = sess.has_user && sess.secrets.get(&known.hash.0).is_some_and(|s| s.bound);
            let wanted = match (is_current && sess.ended.is_none(), expired) {
                (false, _) => Looked::Unsure,
                (true, true) => Looked::Expired,
                (true, false) => Looked::Pass(bound),
            };
            let beyond = looked == Looked::Unsure && !life.table.is_complete();
            if looked != wanted && !beyond {
                wrong.push(format!(
                    "…{} of {}: the table says {looked:?}, the ledger {wanted:?}",
                    tail(text),
                    name(id)
                ));
            }
        }
        drop(ledger);
        wrong.into_iter().for_each(|w| self.wrong(w));
    }

    /// So must the store and the ledger, of every secret.
    fn compare_store(&mut self, id: SessionId) {
        let Some(life) = &self.life else { return };
        let stored = life.block_on(life.store.load(id)).unwrap();
        let mut ledger = self.ground.ledger.lock().unwrap();
        match stored {
            Some(stored) => ledger.compare(&stored, Timestamp(self.now)),
            None => ledger.wrong.push(format!("{id} is gone")),
        }
    }
}

/// Is this a step-up with a code of somebody who is not the session's?
fn is_a_thief_s_code(call: &Call) -> bool {
    matches!(call, Call::StepUp { code, .. } if code.starts_with(super::thief::OWN_CODE))
}
