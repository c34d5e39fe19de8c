//! The back end is told that a bound session was opened, or rose, and what it sets as cookies is kept.

use yaopai_wire::problem::Code;

use crate::app::{App, BindingWay};
use crate::error::{Error, Result};
use crate::service::{JarOf, Service};
use crate::session::Session;

impl Service {
    /// Tells the back end that a bound session was opened, and keeps the cookies it sets. A failure is logged and changes
    /// nothing else: the session says who the user is all the same.
    pub(in crate::service) async fn tell_opened(&self, app: &App, session: &Session) {
        if session.user.is_none() || app.policy.binding != BindingWay::Webhook {
            return;
        }
        if let Err(e) = self.told_opened(app, session).await {
            tracing::warn!(app = %app.name, session = %session.id, error = ?e, "webhook `opened` failed");
        }
    }

    async fn told_opened(&self, app: &App, session: &Session) -> Result<()> {
        // What a guest has done over there is still theirs after the bind: the back end may log that session in.
        let cookies = self.cookies_for_opened(session.id).await?;
        let lines = self.world().backend.opened(app, session, &cookies).await.map_err(|e| {
            Error::new(Code::BackendUnavailable, "The back end was not told of the new session.").internal(e)
        })?;
        if lines.is_empty() {
            Ok(())
        } else {
            self.learn_opened(JarOf { session: session.id, user: session.user.as_ref() }, &lines).await
        }
    }
}
