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
                let id = Self(uuid::Uuid::try_parse(text).ok()?.into_bytes());
                (id.text() == text.as_bytes()).then_some(id)
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
    use proptest::prelude::*;

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
    #[test]
    fn an_id_has_one_spelling() {
        let text = SessionId([0xab; 16]).to_string();
        assert_eq!(SessionId::parse(&text), Some(SessionId([0xab; 16])));
        for other in [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}"), format!("urn:uuid:{text}")] {
            assert_eq!(SessionId::parse(&other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn ids_read_as_they_are_written(id: [u8; 16]) {
            let text = SessionId(id).to_string();
            prop_assert_eq!(text.as_bytes(), SessionId(id).text());
            prop_assert_eq!(SessionId::parse(&text), Some(SessionId(id)));
        }

        /// Near an id or far from it: what is read is written again as the same text.
        #[test]
        fn only_what_we_write_is_read(
            text in prop_oneof![any::<String>(), "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"],
        ) {
            if let Some(id) = SessionId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn a_user_id_is_taken_as_it_is(text: String, number: i64) {
            let taken = UserId::from_json(&text.as_str().into());
            prop_assert_eq!(taken.map(|u| u.to_string()), Some(text).filter(|t| (1..=USER_ID_MAX).contains(&t.len())));
            prop_assert_eq!(UserId::from_json(&number.into()).map(|u| u.to_string()), Some(number.to_string()));
        }
    }
}
