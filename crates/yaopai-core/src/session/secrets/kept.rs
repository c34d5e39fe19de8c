//! What is kept of each secret, as a store writes it.

use serde::{Deserialize, Serialize};
use yaopai_wire::token::SecretHash;

use super::{Answer, GRACE, RequestHash, STEP_UP_KEPT};
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Current {
    #[serde(with = "hash_hex")]
    pub hash: SecretHash,
    pub bound: bool,
    /// What was asked with it, and which successor answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Asked>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Successor {
    #[serde(with = "hash_hex")]
    pub hash: SecretHash,
    pub bound: bool,
    #[serde(with = "hex::serde")]
    pub sealed: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Retired {
    #[serde(with = "hash_hex")]
    pub hash: SecretHash,
    pub bound: bool,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// A step-up took its grace: it passes no more. A refresh with it is no theft before the grace would have been over,
    /// because it may have been on its way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Asked>,
    /// Kept through the grace, because the answer that confirmed it may have been lost with the process that got it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Successor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub request: RequestHash,
    #[serde(with = "hash_hex")]
    pub answer: SecretHash,
}

/// The last step-up: who repeats it gets its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SteppedUp {
    /// The secret that was shown.
    #[serde(with = "hash_hex")]
    pub shown: SecretHash,
    pub request: RequestHash,
    pub answer: Successor,
    /// Milliseconds since the epoch.
    pub at: i64,
}

/// A secret retired long ago: half its hash, and a tag of each request it came with. Kept as one hex text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Older {
    /// Enough to know a secret of ours again.
    pub half: [u8; 16],
    /// Enough to know a request again: of a thief's, one in four thousand million would be taken for a known one.
    pub requests: Vec<[u8; 4]>,
}

impl Retired {
    /// Does it still pass?
    pub fn in_grace(&self, now: Timestamp) -> bool {
        !self.cut && self.recent(now)
    }

    /// Was it retired less than a grace ago, whether or not it passes?
    pub fn recent(&self, now: Timestamp) -> bool {
        now <= Timestamp(self.at) + GRACE
    }

    pub fn asked(&self, request: RequestHash) -> bool {
        self.requests.iter().any(|a| a.request == request)
    }
}

impl SteppedUp {
    /// May its answer be handed out again?
    pub fn kept(&self, now: Timestamp) -> bool {
        now <= Timestamp(self.at) + STEP_UP_KEPT
    }
}

impl Successor {
    pub fn answer(&self) -> Answer {
        Answer { sealed: self.sealed.clone(), hash: self.hash, bound: self.bound }
    }
}

impl Older {
    pub fn of(retired: &Retired) -> Self {
        let mut half = [0u8; 16];
        half.copy_from_slice(&retired.hash.0[..16]);
        Self { half, requests: retired.requests.iter().map(|a| tag(a.request)).collect() }
    }

    pub fn is(&self, shown: &SecretHash) -> bool {
        self.half == shown.0[..16]
    }

    pub fn asked(&self, request: RequestHash) -> bool {
        self.requests.contains(&tag(request))
    }
}

fn tag(request: RequestHash) -> [u8; 4] {
    let [a, b, c, d, ..] = request.0;
    [a, b, c, d]
}

impl From<Older> for String {
    fn from(older: Older) -> Self {
        let mut text = hex::encode(older.half);
        older.requests.iter().for_each(|tag| text.push_str(&hex::encode(tag)));
        text
    }
}

impl TryFrom<String> for Older {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "no old secret";
        let bytes = hex::decode(text).map_err(|_| WRONG)?;
        let (half, rest) = bytes.split_first_chunk().ok_or(WRONG)?;
        let (requests, []) = rest.as_chunks() else { return Err(WRONG) };
        Ok(Self { half: *half, requests: requests.to_vec() })
    }
}

/// [`SecretHash`] as hex text.
mod hash_hex {
    use serde::{Deserializer, Serializer};
    use yaopai_wire::token::SecretHash;

    pub fn serialize<S: Serializer>(hash: &SecretHash, s: S) -> Result<S::Ok, S::Error> {
        hex::serde::serialize(hash.0, s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SecretHash, D::Error> {
        hex::serde::deserialize(d).map(SecretHash)
    }
}
