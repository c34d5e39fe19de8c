//! The user's own sessions: read, list, kick, log out.

use yaopai_wire::problem::Code;

use super::{Authenticated, Credentials, Service, refused};
use crate::error::{Error, Result};
use crate::ids::{Realm, SessionId};
use crate::ports::{Filter, Subject, Which};
use crate::session::{EndReason, Session, Standing};

/// How many sessions a user is shown.
const LIST_MAX: u32 = 200;

impl Authenticated {
    /// Whose sessions this request may see and end.
    fn subject(&self) -> Subject {
        match (&self.session.user, self.bound) {
            (Some(user), true) => Subject::User(user.clone()),
            _ => Subject::Guest(self.session.identity),
        }
    }
}

impl Service {
    /// The token's session, as its client reads it: what the back end did to it meanwhile is no news from then on.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn read(&self, credentials: &Credentials, slide: bool) -> Result<Authenticated> {
        let who = self.authenticate(credentials, slide).await?;
        if who.session.secrets.risen() {
            self.world().store.bind_read(who.session.id).await?;
        }
        Ok(who)
    }

    /// The live sessions of the token's user, oldest first.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn own_sessions(&self, credentials: &Credentials, slide: bool) -> Result<(Authenticated, Vec<Session>)> {
        let who = self.authenticate(credentials, slide).await?;
        let filter = Filter { subject: Some(who.subject()), limit: LIST_MAX, ..Filter::default() };
        let (sessions, _) = self.live(&who.session.realm, &filter).await?;
        Ok((who, sessions))
    }

    /// Ends one of the user's own sessions.
    ///
    /// # Errors
    /// `not_found` if it isn't the user's or has ended.
    pub async fn kick_own(&self, credentials: &Credentials, id: SessionId, slide: bool) -> Result<()> {
        let who = self.authenticate(credentials, slide).await?;
        let own = who.session.id == id;
        let (which, reason) =
            if own { (Which::One(id), EndReason::Logout) } else { (Which::Own(id, who.subject()), EndReason::Kicked) };
        let (now, _) = self.now();
        let ended = self.world().store.end(&who.session.realm, &which, reason, now).await?;
        if ended.is_empty() && !own {
            return Err(Error::new(Code::NotFound, "The user has no live session of this id."));
        }
        Ok(())
    }

    /// Ends the token's session. Succeeds also when it had ended already.
    ///
    /// # Errors
    /// The refusal that the client is to be told, for a token that is none of the session's or retired.
    pub async fn logout(&self, credentials: &Credentials) -> Result<()> {
        let shown = credentials.token.secret.hash();
        let (session, app) = self.load(&credentials.token).await?;
        let (now, _) = self.now();
        if session.key.is_keyed() && session.secrets.standing(&shown, now) != Standing::Unknown {
            self.prove(&session, &app, credentials).await?;
        }
        match session.secrets.standing(&shown, now) {
            Standing::Unknown => Err(refused(Code::SessionUnknown)),
            // Behind whoever ended it: the file may say so before the table that checks read.
            _ if session.ended.is_some() => {
                self.world().store.end(&session.realm, &Which::One(session.id), EndReason::Logout, now).await?;
                Ok(())
            }
            // Whoever holds only an old token must not end the session of whoever holds the new one.
            Standing::Retired => Err(refused(Code::SessionSuperseded)),
            _ => {
                self.world().store.end(&session.realm, &Which::One(session.id), EndReason::Logout, now).await?;
                Ok(())
            }
        }
    }

    /// Lists live sessions; those that have expired but were not swept yet are left out, and `last_seen` is the table's.
    pub(super) async fn live(&self, realm: &Realm, filter: &Filter) -> Result<(Vec<Session>, Option<SessionId>)> {
        let (now, up) = self.now();
        let mut sessions = self.world().store.list(realm, filter).await?;
        // Before the expired ones are left out: a page of nothing but those must not look like the last.
        let full = sessions.len() >= usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let next = sessions.last().filter(|_| full).map(|s| s.id);
        for session in &mut sessions {
            if let Some(seen) = self.world().presence.last_seen(session.id) {
                session.last_seen = session.last_seen.max(seen);
            }
        }
        sessions.retain(|s| {
            let Some(app) = self.world().apps.get(&s.app) else { return false };
            s.expired(now, up, s.last_seen, self.idle(app)).is_none()
        });
        Ok((sessions, next))
    }
}
