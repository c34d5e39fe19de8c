//! A move's part of logins and refreshes: who is on the legacy side is told so, and asks again later.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use yaopai_wire::problem::Code;

use super::{Service, refused};
use crate::app::{App, Apps, BindingWay};
use crate::error::{Error, Result};
use crate::ids::{AppName, Realm};
use crate::moving::{Why, all_stay, stays};
use crate::ports::Vouched;
use crate::session::{EndReason, Session};

/// What the moves have done since the start.
pub struct Moved {
    apps: HashMap<AppName, Of>,
    legacy: HashMap<Realm, AtomicU64>,
}

#[derive(Default)]
struct Of {
    stayed: AtomicU64,
    returned: AtomicU64,
}

/// The same, as it is at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MovedSoFar {
    /// Logins of the app that were answered `not_moved`.
    pub stayed: u64,
    /// Refreshes that were.
    pub returned: u64,
    /// Requests of the legacy side that the gateway's routes of the realm passed on: whose app that was, they don't say.
    pub legacy_requests: u64,
}

impl Moved {
    pub(super) fn new(apps: &Apps) -> Self {
        Self {
            apps: apps.iter().map(|app| (app.name.clone(), Of::default())).collect(),
            legacy: apps.iter().map(|app| (app.realm.clone(), AtomicU64::default())).collect(),
        }
    }

    /// A request of the legacy side was passed on, by a route of this realm.
    pub fn legacy_request(&self, realm: &str) {
        count(self.legacy.get(&Realm::from(realm)));
    }

    /// What it comes to.
    pub fn so_far(&self, realm: &Realm, app: &AppName) -> MovedSoFar {
        let read = |counter: Option<&AtomicU64>| counter.map_or(0, |counter| counter.load(Ordering::Relaxed));
        let of = self.apps.get(app);
        MovedSoFar {
            stayed: read(of.map(|of| &of.stayed)),
            returned: read(of.map(|of| &of.returned)),
            legacy_requests: read(self.legacy.get(realm)),
        }
    }
}

fn count(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Service {
    /// What the moves have done since the start.
    pub fn moved(&self) -> &Moved {
        &self.inner.moved
    }

    /// Does everybody stay on the legacy side? Asked before the platform is, so that going back helps also where that is the trouble,
    /// and a new version's start is not held up by a question whose answer is known. It is the same to everybody, so it tells nothing
    /// of anybody, nor whether a code is one.
    pub(super) async fn all_stay(&self, app: &App) -> Result<Option<Why>> {
        // Nobody's openid: only what holds for everybody.
        let said = self.world().store.move_for(&app.realm, &app.name, "", None).await?;
        Ok(all_stay(said.as_ref()))
    }

    /// Does this person stay on the legacy side, whoever it is? Asked before the back end is, and its user's name, which is
    /// looked for only where users are listed, may still change it: then the store decides.
    pub(super) async fn stays_anyway(&self, app: &App, vouched: &Vouched) -> Result<Option<Why>> {
        let said = self.world().store.move_for(&app.realm, &app.name, &vouched.openid, None).await?;
        let said = said.filter(|said| said.back || !said.by_user);
        Ok(stays(said.as_ref(), &app.name, &vouched.openid))
    }

    /// A guest's session as it is once the back end was asked again: the old program may have bound the person while this login was
    /// under way. Then the back end knew nobody yet when it was asked, and when it told us there was no identity to bind; by now
    /// there is one, so one of the two is heard. Only in a move is there another place to bind.
    pub(super) async fn bound_meanwhile(&self, app: &App, vouched: &Vouched, session: Session) -> Result<Session> {
        let world = self.world();
        let is_asked = session.user.is_none() && app.policy.binding == BindingWay::Webhook;
        if !is_asked || world.store.move_for(&app.realm, &app.name, &vouched.openid, None).await?.is_none() {
            return Ok(session);
        }
        // It answered a moment ago: if it doesn't now, its word of then counts.
        let found = world.backend.resolve(app, &vouched.openid, vouched.unionid.as_deref()).await;
        let Ok(Some(found)) = found else { return Ok(session) };
        world.store.bind_identity(&app.realm, session.identity, found, &self.terms(app)).await?;
        Ok(world.store.load(session.id).await?.unwrap_or(session))
    }

    /// The refusal of a login.
    pub(super) fn stayed(&self, app: &App, why: Why) -> Error {
        count(self.inner.moved.apps.get(&app.name).map(|of| &of.stayed));
        tracing::info!(app = %app.name, why = why.as_str(), "a login stays on the legacy side");
        not_moved(app)
    }

    /// Ends the session if its person is on the legacy side by now. To be called once the refresh has proved itself, and before its
    /// answer is handed out.
    pub(super) async fn may_go_on(&self, session: &Session, app: &App) -> Result<()> {
        let store = &self.world().store;
        let user = session.user.as_ref();
        let said = store.move_for(&session.realm, &session.app, &session.openid, user).await?;
        if stays(said.as_ref(), &session.app, &session.openid).is_none() {
            return Ok(());
        }
        // Decided anew where the session ends, in one step.
        let (now, _) = self.now();
        let Some(why) = store.leave(session.id, now).await? else {
            // It has moved in between; or it has left already, by another refresh, and must not be handed out as if it lived.
            let ended = store.load(session.id).await?.and_then(|session| session.ended);
            return match ended {
                Some(ended) => Err(self.over(session, app, ended.reason.code()).await),
                None => Ok(()),
            };
        };
        count(self.inner.moved.apps.get(&app.name).map(|of| &of.returned));
        tracing::info!(app = %app.name, session = %session.id, why = why.as_str(), "a session went back to the legacy side");
        Err(not_moved(app))
    }

    /// Why a session that is over can't be refreshed. Who has lost the answer by which it went back is told the same again.
    pub(super) async fn over(&self, session: &Session, app: &App, code: Code) -> Error {
        if code != EndReason::Moved.code() {
            return refused(code);
        }
        let user = session.user.as_ref();
        match self.world().store.move_for(&session.realm, &session.app, &session.openid, user).await {
            Ok(said) if stays(said.as_ref(), &session.app, &session.openid).is_some() => not_moved(app),
            Ok(_) => refused(code),
            Err(e) => e.into(),
        }
    }
}

fn not_moved(app: &App) -> Error {
    let wait = u32::try_from(app.policy.move_ask_again.as_secs()).unwrap_or(u32::MAX);
    let detail = "Go on with the program's own session as before; log in here again after Retry-After.";
    Error::new(Code::NotMoved, detail).retry_after(wait)
}
