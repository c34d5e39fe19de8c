//! The platform says that a person has withdrawn.

use std::time::Duration;

use super::Service;
use crate::app::App;
use crate::audit::{Actor, By, Event, Kind};
use crate::error::Result;
use crate::ids::SessionId;
use crate::ports::Which;
use crate::session::EndReason;
use crate::time::Timestamp;

/// How far the platform's clock may be behind ours. Its instants are whole seconds besides.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

impl Service {
    /// Ends the sessions that an account had when it withdrew, as `revoked_by_platform`. Answers which.
    ///
    /// A later one stays, because the person has come back since: the platform's word is repeated when our answer to it is
    /// lost, and anybody who saw it can repeat it for a while.
    ///
    /// # Errors
    /// The store's.
    pub async fn revoked_by_platform(&self, app: &App, openid: &str, at: Timestamp) -> Result<Vec<SessionId>> {
        // Not who sent the push: that is a machine of the platform's.
        By::actor(Actor::Platform, None).scope(self.withdrawn(app, openid, at)).await
    }

    async fn withdrawn(&self, app: &App, openid: &str, at: Timestamp) -> Result<Vec<SessionId>> {
        let store = &self.world().store;
        let Some(identity) = store.identity(&app.name, openid).await? else { return Ok(Vec::new()) };
        let (now, _) = self.now();
        let which = Which::Opened(identity.id, at + CLOCKS_DIFFER);
        let ended = store.end(&app.realm, &which, EndReason::RevokedByPlatform, now).await?;
        self.tell(Event::new(Kind::Withdrawn, "").of_identity(&identity).times(ended.len() as u64));
        tracing::info!(app = %app.name, identity = %identity.id, sessions = ended.len(), "revoked by the platform");
        Ok(ended)
    }
}
