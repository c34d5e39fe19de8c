//! Whether a request of a keyed session is its holder's: signed with the session's key, lately, and never seen before.
//!
//! [`Proofs::prove`] is the one place that says so; the check, every call of the API and every test go through it. It waits for
//! nothing. What it can't decide by itself ([`Unproved::is_open`]) its caller asks the store or the platform about, and then
//! calls it again.

mod key;
mod past;
mod quota;
mod unproved;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use yaopai_wire::fields::Fields;
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Needs, Proof};

pub use key::{KEY_LEN, KeyChain, ProofKey, Version, key_place};
pub use past::Past;
pub use quota::Quota;
pub use unproved::Unproved;

use crate::error::Error;
use crate::ids::SessionId;
use crate::ports::{Entropy, Use};
use crate::replay::{MAX_AHEAD, NotFresh, Replays, Saved};
use crate::seal::Place;
use crate::time::Timestamp;

/// How long requests may be accepted until the store must be told that they still are. After a crash nothing is known of them up to
/// the end of it, so it is how much longer than the crash itself signed requests may be refused.
pub const LEASE: Duration = Duration::from_secs(5);

/// How far ahead of ours a client's clock may be.
pub(crate) const AHEAD: Duration = Duration::from_secs(MAX_AHEAD.unsigned_abs());

/// Where the nonces of a stop in order lie.
pub(crate) const SAVED: Place<'_> = Place { table: "proofs", row: "1", column: "saved" };

/// A request that was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven {
    /// Did the signature cover the digest of its body?
    pub body_signed: bool,
    /// On one node of many: what has to be used for the first time over all of them before the request is accepted.
    pub unshared: Option<Use>,
}

impl Proven {
    /// Of a session without a key, whose token alone was shown.
    pub const BY_TOKEN: Self = Self { body_signed: false, unshared: None };

    /// The same, accepted.
    #[must_use]
    pub fn accepted(self) -> Self {
        Self { unshared: None, ..self }
    }
}

/// What signed requests are judged by, beside their keys.
pub struct Proofs {
    replays: Replays,
    /// Milliseconds. Up to here the store knows that requests may have been accepted.
    leased_until: AtomicI64,
    /// Do other nodes accept requests of the same sessions?
    shared: bool,
}

impl Proofs {
    /// At a start: goes on from what is known of the time before. Without the nonces of a stop in order nothing is known of what was
    /// accepted, and so what could have been is refused. At most `nonces` are remembered at a time.
    pub fn resume(nonces: usize, past: &Past, now: Timestamp, entropy: &dyn Entropy) -> Self {
        let replays = match (&past.saved, past.leased_until) {
            (Some(saved), _) => Replays::restore(nonces, saved),
            (None, None) => Replays::new(nonces, entropy),
            (None, Some(leased)) => {
                let replays = Replays::new(nonces, entropy);
                replays.not_before(now.max(leased));
                replays
            }
        };
        if let Some(elsewhere) = past.elsewhere {
            replays.not_before(elsewhere);
        }
        Self { replays, leased_until: AtomicI64::new(i64::MIN), shared: false }
    }

    /// Of one node of many. What it remembers by itself spares the shared store a question; a request is accepted once that says so,
    /// and what was before a crash is known there. What was accepted up to `before`, in another database that these sessions have been
    /// moved from, it does not know.
    pub fn shared(nonces: usize, before: Option<Timestamp>, entropy: &dyn Entropy) -> Self {
        let replays = Replays::new(nonces, entropy);
        if let Some(before) = before {
            replays.not_before(before);
        }
        Self { replays, leased_until: AtomicI64::new(i64::MAX), shared: true }
    }

    /// Do other nodes accept requests of the same sessions?
    #[inline]
    pub fn are_shared(&self) -> bool {
        self.shared
    }

    /// Was it signed or made (in whole seconds) in a time of which isn't known what was accepted? Requests are asked by [`Self::prove`]; whatever
    /// else has one use only, by this.
    pub(crate) fn is_before_opening(&self, created: i64) -> bool {
        self.replays.opens_at().is_some_and(|opens| created < opens.0.div_euclid(1000))
    }

    /// Is this request its session's holder's? At most once yes for the same request. `needs` says what the signature has to cover.
    ///
    /// # Errors
    /// [`Unproved`]; no kind of it ends a session.
    pub fn prove(
        &self,
        keys: &ProofKey,
        session: SessionId,
        request: (&Original<'_>, &impl Fields, Needs),
        now: Timestamp,
        quota: &Quota,
    ) -> Result<Proven, Unproved> {
        let (original, fields, needs) = request;
        let proof = Proof::read(fields).map_err(Unproved::Wrong)?.ok_or(Unproved::Missing)?;
        let key = keys.named(proof.key_id, session, now)?;
        proof.verify(key, original, fields, needs).map_err(Unproved::Wrong)?;
        // From here on it is the key's holder who has signed this. Before: nobody else can use anything up.
        if now.0 > self.leased_until.load(Ordering::Acquire) {
            return Err(Unproved::Unleased);
        }
        if !quota.take(now) {
            return Err(Unproved::TooMany);
        }
        self.replays.accept(session, proof.nonce, proof.created, now).map_err(|e| {
            // Whoever has a copy of a request could send that, and the holder must not be kept out by it.
            if e != NotFresh::Full {
                quota.give_back(now);
            }
            match e {
                NotFresh::Stale => Unproved::Stale,
                NotFresh::Replayed => Unproved::Replayed,
                NotFresh::Full => Unproved::Full,
            }
        })?;
        let used = || Use { fingerprint: shared_fingerprint(session, proof.nonce), created: proof.created };
        Ok(Proven { body_signed: proof.signs_body(), unshared: self.shared.then(used) })
    }

    /// The refusal that the client is to be told, and the log.
    pub fn refusal(&self, why: Unproved, now: Timestamp) -> Error {
        let error = why.error();
        // After a crash all are stale for some seconds: then a new signature helps only later.
        let opens = match why {
            Unproved::Stale => self.replays.opens_at(),
            Unproved::Unremembered(until) => Some(until),
            _ => None,
        };
        match opens.filter(|opens| *opens > now) {
            Some(opens) => error.retry_after(u32::try_from(now.seconds_until(opens)).unwrap_or(u32::MAX)),
            None => error,
        }
    }

    /// Does the store have to be told before requests are accepted now?
    pub(crate) fn wants_lease(&self, now: Timestamp) -> bool {
        now.0 > self.leased_until.load(Ordering::Acquire)
    }

    /// The store knows.
    pub(crate) fn leased(&self, until: Timestamp) {
        self.leased_until.fetch_max(until.0, Ordering::AcqRel);
    }

    /// Forgets what can't matter any more.
    pub(crate) fn sweep(&self, now: Timestamp) {
        // Never past the lease: the room's time must not run ahead of what the store knows.
        self.replays.sweep(now.min(Timestamp(self.leased_until.load(Ordering::Acquire))));
    }

    /// Closes, for a stop in order, and gives what must be known after it.
    pub(crate) fn save(&self) -> Saved {
        self.replays.save()
    }

    /// Bytes that the nonces take.
    pub fn bytes(&self) -> usize {
        self.replays.bytes()
    }
}

/// What all nodes know a nonce by. Without a key: whoever could look for two that are alike has the session's key, and harms only
/// that session.
fn shared_fingerprint(session: SessionId, nonce: &str) -> [u8; 16] {
    let digest = Sha256::new_with_prefix(session.0).chain_update(nonce).finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

#[cfg(test)]
mod tests;
