//! The business system behind us, asked through the webhook. Only it knows who the user is.

use async_trait::async_trait;

use crate::app::App;
use crate::ids::UserId;
use crate::jar::Cookie;
use crate::ports::Phone;
use crate::session::{Claims, Session};

/// A user whom the back end named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFound {
    /// Its id there.
    pub user: UserId,
    /// What it says about the user; `None` leaves what we know.
    pub claims: Option<Claims>,
}

/// What a client offers to prove which user it is.
#[derive(Clone)]
pub enum Evidence {
    /// The fields of the bind form, handed on as they came and kept nowhere.
    Form(serde_json::Map<String, serde_json::Value>),
    /// A phone number that the platform vouched for: the session's own person allowed it.
    Phone(Phone),
    /// A bind code of this user that the person is about to redeem. The back end may still say no.
    BindCode {
        /// Whom it was made for.
        user: UserId,
        /// The account as the person saw it.
        masked: String,
    },
}

/// The back end's word on the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindVerdict {
    /// It is this user.
    User(UserFound),
    /// It is nobody; the back end's own message for the person, if it gave one.
    Rejected(Option<String>),
}

/// The webhook's three calls.
#[async_trait]
pub trait BackEnd: Send + Sync {
    /// At the first login of an identity without a user: does the back end know it? A miss is never kept.
    ///
    /// # Errors
    /// Any failure; it must never be read as "unbound".
    async fn resolve(&self, app: &App, openid: &str, unionid: Option<&str>) -> Result<Option<UserFound>, BackEndError>;

    /// Which user does this evidence prove?
    ///
    /// # Errors
    /// Any failure; nothing has changed then.
    async fn bind(
        &self,
        app: &App,
        openid: &str,
        unionid: Option<&str>,
        evidence: &Evidence,
    ) -> Result<BindVerdict, BackEndError>;

    /// A bound session was opened, or rose. Of its jar's `cookies` those go along whose path fits. What the answer sets as cookies is
    /// returned, a line per `Set-Cookie`.
    ///
    /// # Errors
    /// Any failure; the session is open all the same.
    async fn opened(&self, app: &App, session: &Session, cookies: &[Cookie]) -> Result<Vec<String>, BackEndError>;
}

/// The webhook failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the back end's webhook failed: {0}")]
pub struct BackEndError(pub String);
