//! The store between gates: a call may be held or lost before its commit and after it, and the ledger sees each outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::Notify;
use yaopai_core::audit::{Checkpoint, Head, Noted, Scribe};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::moving::{AppMove, MoveFor, Why};
use yaopai_core::ports::*;
use yaopai_core::session::{Claims, EndReason, Session};
use yaopai_core::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::gates::Gates;
use super::ledger::Ledger;

pub struct Gated {
    pub inner: Arc<dyn Store>,
    pub gates: Arc<Gates>,
    pub ledger: Arc<Mutex<Ledger>>,
    pub under_way: Arc<UnderWay>,
    /// When the last flush of last-seen times was committed, and as of when.
    pub flushed: Arc<Mutex<Option<Timestamp>>>,
}

/// Calls that the engine works on; a real engine does that on threads of its own.
#[derive(Default)]
pub struct UnderWay {
    count: AtomicUsize,
    done: Notify,
}

impl UnderWay {
    async fn count<T>(&self, call: impl Future<Output = T>) -> T {
        self.count.fetch_add(1, Ordering::SeqCst);
        let out = call.await;
        self.count.fetch_sub(1, Ordering::SeqCst);
        self.done.notify_one();
        out
    }

    /// True after waiting for one, false if there is none.
    pub async fn wait(&self) -> bool {
        if self.count.load(Ordering::SeqCst) == 0 {
            return false;
        }
        self.done.notified().await;
        true
    }

    pub fn reset(&self) {
        self.count.store(0, Ordering::SeqCst);
    }
}

impl Gated {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    async fn write<T>(
        &self,
        place: (&'static str, &'static str),
        call: impl Future<Output = StoreResult<T>>,
        told: impl FnOnce(&mut Ledger, &T),
    ) -> StoreResult<T> {
        self.gates.pass(place.0).await;
        if self.gates.fails() {
            return Err(StoreError { retry: true, what: "fails before its commit".into() });
        }
        let out = self.under_way.count(call).await;
        match &out {
            Ok(value) => told(&mut self.ledger(), value),
            Err(e) => self.ledger().wrong.push(format!("{}: {e}", place.0)),
        }
        self.gates.pass(place.1).await;
        if self.gates.fails() {
            return Err(StoreError { retry: true, what: "committed, and its answer is lost".into() });
        }
        out
    }

    async fn read<T>(&self, place: &'static str, call: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        self.gates.pass(place).await;
        let out = self.under_way.count(call).await;
        self.gates.pass(place).await;
        out
    }
}

macro_rules! places {
    ($call:literal) => {
        (concat!($call, ", before its commit"), concat!($call, ", after its commit"))
    };
}

#[async_trait]
impl Store for Gated {
    async fn resume(&self, now: Timestamp) -> StoreResult<Downtime> {
        self.inner.resume(now).await
    }

    async fn scan_live(&self, visit: &mut (dyn FnMut(Session) + Send)) -> StoreResult<()> {
        self.inner.scan_live(visit).await
    }

    async fn open(&self, open: Open) -> StoreResult<Opened> {
        let login = open.login.clone();
        self.write(places!("open"), self.inner.open(open), |l, out| l.opened(&login, out)).await
    }

    async fn login(&self, key: &[u8; 32]) -> StoreResult<Option<LoginRecord>> {
        self.read("login", self.inner.login(key)).await
    }

    async fn rotate(&self, r: Rotate) -> StoreResult<Rotated> {
        self.write(places!("rotate"), self.inner.rotate(r.clone()), |l, out| l.rotated(&r, out)).await
    }

    async fn step_up(&self, s: StepUp) -> StoreResult<Rotated> {
        self.write(places!("step_up"), self.inner.step_up(s.clone()), |l, out| l.stepped_up(&s.rotate, out)).await
    }

    async fn confirm(&self, id: SessionId, shown: SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        let told = |l: &mut Ledger, out: &Option<Session>| l.confirmed(id, &shown, now, out.as_ref());
        self.write(places!("confirm"), self.inner.confirm(id, shown, now), told).await
    }

    async fn bind(&self, bind: Bind) -> StoreResult<Rotated> {
        self.write(places!("bind"), self.inner.bind(bind.clone()), |l, out| l.bound(&bind, out)).await
    }

    async fn end(
        &self,
        realm: &Realm,
        which: &Which,
        reason: EndReason,
        now: Timestamp,
    ) -> StoreResult<Vec<SessionId>> {
        let call = self.inner.end(realm, which, reason, now);
        self.write(places!("end"), call, |l, ids| l.ended_as(ids, reason)).await
    }

    async fn expire(&self, mut expired: Vec<(SessionId, EndReason)>, now: Timestamp) -> StoreResult<()> {
        // The table walks in no order, and a seed must be a schedule.
        expired.sort_by_key(|(id, _)| *id);
        // One by one, so that each has its own reason; what ended before is left as it was.
        for (id, reason) in expired {
            let call = self.inner.expire(vec![(id, reason)], now);
            self.write(places!("expire"), call, |l, ()| l.ended(reason)).await?;
        }
        Ok(())
    }

    async fn expire_stale(&self, stale: Stale) -> StoreResult<StaleEnded> {
        let told = |l: &mut Ledger, out: &StaleEnded| l.stale(&out.ended);
        self.write(places!("expire_stale"), self.inner.expire_stale(stale), told).await
    }

    async fn load(&self, id: SessionId) -> StoreResult<Option<Session>> {
        self.read("load", self.inner.load(id)).await
    }

    async fn list(&self, realm: &Realm, filter: &Filter) -> StoreResult<Vec<Session>> {
        self.read("list", self.inner.list(realm, filter)).await
    }

    async fn touched(&self, seen: Vec<(SessionId, Uptime)>, alive_at: Timestamp) -> StoreResult<()> {
        let flushed = self.flushed.clone();
        let told = move |_: &mut Ledger, (): &()| *flushed.lock().unwrap() = Some(alive_at);
        self.write(places!("touched"), self.inner.touched(seen, alive_at), told).await
    }

    async fn purge(&self, now: Timestamp, ended_before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.write(places!("purge"), self.inner.purge(now, ended_before, limit), |_, _| {}).await
    }

    async fn identity(&self, app: &AppName, openid: &str) -> StoreResult<Option<Identity>> {
        self.read("identity", self.inner.identity(app, openid)).await
    }

    async fn session_key(&self, identity: IdentityId) -> StoreResult<Option<Vec<u8>>> {
        self.read("session_key", self.inner.session_key(identity)).await
    }

    async fn bind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        user: UserFound,
        terms: &BindTerms,
    ) -> StoreResult<BindEnd> {
        let call = self.inner.bind_identity(realm, identity, user, terms);
        let told = |l: &mut Ledger, out: &BindEnd| {
            if let BindEnd::Bound(_) = out {
                l.risen(identity);
            }
        };
        self.write(places!("bind_identity"), call, told).await
    }

    async fn bind_read(&self, session: SessionId) -> StoreResult<()> {
        self.inner.bind_read(session).await
    }

    async fn import_bindings(&self, piece: ImportPiece) -> StoreResult<Vec<ImportOutcome>> {
        self.inner.import_bindings(piece).await
    }

    async fn import_mark(&self, file: &FileHash) -> StoreResult<Option<ImportMark>> {
        self.inner.import_mark(file).await
    }

    async fn end_import(&self, file: &FileHash) -> StoreResult<()> {
        self.inner.end_import(file).await
    }

    async fn unbind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        from: Option<&UserId>,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let call = self.inner.unbind_identity(realm, identity, from, now);
        self.write(places!("unbind_identity"), call, |l, _| l.unbound(identity)).await
    }

    async fn keep_bind_code(&self, code: BindCode) -> StoreResult<()> {
        self.inner.keep_bind_code(code).await
    }

    async fn preview(&self, code: &BindCodeHash, session: SessionId, now: Timestamp) -> StoreResult<Option<BindCode>> {
        self.inner.preview(code, session, now).await
    }

    async fn bind_code(&self, code: &BindCodeHash) -> StoreResult<Option<BindCode>> {
        self.read("bind_code", self.inner.bind_code(code)).await
    }

    async fn act(&self, act: Act) -> StoreResult<Acted> {
        let action = act.action.clone();
        let told = move |l: &mut Ledger, acted: &Acted| match (action, acted) {
            (Action::Kick(_, reason), Acted::Ended(ids)) => l.ended_as(ids, reason),
            (Action::Bind(identity, ..), Acted::Bound(BindEnd::Bound(_))) => l.risen(identity),
            (Action::Unbind(identity), _) => l.unbound(identity),
            _ => {}
        };
        self.write(places!("act"), self.inner.act(act), told).await
    }

    async fn kept_answer(&self, key: &[u8; 32], now: Timestamp) -> StoreResult<Option<KeptAnswer>> {
        self.inner.kept_answer(key, now).await
    }

    async fn users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<KnownUser>> {
        self.inner.users(realm, after, limit).await
    }

    async fn user(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<KnownUser>> {
        self.inner.user(realm, user).await
    }

    async fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> StoreResult<Option<Identity>> {
        self.inner.identity_by_id(realm, id).await
    }

    async fn bindings(&self, realm: &Realm, filter: &BindingFilter) -> StoreResult<Vec<Identity>> {
        self.read("bindings", self.inner.bindings(realm, filter)).await
    }

    async fn set_claims(
        &self,
        realm: &Realm,
        user: &UserId,
        claims: Option<Claims>,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.write(places!("set_claims"), self.inner.set_claims(realm, user, claims, now), |_, ()| {}).await
    }

    async fn set_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> StoreResult<Vec<SessionId>> {
        self.write(places!("set_disabled"), self.inner.set_disabled(realm, user, at), |_, _| {}).await
    }

    async fn renew_key(&self, session: SessionId, version: u32, sealed: Vec<u8>) -> StoreResult<Option<Session>> {
        self.write(places!("renew_key"), self.inner.renew_key(session, version, sealed), |_, _| {}).await
    }

    async fn lease_proofs(&self, until: Timestamp) -> StoreResult<()> {
        self.write(places!("lease_proofs"), self.inner.lease_proofs(until), |_, ()| {}).await
    }

    async fn take_proofs(&self) -> StoreResult<PastProofs> {
        self.inner.take_proofs().await
    }

    async fn keep_proofs(&self, sealed: Vec<u8>) -> StoreResult<()> {
        self.inner.keep_proofs(sealed).await
    }

    async fn disabled_at(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Timestamp>> {
        self.read("disabled_at", self.inner.disabled_at(realm, user)).await
    }

    async fn claims(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Claims>> {
        self.read("claims", self.inner.claims(realm, user)).await
    }

    async fn data_keys(&self) -> StoreResult<Vec<DataKey>> {
        self.inner.data_keys().await
    }

    async fn add_data_key(&self, key: DataKey) -> StoreResult<bool> {
        self.inner.add_data_key(key).await
    }

    async fn reserve_seals(&self, key: u32, count: u64) -> StoreResult<u64> {
        self.inner.reserve_seals(key, count).await
    }
}

#[async_trait]
impl JarStore for Gated {
    async fn jar(&self, session: SessionId) -> StoreResult<Jar> {
        self.read("jar", self.inner.jar(session)).await
    }

    async fn jar_version(&self, session: SessionId) -> StoreResult<Option<u64>> {
        self.read("jar_version", self.inner.jar_version(session)).await
    }

    async fn put_cookies(&self, change: JarChange) -> StoreResult<Option<u64>> {
        self.write(places!("put_cookies"), self.inner.put_cookies(change), |_, _| {}).await
    }
}

#[async_trait]
impl AuditStore for Gated {
    fn begin_audit(&self, scribe: Arc<Scribe>) {
        self.inner.begin_audit(scribe);
    }

    async fn note(&self, noted: Vec<Noted>) -> StoreResult<()> {
        self.inner.note(noted).await
    }

    async fn audit_head(&self) -> StoreResult<Option<Head>> {
        self.inner.audit_head().await
    }

    async fn audit_rows(&self, realm: Option<&Realm>, after: u64, limit: u32) -> StoreResult<Vec<AuditRow>> {
        self.inner.audit_rows(realm, after, limit).await
    }

    async fn audit_checkpoint(&self) -> StoreResult<Option<Checkpoint>> {
        self.inner.audit_checkpoint().await
    }

    async fn purge_audit(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.inner.purge_audit(before, limit).await
    }

    async fn erase(&self, whose: Erase) -> StoreResult<u64> {
        self.inner.erase(whose).await
    }
}

#[async_trait]
impl MoveStore for Gated {
    async fn app_move(&self, realm: &Realm, app: &AppName) -> StoreResult<Option<AppMove>> {
        self.read("app_move", self.inner.app_move(realm, app)).await
    }

    async fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        named: Option<&UserId>,
    ) -> StoreResult<Option<MoveFor>> {
        self.read("move_for", self.inner.move_for(realm, app, openid, named)).await
    }

    async fn leave(&self, session: SessionId, now: Timestamp) -> StoreResult<Option<Why>> {
        // Nobody moves in a schedule.
        self.write(places!("leave"), self.inner.leave(session, now), |_, _| {}).await
    }
}

#[async_trait]
impl SigningStore for Gated {
    async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>> {
        self.inner.signing_keys().await
    }

    async fn add_signing_key(&self, key: SigningKey, after: Option<&str>) -> StoreResult<bool> {
        self.inner.add_signing_key(key, after).await
    }

    async fn drop_signing_keys(&self, kids: Vec<String>) -> StoreResult<()> {
        self.inner.drop_signing_keys(kids).await
    }
}
