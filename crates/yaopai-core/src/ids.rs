//! Names of things. Each kind has its own type, so that one can't be passed for another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ports::Entropy;
use crate::time::Timestamp;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A fresh UUIDv7 (RFC 9562, section 5.7): the time in front keeps a store's inserts sequential.
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                let mut random = [0u8; 10];
                entropy.fill(&mut random);
                let millis = u64::try_from(now.0).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes())
            }

            /// When it was made, to the millisecond.
            pub fn made_at(&self) -> Timestamp {
                let mut millis = [0u8; 8];
                millis[2..].copy_from_slice(&self.0[..6]);
                Timestamp(i64::from_be_bytes(millis))
            }

            /// The text form, without a string.
            pub fn text(&self) -> [u8; 36] {
                let mut text = [0u8; 36];
                uuid::Uuid::from_bytes(self.0).hyphenated().encode_lower(&mut text);
                text
            }

            /// Reads the text form.
            pub fn parse(text: &str) -> Option<Self> {
                // One spelling only: the hyphenated one that we write.
                if text.len() != 36 { return None; }
                uuid::Uuid::try_parse(text).ok().map(|u| Self(u.into_bytes()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

uuid_id! {
    /// A session's id: safe to log, worth nothing without the secret.
    SessionId
}
uuid_id! {
    /// Our id of an identity: one (app, openid) that the platform vouched for.
    IdentityId
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// One set of business users. Nothing of one realm is visible in another.
    Realm
}
name! {
    /// An app's name in our configuration (not the platform's appid).
    AppName
}
name! {
    /// The business system's own user id within a realm: 1–128 bytes that we never interpret.
    UserId
}

/// The longest user id in bytes.
pub const USER_ID_MAX: usize = 128;

impl UserId {
    /// Takes a back end's user id. A JSON integer is accepted as its decimal text.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(s) if (1..=USER_ID_MAX).contains(&s.len()) => Some(Self(s.as_str().into())),
            serde_json::Value::Number(n) if n.is_i64() || n.is_u64() => Some(Self(n.to_string().into())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids() {
        let id = |v| UserId::from_json(&v).map(|u| u.to_string());
        assert_eq!(id(serde_json::json!(42)), Some("42".into()));
        assert_eq!(id(serde_json::json!("张三")), Some("张三".into()));
        for bad in [
            serde_json::json!(""),
            serde_json::json!(1.5),
            serde_json::json!(null),
            serde_json::json!([1]),
            serde_json::json!("x".repeat(129)),
        ] {
            assert_eq!(id(bad), None);
        }
    }
}
