//! What a back end may ask and do, always within its own realm. What changes something takes the answer to keep with the change
//! ([`Keep`]), and says what came of it, or that it was answered before ([`Acted::Repeated`]).

mod bindings;
mod moves;
mod users;

use yaopai_wire::problem::Code;

use super::Service;
use crate::audit::{Event, Kind, carried};
use crate::error::{Error, Result};
use crate::ids::{AppName, Realm, SessionId, UserId};
use crate::ports::{Act, Acted, Action, Filter, HandedToken, Keep, Subject, Which};
use crate::session::{EndReason, Session};
use crate::time::Timestamp;

pub use bindings::Merging;
pub use moves::Person;
pub use users::Claimed;

/// Which sessions to end: those that all of this is true of.
#[derive(Debug, Clone)]
pub struct Kick {
    /// Of this user.
    pub user: Option<UserId>,
    /// Of this app.
    pub app: Option<AppName>,
    /// Of devices of this type.
    pub device_type: Option<String>,
    /// Opened at this time or before.
    pub until: Timestamp,
}

impl Kick {
    fn names(&self, session: &Session) -> bool {
        let of_type = self.device_type.as_ref().is_none_or(|kind| session.device.kind.as_ref() == Some(kind));
        of_type && session.created_at <= self.until
    }
}

impl Service {
    /// Live sessions of the realm, and where the next page begins.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_sessions(&self, realm: &Realm, filter: &Filter) -> Result<(Vec<Session>, Option<SessionId>)> {
        self.live(realm, filter).await
    }

    /// One session of the realm, ended or not.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn admin_session(&self, realm: &Realm, id: SessionId) -> Result<Session> {
        let session = self.world().store.load(id).await?.filter(|s| s.realm == *realm);
        let mut session = session.ok_or_else(|| Error::new(Code::NotFound, "The realm has no session of this id."))?;
        if let Some(seen) = self.world().presence.last_seen(id) {
            session.last_seen = session.last_seen.max(seen);
        }
        Ok(session)
    }

    /// One step, with the answer that goes with it.
    ///
    /// # Errors
    /// `rate_limited` where the realm keeps as many answers as it may; the store's.
    pub async fn admin_act(&self, realm: &Realm, action: Action, keep: Option<Keep>) -> Result<Acted> {
        let (now, _) = self.now();
        let acted = self.world().store.act(Act { realm: realm.clone(), action, keep, now }).await?;
        if acted == Acted::Full {
            let detail = "The realm has used as many idempotency keys within a day as are kept; send this without one, or later.";
            return Err(Error::new(Code::RateLimited, detail).retry_after(60));
        }
        Ok(acted)
    }

    /// Ends one session of the realm. Succeeds also when it had ended already.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn admin_kick(&self, realm: &Realm, id: SessionId, keep: Option<Keep>) -> Result<Acted> {
        self.admin_session(realm, id).await?;
        self.admin_act(realm, Action::Kick(Which::One(id), EndReason::Kicked), keep).await
    }

    /// Ends all sessions of a user; answers which.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_kick_user(&self, realm: &Realm, user: UserId, keep: Option<Keep>) -> Result<Acted> {
        self.admin_act(realm, Action::Kick(Which::All(Subject::User(user)), EndReason::Kicked), keep).await
    }

    /// Ends the sessions of the realm that these rules name; answers how many, and what came of the last step. It goes by pages, on
    /// its own task: a client that hangs up must not leave half of them. The answer is kept with the last page: `keep` is told how
    /// many ended before it. After a crash on the way there is none, and the same call again ends the rest.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_kick_all<K>(&self, realm: &Realm, kick: Kick, keep: K) -> Result<(u64, Acted)>
    where
        K: FnOnce(u64) -> Option<Keep> + Send + 'static,
    {
        let (service, realm) = (self.clone(), realm.clone());
        let done = tokio::spawn(carried(async move { service.kick_pages(&realm, &kick, keep).await }));
        done.await.unwrap_or_else(|e| Err(Error::new(Code::Internal, "Try again.").internal(e)))
    }

    async fn kick_pages<K>(&self, realm: &Realm, kick: &Kick, keep: K) -> Result<(u64, Acted)>
    where
        K: FnOnce(u64) -> Option<Keep> + Send + 'static,
    {
        let store = &self.world().store;
        let reason = self.kicked_as(realm, kick).await?;
        let mut filter =
            Filter { subject: kick.user.clone().map(Subject::User), app: kick.app.clone(), after: None, limit: 200 };
        let mut ended = 0;
        loop {
            let page = store.list(realm, &filter).await?;
            let named: Vec<SessionId> = page.iter().filter(|s| kick.names(s)).map(|s| s.id).collect();
            // Ids are in order of time, but for a clock that was set back: the last page is the one that isn't full.
            filter.after = page.last().filter(|_| page.len() == 200).map(|last| last.id);
            if filter.after.is_none() {
                let acted = self.admin_act(realm, Action::Kick(Which::Some(named), reason), keep(ended)).await?;
                let last = if let Acted::Ended(ids) = &acted { ids.len() as u64 } else { 0 };
                return Ok((ended + last, acted));
            }
            if !named.is_empty()
                && let Acted::Ended(ids) = self.admin_act(realm, Action::Kick(Which::Some(named), reason), None).await?
            {
                ended += ids.len() as u64;
            }
        }
    }

    /// An app's sessions that end while its move is `back` are on their way there: it is nobody's word against a person, and who
    /// hears of it after the switch is off again must not be told so. A user's sessions are somebody's.
    async fn kicked_as(&self, realm: &Realm, kick: &Kick) -> Result<EndReason> {
        // All of the app, or all until some moment: whoever picks among them means them.
        let (Some(app), None, None) = (&kick.app, &kick.user, &kick.device_type) else { return Ok(EndReason::Kicked) };
        let said = self.world().store.move_for(realm, app, "", None).await?;
        Ok(if said.is_some_and(|said| said.back) { EndReason::Moved } else { EndReason::Kicked })
    }

    /// The platform's access_token of an app of the realm.
    ///
    /// # Errors
    /// `not_found`, or the platform's.
    pub async fn admin_access_token(&self, realm: &Realm, app: &AppName) -> Result<HandedToken> {
        let app = self.world().apps.get(app).filter(|a| a.realm == *realm);
        let app = app.ok_or_else(|| Error::new(Code::NotFound, "The realm has no app of this name."))?;
        let handed = self.world().platform.access_token(app).await.map_err(|e| Error::from(e).of_a_call())?;
        self.tell(Event::new(Kind::AccessToken, "").of_app(app));
        Ok(handed)
    }
}
