//! Binding: the back end says who the user is; the session's token rotates, and only the new one may act as the user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use yaopai_wire::problem::Code;
use yaopai_wire::token::{SecretHash, Token};

use super::{Authenticated, Granted, Service};
use crate::app::{App, BindingWay};
use crate::error::{Error, Result};
use crate::ids::IdentityId;
use crate::ports::{Bind, BindVerdict, Evidence, JarCookie};
use crate::seal::Place;
use crate::session::{Limits, RequestHash, Session};
use crate::time::millis;

/// How many binds of one identity may be at the back end at a time: one, and a copy of it that the network made.
const BINDS_MAX: u32 = 2;

/// Binds that are at the back end, by identity: one person must not take all its places.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashMap<IdentityId, u32>>);

/// A place at the back end, given back when dropped.
struct AtBackEnd {
    service: Service,
    identity: IdentityId,
}

impl UnderWay {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IdentityId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts are being bound.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn enter(service: &Service, identity: IdentityId) -> Result<AtBackEnd> {
        let mut under_way = service.inner.binding.lock();
        let count = under_way.entry(identity).or_default();
        if *count >= BINDS_MAX {
            let detail =
                "A bind of this account is under way; wait for its answer, or send the same request again later.";
            return Err(Error::new(Code::RateLimited, detail).retry_after(2));
        }
        *count += 1;
        Ok(AtBackEnd { service: service.clone(), identity })
    }
}

impl Drop for AtBackEnd {
    fn drop(&mut self) {
        let mut under_way = self.service.inner.binding.lock();
        if let Some(count) = under_way.get_mut(&self.identity) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.identity);
            }
        }
    }
}

impl Service {
    /// Binds the session by evidence that the back end judges.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn bind(&self, token: &Token, request_id: &str, evidence: Evidence, slide: bool) -> Result<Granted> {
        let Authenticated { session, shown, app, .. } = self.authenticate(token, slide).await?;
        if app.policy.binding != BindingWay::Webhook {
            return Err(Error::field("way", "This app does not bind by a form: its configuration names another way."));
        }
        let request = RequestHash::new("bind", request_id);
        let (now, _) = self.now();
        // A repeated request doesn't ask the back end again.
        if let Some(answer) = session.secrets.answered(&shown, request, now) {
            return self.grant(session, &answer, app);
        }
        let place = UnderWay::enter(self, session.identity)?;
        // On its own task: a client that hangs up must not leave the back end untold, or its cookies nowhere.
        let service = self.clone();
        let bound = tokio::spawn(async move {
            let _place = place;
            service.bind_at_back_end(session, shown, request, evidence, app).await
        });
        bound.await.unwrap_or_else(|e| Err(Error::new(Code::Internal, "Try again.").internal(e)))
    }

    async fn bind_at_back_end(
        &self,
        session: Session,
        shown: SecretHash,
        request: RequestHash,
        evidence: Evidence,
        app: Arc<App>,
    ) -> Result<Granted> {
        let verdict =
            self.world().backend.bind(&app, &session.openid, session.unionid.as_deref(), &evidence).await.map_err(
                |e| {
                    Error::new(Code::BackendUnavailable, "The back end did not answer; nothing has changed. Try again.")
                        .retry_after(2)
                        .internal(e)
                },
            )?;
        let user = match verdict {
            BindVerdict::User(user) => user,
            BindVerdict::Rejected(message) => {
                let detail = "The back end rejected this; its own message, if it gave one, is in `message`.";
                return Err(Error { message, ..Error::new(Code::BindingRejected, detail) });
            }
        };
        let (rotate, _) = self.rotation(&session, shown, request)?;
        let (_, up) = self.now();
        let bind = Bind {
            rotate,
            user,
            second_identity: app.policy.second_identity,
            limits: Limits::of(&app.policy, session.device.kind.as_deref()),
            idle_ms: millis(app.policy.idle),
            up,
        };
        let (session, answer) = super::refresh::handed_out(self.world().store.bind(bind).await?)?;
        self.tell_opened(&app, &session).await;
        tracing::info!(app = %app.name, session = %session.id, "bound");
        self.grant(session, &answer, app)
    }

    /// Removes the binding of the session's identity; its bound sessions end, this one too.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn unbind(&self, token: &Token, slide: bool) -> Result<()> {
        let Authenticated { session, bound, .. } = self.authenticate(token, slide).await?;
        if !bound {
            return Err(super::refused(Code::NotBound));
        }
        let (now, _) = self.now();
        self.world().store.unbind_identity(&session.realm, session.identity, now).await?;
        Ok(())
    }

    /// Tells the back end that a bound session was opened, and keeps the cookies it sets. A failure is logged and changes
    /// nothing else: the session says who the user is all the same.
    pub(super) async fn tell_opened(&self, app: &App, session: &Session) {
        if session.user.is_none() || app.policy.binding != BindingWay::Webhook {
            return;
        }
        let told = match self.world().backend.opened(app, session).await {
            Ok(lines) if lines.is_empty() => Ok(()),
            Ok(lines) => self.keep_cookies(session, &lines).await,
            Err(e) => {
                Err(Error::new(Code::BackendUnavailable, "The back end was not told of the new session.").internal(e))
            }
        };
        if let Err(e) = told {
            tracing::warn!(app = %app.name, session = %session.id, error = ?e, "webhook `opened` failed");
        }
    }

    async fn keep_cookies(&self, session: &Session, lines: &[String]) -> Result<()> {
        let sealer = &self.world().sealer;
        let mut cookies = Vec::with_capacity(lines.len());
        for line in lines {
            let slot = sealer.slot(&[cookie_name(line).as_bytes()]);
            let row = format!("{}/{}", session.id, hex::encode(slot));
            let sealed = sealer.seal(Place { table: "jar", row: &row, column: "sealed" }, line.as_bytes())?;
            cookies.push(JarCookie { slot, sealed });
        }
        Ok(self.world().store.keep_cookies(session.id, cookies).await?)
    }
}

/// The name of a `Set-Cookie` line's cookie (RFC 6265, section 5.2). One place per name until the gateway's jar tells domain
/// and path apart.
fn cookie_name(line: &str) -> &str {
    let pair = line.split(';').next().unwrap_or_default();
    pair.split_once('=').map_or(pair, |(name, _)| name).trim()
}
