//! Calls as values, so that the same ones can be made of several engines in any order, and their answers compared.

#![allow(dead_code, clippy::unwrap_used)]

pub mod generator;

use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::moving::{AppMove, MoveFor, Why};
use yaopai_core::ports::*;
use yaopai_core::session::{Answer, Claims, EndReason, Session};
use yaopai_core::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use crate::conformance::Engine;
use generator::{APPS, CODES, KEYS, OPENIDS, SESSIONS, USERS};

#[derive(Debug, Clone)]
pub enum Call {
    Open(Box<Open>),
    Rotate(Rotate),
    StepUp(StepUp),
    Confirm(SessionId, SecretHash, Timestamp),
    Bind(Bind),
    End(Realm, Which, EndReason, Timestamp),
    Expire(Vec<(SessionId, EndReason)>, Timestamp),
    ExpireStale(Stale),
    Touched(Vec<(SessionId, Uptime)>, Timestamp),
    Purge(Timestamp, Timestamp, u32),
    BindIdentity(Realm, IdentityId, UserFound, BindTerms),
    KeepCode(BindCode),
    BindRead(SessionId),
    Preview(BindCodeHash, SessionId, Timestamp),
    Unbind(Realm, IdentityId, Timestamp),
    SetClaims(Realm, UserId, Option<Claims>, Timestamp),
    SetDisabled(Realm, UserId, Option<Timestamp>),
    PutCookies(JarChange),
    Resume(Timestamp),
    AddKey(DataKey),
    Reserve(u32, u64),
    RenewKey(SessionId, u32, Vec<u8>),
    LeaseProofs(Timestamp),
    TakeProofs,
    KeepProofs(Vec<u8>),
    Act(Box<Act>),
    Leave(SessionId, Timestamp),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Opened(Box<Session>),
    NotLinked(Box<Session>),
    Repeated(LoginRecord),
    Conflict,
    Disabled,
    Full,
    Stays(Why),
    Left(Option<Why>),
    Answer(Box<Session>, Answer),
    Superseded,
    Ended(EndReason),
    TooMany,
    NoCode,
    TooOld,
    Code(Option<BindCode>),
    Unknown,
    Session(Option<Box<Session>>),
    Ids(Vec<SessionId>),
    Bound(BindEnd),
    Stale(StaleEnded),
    Said(bool),
    Count(u64),
    Version(Option<u64>),
    Down(Downtime),
    Past(PastProofs),
    Acted(Box<Acted>),
    Done,
    Failed { retry: bool },
}

/// Makes a call.
pub async fn make(engine: &dyn Engine, call: Call) -> Outcome {
    attempt(engine, call).await.unwrap_or_else(|e| Outcome::Failed { retry: e.retry })
}

async fn attempt(engine: &dyn Engine, call: Call) -> StoreResult<Outcome> {
    Ok(match call {
        Call::Open(open) => match engine.open(*open).await? {
            Opened::Opened(s) => Outcome::Opened(s),
            Opened::NotLinked(s) => Outcome::NotLinked(s),
            Opened::Repeated(record) => Outcome::Repeated(record),
            Opened::Conflict => Outcome::Conflict,
            Opened::Disabled => Outcome::Disabled,
            Opened::Full => Outcome::Full,
            Opened::Stays(why) => Outcome::Stays(why),
        },
        Call::Rotate(rotate) => rotated(engine.rotate(rotate).await?),
        Call::StepUp(step_up) => rotated(engine.step_up(step_up).await?),
        Call::Bind(bind) => rotated(engine.bind(bind).await?),
        Call::Confirm(id, shown, now) => Outcome::Session(engine.confirm(id, shown, now).await?.map(Box::new)),
        Call::End(realm, which, reason, now) => Outcome::Ids(engine.end(&realm, &which, reason, now).await?),
        Call::Expire(expired, now) => engine.expire(expired, now).await.map(|()| Outcome::Done)?,
        Call::Touched(seen, now) => engine.touched(seen, now).await.map(|()| Outcome::Done)?,
        Call::Purge(now, before, limit) => Outcome::Count(engine.purge(now, before, limit).await?),
        Call::ExpireStale(stale) => Outcome::Stale(engine.expire_stale(stale).await?),
        Call::BindIdentity(realm, id, user, terms) => {
            Outcome::Bound(engine.bind_identity(&realm, id, user, &terms).await?)
        }
        Call::KeepCode(code) => engine.keep_bind_code(code).await.map(|()| Outcome::Done)?,
        Call::Preview(code, id, now) => Outcome::Code(engine.preview(&code, id, now).await?),
        Call::BindRead(id) => engine.bind_read(id).await.map(|()| Outcome::Done)?,
        Call::Unbind(realm, id, now) => Outcome::Said(engine.unbind_identity(&realm, id, None, now).await?),
        Call::SetClaims(realm, user, claims, now) => {
            engine.set_claims(&realm, &user, claims, now).await.map(|()| Outcome::Done)?
        }
        Call::SetDisabled(realm, user, at) => Outcome::Ids(engine.set_disabled(&realm, &user, at).await?),
        Call::PutCookies(change) => Outcome::Version(engine.put_cookies(change).await?),
        Call::Resume(now) => Outcome::Down(engine.resume(now).await?),
        Call::AddKey(key) => Outcome::Said(engine.add_data_key(key).await?),
        Call::RenewKey(id, version, sealed) => {
            Outcome::Session(engine.renew_key(id, version, sealed).await?.map(Box::new))
        }
        Call::LeaseProofs(until) => engine.lease_proofs(until).await.map(|()| Outcome::Done)?,
        Call::TakeProofs => Outcome::Past(engine.take_proofs().await?),
        Call::KeepProofs(sealed) => engine.keep_proofs(sealed).await.map(|()| Outcome::Done)?,
        Call::Act(act) => Outcome::Acted(Box::new(engine.act(*act).await?)),
        Call::Leave(id, now) => Outcome::Left(engine.leave(id, now).await?),
        Call::Reserve(key, count) => Outcome::Count(engine.reserve_seals(key, count).await?),
    })
}

fn rotated(rotated: Rotated) -> Outcome {
    match rotated {
        Rotated::Answer(session, answer) => Outcome::Answer(session, answer),
        Rotated::Superseded => Outcome::Superseded,
        Rotated::Ended(reason) => Outcome::Ended(reason),
        Rotated::TooMany => Outcome::TooMany,
        Rotated::Unknown => Outcome::Unknown,
        Rotated::Conflict => Outcome::Conflict,
        Rotated::Disabled => Outcome::Disabled,
        Rotated::Full => Outcome::Full,
        Rotated::NoCode => Outcome::NoCode,
        Rotated::Stale => Outcome::TooOld,
    }
}

/// Everything that can be seen of an engine, of what the generator names.
#[derive(Debug, PartialEq)]
pub struct State {
    pub live: Vec<Session>,
    pub sessions: Vec<Option<Session>>,
    pub jars: Vec<Jar>,
    pub identities: Vec<Option<(Identity, Option<Vec<u8>>)>>,
    pub lists: Vec<Vec<Session>>,
    pub bindings: Vec<Vec<Identity>>,
    pub claims: Vec<Option<Claims>>,
    pub disabled: Vec<Option<Timestamp>>,
    pub codes: Vec<Option<BindCode>>,
    pub logins: Vec<Option<LoginRecord>>,
    pub data_keys: Vec<DataKey>,
    pub users: Vec<Vec<KnownUser>>,
    pub answers: Vec<Option<KeptAnswer>>,
    pub moves: Vec<Option<AppMove>>,
    pub moved: Vec<Option<MoveFor>>,
}

pub async fn state(engine: &dyn Engine) -> State {
    let mut s = State {
        live: Vec::new(),
        sessions: Vec::new(),
        jars: Vec::new(),
        identities: Vec::new(),
        lists: Vec::new(),
        bindings: Vec::new(),
        claims: Vec::new(),
        disabled: Vec::new(),
        codes: Vec::new(),
        logins: Vec::new(),
        data_keys: engine.data_keys().await.unwrap(),
        users: Vec::new(),
        answers: Vec::new(),
        moves: Vec::new(),
        moved: Vec::new(),
    };
    engine.scan_live(&mut |session| s.live.push(session)).await.unwrap();
    for n in 0..SESSIONS {
        let id = generator::session(n);
        s.sessions.push(engine.load(id).await.unwrap());
        s.jars.push(engine.jar(id).await.unwrap());
    }
    let mut subjects = vec![None];
    for (app, _) in APPS {
        for openid in OPENIDS {
            let found = engine.identity(&app.into(), openid).await.unwrap();
            subjects.extend(found.iter().map(|i| Some(Subject::Guest(i.id))));
            s.identities.push(match found {
                Some(i) => Some((i.clone(), engine.kept_key(i.id).await)),
                None => None,
            });
        }
    }
    for (app, realm) in APPS {
        let (app, realm) = (app.into(), realm.into());
        s.moves.push(engine.app_move(&realm, &app).await.unwrap());
        for openid in OPENIDS {
            s.moved.push(engine.move_for(&realm, &app, openid, None).await.unwrap());
        }
    }
    for code in 0..CODES {
        s.codes.push(engine.bind_code(&[code; 32]).await.unwrap());
    }
    for key in 0..KEYS {
        s.logins.push(engine.login(&[key; 32]).await.unwrap());
        s.answers.push(engine.kept_answer(&[key; 32], Timestamp(0)).await.unwrap());
    }
    for realm in ["main", "other"].map(Realm::from) {
        for user in USERS.map(UserId::from) {
            s.claims.push(engine.claims(&realm, &user).await.unwrap());
            s.disabled.push(engine.disabled_at(&realm, &user).await.unwrap());
            let filter = BindingFilter { user: Some(user.clone()), limit: 9, ..BindingFilter::default() };
            s.bindings.push(engine.bindings(&realm, &filter).await.unwrap());
            let filter = Filter { subject: Some(Subject::User(user)), limit: 9, ..Filter::default() };
            s.lists.push(engine.list(&realm, &filter).await.unwrap());
        }
        for subject in &subjects {
            let filter = Filter { subject: subject.clone(), limit: 9, ..Filter::default() };
            s.lists.push(engine.list(&realm, &filter).await.unwrap());
        }
        let all = BindingFilter { limit: 99, ..BindingFilter::default() };
        s.bindings.push(engine.bindings(&realm, &all).await.unwrap());
        let of_unionid = BindingFilter { unionid: Some("un1".into()), unbound_too: true, ..all };
        s.bindings.push(engine.bindings(&realm, &of_unionid).await.unwrap());
        s.users.push(engine.users(&realm, None, 9).await.unwrap());
    }
    s
}

impl State {
    /// What must hold of every state.
    pub fn check(&self) {
        let identities: Vec<&Identity> = self.identities.iter().flatten().map(|(i, _)| i).collect();
        for s in &self.live {
            assert!(s.ended.is_none());
            let of = identities.iter().find(|i| i.id == s.identity).expect("a session has an identity");
            assert_eq!((&of.realm, &of.app, &of.openid), (&s.realm, &s.app, &s.openid));
            if s.user.is_some() {
                assert_eq!(of.user, s.user, "a live session's user is its identity's");
            }
            assert!(s.user.is_some() || !s.secrets.current_bound(), "no secret is bound to nobody");
        }
        for i in &identities {
            assert_eq!(i.user.is_some(), i.bound_at.is_some());
        }
        let users =
            ["main", "other"].into_iter().flat_map(|realm| USERS.map(|user| (Realm::from(realm), UserId::from(user))));
        for ((realm, user), _) in users.zip(&self.disabled).filter(|(_, at)| at.is_some()) {
            let live = self.live.iter().find(|s| s.realm == realm && s.user.as_ref() == Some(&user));
            assert_eq!(live, None, "a disabled user has no live session");
        }
    }
}
