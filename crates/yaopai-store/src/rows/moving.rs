use yaopai_core::ids::{AppName, Realm, UserId};
use yaopai_core::moving::{AppMove, MoveFor};

use super::Base;

/// The state of the apps' moves.
pub trait MoveRows: Base {
    /// One app's, as it is at one moment.
    fn app_move(&self, realm: &Realm, app: &AppName) -> Result<Option<AppMove>, Self::Error>;

    /// What it says of one person, whose user is known. However many are listed, none but this one is read.
    fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        user: Option<&UserId>,
    ) -> Result<Option<MoveFor>, Self::Error>;

    /// A new one, where there is none.
    fn insert_move(&self, realm: &Realm, app: &AppName, state: &AppMove) -> Result<(), Self::Error>;

    /// Forgets one, with its lists.
    fn drop_move(&self, realm: &Realm, app: &AppName) -> Result<(), Self::Error>;
}
