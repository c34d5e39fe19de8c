//! Message push: WeChat calls us, to say for instance that a person took back an authorization or closed the account.
//!
//! Pure functions over the request's query and body. Who listens answers [`echo`]'s text to the GET with which WeChat tries a
//! URL, and `success` (or nothing) to the POST of a push, within 5 s, or WeChat sends it again, up to three times.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html>
//!
//! In *secure mode* (with an EncodingAESKey) `msg_signature` covers the message. In *plain text mode* `signature` covers
//! token, timestamp and nonce, and **not the body**: who sees one request, in a proxy's log perhaps, can send any body with
//! that query for as long as the timestamp is fresh. And as the parts are joined without a separator, timestamp and nonce can
//! change places, so that such a query comes alive again when its nonce looks like the time. So use secure mode; with a key,
//! nothing else is taken.

mod body;
mod decrypt;
mod keys;
mod query;
mod xml;

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};
use yaopai_core::time::Timestamp;

pub use keys::{Keys, KeysError};

use query::Query;

/// Longer bodies are refused: pushes have about 1 KB, three times that in the mode that sends both texts.
pub const BODY_MAX: usize = 64 * 1024;

/// The user's profile was cleaned by WeChat.
pub const USER_INFO_MODIFIED: &str = "user_info_modified";

/// The user took an authorization back; `RevokeInfo` says which.
pub const USER_AUTHORIZATION_REVOKE: &str = "user_authorization_revoke";

/// The user closed the account with this mini program.
pub const USER_AUTHORIZATION_CANCELLATION: &str = "user_authorization_cancellation";

/// An openid is 28 characters.
const ID_MAX: usize = 128;

/// What WeChat said. It says it again if our answer is late or lost, and anyone who saw it can repeat it while its timestamp
/// is fresh: acting on it twice must do no harm.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    /// `Event`, as [`USER_AUTHORIZATION_REVOKE`]; `None` for a message that a person wrote.
    pub event: Option<String>,
    /// Whom it is about: `OpenID`; else `FromUserName`, but for the three events above, where that is WeChat's own service.
    pub openid: Option<String>,
    /// When it happened, to the second. What began later is not meant: a session that was opened after the account was closed
    /// is another account's, or a repeated push.
    pub create_time: Timestamp,
    /// `MsgId`, where there is one. Events have none: their text tells them apart.
    pub msg_id: Option<String>,
    /// SHA-256 of the message as it was written, decrypted: WeChat encrypts it anew each time that it says it.
    pub digest: [u8; 32],
    /// All texts and numbers at the top, by name, as texts. What is nested is left out. Of two of a name, one.
    pub fields: BTreeMap<String, String>,
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("event", &self.event)
            .field("create_time", &self.create_time)
            .finish_non_exhaustive()
    }
}

/// Not a push of WeChat's for this app. The texts are for the log; the other side learns no more than that it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The body is longer than [`BODY_MAX`].
    #[error("the body is too long")]
    TooLong,
    /// No query or body of a push.
    #[error("{0}")]
    Malformed(&'static str),
    /// The timestamp is too old, or too far ahead.
    #[error("the timestamp is more than 5 minutes old or a minute ahead; is this machine's clock right?")]
    Stale,
    /// The signature isn't made with our token.
    #[error("the signature is wrong; is the Token the one that WeChat was told?")]
    Signature,
    /// It is not encrypted, and we have a key.
    #[error("not encrypted; set WeChat's side to secure mode")]
    NotEncrypted,
    /// It is encrypted, and we have no key.
    #[error("encrypted, and no EncodingAESKey is configured")]
    NoKey,
    /// Another key, or it is cut.
    #[error("can't be decrypted; is the EncodingAESKey the one that WeChat was told?")]
    CannotDecrypt,
    /// It is for another app.
    #[error("the push is for another appid")]
    NotOurs,
}

/// Reads a push: `POST` with this query (without `?`) and body.
///
/// # Errors
/// See [`PushError`]. What is wrong with a message is told apart only after its signature: before, anybody could have sent it.
pub fn read(keys: &Keys, query: &str, body: &[u8], now: Timestamp) -> Result<Push, PushError> {
    if body.len() > BODY_MAX {
        return Err(PushError::TooLong);
    }
    let query = Query::parse(query)?;
    query.check_time(now)?;
    let Some(key) = &keys.aes else {
        query.check_signature(&keys.token)?;
        let fields = body::fields(body)?;
        return if fields.contains_key("Encrypt") { Err(PushError::NoKey) } else { push(&keys.appid, fields, body) };
    };
    let outer = body::fields(body)?;
    let sealed = outer.get("Encrypt").ok_or(PushError::NotEncrypted)?;
    query.check_msg_signature(&keys.token, sealed)?;
    let message = decrypt::open(key, &keys.appid, sealed)?;
    push(&keys.appid, body::fields(&message)?, &message)
}

/// What to answer, as it is, to the `GET` with which WeChat tries a URL before it takes it. It is never encrypted.
///
/// # Errors
/// See [`PushError`].
pub fn echo(keys: &Keys, query: &str, now: Timestamp) -> Result<String, PushError> {
    let query = Query::parse(query)?;
    query.check_time(now)?;
    query.check_signature(&keys.token)?;
    query.echostr.ok_or(PushError::Malformed("no echostr"))
}

fn push(appid: &str, fields: BTreeMap<String, String>, message: &[u8]) -> Result<Push, PushError> {
    let text = |name: &str| fields.get(name).filter(|s| !s.is_empty()).cloned();
    // What a person writes stands in the same message, behind its kind: it is never an event.
    let event = text("Event").filter(|_| text("MsgType").is_none_or(|kind| kind == "event"));
    let from_service = matches!(
        event.as_deref(),
        Some(USER_INFO_MODIFIED | USER_AUTHORIZATION_REVOKE | USER_AUTHORIZATION_CANCELLATION)
    );
    if from_service && text("AppID").is_some_and(|named| named != appid) {
        return Err(PushError::NotOurs);
    }
    let openid = text("OpenID").or_else(|| text("OpenId"));
    let openid = if from_service { openid } else { openid.or_else(|| text("FromUserName")) };
    let is_id = |id: &String| id.len() <= ID_MAX && id.bytes().all(|b| b.is_ascii_graphic());
    if !openid.as_ref().is_none_or(is_id) {
        return Err(PushError::Malformed("an openid that is none"));
    }
    let seconds: Option<u32> = fields.get("CreateTime").and_then(|s| s.parse().ok());
    let create_time = seconds.ok_or(PushError::Malformed("no CreateTime"))?;
    let msg_id = text("MsgId").or_else(|| text("MsgID"));
    let create_time = Timestamp(i64::from(create_time) * 1000);
    Ok(Push { event, openid, create_time, msg_id, digest: Sha256::digest(message).into(), fields })
}
