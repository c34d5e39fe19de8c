//! Binding: the back end says who the user is; a bearer session's token rotates, and only the new one may act as the user.

mod codes;
mod opened;
mod tries;
mod under_way;

pub(super) use codes::no_code;
pub use codes::{MadeCode, Previewed};
pub(super) use under_way::UnderWay;

use std::net::IpAddr;
use std::sync::Arc;

use yaopai_wire::problem::Code;
use yaopai_wire::token::{SecretHash, Token};
use zeroize::Zeroizing;

use super::{Authenticated, Credentials, Granted, Service};
use crate::app::{App, BindingWay};
use crate::audit::{Event, Kind, carried};
use crate::bind_code;
use crate::error::{Error, Result};
use crate::limit::Taken;
use crate::ports::{Bind, BindVerdict, Evidence, Proof, UserFound};
use crate::session::{Limits, RequestHash, Session};
use crate::time::millis;

/// What a client offers to prove which user its person is.
pub enum Offer {
    /// The fields of the bind form.
    Form(serde_json::Map<String, serde_json::Value>),
    /// A code of `getPhoneNumber`: the platform tells the number, the back end whose it is.
    Phone(String),
    /// A bind code that this session has previewed.
    BindCode(Zeroizing<String>),
}

/// A bind on its way.
struct Attempt {
    session: Session,
    shown: SecretHash,
    token: Token,
    request: RequestHash,
    app: Arc<App>,
    taken: Taken,
}

impl Service {
    /// Binds the session by evidence that the back end judges. `from` is the client's address: tries are counted by it, too.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn bind(
        &self,
        credentials: &Credentials,
        request_id: &str,
        offer: Offer,
        from: IpAddr,
        slide: bool,
    ) -> Result<Granted> {
        let Authenticated { session, shown, app, .. } = self.authenticate(credentials, slide).await?;
        must_bind(&app)?;
        let request = RequestHash::new("bind", request_id);
        let (now, _) = self.now();
        // A repeated request doesn't ask the back end again.
        if let Some(answer) = session.secrets.answered(&shown, request, now) {
            return self.grant(session, &answer, &credentials.token, app);
        }
        let account = tries::account_of(&app, &offer)?;
        let place = UnderWay::enter(self, session.identity)?;
        let told = Event::refused(Kind::Bind, "").of_session(&session);
        let taken = self.may_try(&session, &app, from, account.as_deref()).await;
        let taken = taken.inspect_err(|e| self.tell_refused(told.clone(), Some(e)))?;
        // On its own task: a client that hangs up must not leave the back end untold, or its cookies nowhere.
        let (service, token) = (self.clone(), credentials.token.clone());
        let bound = tokio::spawn(carried(async move {
            let _place = place;
            let bound = service.bind_by(offer, Attempt { session, shown, token, request, app, taken }).await;
            service.tell_refused(told, bound.as_ref().err());
            bound
        }));
        bound.await.unwrap_or_else(|e| Err(Error::new(Code::Internal, "Try again.").internal(e)))
    }

    async fn bind_by(&self, offer: Offer, attempt: Attempt) -> Result<Granted> {
        let (evidence, proof) = self.evidence(offer, &attempt).await?;
        let user = self.judged(&evidence, &attempt).await?;
        let Attempt { session, shown, token, request, app, .. } = attempt;
        let (rotate, _) = self.rotation(&session, shown, request)?;
        let (_, up) = self.now();
        let bind = Bind {
            rotate,
            user,
            proof,
            second_identity: app.policy.second_identity,
            limits: Limits::of(&app.policy, session.device.kind.as_deref()),
            idle_ms: millis(app.policy.idle),
            up,
        };
        let rotated = {
            // It may take the session from one user to another, and empty its jar.
            let _changing = self.inner.jars.changing(session.id);
            self.world().store.bind(bind).await?
        };
        self.first_again(session.id);
        let (session, answer) = super::refresh::handed_out(rotated)?;
        self.tell_opened(&app, &session).await;
        tracing::info!(app = %app.name, session = %session.id, "bound");
        self.grant(session, &answer, &token, app)
    }

    /// What the back end is to judge, and what the store is to know of it.
    async fn evidence(&self, offer: Offer, attempt: &Attempt) -> Result<(Evidence, Proof)> {
        match offer {
            Offer::Form(form) => Ok((Evidence::Form(form), Proof::Form)),
            Offer::Phone(code) => {
                let number = self.redeem_phone(&attempt.session, &attempt.app, &code).await?;
                Ok((Evidence::Phone(number), Proof::Phone))
            }
            Offer::BindCode(text) => {
                let hash = bind_code::hash_of(&text).ok_or_else(no_code)?;
                let (now, _) = self.now();
                // Looked at before the back end is asked for nothing; whether it is redeemed, the bind itself decides.
                let code = self.world().store.bind_code(&hash).await?;
                let code = code.filter(|code| code.redeems(&attempt.session, now)).ok_or_else(no_code)?;
                Ok((Evidence::BindCode { user: code.user, masked: code.masked }, Proof::Code(hash)))
            }
        }
    }

    /// Whom the back end takes the evidence for.
    async fn judged(&self, evidence: &Evidence, Attempt { session, app, taken, .. }: &Attempt) -> Result<UserFound> {
        let verdict = self.world().backend.bind(app, &session.openid, session.unionid.as_deref(), evidence).await;
        let failed = match (verdict, evidence) {
            (Err(e), _) => e.to_string(),
            // The person has confirmed one account: no other may come of it.
            (Ok(BindVerdict::User(found)), Evidence::BindCode { user, .. }) if found.user != *user => {
                "bind: the answer names another user than the bind code".to_owned()
            }
            (Ok(BindVerdict::User(found)), _) => return Ok(found),
            (Ok(BindVerdict::Rejected(message)), _) => {
                let detail = "The back end rejected this; its own message, if it gave one, is in `message`.";
                return Err(Error { message, ..Error::new(Code::BindingRejected, detail) });
            }
        };
        // Who guesses has learnt nothing, and who waits for the back end must not use up the tries.
        self.give_back(taken).await;
        let detail = "The back end did not answer; nothing has changed. Try again.";
        Err(Error::new(Code::BackendUnavailable, detail).retry_after(2).internal(failed))
    }

    /// Removes the binding of the session's identity; its bound sessions end, this one too. As for a rebind, there
    /// must have been a step-up lately: a token alone, which may be a copy, takes the identity from no user.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn unbind(&self, credentials: &Credentials, slide: bool) -> Result<()> {
        let Authenticated { session, bound, .. } = self.authenticate(credentials, slide).await?;
        if !bound {
            return Err(super::refused(Code::NotBound));
        }
        let (now, _) = self.now();
        if !session.stepped_up_lately(now) {
            return Err(super::refused(Code::LoginRequired));
        }
        // From whom the token acts as: a rebind may have come in between, and to its user this token is nobody.
        let (store, user) = (&self.world().store, session.user.as_ref());
        let unbound = store.unbind_identity(&session.realm, session.identity, user, now).await?;
        if unbound { Ok(()) } else { Err(super::refused(Code::NotBound)) }
    }
}

/// Only where the back end is asked is there anything that a client could prove.
fn must_bind(app: &App) -> Result<()> {
    if app.policy.binding == BindingWay::Webhook {
        return Ok(());
    }
    Err(Error::field("way", "Clients of this app do not bind: its configuration names another way."))
}
