//! A refresh as a store takes it, with a code or without.

use crate::ids::SessionId;
use crate::session::{Answer, Candidate, EndReason, RequestHash, Session};
use crate::time::Timestamp;
use yaopai_wire::token::SecretHash;

/// A refresh of a bearer session.
#[derive(Debug, Clone)]
pub struct Rotate {
    /// Which session.
    pub id: SessionId,
    /// The shown secret's hash.
    pub shown: SecretHash,
    /// The client's request.
    pub request: RequestHash,
    /// The new secret, if one is wanted.
    pub candidate: Candidate,
    /// Now.
    pub now: Timestamp,
}

/// A refresh with a code, after the platform has vouched anew for the session's identity.
#[derive(Debug, Clone)]
pub struct StepUp {
    /// The secret is replaced by it; its `now` is when the platform vouched.
    pub rotate: Rotate,
    /// WeChat's new session_key, sealed; replaces the one kept with the identity.
    pub session_key: Option<Vec<u8>>,
}

/// How a refresh or a bind's rotation ended.
#[derive(Debug, Clone)]
pub enum Rotated {
    /// Here is the secret, and the session as it is now.
    Answer(Box<Session>, Answer),
    /// The shown secret is retired.
    Superseded,
    /// The session has ended: now, as `reused`, or before.
    Ended(EndReason),
    /// Too many different requests with one secret.
    TooMany,
    /// No such session, or not its secret.
    Unknown,
    /// The user is disabled (binds only).
    Disabled,
    /// The identity or the user is bound otherwise (binds only).
    Conflict,
    /// The user has too many sessions, and the newest yields (binds only).
    Full,
    /// The identity would go to another user, and the platform's word on it is too old for that (binds only).
    Stale,
    /// The bind code is not known, expired, redeemed, or this session has not shown it to its person (binds only).
    NoCode,
}
