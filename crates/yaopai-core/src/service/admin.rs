//! What a back end may ask and do, always within its own realm.

use yaopai_wire::problem::Code;

use super::Service;
use crate::audit::{Event, Kind, carried};
use crate::error::{Error, Result};
use crate::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use crate::ports::{BindEnd, BindTerms, BindingFilter, Filter, HandedToken, Identity, Subject, UserFound, Which};
use crate::session::{Claims, EndReason, RiseLimits, Session};
use crate::time::{Timestamp, millis};

/// A user's claims, if any were set.
pub type Claimed = Option<Claims>;

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

    /// Ends one session of the realm. Succeeds also when it had ended already.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn admin_kick(&self, realm: &Realm, id: SessionId) -> Result<()> {
        self.admin_session(realm, id).await?;
        let (now, _) = self.now();
        self.world().store.end(realm, &Which::One(id), EndReason::Kicked, now).await?;
        Ok(())
    }

    /// Ends all sessions of a user; answers which.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_kick_user(&self, realm: &Realm, user: UserId) -> Result<Vec<SessionId>> {
        let (now, _) = self.now();
        let which = Which::All(Subject::User(user));
        Ok(self.world().store.end(realm, &which, EndReason::Kicked, now).await?)
    }

    /// Ends the sessions of the realm that these rules name; answers how many. It goes by pages, on its own task: a client that
    /// hangs up must not leave half of them.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_kick_all(&self, realm: &Realm, kick: Kick) -> Result<u64> {
        let (service, realm) = (self.clone(), realm.clone());
        let done = tokio::spawn(carried(async move { service.kick_pages(&realm, &kick).await }));
        done.await.unwrap_or_else(|e| Err(Error::new(Code::Internal, "Try again.").internal(e)))
    }

    async fn kick_pages(&self, realm: &Realm, kick: &Kick) -> Result<u64> {
        let store = &self.world().store;
        let mut filter =
            Filter { subject: kick.user.clone().map(Subject::User), app: kick.app.clone(), after: None, limit: 200 };
        let mut ended = 0;
        loop {
            let page = store.list(realm, &filter).await?;
            let named: Vec<SessionId> = page.iter().filter(|s| kick.names(s)).map(|s| s.id).collect();
            if !named.is_empty() {
                let (now, _) = self.now();
                ended += store.end(realm, &Which::Some(named), EndReason::Kicked, now).await?.len() as u64;
            }
            // Ids are in order of time, but for a clock that was set back: the last page is the one that isn't full.
            filter.after = match page.last() {
                Some(last) if page.len() == 200 => Some(last.id),
                _ => return Ok(ended),
            };
        }
    }

    /// Disables a user: the sessions end, and no new one opens. Answers which ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_disable(&self, realm: &Realm, user: &UserId) -> Result<Vec<SessionId>> {
        let (now, _) = self.now();
        Ok(self.world().store.set_disabled(realm, user, Some(now)).await?)
    }

    /// Enables a user. Succeeds also when it wasn't disabled.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_enable(&self, realm: &Realm, user: &UserId) -> Result<()> {
        self.world().store.set_disabled(realm, user, None).await?;
        Ok(())
    }

    /// Since when a user is disabled.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_disabled_at(&self, realm: &Realm, user: &UserId) -> Result<Option<Timestamp>> {
        Ok(self.world().store.disabled_at(realm, user).await?)
    }

    /// Bindings of the realm.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_bindings(&self, realm: &Realm, filter: &BindingFilter) -> Result<Vec<Identity>> {
        Ok(self.world().store.bindings(realm, filter).await?)
    }

    /// Binds an identity that the platform vouched for; its running sessions rise in place.
    ///
    /// # Errors
    /// `not_found`, `binding_conflict`.
    pub async fn admin_bind(&self, realm: &Realm, app: &AppName, openid: &str, user: UserFound) -> Result<Identity> {
        let not_found = || {
            Error::new(
                Code::NotFound,
                "The platform never vouched for this openid in this app: the person logs in first.",
            )
        };
        let app = self.world().apps.get(app).filter(|a| a.realm == *realm).ok_or_else(not_found)?;
        let identity = self.world().store.identity(&app.name, openid).await?.ok_or_else(not_found)?;
        let (now, up) = self.now();
        let terms = BindTerms {
            second_identity: app.policy.second_identity,
            limits: RiseLimits::of(&app.policy),
            idle_ms: millis(app.policy.idle),
            up,
            now,
        };
        let end = self.world().store.bind_identity(realm, identity.id, user, &terms).await?;
        match end {
            BindEnd::Bound(identity) => Ok(*identity),
            BindEnd::NotFound => Err(not_found()),
            BindEnd::Conflict => Err(Error::new(
                Code::BindingConflict,
                "The identity has another user, or the user another identity of this app; delete that binding first.",
            )),
        }
    }

    /// Unbinds an identity; its bound sessions end.
    ///
    /// # Errors
    /// `not_found` if there was no binding.
    pub async fn admin_unbind(&self, realm: &Realm, identity: IdentityId) -> Result<()> {
        let (now, _) = self.now();
        if self.world().store.unbind_identity(realm, identity, None, now).await? {
            Ok(())
        } else {
            Err(Error::new(Code::NotFound, "The realm has no binding of this identity."))
        }
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

    /// What was said about a user.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_claims(&self, realm: &Realm, user: &UserId) -> Result<Claimed> {
        Ok(self.world().store.claims(realm, user).await?)
    }

    /// Says something about a user; checks answer with it at once.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_set_claims(&self, realm: &Realm, user: &UserId, claims: Claimed) -> Result<()> {
        let (now, _) = self.now();
        Ok(self.world().store.set_claims(realm, user, claims, now).await?)
    }
}
