//! The principal for what isn't headers: taken apart again, and compared.

use percent_encoding::percent_decode;
use yaopai_core::ids::{AppName, SessionId};
use yaopai_core::session::EnvVersion;
use yaopai_core::time::Timestamp;

use super::{Few, KEPT, Principal, RISEN};

/// A principal, taken apart: what a JWT and an introspection say.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The app.
    pub app: AppName,
    /// The session.
    pub session_id: String,
    /// Our id of whom the platform vouched for.
    pub identity_id: String,
    /// The business system's user; `None` while unbound.
    pub user: Option<String>,
    /// The platform's id of the identity.
    pub openid: Option<String>,
    /// The platform's id of the person over its apps.
    pub unionid: Option<String>,
    /// What the back end says about the user.
    pub claims: Option<serde_json::Value>,
    /// When the platform last vouched.
    pub vouched_at: Timestamp,
    /// The release, as the client says.
    pub env_version: Option<EnvVersion>,
}

/// What tells one principal of a session from another.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamp {
    block: Box<[u8]>,
    few: Few,
}

impl Principal {
    /// What it says, taken apart again. Off the fast path.
    pub fn facts(&self, id: SessionId) -> Facts {
        let (lengths, kept) = self.block.split_at(KEPT * 2);
        let mut rest = kept;
        let mut values = lengths.as_chunks::<2>().0.iter().map(|length| {
            let (value, after) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
            rest = after;
            (!value.is_empty()).then_some(value)
        });
        let mut next = || values.next().flatten();
        let decoded = |value: &[u8]| percent_decode(value).decode_utf8_lossy().into_owned();
        Facts {
            app: self.place.app.clone(),
            session_id: id.to_string(),
            identity_id: self.identity.to_string(),
            user: next().map(decoded),
            openid: next().map(decoded),
            unionid: next().map(decoded),
            claims: next().and_then(|json| serde_json::from_slice(json).ok()),
            vouched_at: self.vouched_at(),
            env_version: self.few.env_version(),
        }
    }

    /// Its user, as the header says it; empty while there is none.
    pub fn user(&self) -> &[u8] {
        let (lengths, kept) = self.block.split_at(KEPT * 2);
        let length = lengths.first_chunk::<2>().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
        kept.get(..length).unwrap_or_default()
    }

    /// What tells it from any other principal of the same session.
    pub fn stamp(&self) -> Stamp {
        Stamp { block: self.block.clone(), few: self.few.lasting() }
    }

    /// Does it say the same as the one of the same session that this stamp is of?
    #[inline]
    pub fn is(&self, stamp: &Stamp) -> bool {
        self.few.lasting() == stamp.few && self.block == stamp.block
    }
}

impl Few {
    /// Without what its client reads and nobody else is told.
    fn lasting(self) -> Self {
        Self { flags: self.flags & !RISEN, ..self }
    }
}
