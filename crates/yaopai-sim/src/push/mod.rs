//! Message push: what WeChat tells the server by itself. The vendor's "message push" and "message encryption and decryption"
//! pages.

mod letter;
mod message;
mod seal;
mod send;

pub(crate) use letter::{Letter, verification, write};
pub(crate) use message::{Parties, message};
pub(crate) use send::Courier;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::SimError;

/// Most deliveries of one call.
const MAX_TIMES: u32 = 10;
const MAX_FIELDS: usize = 64;
const MAX_NAME: usize = 64;

/// Something that WeChat tells the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// Whom it is about.
    pub user: String,
    /// `Event`: `user_authorization_revoke`, `user_authorization_cancellation`, `user_info_modified` …
    pub event: String,
    /// More fields of the message, or others in place of the usual ones; `null` takes one away.
    pub fields: Map<String, Value>,
    /// How often this same message is delivered, though it is answered each time; 1–10.
    pub times: u32,
    /// What is wrong with it.
    pub tamper: Option<Tamper>,
}

impl Push {
    /// This event of this user.
    pub fn new(user: impl Into<String>, event: impl Into<String>) -> Self {
        Self { user: user.into(), event: event.into(), fields: Map::new(), times: 1, tamper: None }
    }

    /// The user withdraws an authorization; `revoke_info` says which (`1` … `20`).
    pub fn authorization_revoked(user: impl Into<String>, revoke_info: impl Into<String>) -> Self {
        Self::new(user, "user_authorization_revoke").field("RevokeInfo", revoke_info.into())
    }

    /// The user deletes the account with this mini program.
    pub fn account_cancelled(user: impl Into<String>) -> Self {
        Self::new(user, "user_authorization_cancellation")
    }

    /// With this field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Delivered so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Forged.
    #[must_use]
    pub fn tamper(self, tamper: Tamper) -> Self {
        Self { tamper: Some(tamper), ..self }
    }

    pub(crate) fn check(&self) -> Result<(), SimError> {
        let invalid = |what: &str| Err(SimError::Invalid(what.to_owned()));
        if self.event.is_empty() || self.event.len() > MAX_NAME {
            return invalid("event: 1 to 64 bytes");
        }
        if !(1..=MAX_TIMES).contains(&self.times) {
            return invalid("times: 1 to 10");
        }
        // They become names of XML elements.
        let word = |name: &String| {
            let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            rest && name.len() <= MAX_NAME && name.starts_with(|first: char| first.is_ascii_alphabetic())
        };
        if self.fields.len() > MAX_FIELDS || !self.fields.keys().all(word) {
            return invalid("fields: at most 64, whose names are letters, digits and underscores after a letter");
        }
        Ok(())
    }
}

/// How a push is forged, for tests that a server refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tamper {
    /// `signature`, and `msg_signature` where there is one, are not the token's.
    WrongSignature,
    /// No signature at all.
    Unsigned,
    /// `signature` is right, `msg_signature` is not: what somebody can send who has seen one push's query.
    WrongMsgSignature,
    /// The same bytes as the app's last push.
    Replay,
    /// Signed well, of an hour ago.
    OldTimestamp,
    /// The appid inside the encryption, or the message's own where there is none, is another app's.
    OtherApp,
    /// Signed well, encrypted with another key.
    OtherKey,
    /// Signed well; what is encrypted is random bytes.
    Garbage,
    /// In a mode that encrypts, a message that isn't; its `signature` is right, and covers nothing of it.
    PlainBody,
}

impl Tamper {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::WrongSignature,
        Self::Unsigned,
        Self::WrongMsgSignature,
        Self::Replay,
        Self::OldTimestamp,
        Self::OtherApp,
        Self::OtherKey,
        Self::Garbage,
        Self::PlainBody,
    ];

    /// Whether it needs a mode that encrypts.
    pub fn needs_encryption(self) -> bool {
        matches!(self, Self::WrongMsgSignature | Self::OtherKey | Self::Garbage | Self::PlainBody)
    }
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PushReport {
    /// Each delivery got HTTP 200 in time.
    pub accepted: bool,
    /// Sendings beyond the first of each delivery; WeChat sends at most three times.
    pub resends: u32,
    /// Every sending, in order.
    pub tries: Vec<PushTry>,
}

/// One sending, and what the server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PushTry {
    /// The HTTP status; `None` if none came.
    pub status: Option<u16>,
    /// The body, at most 64 KiB of it.
    pub body: String,
    /// Real milliseconds until the answer was there, or was given up.
    pub ms: u64,
    /// Why there is no answer: `timeout` or `connection`.
    pub error: Option<&'static str>,
}

/// What the server answered to the verification of its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// It answered HTTP 200 and the echostr.
    pub verified: bool,
    /// The answer.
    #[serde(flatten)]
    pub answer: PushTry,
}
