//! What a session is, and the rules by which it changes. Pure: every store loads a session, applies a rule of this room in
//! one transaction and saves the result, so all of them decide alike.

mod end;
mod key;
mod limits;
mod secrets;

pub use end::{EndReason, Ended};
pub use key::SessionKey;
pub use limits::{Limits, Other, RiseLimits, Room};
pub use secrets::{Answer, Candidate, GRACE, Refreshed, RequestHash, STEP_UP_KEPT, Secrets, Standing};

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yaopai_wire::problem::Code;
use yaopai_wire::token::SecretHash;

use crate::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use crate::time::{Timestamp, Uptime};

/// One session, as a store keeps it. Opened by a login, ends once, for one recorded reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The selector half of its token.
    pub id: SessionId,
    /// The set of users it belongs to.
    pub realm: Realm,
    /// The app it was opened in.
    pub app: AppName,
    /// Whom the platform vouched for. Never changes.
    pub identity: IdentityId,
    /// The platform's id of the identity (kept with the identity; here for the principal).
    pub openid: String,
    /// The platform's id of the person over its apps, where there is one.
    pub unionid: Option<String>,
    /// The business system's user. Which secrets may act as the user is theirs to say: [`Secrets`].
    pub user: Option<UserId>,
    /// What the back end says about the user (kept with the user; here for the principal).
    pub claims: Option<Claims>,
    /// What the client says of its device.
    pub device: Device,
    /// What the client says of its release: advisory.
    pub env_version: Option<EnvVersion>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the platform last vouched for the identity.
    pub vouched_at: Timestamp,
    /// When it expires, used or not.
    pub absolute_at: Timestamp,
    /// When it was last used, on the time line that stands still while the server is down. The live table knows better.
    pub last_seen: Uptime,
    /// Whether the holder of the token is the user, or each request must be signed.
    pub key: SessionKey,
    /// The secrets of its tokens.
    pub secrets: Secrets,
    /// Set once.
    pub ended: Option<Ended>,
}

/// How recent a step-up must be for a bind that takes the identity from one user to another, and for an unbind by the client.
pub const REBIND_WITHIN: Duration = Duration::from_secs(300);

impl Session {
    /// Has the platform vouched within [`REBIND_WITHIN`], by a refresh with a code? The login's own word is not enough: its token
    /// has been sent with requests since, and a refresh with a code replaces it.
    pub fn stepped_up_lately(&self, now: Timestamp) -> bool {
        self.vouched_at > self.created_at && now <= self.vouched_at + REBIND_WITHIN
    }
}

/// What the client says of its device, shown in the list of the user's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Device {
    /// The client's own id of the device; at most 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `phone`, `pc` …: what limits by device type count; at most 32 bytes.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// For people to read; at most 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The release a mini program runs as (`wx.getAccountInfoSync().miniProgram.envVersion`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvVersion {
    /// Development version.
    Develop,
    /// Trial version.
    Trial,
    /// Online version.
    Release,
}

impl EnvVersion {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Develop => "develop",
            Self::Trial => "trial",
            Self::Release => "release",
        }
    }
}

/// What the back end says about a user: a JSON object of at most 1 KB, in ASCII (`\u` escapes) so that it fits a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims(String);

/// The largest claims in bytes, as JSON in ASCII.
pub const CLAIMS_MAX: usize = 1024;

impl Claims {
    /// Takes a JSON object. `None` if it is something else or too large.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        if !value.is_object() {
            return None;
        }
        let mut ascii = String::new();
        for c in value.to_string().chars() {
            if c.is_ascii() && c != '\u{7f}' {
                ascii.push(c);
            } else {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        (ascii.len() <= CLAIMS_MAX).then_some(Self(ascii))
    }

    /// Takes what a store kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// JSON in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a value, for answers.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// What a token that was shown is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// It passes. `bound`: it may act as the session's user.
    Passes {
        /// May act as the user.
        bound: bool,
    },
    /// It is a new secret that has to be confirmed before the answer.
    Confirms {
        /// Will be able to act as the user.
        bound: bool,
    },
    /// It does not pass; the code says why.
    Refused(Code),
}

impl Session {
    /// What a shown secret is worth now. `last_seen` is the live table's, where that is later than the stored one.
    ///
    /// Nothing about the session is told to who does not hold one of its secrets.
    pub fn worth(&self, shown: &SecretHash, now: Timestamp, up: Uptime, last_seen: Uptime, idle: Duration) -> Worth {
        let standing = self.secrets.standing(shown, now);
        if standing == Standing::Unknown {
            return Worth::Refused(Code::SessionUnknown);
        }
        if let Some(ended) = &self.ended {
            return Worth::Refused(ended.reason.code());
        }
        if self.expired(now, up, last_seen, idle).is_some() {
            return Worth::Refused(Code::SessionExpired);
        }
        match standing {
            Standing::Current { bound } | Standing::Grace { bound } => {
                Worth::Passes { bound: bound && self.user.is_some() }
            }
            Standing::Successor { bound } => Worth::Confirms { bound: bound && self.user.is_some() },
            Standing::Retired => Worth::Refused(Code::SessionSuperseded),
            Standing::Unknown => Worth::Refused(Code::SessionUnknown),
        }
    }

    /// Has it expired, and how?
    pub fn expired(&self, now: Timestamp, up: Uptime, last_seen: Uptime, idle: Duration) -> Option<EndReason> {
        if now >= self.absolute_at {
            Some(EndReason::ExpiredAbsolute)
        } else if up >= last_seen.max(self.last_seen) + idle {
            Some(EndReason::ExpiredIdle)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    #[test]
    fn claims_are_ascii_and_bounded() {
        let claims = Claims::from_json(&serde_json::json!({"role": "店长😀", "del": "\u{7f}"})).unwrap();
        assert!(claims.as_str().is_ascii());
        assert_eq!(claims.to_json()["role"], "店长😀");
        assert_eq!(claims.to_json()["del"], "\u{7f}");
        assert!(Claims::from_json(&serde_json::json!(["a"])).is_none());
        assert!(Claims::from_json(&serde_json::json!({"a": "x".repeat(1024)})).is_none());
    }
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|all| Value::Object(Map::from_iter(all))),
            ]
        })
    }

    proptest! {
        /// What is kept fits a header as it is, and says what the back end said.
        #[test]
        fn claims_say_what_was_said(value in any_json()) {
            match Claims::from_json(&value) {
                Some(claims) => {
                    prop_assert!(claims.as_str().bytes().all(|b| (b' '..=b'~').contains(&b)));
                    prop_assert!(claims.as_str().len() <= CLAIMS_MAX);
                    prop_assert_eq!(claims.to_json(), value);
                }
                // Each byte is six at most (`\u007f`).
                None => prop_assert!(!value.is_object() || value.to_string().len() > CLAIMS_MAX / 6),
            }
        }
    }
}
