//! Who of an app's people is on which side while it is being moved.

use yaopai_wire::problem::Code;

use super::Service;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{AppName, Realm, UserId};
use crate::moving::{AppMove, Share, Side, Why, side};
use crate::ports::{Acted, Action, BindingFilter, Keep};
use crate::service::MovedSoFar;

/// How many accounts of one user are looked at.
const ACCOUNTS_MAX: u32 = 200;

/// Whose side is asked for.
#[derive(Debug, Clone)]
pub enum Person {
    /// The account's of this openid.
    Openid(String),
    /// This user's.
    User(UserId),
}

impl Service {
    /// The state of an app's move, and what it has done since the start.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn admin_app_move(&self, realm: &Realm, app: &AppName) -> Result<(AppMove, MovedSoFar)> {
        let app = self.app_of(realm, app)?;
        let state = self.world().store.app_move(realm, &app.name).await?.ok_or_else(no_move)?;
        Ok((state, self.moved().so_far(realm, &app.name)))
    }

    /// Sets the state of an app's move; logins and refreshes go by it from the answer on.
    ///
    /// # Errors
    /// `not_found` for an app that the realm doesn't have.
    pub async fn admin_set_move(
        &self,
        realm: &Realm,
        app: &AppName,
        state: AppMove,
        keep: Option<Keep>,
    ) -> Result<Acted> {
        let app = self.app_of(realm, app)?;
        tracing::info!(app = %app.name, share = state.share.percent(), back = state.back, "the app's move has a new state");
        self.admin_act(realm, Action::SetMove(app.name.clone(), state), keep).await
    }

    /// Ends an app's move: everybody is on our side.
    ///
    /// # Errors
    /// `not_found` if it is in none.
    pub async fn admin_end_move(&self, realm: &Realm, app: &AppName, keep: Option<Keep>) -> Result<Acted> {
        let app = self.app_of(realm, app)?;
        match self.admin_act(realm, Action::EndMove(app.name.clone()), keep).await? {
            Acted::MoveEnded(false) => Err(no_move()),
            acted => Ok(acted),
        }
    }

    /// On which side a person is, and by what.
    ///
    /// # Errors
    /// `not_found` for an app that the realm doesn't have, and for a user of whom that can't be told, because no account is known
    /// or several are and they differ.
    pub async fn admin_side(&self, realm: &Realm, app: &AppName, person: &Person) -> Result<(Side, Why)> {
        let app = self.app_of(realm, app)?;
        match person {
            Person::Openid(openid) => self.side_of(realm, app, openid, None).await,
            Person::User(user) => self.side_of_user(realm, app, user).await,
        }
    }

    async fn side_of(&self, realm: &Realm, app: &App, openid: &str, user: Option<&UserId>) -> Result<(Side, Why)> {
        let said = self.world().store.move_for(realm, &app.name, openid, user).await?;
        Ok(side(said.as_ref(), &app.name, openid))
    }

    async fn side_of_user(&self, realm: &Realm, app: &App, user: &UserId) -> Result<(Side, Why)> {
        // Nobody's openid: what holds whichever account the user comes with.
        let said = self.world().store.move_for(realm, &app.name, "", Some(user)).await?;
        let by_account =
            said.is_some_and(|s| !s.back && !s.listed && ![Share::NOBODY, Share::EVERYBODY].contains(&s.share));
        if !by_account {
            return Ok(side(said.as_ref(), &app.name, ""));
        }
        let (user, app_name) = (Some(user.clone()), Some(app.name.clone()));
        let filter = BindingFilter { user, app: app_name, limit: ACCOUNTS_MAX, ..BindingFilter::default() };
        let mut found = None;
        for account in self.world().store.bindings(realm, &filter).await? {
            let one = self.side_of(realm, app, &account.openid, None).await?;
            if found.is_some_and(|found| found != one) {
                return Err(Error::new(Code::NotFound, "The user's accounts are on different sides: ask by openid."));
            }
            found = Some(one);
        }
        found.ok_or_else(|| Error::new(Code::NotFound, "No account of this app is bound to the user: ask by openid."))
    }

    fn app_of(&self, realm: &Realm, app: &AppName) -> Result<&App> {
        let app = self.world().apps.get(app).filter(|app| app.realm == *realm);
        app.map(|app| &**app).ok_or_else(|| Error::new(Code::NotFound, "The realm has no app of this name."))
    }
}

fn no_move() -> Error {
    Error::new(Code::NotFound, "The app is in no move: everybody is on our side.")
}
