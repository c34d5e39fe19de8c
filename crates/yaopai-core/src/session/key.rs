//! How requests of a session are proved.

/// Fixed at the login: nothing changes its kind, drops it, or hands it out again.
#[derive(Clone, PartialEq, Eq)]
pub enum SessionKey {
    /// There is none: whoever holds the token is the user.
    Bearer,
    /// Each request is signed with a key of the session's own, here sealed.
    HmacSha256(Vec<u8>),
    /// Each request is signed with a key derived from WeChat's own per-user key, which has versions.
    WeChat {
        /// The newest version known here.
        newest: u32,
        /// The keys of the known versions, sealed together.
        sealed: Vec<u8>,
    },
}

impl SessionKey {
    /// As stored.
    pub const BEARER: &str = "bearer";
    /// As stored.
    pub const HMAC_SHA256: &str = "hmac-sha256";
    /// As stored.
    pub const WECHAT: &str = "wechat";

    /// Its kind, as stored and shown to operators.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Bearer => Self::BEARER,
            Self::HmacSha256(_) => Self::HMAC_SHA256,
            Self::WeChat { .. } => Self::WECHAT,
        }
    }

    /// Must each request be signed?
    pub const fn is_keyed(&self) -> bool {
        !matches!(self, Self::Bearer)
    }

    /// What is kept of it beside its kind: a version (0 where there are none) and sealed bytes.
    pub fn kept(&self) -> (u32, Option<&[u8]>) {
        match self {
            Self::Bearer => (0, None),
            Self::HmacSha256(sealed) => (0, Some(sealed)),
            Self::WeChat { newest, sealed } => (*newest, Some(sealed)),
        }
    }

    /// Reads what a store kept. `None`: no such kind, or something is missing. Never a bearer session for want of a key.
    pub fn from_kept(kind: &str, version: u32, sealed: Option<Vec<u8>>) -> Option<Self> {
        match (kind, sealed) {
            (Self::BEARER, None) => Some(Self::Bearer),
            (Self::HMAC_SHA256, Some(sealed)) => Some(Self::HmacSha256(sealed)),
            (Self::WECHAT, Some(sealed)) => Some(Self::WeChat { newest: version, sealed }),
            _ => None,
        }
    }
}

/// Its kind alone.
impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        for key in
            [SessionKey::Bearer, SessionKey::HmacSha256(vec![1, 2]), SessionKey::WeChat { newest: 7, sealed: vec![3] }]
        {
            let (version, sealed) = key.kept();
            assert_eq!(SessionKey::from_kept(key.kind(), version, sealed.map(Into::into)), Some(key));
        }
    }

    #[test]
    fn a_lost_key_makes_no_bearer_session() {
        assert_eq!(SessionKey::from_kept(SessionKey::HMAC_SHA256, 0, None), None);
        assert_eq!(SessionKey::from_kept(SessionKey::WECHAT, 3, None), None);
        assert_eq!(SessionKey::from_kept(SessionKey::BEARER, 0, Some(vec![1])), None);
        assert_eq!(SessionKey::from_kept("", 0, None), None);
    }
}
