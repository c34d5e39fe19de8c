//! What a back end asks and says about its users.

use yaopai_wire::problem::Code;

use super::Service;
use crate::error::{Error, Result};
use crate::ids::{Realm, UserId};
use crate::ports::{Acted, Action, BindingFilter, Identity, Keep, KnownUser};
use crate::session::Claims;
use crate::time::Timestamp;

/// A user's claims, if any were set.
pub type Claimed = Option<Claims>;

impl Service {
    /// Users of the realm of whom anything is known, in byte order of their ids.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> Result<Vec<KnownUser>> {
        Ok(self.world().store.users(realm, after, limit).await?)
    }

    /// One of them, and the first `limit` of the identities that are bound to it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn admin_user(&self, realm: &Realm, user: &UserId, limit: u32) -> Result<(KnownUser, Vec<Identity>)> {
        let store = &self.world().store;
        let known = store.user(realm, user).await?;
        let known = known.ok_or_else(|| Error::new(Code::NotFound, "The realm knows nothing of this user."))?;
        let filter = BindingFilter { user: Some(user.clone()), limit, ..BindingFilter::default() };
        Ok((known, store.bindings(realm, &filter).await?))
    }

    /// Disables a user: the sessions end, and no new one opens. Answers which ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_disable(&self, realm: &Realm, user: UserId, keep: Option<Keep>) -> Result<Acted> {
        let (now, _) = self.now();
        self.admin_act(realm, Action::SetDisabled(user, Some(now)), keep).await
    }

    /// Enables a user. Succeeds also when it wasn't disabled.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_enable(&self, realm: &Realm, user: UserId, keep: Option<Keep>) -> Result<Acted> {
        self.admin_act(realm, Action::SetDisabled(user, None), keep).await
    }

    /// Since when a user is disabled.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_disabled_at(&self, realm: &Realm, user: &UserId) -> Result<Option<Timestamp>> {
        Ok(self.world().store.disabled_at(realm, user).await?)
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
    pub async fn admin_set_claims(
        &self,
        realm: &Realm,
        user: UserId,
        claims: Claimed,
        keep: Option<Keep>,
    ) -> Result<Acted> {
        self.admin_act(realm, Action::SetClaims(user, claims), keep).await
    }
}
