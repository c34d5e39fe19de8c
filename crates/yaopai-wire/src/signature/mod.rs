//! How a request of a keyed session is signed: HTTP Message Signatures (RFC 9421) in one strict profile.
//!
//! ```text
//! Content-Digest: sha-256=:…:
//! Signature-Input: yaopai=("@method" "@authority" "@path" "@query" "authorization" "content-digest")
//!     ;created=1764230400;nonce="…";keyid="<session id>";alg="hmac-sha256";tag="yaopai"
//! Signature: yaopai=:…:
//! ```
//!
//! * **One signature**, by any label. Two are refused: a proxy's reader and ours might each take another.
//! * **Covered** are exactly the components that say what the request is: no fewer, none twice, none with parameters, and no
//!   others, in any order. `authorization` where it carries the token; `content-digest` with every method but GET and HEAD, and
//!   with those if the field is there.
//! * **Parameters** are exactly these five, each once, in any order.
//! * **The algorithm** is the key's own. The parameter only says what the client believes, and is refused if it is another.
//! * **Values are taken verbatim**, and a request that two readers could write in two ways is refused ([`Original`]): so no two
//!   different requests have the same signature base.
//!
//! [`Original`]: crate::original::Original

mod base;
mod input;
mod kept;
mod key;
mod usual;
mod write;

pub use base::Needs;
pub use input::Proof;
pub use kept::Kept;
pub use key::{Key, SIGNATURE_LENGTH};
pub use write::{Params, Signed, sign};

/// The field that says what is signed.
pub const SIGNATURE_INPUT: &str = "signature-input";
/// The field with the signature.
pub const SIGNATURE: &str = "signature";
/// The tag of our signatures (RFC 9421, section 2.3).
pub const TAG: &str = "yaopai";
/// The longest `Signature-Input` that is read, in bytes. Ours have about 250.
pub const INPUT_MAX: usize = 1024;
/// A nonce has so many bytes: at least 128 random bits, as base64url or hex.
pub const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 22..=64;
/// The longest `keyid`: a session id and a version.
pub const KEY_ID_MAX: usize = 64;

/// What a signature covers (RFC 9421, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The method, case as sent.
    Method,
    /// The host, and the port unless it is the scheme's own.
    Authority,
    /// The path, still percent-encoded.
    Path,
    /// The query with its `?`; `?` alone if there is none.
    Query,
    /// The token's field.
    Authorization,
    /// The body's digest.
    ContentDigest,
}

impl Component {
    const ALL: [Self; 6] =
        [Self::Method, Self::Authority, Self::Path, Self::Query, Self::Authorization, Self::ContentDigest];

    fn name(self) -> &'static str {
        let quoted = self.quoted();
        &quoted[1..quoted.len() - 1]
    }

    /// Its name as it stands in a list and begins a line.
    fn quoted(self) -> &'static str {
        match self {
            Self::Method => "\"@method\"",
            Self::Authority => "\"@authority\"",
            Self::Path => "\"@path\"",
            Self::Query => "\"@query\"",
            Self::Authorization => "\"authorization\"",
            Self::ContentDigest => "\"content-digest\"",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|component| component.name() == name)
    }
}

/// The signature's parameters (RFC 9421, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Param {
    Created,
    Nonce,
    KeyId,
    Alg,
    Tag,
}

impl Param {
    const ALL: [Self; 5] = [Self::Created, Self::Nonce, Self::KeyId, Self::Alg, Self::Tag];

    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Nonce => "nonce",
            Self::KeyId => "keyid",
            Self::Alg => "alg",
            Self::Tag => "tag",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|param| param.name() == name)
    }
}

/// Why a request's proof is none. For logs and for whoever writes a client: it names parts, and never what stands in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAProof {
    /// One of the two fields is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field is there more than once, or has more than one member.
    #[error("{0} is there more than once")]
    Doubled(&'static str),
    /// A field is longer than any of ours.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// A field isn't the structured field that it should be.
    #[error("{0} is not what RFC 9421 says")]
    Malformed(&'static str),
    /// The two fields have different labels.
    #[error("Signature has another label than Signature-Input")]
    OtherLabel,
    /// A component is not covered that must be.
    #[error("{0} is not covered")]
    NotCovered(&'static str),
    /// A component is covered twice, has parameters, or is none of the profile's.
    #[error("something is covered that may not be, or twice")]
    WrongComponent,
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    NoParameter(&'static str),
    /// A parameter is there twice, is none of the profile's, or has a value that it can't have.
    #[error("a parameter is wrong, there twice or unknown")]
    WrongParameter,
    /// Another algorithm than the key's.
    #[error("the algorithm is not the session's")]
    OtherAlgorithm,
    /// The request can be written in more than one way.
    #[error("the request's {0} can be written in another way, or isn't ASCII")]
    NotCanonical(&'static str),
    /// The signature is not the key's over this request.
    #[error("the signature does not verify")]
    DoesNotVerify,
}

#[cfg(test)]
mod tests;
