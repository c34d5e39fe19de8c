//! Random calls over few sessions, identities, users and requests, so that they meet.

use std::collections::BTreeMap;

use yaopai_core::app::Yields;
use yaopai_core::ids::{IdentityId, Realm, SessionId};
use yaopai_core::jar::Bounds;
use yaopai_core::moving::{AppMove, Share};
use yaopai_core::ports::*;
use yaopai_core::session::*;
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::{Call, Outcome};
use crate::conformance::{MINUTE, T0, said, wanted};

pub const SESSIONS: u8 = 32;
pub const KEYS: u8 = 16;
pub const CODES: u8 = 8;
pub const APPS: [(&str, &str); 3] = [("shop", "main"), ("mall", "main"), ("far", "other")];
pub const OPENIDS: [&str; 3] = ["o1", "o2", "o3"];
pub const USERS: [&str; 3] = ["u", "v", "w"];

/// How many kinds there are.
pub const KINDS: u8 = 134;

/// What a call is made of: a kind, and choices whose meaning depends on it. Shrinks well.
pub type Seed = (u8, [u8; 8]);

/// What has been handed out so far, so that calls can show it.
pub struct World {
    pub now: Timestamp,
    made: u32,
    secrets: BTreeMap<SessionId, Vec<SecretHash>>,
    identities: Vec<IdentityId>,
    opened: Vec<SessionId>,
    previewed: Vec<BindCode>,
}

pub fn session(n: u8) -> SessionId {
    SessionId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, n])
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: T0,
            made: 0,
            secrets: BTreeMap::new(),
            identities: Vec::new(),
            opened: Vec::new(),
            previewed: Vec::new(),
        }
    }
}

impl World {
    /// The call that a seed means now.
    pub fn call(&mut self, (kind, c): Seed) -> Call {
        self.made += 1;
        self.now = Timestamp(self.now.0 + self.tick(c[7]));
        let now = self.now;
        match kind % KINDS {
            0..26 => Call::Open(Box::new(self.open(c))),
            26..38 => Call::Rotate(self.rotate(c, "refresh")),
            38..46 => {
                let rotate = self.rotate(c, "step-up");
                Call::StepUp(StepUp { rotate, session_key: (!c[3].is_multiple_of(4)).then(|| vec![c[3], 1]) })
            }
            46..56 => Call::Confirm(self.some_session(c[0]), self.shown(c), now),
            56..66 => Call::Bind(self.bind(c)),
            66..72 => Call::End(realm(c[0]), self.which(c), EndReason::ALL[usize::from(c[4] % 9)], now),
            72 => Call::ExpireStale(self.stale(c)),
            73 => Call::Expire(vec![(self.some_session(c[0]), EndReason::ExpiredIdle)], now),
            74..78 => Call::Touched(vec![(self.some_session(c[0]), Uptime(now.0))], now),
            78..80 => Call::Purge(now, Timestamp(now.0 - i64::from(c[0]) * 100), u32::from(c[1] % 3)),
            80..86 => Call::BindIdentity(realm(c[0]), self.identity(c[1]), found(c[2], c[3]), self.terms(c)),
            86..90 => Call::Unbind(realm(c[0]), self.identity(c[1]), now),
            90..94 => Call::SetClaims(realm(c[0]), user(c[1]).into(), claims(c[2]), now),
            94..96 => {
                let expires_at = c[4].is_multiple_of(2).then_some(Timestamp(now.0 + i64::from(c[4]) * 1000));
                let kept = (!c[3].is_multiple_of(4)).then(|| KeptCookie { expires_at, sealed: vec![c[2]; 3] });
                let (slot, twin) = ([c[1] % 5; 16], [c[1] % 2; 16]);
                let put = PutCookie { slot, twin, site: [c[1] % 2; 16], everywhere: c[1] % 5 == 4, kept };
                let bounds = Bounds { cookies: 3, bytes: 8 };
                let used = vec![([c[2] % 5; 16], now)];
                // Mostly a guest's: most sessions are.
                let user = c[5].is_multiple_of(4).then(|| user(c[6]).into());
                let session = self.some_session(c[0]);
                Call::PutCookies(JarChange { session, user, cookies: vec![put], used, bounds, now })
            }
            96 => Call::Resume(now),
            97 => Call::AddKey(DataKey { id: u32::from(c[0] % 3), sealed: vec![c[1]], reserved: 0 }),
            100..104 => Call::KeepCode(BindCode {
                hash: [c[0] % CODES; 32],
                realm: realm(c[1]),
                app: c[2].is_multiple_of(4).then(|| APPS[usize::from(c[3] % 3)].0.into()),
                user: user(c[4]).into(),
                masked: format!("{}***", user(c[4])),
                expires_at: Timestamp(now.0 + MINUTE),
                seen_by: None,
            }),
            104..108 => Call::Preview([c[0] % CODES; 32], self.some_session(c[1]), now),
            108..110 => Call::BindRead(self.some_session(c[0])),
            // Enabled again more often than disabled, so that most users can log in.
            110..113 => Call::SetDisabled(realm(c[0]), user(c[1]).into(), (c[2] < 100).then_some(now)),
            113..116 => Call::RenewKey(self.some_session(c[0]), u32::from(c[1] % 6), vec![c[2]]),
            116 => Call::LeaseProofs(now),
            117 => Call::TakeProofs,
            118 => Call::KeepProofs(vec![c[0]]),
            119..131 => Call::Act(Box::new(self.act(c))),
            131..133 => Call::Act(Box::new(self.app_move(c))),
            133 => Call::Leave(self.some_session(c[0]), now),
            _ => Call::Reserve(u32::from(c[0] % 3), u64::from(c[1])),
        }
    }

    /// Learns what an answer handed out.
    pub fn learn(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Opened(s) | Outcome::NotLinked(s) => {
                self.secrets.entry(s.id).or_default().push(s.secrets.current());
                self.identities.push(s.identity);
                self.opened.push(s.id);
            }
            Outcome::Code(Some(code)) => self.previewed.push(code.clone()),
            Outcome::Answer(s, answer) => self.secrets.entry(s.id).or_default().push(answer.hash),
            _ => {}
        }
    }

    /// Often nothing, sometimes beyond the grace or the idle time-out, rarely back.
    fn tick(&self, c: u8) -> i64 {
        match c {
            0..128 => 0,
            128..200 => i64::from(c) * 10,
            200..235 => 29_000 + i64::from(c) * 10,
            235..250 => 11 * MINUTE,
            _ => -1_000,
        }
    }

    fn terms(&self, c: [u8; 8]) -> BindTerms {
        let limits = limits(c[5]);
        let of_type = limits.max_of_type.map(|max| ("pc".into(), max)).into_iter().collect();
        BindTerms {
            second_identity: c[4].is_multiple_of(4),
            limits: RiseLimits { max: limits.max, max_of_type: of_type },
            idle_ms: 30 * MINUTE,
            up: Uptime(self.now.0),
            now: self.now,
        }
    }

    /// An app's move, whose end is more likely than its beginning: most logins are to open a session.
    fn app_move(&self, c: [u8; 8]) -> Act {
        let (app, of) = APPS[usize::from(c[1] % 3)];
        let action = match c[6] % 3 {
            0 => Action::SetMove(
                app.into(),
                AppMove {
                    share: Share::of_hundredths(u16::from(c[2]) * 40).unwrap_or(Share::EVERYBODY),
                    openids: OPENIDS[..usize::from(c[3] % 3)].iter().map(|openid| (*openid).to_owned()).collect(),
                    users: USERS[..usize::from(c[4] % 3)].iter().map(|user| (*user).into()).collect(),
                    back: c[5].is_multiple_of(4),
                },
            ),
            _ => Action::EndMove(app.into()),
        };
        Act { realm: of.into(), action, keep: None, now: self.now }
    }

    /// A move or a merge, most often; with an answer under one of few keys, sometimes.
    fn act(&self, c: [u8; 8]) -> Act {
        let action = match c[6] % 8 {
            0..4 => Action::Move(Move {
                identity: self.identity(c[1]),
                from: c[4].is_multiple_of(3).then(|| user(c[5]).into()),
                to: found(c[2], c[3]),
                second_identity: c[4].is_multiple_of(4),
                why: "move",
            }),
            4..7 => Action::Merge(Merge {
                unionid: format!("un{}", c[1] % 3),
                apps: APPS[usize::from(c[2] % 2)..].iter().map(|(app, _)| ((*app).into(), self.terms(c))).collect(),
                user: (c[3] % 2 == 1).then(|| user(c[3] / 2).into()),
                dry_run: c[5].is_multiple_of(5),
            }),
            _ => Action::Kick(Which::One(self.some_session(c[1])), EndReason::Kicked),
        };
        let keep = c[3].is_multiple_of(3).then(|| Keep {
            key: [c[5] % KEYS; 32],
            request: [c[1]; 32],
            expires_at: Timestamp(self.now.0 + MINUTE),
            most: 3,
            answer: std::sync::Arc::new(|acted| Ok(Some(format!("{acted:?}").into_bytes()))),
        });
        Act { realm: realm(c[0]), action, keep, now: self.now }
    }

    fn open(&mut self, c: [u8; 8]) -> Open {
        let (app, realm) = APPS[usize::from(c[0] % 3)];
        let mut identity = [0; 16];
        identity[8..12].copy_from_slice(&self.made.to_be_bytes());
        let mut session = wanted(self.next_session(c[1]), OPENIDS[usize::from(c[2] % 3)]);
        session.app = app.into();
        session.realm = Realm::from(realm);
        session.identity = IdentityId(identity);
        session.secrets = Secrets::new(self.fresh(), false);
        session.created_at = self.now;
        session.vouched_at = self.now;
        session.last_seen = Uptime(self.now.0);
        session.absolute_at = Timestamp(self.now.0 + 40 * MINUTE);
        session.unionid = c[3].is_multiple_of(3).then(|| format!("un{}", c[3] / 3 % 3));
        session.key = match c[3] / 7 % 4 {
            0 | 1 => SessionKey::Bearer,
            2 => SessionKey::HmacSha256(vec![c[3]]),
            _ => SessionKey::WeChat { newest: u32::from(c[4] % 4), sealed: vec![c[3]] },
        };
        session.device.kind = c[4].is_multiple_of(2).then(|| "pc".into());
        Open {
            new_identity: session.identity,
            session_key: (!c[3].is_multiple_of(5)).then(|| vec![c[3]]),
            user: (c[6] % 2 == 1).then(|| found(c[6] / 2, c[4])),
            link: c[5].is_multiple_of(2).then(|| LinkBy {
                apps: APPS[usize::from(c[5] % 3 % 2)..].iter().map(|(app, _)| (*app).into()).collect(),
                first: c[5].is_multiple_of(4),
            }),
            second_identity: c[5].is_multiple_of(5),
            limits: limits(c[5]),
            idle_ms: 30 * MINUTE,
            up: Uptime(self.now.0),
            login: LoginRecord {
                key: [c[7] % KEYS; 32],
                session: session.id,
                sealed: vec![c[1]],
                expires_at: Timestamp(self.now.0 + MINUTE),
            },
            session,
        }
    }

    fn bind(&mut self, c: [u8; 8]) -> Bind {
        let bind = Bind {
            rotate: self.rotate(c, "bind"),
            user: found(c[4], c[5]),
            proof: if c[6].is_multiple_of(5) { Proof::Phone } else { Proof::Form },
            second_identity: !c[6].is_multiple_of(4),
            limits: Limits {
                max: 1 + u32::from(c[3] % 3) / 2,
                max_of_type: c[3].is_multiple_of(5).then_some(1),
                yields: if c[3] > 128 { Yields::Newest } else { Yields::Oldest },
            },
            idle_ms: 30 * MINUTE,
            up: Uptime(self.now.0),
        };
        self.by_code(bind, c)
    }

    /// Often a bind by a code that some session has previewed: by that one, or by another.
    fn by_code(&self, mut bind: Bind, c: [u8; 8]) -> Bind {
        let Some(code) = self.previewed.last().filter(|_| c[6] % 2 == 1) else { return bind };
        bind.proof = Proof::Code(code.hash);
        if c[6] % 8 != 1 {
            bind.user.user = code.user.clone();
        }
        if let Some(by) = code.seen_by.filter(|_| c[6] % 8 != 3) {
            bind.rotate.id = by;
            bind.rotate.shown = self.shown_of(by, c);
        }
        bind
    }

    fn stale(&self, c: [u8; 8]) -> Stale {
        let idle_ms = [("shop", 30 * MINUTE), ("mall", 11 * MINUTE)].map(|(app, idle)| (app.into(), idle));
        let after = (c[1] < 128).then(|| (self.identity(c[1]), self.some_session(c[2])));
        Stale { idle_ms: idle_ms.into(), up: Uptime(self.now.0), now: self.now, after, limit: u32::from(c[0] % 8) }
    }

    fn rotate(&mut self, c: [u8; 8], kind: &str) -> Rotate {
        let hash = self.fresh();
        Rotate {
            id: self.some_session(c[0]),
            shown: self.shown(c),
            request: RequestHash::new(kind, &(c[2] % 4).to_string()),
            candidate: Candidate { hash, sealed: hash.0[..4].to_vec() },
            now: self.now,
        }
    }

    /// One of the session's secrets, most often a late one; or a stranger.
    fn shown(&self, c: [u8; 8]) -> SecretHash {
        self.shown_of(self.some_session(c[0]), c)
    }

    fn shown_of(&self, session: SessionId, c: [u8; 8]) -> SecretHash {
        match self.secrets.get(&session) {
            Some(known) if c[1] < 240 => {
                let back = usize::from(c[1]).pow(2) * known.len() / 240_usize.pow(2);
                known[known.len() - 1 - back]
            }
            _ => SecretHash([c[1]; 32]),
        }
    }

    /// One that was opened, most often a late one; or a stranger.
    fn some_session(&self, c: u8) -> SessionId {
        match self.opened.len() {
            len if len > 0 && c < 240 => self.opened[len - 1 - usize::from(c).pow(2) * len / 240_usize.pow(2)],
            _ => session(c % SESSIONS),
        }
    }

    /// A free one, while there are; sometimes one that is taken.
    fn next_session(&self, c: u8) -> u8 {
        let opened = u8::try_from(self.opened.len()).unwrap_or(u8::MAX);
        if c < 240 && opened < SESSIONS { opened } else { c % SESSIONS }
    }

    fn fresh(&self) -> SecretHash {
        let mut hash = [7; 32];
        hash[..4].copy_from_slice(&self.made.to_be_bytes());
        SecretHash(hash)
    }

    fn identity(&self, c: u8) -> IdentityId {
        match self.identities.len() {
            0 => IdentityId([c; 16]),
            len => self.identities[usize::from(c) % len],
        }
    }

    fn which(&self, c: [u8; 8]) -> Which {
        let subject =
            if c[2].is_multiple_of(2) { Subject::User(user(c[3]).into()) } else { Subject::Guest(self.identity(c[3])) };
        match c[1] % 4 {
            0 => Which::One(self.some_session(c[5])),
            1 => Which::Own(self.some_session(c[5]), subject),
            2 => Which::Opened(self.identity(c[3]), Timestamp(self.now.0 - i64::from(c[5]) * 1000)),
            _ => Which::All(subject),
        }
    }
}

fn limits(c: u8) -> Limits {
    let (max, max_of_type) = (1 + u32::from(c % 4), c.is_multiple_of(3).then_some(1));
    let yields = if c > 200 { Yields::Newest } else { Yields::Oldest };
    Limits { max, max_of_type, yields }
}

fn realm(c: u8) -> Realm {
    Realm::from(if c < 50 { "other" } else { "main" })
}

fn user(c: u8) -> &'static str {
    USERS[usize::from(c % 3)]
}

fn found(c: u8, role: u8) -> UserFound {
    UserFound { user: user(c).into(), claims: claims(role) }
}

fn claims(c: u8) -> Option<Claims> {
    (!c.is_multiple_of(3)).then(|| said(if c.is_multiple_of(2) { "boss" } else { "clerk" }))
}
