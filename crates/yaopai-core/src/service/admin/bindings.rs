//! Which identity is which user, by the back end's word.

use yaopai_wire::problem::Code;

use super::Service;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{AppName, IdentityId, Realm, UserId};
use crate::ports::{Acted, Action, BindEnd, BindTerms, BindingFilter, Identity, Keep, Merge, Move, UserFound};
use crate::session::RiseLimits;
use crate::time::millis;

/// Which identities are one person's, and whose they become.
#[derive(Debug, Clone)]
pub struct Merging {
    /// The platform's id of the person.
    pub unionid: String,
    /// The open platform that knows it by this id, as the configuration names it.
    pub open_platform: String,
    /// Whose they become. `None`: the one user that they have.
    pub user: Option<UserId>,
    /// Only say what would be done.
    pub dry_run: bool,
}

impl Service {
    /// Identities of the realm.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_bindings(&self, realm: &Realm, filter: &BindingFilter) -> Result<Vec<Identity>> {
        Ok(self.world().store.bindings(realm, filter).await?)
    }

    /// One identity of the realm.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn admin_identity(&self, realm: &Realm, id: IdentityId) -> Result<Identity> {
        let found = self.world().store.identity_by_id(realm, id).await?;
        found.ok_or_else(|| Error::new(Code::NotFound, "The realm has no identity of this id."))
    }

    /// Binds an identity that the platform vouched for; its running sessions rise in place.
    ///
    /// # Errors
    /// `not_found`, `binding_conflict`.
    pub async fn admin_bind(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        user: UserFound,
        keep: Option<Keep>,
    ) -> Result<Acted> {
        let not_found = || {
            Error::new(
                Code::NotFound,
                "The platform never vouched for this openid in this app: the person logs in first.",
            )
        };
        let app = self.world().apps.get(app).filter(|a| a.realm == *realm).ok_or_else(not_found)?;
        let identity = self.world().store.identity(&app.name, openid).await?.ok_or_else(not_found)?;
        let action = Action::Bind(identity.id, user, self.terms(app));
        match self.admin_act(realm, action, keep).await? {
            Acted::Bound(BindEnd::NotFound) => Err(not_found()),
            Acted::Bound(BindEnd::Conflict) => Err(Error::new(
                Code::BindingConflict,
                "The identity has another user, or the user another identity of this app; move it, or delete that binding first.",
            )),
            acted => Ok(acted),
        }
    }

    /// What a bind by the back end goes by in this app.
    pub(in crate::service) fn terms(&self, app: &App) -> BindTerms {
        let (now, up) = self.now();
        BindTerms {
            second_identity: app.policy.second_identity,
            limits: RiseLimits::of(&app.policy),
            idle_ms: millis(app.policy.idle),
            up,
            now,
        }
    }

    /// Unbinds an identity; its bound sessions end.
    ///
    /// # Errors
    /// `not_found` if there was no binding.
    pub async fn admin_unbind(&self, realm: &Realm, identity: IdentityId, keep: Option<Keep>) -> Result<Acted> {
        match self.admin_act(realm, Action::Unbind(identity), keep).await? {
            Acted::Unbound(false) => Err(no_binding()),
            acted => Ok(acted),
        }
    }

    /// Takes an identity from its user to another in one step; its bound sessions end.
    ///
    /// # Errors
    /// `not_found` if it has no user to leave; `binding_conflict` if that is another than `from`, or the other user has an identity of
    /// this app.
    pub async fn admin_move(
        &self,
        realm: &Realm,
        identity: IdentityId,
        from: Option<UserId>,
        to: UserFound,
        keep: Option<Keep>,
    ) -> Result<Acted> {
        let found = self.world().store.identity_by_id(realm, identity).await?.ok_or_else(no_binding)?;
        // An app that is not configured any more, or elsewhere, allows nothing beyond the default.
        let app = self.world().apps.get(&found.app).filter(|app| app.realm == *realm);
        let second_identity = app.is_some_and(|app| app.policy.second_identity);
        let to = Move { identity, from, to, second_identity, why: "move" };
        match self.admin_act(realm, Action::Move(to), keep).await? {
            Acted::Bound(BindEnd::NotFound) => Err(no_binding()),
            Acted::Bound(BindEnd::Conflict) => Err(Error::new(
                Code::BindingConflict,
                "The identity has another user than `from`, or the user to whom it would go has another identity of this app.",
            )),
            acted => Ok(acted),
        }
    }

    /// Gives all identities of one person, over the realm's apps of one open platform, to one user: all of them, or none.
    ///
    /// # Errors
    /// `field_invalid` for an open platform that no app of the realm has, `not_found` if nobody has this unionid; `binding_conflict` if
    /// anything stands against it, but for a dry run.
    pub async fn admin_merge(&self, realm: &Realm, merging: Merging, keep: Option<Keep>) -> Result<Acted> {
        let Merging { unionid, open_platform, user, dry_run } = merging;
        let of_it = |app: &&std::sync::Arc<App>| {
            app.realm == *realm && app.policy.open_platform.as_ref() == Some(&open_platform)
        };
        let apps: Vec<_> = self.world().apps.iter().filter(of_it).map(|a| (a.name.clone(), self.terms(a))).collect();
        if apps.is_empty() {
            return Err(Error::field("open_platform", "No app of the realm has this `open_platform`."));
        }
        match self.admin_act(realm, Action::Merge(Merge { unionid, apps, user, dry_run }), keep).await? {
            Acted::Merged(merged) if merged.identities.is_empty() => Err(Error::new(
                Code::NotFound,
                "Nobody with this unionid is known in the realm's apps of this open platform.",
            )),
            Acted::Merged(merged) if !merged.done && !dry_run => Err(Error::new(
                Code::BindingConflict,
                "Nothing was changed: they have no user, or several, and none was named; or the user would have two identities of \
                 an app. Send it with `dry_run` to see which.",
            )),
            acted => Ok(acted),
        }
    }
}

fn no_binding() -> Error {
    Error::new(Code::NotFound, "The realm has no binding of this identity.")
}
