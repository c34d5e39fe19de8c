//! The ledger: what the design promises of a session's secrets, written down a second time and far more simply than in the
//! code. It watches every call of the store in commit order and says where an outcome is another than promised.

mod stepup;

use std::collections::{HashMap, HashSet};

use yaopai_core::ids::{IdentityId, SessionId};
use yaopai_core::ports::{Bind, LoginRecord, Opened, Rotate, Rotated};
use yaopai_core::session::{EndReason, RequestHash, Session, Standing};
use yaopai_core::time::Timestamp;
use yaopai_wire::token::SecretHash;

/// A retired secret passes for so long (milliseconds).
const GRACE: i64 = 30_000;
/// The secret that a step-up replaced may repeat it for so long (milliseconds).
const STEP_UP_KEPT: i64 = 60_000;
/// So many requests a secret remembers.
const REQUESTS: usize = 32;
/// So many secrets may be in their grace at a time.
const GRACES: usize = 64;

#[derive(Default)]
pub struct Ledger {
    pub sessions: HashMap<SessionId, Sess>,
    /// Ends that the engine has handed out and no call has answered for yet.
    pub ended_now: Vec<SessionId>,
    logins: HashMap<[u8; 32], SessionId>,
    /// Identities that have a user.
    bound: HashSet<IdentityId>,
    /// What went wrong, in words.
    pub wrong: Vec<String>,
    pub rotations: u64,
    pub repeated: u64,
    pub step_ups: u64,
}

pub struct Sess {
    pub secrets: HashMap<[u8; 32], Sec>,
    pub current: [u8; 32],
    pub identity: IdentityId,
    pub has_user: bool,
    pub ended: Option<EndReason>,
    pub absolute_at: Timestamp,
    pub vouched_at: Timestamp,
    stepped_up: Option<SteppedUp>,
}

/// The last step-up of a session.
struct SteppedUp {
    shown: [u8; 32],
    request: [u8; 16],
    answer: [u8; 32],
    at: i64,
}

pub struct Sec {
    /// May it act as the user?
    pub bound: bool,
    pub state: State,
    asked: HashMap<[u8; 16], [u8; 32]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Current,
    Successor,
    Retired(i64),
    /// Retired, and a step-up took its grace.
    Cut(i64),
}

impl State {
    pub fn passes(self, now: Timestamp) -> bool {
        match self {
            Self::Current | Self::Successor => true,
            Self::Retired(at) => now.0 <= at + GRACE,
            Self::Cut(_) => false,
        }
    }

    /// Was it retired less than a grace ago? What is refreshed with it then may have been on its way.
    fn recent(self, now: Timestamp) -> bool {
        matches!(self, Self::Retired(at) | Self::Cut(at) if now.0 <= at + GRACE)
    }
}

impl Sess {
    fn graces(&self, now: Timestamp) -> usize {
        self.secrets.values().filter(|s| s.state.recent(now)).count()
    }

    fn confirm(&mut self, shown: &[u8; 32], now: Timestamp) {
        if self.secrets.get(shown).is_none_or(|s| s.state != State::Successor) {
            return;
        }
        for sec in self.secrets.values_mut().filter(|s| matches!(s.state, State::Current | State::Successor)) {
            sec.state = State::Retired(now.0);
        }
        if let Some(sec) = self.secrets.get_mut(shown) {
            sec.state = State::Current;
        }
        self.current = *shown;
    }
}

impl Ledger {
    fn wrong(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// The ends that a call answers for.
    fn took(&mut self, call: &str, expected: &[SessionId], reason: EndReason) {
        let ended = std::mem::take(&mut self.ended_now);
        if ended != expected {
            self.wrong(format!("{call}: the engine handed out the ends {ended:?}, and answered {expected:?}"));
        }
        self.end(&ended, reason);
    }

    fn end(&mut self, ids: &[SessionId], reason: EndReason) {
        for id in ids {
            match self.sessions.get_mut(id) {
                Some(s) if s.ended.is_none() => s.ended = Some(reason),
                _ => self.wrong(format!("{id} ended twice, or never was")),
            }
        }
    }

    /// Whatever ended meanwhile, ended for this reason.
    pub fn ended(&mut self, reason: EndReason) {
        let ids = std::mem::take(&mut self.ended_now);
        self.end(&ids, reason);
    }

    pub fn stale(&mut self, ended: &[(SessionId, EndReason)]) {
        self.ended_now.clear();
        for (id, reason) in ended {
            self.end(&[*id], *reason);
        }
    }

    pub fn ended_as(&mut self, ids: &[SessionId], reason: EndReason) {
        self.took("end", ids, reason);
    }

    pub fn opened(&mut self, login: &LoginRecord, out: &Opened) {
        // Ends here are those who made room.
        self.ended(EndReason::Replaced);
        let known = self.logins.get(&login.key).copied();
        match (out, known) {
            (Opened::Opened(_) | Opened::NotLinked(_), Some(before)) => {
                self.wrong(format!("one login opened two sessions: {before} and {}", login.session));
            }
            (Opened::Opened(session) | Opened::NotLinked(session), None) => {
                self.logins.insert(login.key, session.id);
                let current = session.secrets.current().0;
                let bound = session.user.is_some();
                if bound {
                    self.bound.insert(session.identity);
                }
                let sec = Sec { bound, state: State::Current, asked: HashMap::new() };
                let sess = Sess {
                    secrets: HashMap::from([(current, sec)]),
                    current,
                    identity: session.identity,
                    has_user: bound,
                    ended: None,
                    absolute_at: session.absolute_at,
                    vouched_at: session.vouched_at,
                    stepped_up: None,
                };
                self.sessions.insert(session.id, sess);
            }
            (Opened::Repeated(record), known) if known != Some(record.session) => {
                self.wrong(format!("a login is repeated as {}, but was {known:?}", record.session));
            }
            _ => {}
        }
    }

    pub fn rotated(&mut self, r: &Rotate, out: &Rotated) {
        self.rotations += 1;
        let wanted = self.rotation(r, None, out);
        let ended = [r.id];
        let ended: &[SessionId] = if wanted.as_deref() == Some("reused") { &ended } else { &[] };
        self.took("rotate", ended, EndReason::Reused);
    }

    pub fn bound(&mut self, b: &Bind, out: &Rotated) {
        // Ends here are those who made room.
        self.ended(EndReason::Replaced);
        if let Rotated::Conflict | Rotated::Full = out {
            return;
        }
        self.rotation(&b.rotate, Some(true), out);
        if let (Rotated::Answer(..), Some(s)) = (out, self.sessions.get_mut(&b.rotate.id)) {
            s.has_user = true;
            self.bound.insert(s.identity);
        }
    }

    /// The rules of a refresh, and of a bind's rotation (`rank`: what it makes of the new secret). Says what was promised.
    fn rotation(&mut self, r: &Rotate, rank: Option<bool>, out: &Rotated) -> Option<String> {
        let (promised, new) = match self.promise(r, rank) {
            Ok(promised) => promised,
            Err(refusal) => {
                let got = told(out);
                let theft = refusal == "reused";
                let wanted = if theft { "ended reused" } else { refusal.as_str() };
                if got != wanted {
                    self.wrong(format!("a rotation of {}: promised is {wanted:?}, it was {got:?}", r.id));
                }
                return Some(refusal);
            }
        };
        let Rotated::Answer(session, answer) = out else {
            self.wrong(format!("a rotation of {}: promised is an answer, it was {out:?}", r.id));
            return None;
        };
        let got = answer.hash.0;
        let repeated = promised.is_some();
        self.repeated += u64::from(repeated);
        let mut wrong = Vec::new();
        let sess = self.sessions.get_mut(&r.id)?;
        match promised {
            Some(hash) if hash != got => wrong.push("the same request was given two different secrets"),
            Some(_) => {}
            None if got == r.candidate.hash.0 => {
                sess.secrets.insert(got, Sec { bound: new, state: State::Successor, asked: HashMap::new() });
            }
            None => match sess.secrets.get(&got) {
                Some(known) if known.bound != new => wrong.push("a holder was given a secret of another rank"),
                Some(known) if known.state != State::Successor => wrong.push("a retired secret was handed out"),
                Some(_) => {}
                None => wrong.push("a secret nobody minted was handed out"),
            },
        }
        if !repeated && let Some(shown) = sess.secrets.get_mut(&r.shown.0) {
            shown.asked.insert(r.request.0, got);
        }
        if sess.secrets.get(&got).is_some_and(|s| s.bound) != answer.bound {
            wrong.push("the answer's rank is not its secret's");
        }
        if session.secrets.current().0 != sess.current {
            wrong.push("another secret is current than promised");
        }
        if sess.secrets.values().filter(|s| s.state == State::Successor).count() > 8 {
            wrong.push("more than four successors of a rank");
        }
        wrong.into_iter().for_each(|w| self.wrong(format!("a rotation of {}: {w}", r.id)));
        None
    }

    /// What is promised: the secret that must be answered (if this was asked before) and the rank of a new one; or a
    /// refusal's name.
    #[allow(clippy::type_complexity)]
    fn promise(&mut self, r: &Rotate, rank: Option<bool>) -> Result<(Option<[u8; 32]>, bool), String> {
        let sess = self.sessions.get_mut(&r.id).ok_or("unknown")?;
        if !sess.secrets.contains_key(&r.shown.0) {
            return Err("unknown".into());
        }
        if let Some(reason) = sess.ended {
            return Err(format!("ended {}", reason.as_str()));
        }
        sess.confirm(&r.shown.0, r.now);
        let sec = sess.secrets.get(&r.shown.0).ok_or("unknown")?;
        let asked = sec.asked.get(&RequestHash(r.request.0).0).copied();
        match (asked, sec.state.passes(r.now)) {
            (Some(hash), true) => Ok((Some(hash), sec.bound)),
            (Some(_), false) => Err("superseded".into()),
            (None, false) if sec.state.recent(r.now) => Err("superseded".into()),
            // A bind with a retired secret is no theft: whoever asks has to prove who they are.
            (None, false) => Err(if rank.is_some() { "superseded" } else { "reused" }.into()),
            (None, true) if sec.asked.len() >= REQUESTS || sess.graces(r.now) >= GRACES => Err("too many".into()),
            (None, true) => Ok((None, rank.unwrap_or(sec.bound))),
        }
    }

    pub fn confirmed(&mut self, id: SessionId, shown: &SecretHash, now: Timestamp, out: Option<&Session>) {
        let Some(sess) = self.sessions.get_mut(&id) else { return };
        if sess.ended.is_none() {
            sess.confirm(&shown.0, now);
        }
        let current = sess.current;
        if out.is_none_or(|s| s.secrets.current().0 != current) {
            self.wrong(format!("the first use of a secret of {id} left another one current"));
        }
    }

    /// The back end bound an identity: every secret of its live sessions rose. If it was bound before, none does: a guest
    /// that stayed one may be a copy.
    pub fn risen(&mut self, identity: IdentityId) {
        // Ends here are those who made room.
        self.ended(EndReason::Replaced);
        if !self.bound.insert(identity) {
            return;
        }
        for sess in self.sessions.values_mut().filter(|s| s.identity == identity && s.ended.is_none()) {
            sess.has_user = true;
            sess.secrets.values_mut().for_each(|s| s.bound = true);
        }
    }

    /// The back end unbound an identity: its bound sessions ended.
    pub fn unbound(&mut self, identity: IdentityId) {
        self.ended(EndReason::Unbound);
        self.bound.remove(&identity);
    }

    /// Is the store's word on every secret the ledger's?
    pub fn compare(&mut self, stored: &Session, now: Timestamp) {
        let Some(sess) = self.sessions.get(&stored.id) else {
            return self.wrong(format!("the store has a session {} that was never opened", stored.id));
        };
        let mut wrong = Vec::new();
        if stored.ended.map(|e| e.reason) != sess.ended {
            wrong.push(format!("ended is {:?} in the store, promised {:?}", stored.ended, sess.ended));
        }
        if stored.vouched_at != sess.vouched_at {
            wrong.push(format!("vouched at {:?} in the store, promised {:?}", stored.vouched_at, sess.vouched_at));
        }
        if stored.absolute_at != sess.absolute_at {
            wrong.push("its absolute end has moved".to_owned());
        }
        for (hash, sec) in &sess.secrets {
            let standing = stored.secrets.standing(&SecretHash(*hash), now);
            let promised = match sec.state {
                State::Current => Standing::Current { bound: sec.bound },
                State::Successor => Standing::Successor { bound: sec.bound },
                state if state.passes(now) => Standing::Grace { bound: sec.bound },
                State::Retired(_) | State::Cut(_) => Standing::Retired,
            };
            if standing != promised {
                wrong.push(format!("a secret is {standing:?} in the store, promised {promised:?}"));
            }
        }
        wrong.into_iter().for_each(|w| self.wrong(format!("{}: {w}", stored.id)));
    }
}

/// An outcome in the words of a promise.
fn told(out: &Rotated) -> String {
    match out {
        Rotated::Superseded => "superseded".to_owned(),
        Rotated::TooMany => "too many".to_owned(),
        Rotated::Unknown => "unknown".to_owned(),
        Rotated::Ended(reason) => format!("ended {}", reason.as_str()),
        Rotated::Answer(_, answer) => format!("an answer, {:?}", answer.hash.0[0]),
        Rotated::Conflict => "conflict".to_owned(),
        Rotated::Disabled => "disabled".to_owned(),
        Rotated::Full => "full".to_owned(),
        Rotated::Stale => "stale".to_owned(),
        Rotated::NoCode => "no code".to_owned(),
    }
}
