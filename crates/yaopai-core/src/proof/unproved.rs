//! Why a request is not its holder's, as far as that is known.

use yaopai_wire::digest::CONTENT_DIGEST;
use yaopai_wire::problem::Code;
use yaopai_wire::signature::NotAProof;

use crate::error::Error;
use crate::time::Timestamp;

/// Why a request of a keyed session was not proved. Nothing of it ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// It isn't signed.
    Missing,
    /// Its session has no key, and its app demands one by now.
    NoKey,
    /// What it shows is no signature of its key over it.
    Wrong(NotAProof),
    /// It names another key than its session's.
    OtherKey,
    /// It is too old, too far ahead, or from before a crash.
    Stale,
    /// It was accepted before.
    Replayed,
    /// There is no room to remember it.
    Full,
    /// The session has sent too many.
    TooMany,
    /// It names a version of its key that isn't known here: the platform may know it.
    UnknownVersion,
    /// The store has to be told first that requests are accepted now.
    Unleased,
    /// The store that all nodes share did not remember yet, where this one is remembered. What is signed from this time on is known there.
    Unremembered(Timestamp),
    /// The store that all nodes share can't say whether it was accepted before.
    Unshared,
}

impl Unproved {
    /// Can the store's or the platform's word still prove it?
    pub fn is_open(self) -> bool {
        matches!(self, Self::UnknownVersion | Self::Unleased)
    }

    /// The code for the client.
    pub fn code(self) -> Code {
        match self {
            Self::Missing | Self::NoKey => Code::ProofRequired,
            Self::Wrong(NotAProof::NotCovered(CONTENT_DIGEST)) => Code::BodyDigestRequired,
            Self::Wrong(_) | Self::OtherKey => Code::ProofInvalid,
            Self::Stale | Self::Unremembered(_) | Self::Unshared => Code::ProofStale,
            Self::Replayed => Code::ProofReplayed,
            Self::TooMany => Code::RateLimited,
            Self::UnknownVersion => Code::LoginRequired,
            Self::Full | Self::Unleased => Code::Unavailable,
        }
    }

    /// The refusal. Whoever writes a client learns which part of the signature is wrong, never what stood there.
    pub fn error(self) -> Error {
        let code = self.code();
        match self {
            Self::Missing | Self::NoKey => Error::new(
                code,
                "This session is keyed: sign the request with its key (Signature-Input, Signature). A session without a key must \
                 log in again with `key`.",
            ),
            Self::Wrong(NotAProof::NotCovered(CONTENT_DIGEST)) => Error::new(
                code,
                "Send Content-Digest and sign it. A route whose bodies can't be hashed on the phone, as of file uploads, is let off by \
                 the setting `unsigned_body`: `unsigned_body=1` in the check's URL.",
            ),
            Self::Wrong(why) => Error::new(code, format!("Sign the request as docs/signatures.md says: {why}.")),
            Self::OtherKey => Error::new(
                code,
                "Sign with the session's own key: `keyid` must name the session of the token that is shown.",
            ),
            Self::Stale | Self::Unremembered(_) => Error::new(
                code,
                "Sign anew by our clock, which is in Yaopai-Time; after Retry-After, where that is given. The session goes on.",
            ),
            Self::Replayed => Error::new(
                code,
                "This very request was accepted before. Sign anew with a new nonce, and repeat only what may be done twice.",
            ),
            Self::Full => Error::new(code, "Too many requests at a time; sign anew and try again.").retry_after(5),
            Self::TooMany => Error::new(code, "This session sends too many requests; sign anew later.").retry_after(60),
            Self::UnknownVersion => Error::new(
                code,
                "The version of the platform's key that signed this is not known. Refresh with a fresh code of wx.login, signed with \
                 the newest key, or log in again.",
            ),
            Self::Unshared => Error::new(
                code,
                "Whether this request was accepted before can't be told now. Sign anew; the session goes on.",
            )
            .retry_after(1),
            Self::Unleased => Error::new(code, "Sign anew and try again.").retry_after(1),
        }
    }
}
