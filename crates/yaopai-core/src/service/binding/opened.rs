//! The back end is told that a bound session was opened, or rose, and what it sets as cookies is kept.

use yaopai_wire::problem::Code;

use crate::app::{App, BindingWay};
use crate::error::{Error, Result};
use crate::ports::JarCookie;
use crate::seal::Place;
use crate::service::Service;
use crate::session::Session;

impl Service {
    /// Tells the back end that a bound session was opened, and keeps the cookies it sets. A failure is logged and changes
    /// nothing else: the session says who the user is all the same.
    pub(in crate::service) async fn tell_opened(&self, app: &App, session: &Session) {
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
