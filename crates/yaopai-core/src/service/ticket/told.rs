//! Tickets that say themselves what they are good for, under a MAC: on a node of many, whichever of them is shown one. That one is used
//! once is a nonce in the store that all nodes share (docs/decisions/0072).
//!
//! Kind, session, when it was made, as whom it acts, the place, where the place's folder ends, randomness, MAC. Who has one sees the
//! session's id in it, which opens nothing, and digests.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use yaopai_wire::original::{Original, is_unclean};
use yaopai_wire::problem::Code;
use yaopai_wire::ticket::{TOLD_BYTES, Ticket};
use zeroize::Zeroizing;

use super::{ActsAs, Place, Purpose, TICKET_LIFE, Taken, VIEW_LIFE, wrong};
use crate::error::Result;
use crate::ids::{SessionId, UserId};
use crate::ports::Use;
use crate::proof::AHEAD;
use crate::seal::hmac;
use crate::time::{Timestamp, millis};

/// Random bytes of each, so that no two are alike.
const RANDOM: usize = 13;
/// Of SHA-256's 32, more than the half that RFC 2104, section 5, asks for.
const MAC: usize = 24;
const SIGNED: usize = TOLD_BYTES - MAC;
/// As whom nobody acts: a digest of no user is that only by a chance of 2⁻¹²⁸.
const NOBODY: [u8; 16] = [0; 16];
const VIEW: u8 = 3;

/// What one is good for.
pub(super) struct Meaning<'a> {
    pub session: SessionId,
    pub user: Option<&'a UserId>,
    pub purpose: Purpose,
    pub place: &'a Place,
    /// The cookie of a page.
    pub view: bool,
    pub made_at: Timestamp,
}

/// Makes one.
pub(super) fn make(key: &[u8; 32], meaning: &Meaning<'_>, random: &[u8; RANDOM]) -> Ticket {
    let Meaning { session, user, purpose, place, view, made_at } = meaning;
    let folder = place.folder();
    let path = if *view { folder } else { &place.path };
    let kind = if *view { VIEW } else { *purpose as u8 };
    let mut signed = Vec::with_capacity(TOLD_BYTES);
    signed.push(kind);
    signed.extend_from_slice(&session.0);
    signed.extend_from_slice(&made_at.0.to_be_bytes());
    signed.extend_from_slice(&user.map_or(NOBODY, |user| user_digest(key, user)));
    signed.extend_from_slice(&place_digest(key, &place.authority, path));
    signed.extend_from_slice(&u16::try_from(folder.len()).unwrap_or(u16::MAX).to_be_bytes());
    signed.extend_from_slice(random);
    let mac = mac(key, &signed);
    let mut bytes = Zeroizing::new([0; TOLD_BYTES]);
    bytes[..SIGNED].copy_from_slice(&signed);
    bytes[SIGNED..].copy_from_slice(&mac);
    Ticket::Told(bytes)
}

/// What one is good for, if it is good here and now. Whether it was used before is to be asked by `used`.
pub(super) fn read(
    key: &[u8; 32],
    ticket: &[u8; TOLD_BYTES],
    original: &Original<'_>,
    now: Timestamp,
) -> Result<Taken> {
    let (signed, shown) = ticket.split_at(SIGNED);
    // Before all else: what is made up costs nobody more than this.
    if !bool::from(mac(key, signed)[..].ct_eq(shown)) {
        return Err(wrong(Code::ProofStale));
    }
    let mut rest = signed;
    let [kind] = part(&mut rest);
    let session = SessionId(part(&mut rest));
    let made_at = Timestamp(i64::from_be_bytes(part(&mut rest)));
    let user: [u8; 16] = part(&mut rest);
    let place: [u8; 16] = part(&mut rest);
    let folder = usize::from(u16::from_be_bytes(part(&mut rest)));
    let view = kind == VIEW;
    let purpose = match kind {
        0 => Purpose::Socket,
        1 => Purpose::Image,
        _ => Purpose::WebView,
    };
    let life = if view { VIEW_LIFE } else { TICKET_LIFE };
    // Of one that is made later than now the maker's clock is ahead, and its life would be longer by that.
    if now > made_at + life || made_at.0 > now.0.saturating_add(millis(AHEAD)) {
        return Err(wrong(Code::ProofStale));
    }
    let path = [original.prefix, original.path].concat();
    let here = if view { path.get(..folder).filter(|_| !is_unclean(&path)) } else { Some(&*path) };
    let here = here.is_some_and(|path| place_digest(key, original.host, path) == place);
    if !here || !matches!(original.method, "GET" | "HEAD") {
        return Err(wrong(Code::ProofInvalid));
    }
    let used = (!view).then(|| {
        let digest = Sha256::new_with_prefix(b"yaopai ticket").chain_update(ticket).finalize();
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&digest[..16]);
        Use { fingerprint, created: made_at.0.div_euclid(1000) }
    });
    let acts_as = ActsAs::Digest((user != NOBODY).then_some(user));
    Ok(Taken { session, acts_as, purpose, view, used })
}

/// Whom a ticket says that it acts as.
pub(super) fn user_digest(key: &[u8; 32], user: &UserId) -> [u8; 16] {
    half(hmac(key, &[b"user", user.as_str().as_bytes()]))
}

fn place_digest(key: &[u8; 32], authority: &str, path: &str) -> [u8; 16] {
    half(hmac(key, &[b"place", authority.as_bytes(), path.as_bytes()]))
}

fn mac(key: &[u8; 32], signed: &[u8]) -> [u8; MAC] {
    let mut mac = [0; MAC];
    mac.copy_from_slice(&hmac(key, &[b"ticket", signed])[..MAC]);
    mac
}

fn half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

/// The next bytes. There are as many: the lengths are constants.
fn part<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let mut part = [0; N];
    if let Some((first, later)) = rest.split_at_checked(N) {
        part.copy_from_slice(first);
        *rest = later;
    }
    part
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
