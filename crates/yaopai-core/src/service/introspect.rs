//! What a back end is told of a token that it was shown: always within its own realm.

use super::{Authenticated, Credentials, Service};
use crate::app::{App, Keyed};
use crate::error::{Error, Result};
use crate::ids::{Realm, SessionId};
use crate::session::Session;
use crate::time::Timestamp;
use std::sync::Arc;
use yaopai_wire::token::Token;

impl Service {
    /// Whose token is this? `None`: it is worth nothing to who asks, for whatever reason. Of a keyed session it always is: its
    /// token alone proves nothing, so whoever copied one from a log must not pass for its user here.
    ///
    /// It is a use of the session, as a check is: the first use of a new secret is made durable, and it slides the idle time-out
    /// unless `slide` is false.
    ///
    /// # Errors
    /// The store's: then nothing is known.
    pub async fn introspect(&self, realm: &Realm, token: &Token, slide: bool) -> Result<Option<Authenticated>> {
        // Looked at before it is used: for another realm's back end it doesn't exist, and a token alone is no failed proof.
        let Some((session, app)) = inactive(self.load(token).await)? else { return Ok(None) };
        if session.realm != *realm || !bearer(&session, &app) {
            return Ok(None);
        }
        inactive(self.authenticate(&Credentials::from(token.clone()), slide).await)
    }

    /// The session of this id, if it lives and is of the realm. Nobody has shown a secret of it: what was signed for it speaks.
    ///
    /// # Errors
    /// The store's.
    pub async fn live_session(&self, realm: &Realm, id: SessionId) -> Result<Option<(Session, Arc<App>)>> {
        let Some((session, app, read)) = inactive(self.load_and_when(id).await)? else { return Ok(None) };
        self.still_true(read)?;
        let (now, up) = self.now();
        let live = session.ended.is_none() && session.expired(now, up, session.last_seen, self.idle(&app)).is_none();
        let usable = session.key.is_keyed() || bearer(&session, &app);
        Ok((live && usable && session.realm == *realm).then_some((session, app)))
    }

    /// When the session expires unless it is used.
    pub fn expires_at(&self, session: &Session, app: &App) -> Timestamp {
        let seen = self.world().presence.last_seen(session.id).unwrap_or_default().max(session.last_seen);
        let idle = Timestamp((seen + app.policy.idle).0.saturating_add(self.world().downtime.get().0));
        idle.min(session.absolute_at)
    }
}

/// Is its token alone enough?
fn bearer(session: &Session, app: &App) -> bool {
    !session.key.is_keyed() && app.policy.keyed != Keyed::Required
}

/// A refusal of the token is an answer; all else is an error.
fn inactive<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error { code, .. }) if code.status() == 401 => Ok(None),
        Err(e) => Err(e),
    }
}
