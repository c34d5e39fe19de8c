//! Refresh. A bearer session's rotates the secret, recovers a lost answer, tells theft; a keyed session's extends it.

use yaopai_wire::problem::Code;
use yaopai_wire::token::Token;

use super::{Authenticated, Credentials, Granted, Service, refused};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ports::{Rotate, Rotated};
use crate::seal::Place;
use crate::session::{Answer, Candidate, EndReason, RequestHash, Session, Worth};

impl Service {
    /// Refreshes with a secret, which may be a retired one: telling whether that is a lost answer or theft is the store's
    /// one step. `slide` is false for background calls.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn refresh(&self, credentials: &Credentials, request_id: &str, slide: bool) -> Result<Granted> {
        let token = &credentials.token;
        let shown = token.secret.hash();
        let (session, app) = self.load(token).await?;
        if session.key.is_keyed() {
            return self.extend(credentials, (&session, &app), slide).await;
        }
        match self.worth(&session, &app, &shown) {
            // Retired: only the store can tell what that means.
            Worth::Refused(Code::SessionSuperseded) | Worth::Passes { .. } | Worth::Confirms { .. } => {}
            Worth::Refused(code) => return Err(self.over(&session, &app, code).await),
        }
        self.prove(&session, &app, credentials).await?;
        let (rotate, _) = self.rotation(&session, shown, RequestHash::new("refresh", request_id))?;
        let rotated = self.world().store.rotate(rotate).await?;
        let (session, answer) = match handed_out(rotated) {
            // Another refresh was quicker.
            Err(e) if e.code == EndReason::Moved.code() => return Err(self.over(&session, &app, e.code).await),
            handed => handed?,
        };
        self.may_go_on(&session, &app).await?;
        let (_, up) = self.now();
        self.world().presence.touch(session.id, up, slide);
        self.grant(session, &answer, token, app)
    }

    /// A keyed session's refresh: it is used, and nothing else changes. There is no answer that could be lost.
    async fn extend(
        &self,
        credentials: &Credentials,
        (session, app): (&Session, &App),
        slide: bool,
    ) -> Result<Granted> {
        let Authenticated { session, bound, app, .. } = match self.authenticate(credentials, slide).await {
            Err(e) if e.code == EndReason::Moved.code() => return Err(self.over(session, app, e.code).await),
            authenticated => authenticated?,
        };
        self.may_go_on(&session, &app).await?;
        Ok(Granted { session, bound, token: Some(credentials.token.clone()), key: None, app })
    }

    /// A rotation with a freshly minted candidate.
    pub(super) fn rotation(
        &self,
        session: &Session,
        shown: yaopai_wire::token::SecretHash,
        request: RequestHash,
    ) -> Result<(Rotate, Token)> {
        let token = self.mint(session.id);
        let hash = token.secret.hash();
        let row = answer_row(session, &hash.0);
        let sealed = self.world().sealer.seal(answer_place(&row), token.secret.expose())?;
        let (now, _) = self.now();
        Ok((Rotate { id: session.id, shown, request, candidate: Candidate { hash, sealed }, now }, token))
    }

    /// Opens a kept answer for the client. A keyed session's is the token that was shown.
    pub(super) fn grant(
        &self,
        session: Session,
        answer: &Answer,
        shown: &Token,
        app: std::sync::Arc<App>,
    ) -> Result<Granted> {
        let bound = answer.bound && session.user.is_some();
        if session.key.is_keyed() && answer.hash.matches(&shown.secret.hash()) {
            return Ok(Granted { session, bound, token: Some(shown.clone()), key: None, app });
        }
        let row = answer_row(&session, &answer.hash.0);
        let secret = self.world().sealer.unseal(answer_place(&row), &answer.sealed)?;
        let token = self.token(session.id, &secret)?;
        Ok(Granted { session, bound, token: Some(token), key: None, app })
    }
}

/// What a rotation handed out, or the refusal it amounts to.
pub(super) fn handed_out(rotated: Rotated) -> Result<(Session, Answer)> {
    match rotated {
        Rotated::Answer(session, answer) => Ok((*session, answer)),
        Rotated::Superseded => Err(refused(Code::SessionSuperseded)),
        Rotated::Ended(reason) => Err(refused(reason.code())),
        Rotated::Unknown => Err(refused(Code::SessionUnknown)),
        Rotated::TooMany => Err(Error::new(
            Code::RateLimited,
            "This token was refreshed too often without its answer being used; use the newest token you were given.",
        )
        .retry_after(60)),
        Rotated::Disabled => Err(refused(Code::UserDisabled)),
        Rotated::Conflict => Err(Error::new(
            Code::BindingConflict,
            "This account is bound to another user, or the user to another account of this app; unbind that first.",
        )),
        Rotated::Stale => Err(refused(Code::LoginRequired)),
        Rotated::NoCode => Err(super::binding::no_code()),
        Rotated::Full => Err(Error::new(
            Code::SessionLimit,
            "The user has as many sessions as this app allows; end one on another device first.",
        )),
    }
}

/// The seal's place: the session and the secret's hash, so that no answer opens as another.
fn answer_row(session: &Session, hash: &[u8; 32]) -> String {
    format!("{}/{}", session.id, hex::encode(hash))
}

fn answer_place(row: &str) -> Place<'_> {
    Place { table: "sessions", row, column: "secrets" }
}
