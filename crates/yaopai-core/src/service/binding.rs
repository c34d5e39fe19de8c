//! Binding: the back end says who the user is; the session's token rotates, and only the new one may act as the user.

use yaopai_wire::problem::Code;
use yaopai_wire::token::Token;

use super::{Authenticated, Granted, Service};
use crate::app::{App, BindingWay};
use crate::error::{Error, Result};
use crate::ports::{Bind, BindVerdict, Evidence, JarCookie};
use crate::seal::Place;
use crate::session::{RequestHash, Session};

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
        let bind = Bind { rotate, user, second_identity: app.policy.second_identity };
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
