//! The back end is told that a bound session was opened, or rose, and what it sets as cookies is kept.

use yaopai_wire::problem::Code;

use crate::app::{App, BindingWay};
use crate::error::Error;
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
            Ok(lines) => self.learn_opened(session.id, &lines).await,
            Err(e) => {
                Err(Error::new(Code::BackendUnavailable, "The back end was not told of the new session.").internal(e))
            }
        };
        if let Err(e) = told {
            tracing::warn!(app = %app.name, session = %session.id, error = ?e, "webhook `opened` failed");
        }
    }
}
