//! The state of the apps' moves, as a store keeps it.

use async_trait::async_trait;

use super::StoreResult;
use crate::ids::{AppName, Realm, SessionId, UserId};
use crate::moving::{AppMove, MoveFor, Why};
use crate::time::Timestamp;

/// An engine, as to the apps' moves. [`Store::act`](super::Store::act) changes them.
#[async_trait]
pub trait MoveStore: Send + Sync {
    /// The state of an app's move. `None`: it is in none.
    async fn app_move(&self, realm: &Realm, app: &AppName) -> StoreResult<Option<AppMove>>;

    /// What it says of one person: the user counts whom the identity has or, where it has none, the one who is named. One look-up,
    /// however many are listed.
    async fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        named: Option<&UserId>,
    ) -> StoreResult<Option<MoveFor>>;

    /// Ends a session as `logout` if its person is on the legacy side, in one step. Answers why it is; `None` if it isn't, or the
    /// session has ended, or there is none.
    async fn leave(&self, session: SessionId, now: Timestamp) -> StoreResult<Option<Why>>;
}
