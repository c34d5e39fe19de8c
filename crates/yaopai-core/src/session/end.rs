//! Why a session ended. The client is told which.

use serde::{Deserialize, Serialize};
use yaopai_wire::problem::Code;

use crate::time::Timestamp;

/// The end of a session: once, for one recorded reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// When.
    pub at: Timestamp,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its own client ended it.
    Logout,
    /// Unused for too long.
    ExpiredIdle,
    /// Too old.
    ExpiredAbsolute,
    /// Another device of the user, or the back end, ended it.
    Kicked,
    /// A later login took its place.
    Replaced,
    /// The platform withdrew the authorization.
    RevokedByPlatform,
    /// A retired secret was refreshed: the token had been copied.
    Reused,
    /// The business system disabled the user.
    UserDisabled,
    /// Its identity is no longer bound to the user.
    Unbound,
    /// While its app is being moved, its person went back to the session of old: nobody meant the person.
    Moved,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Logout,
        Self::ExpiredIdle,
        Self::ExpiredAbsolute,
        Self::Kicked,
        Self::Replaced,
        Self::RevokedByPlatform,
        Self::Reused,
        Self::UserDisabled,
        Self::Unbound,
        Self::Moved,
    ];

    /// As stored, logged and shown to operators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::ExpiredIdle => "expired_idle",
            Self::ExpiredAbsolute => "expired_absolute",
            Self::Kicked => "kicked",
            Self::Replaced => "replaced",
            Self::RevokedByPlatform => "revoked_by_platform",
            Self::Reused => "reused",
            Self::UserDisabled => "user_disabled",
            Self::Unbound => "unbound",
            Self::Moved => "moved",
        }
    }

    /// Reads what a store kept.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// What the client is told.
    pub const fn code(self) -> Code {
        match self {
            Self::Logout => Code::SessionEnded,
            // Clients log in by themselves, without a word to the person, and are told then on which side it is.
            Self::ExpiredIdle | Self::ExpiredAbsolute | Self::Moved => Code::SessionExpired,
            Self::Kicked => Code::SessionKicked,
            Self::Replaced => Code::SessionReplaced,
            Self::RevokedByPlatform | Self::Unbound => Code::SessionRevoked,
            Self::Reused => Code::SessionReused,
            Self::UserDisabled => Code::UserDisabled,
        }
    }
}
