//! The query of a push: who signed, and when.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;
use yaopai_core::app::AppSecret;
use yaopai_core::time::Timestamp;

use super::PushError;

/// Real ones have some 200 bytes.
const QUERY_MAX: usize = 4096;

/// A push is taken so long after it was signed. WeChat sends one again within seconds; the rest is for clocks.
const AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// And WeChat's clock may be so far ahead of ours.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// SHA-1's length.
type Signature = [u8; 20];

pub(super) struct Query {
    signature: Option<Signature>,
    msg_signature: Option<Signature>,
    timestamp: String,
    nonce: String,
    pub echostr: Option<String>,
}

impl Query {
    /// Parameters that we don't know are left alone; one of ours that stands twice is refused, because two readers may take
    /// two different ones.
    pub fn parse(query: &str) -> Result<Self, PushError> {
        if query.len() > QUERY_MAX {
            return Err(PushError::Malformed("the query is too long"));
        }
        let [mut signature, mut msg_signature, mut timestamp, mut nonce, mut echostr] = [const { None::<String> }; 5];
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "signature" => &mut signature,
                "msg_signature" => &mut msg_signature,
                "timestamp" => &mut timestamp,
                "nonce" => &mut nonce,
                "echostr" => &mut echostr,
                _ => continue,
            };
            let value = percent_decode_str(value).decode_utf8();
            let value = value.map_err(|_| PushError::Malformed("a parameter is not UTF-8"))?.into_owned();
            if place.replace(value).is_some() {
                return Err(PushError::Malformed("a parameter stands twice"));
            }
        }
        let timestamp = timestamp.ok_or(PushError::Malformed("no timestamp"))?;
        if !(1..=12).contains(&timestamp.len()) || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PushError::Malformed("the timestamp is not a number of seconds"));
        }
        Ok(Self {
            signature: signature.map(|s| unhex(&s)).transpose()?,
            msg_signature: msg_signature.map(|s| unhex(&s)).transpose()?,
            timestamp,
            nonce: nonce.ok_or(PushError::Malformed("no nonce"))?,
            echostr,
        })
    }

    pub fn check_time(&self, now: Timestamp) -> Result<(), PushError> {
        let seconds: i64 = self.timestamp.parse().map_err(|_| PushError::Stale)?;
        let signed = Timestamp(seconds.saturating_mul(1000));
        if signed > now + AHEAD_MAX || signed < now - AGE_MAX { Err(PushError::Stale) } else { Ok(()) }
    }

    /// `signature`, which says nothing about the body.
    pub fn check_signature(&self, token: &AppSecret) -> Result<(), PushError> {
        check(self.signature, &mut [token.expose(), &self.timestamp, &self.nonce])
    }

    /// `msg_signature`, which covers the encrypted message.
    pub fn check_msg_signature(&self, token: &AppSecret, sealed: &str) -> Result<(), PushError> {
        check(self.msg_signature, &mut [token.expose(), &self.timestamp, &self.nonce, sealed])
    }
}

/// SHA-1 over the sorted parts, one behind the other.
fn check(shown: Option<Signature>, parts: &mut [&str]) -> Result<(), PushError> {
    parts.sort_unstable();
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    let good = shown.is_some_and(|shown| hash.finalize().as_slice().ct_eq(&shown).into());
    if good { Ok(()) } else { Err(PushError::Signature) }
}

fn unhex(text: &str) -> Result<Signature, PushError> {
    let mut bytes = [0; 20];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| PushError::Malformed("a signature is not 40 hex digits"))?;
    Ok(bytes)
}
