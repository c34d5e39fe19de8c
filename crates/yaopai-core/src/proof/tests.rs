//! What is refused, in which order, and what a refusal uses up.

use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};
use yaopai_wire::problem::Code;
use yaopai_wire::signature::{Key, Params, SIGNATURE, SIGNATURE_INPUT, sign};
use zeroize::Zeroizing;

use super::quota::PER_MINUTE;
use super::*;

const NOW: Timestamp = Timestamp(1_764_230_400_000);
const SESSION: SessionId = SessionId([0xab; 16]);
const KEY: [u8; KEY_LEN] = [7; KEY_LEN];
const NEEDS: Needs = Needs { authorization: true, unsigned_body: true };
const BOUND: usize = 1 << 14;

/// Nothing here depends on what is random.
pub(super) struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

struct Headers(Vec<(&'static str, String)>);

impl Fields for Headers {
    fn each(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }
}

fn original() -> Original<'static> {
    Original::new("POST", "https", "shop.example", "/orders").unwrap()
}

/// An order, signed at this time with this nonce's number.
fn order(nonce: u32, created: Timestamp) -> Headers {
    let digest = ContentDigest::of(b"tea").value();
    let mut headers = Headers(vec![("authorization", "Bearer yp1_token".into()), (CONTENT_DIGEST, digest)]);
    resign(&mut headers, nonce, created);
    headers
}

fn resign(headers: &mut Headers, nonce: u32, created: Timestamp) {
    let (nonce, key_id) = (format!("{nonce:032x}"), SESSION.to_string());
    let params = Params { created: created.0 / 1000, nonce: &nonce, key_id: &key_id };
    let signed = sign(Key::HmacSha256(&KEY), &original(), headers, NEEDS, params).unwrap();
    headers.0.push((SIGNATURE_INPUT, signed.input));
    headers.0.push((SIGNATURE, signed.signature));
}

fn key() -> ProofKey {
    ProofKey::HmacSha256(Zeroizing::new(KEY))
}

fn nothing_known() -> Past {
    Past { leased_until: None, saved: None, elsewhere: None }
}

/// The store knows of requests up to `until`.
fn leased(past: &Past, until: Timestamp) -> Proofs {
    let proofs = Proofs::resume(BOUND, past, NOW, &Sevens);
    proofs.leased(until);
    proofs
}

fn prove(proofs: &Proofs, request: &Headers, now: Timestamp, quota: &Quota) -> Result<Proven, Unproved> {
    proofs.prove(&key(), SESSION, (&original(), request, NEEDS), now, quota)
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_request_is_proved_once() {
    let (proofs, quota) = (leased(&nothing_known(), NOW + LEASE), Quota::default());
    let request = order(1, NOW);
    assert_eq!(prove(&proofs, &request, NOW, &quota), Ok(Proven { body_signed: true, unshared: None }));
    assert_eq!(prove(&proofs, &request, NOW, &quota), Err(Unproved::Replayed));
    assert!(proofs.bytes() > 100, "{}", proofs.bytes());
    let mut without_a_body = Headers(vec![("authorization", "Bearer yp1_token".into())]);
    resign(&mut without_a_body, 2, NOW);
    assert_eq!(prove(&proofs, &without_a_body, NOW, &quota), Ok(Proven::BY_TOKEN));
}

#[test]
fn what_is_not_the_holders_is_refused() {
    let (proofs, quota) = (leased(&nothing_known(), NOW + LEASE), Quota::default());
    let unsigned = Headers(vec![("authorization", "Bearer yp1_token".into())]);
    assert_eq!(prove(&proofs, &unsigned, NOW, &quota), Err(Unproved::Missing));
    let mut changed = order(1, NOW);
    changed.0[0].1.push('x');
    assert!(matches!(prove(&proofs, &changed, NOW, &quota), Err(Unproved::Wrong(_))));
    let other = SessionId([8; 16]);
    let of_another = proofs.prove(&key(), other, (&original(), &order(1, NOW), NEEDS), NOW, &quota);
    assert_eq!(of_another, Err(Unproved::OtherKey));
    // None of them has used anything up.
    assert!(prove(&proofs, &order(1, NOW), NOW, &quota).is_ok());
    assert_eq!((0..PER_MINUTE).filter(|_| quota.take(NOW)).count(), PER_MINUTE as usize - 1);
}

/// Nothing is accepted of which the store doesn't know that it may be: to the millisecond.
#[test]
fn nothing_is_accepted_after_the_lease() {
    let (proofs, quota) = (leased(&nothing_known(), NOW), Quota::default());
    let late = Timestamp(NOW.0 + 1);
    assert!(!proofs.wants_lease(NOW) && proofs.wants_lease(late));
    assert!(prove(&proofs, &order(1, NOW), NOW, &quota).is_ok());
    for now in [late, NOW + seconds(1), NOW + seconds(50)] {
        assert_eq!(prove(&proofs, &order(2, NOW), now, &quota), Err(Unproved::Unleased));
    }
    // An earlier lease takes none away.
    proofs.leased(NOW + LEASE);
    proofs.leased(NOW);
    assert!(prove(&proofs, &order(2, NOW), late, &quota).is_ok());
    assert_eq!(
        prove(&Proofs::resume(BOUND, &nothing_known(), NOW, &Sevens), &order(1, NOW), NOW, &quota),
        Err(Unproved::Unleased)
    );
}

/// Whoever sends a copy again uses up nothing of the holder's; only a request that found no room counts.
#[test]
fn copies_use_up_no_quota() {
    let (proofs, quota) = (leased(&nothing_known(), NOW + LEASE), Quota::default());
    let copy = order(1, NOW);
    prove(&proofs, &copy, NOW, &quota).unwrap();
    for _ in 0..PER_MINUTE {
        assert_eq!(prove(&proofs, &copy, NOW, &quota), Err(Unproved::Replayed));
        assert_eq!(prove(&proofs, &order(2, NOW + seconds(7)), NOW, &quota), Err(Unproved::Stale));
    }
    assert_eq!((1..PER_MINUTE).filter(|_| quota.take(NOW)).count(), PER_MINUTE as usize - 1);
    assert_eq!(prove(&proofs, &order(3, NOW), NOW, &quota), Err(Unproved::TooMany));

    let (full, quota) = (Proofs::resume(0, &nothing_known(), NOW, &Sevens), Quota::default());
    full.leased(NOW + LEASE);
    assert_eq!(prove(&full, &order(1, NOW), NOW, &quota), Err(Unproved::Full));
    assert_eq!((0..PER_MINUTE).filter(|_| quota.take(NOW)).count(), PER_MINUTE as usize - 1);
}

/// After a stop in order what was refused stays refused, and nothing else is; after a crash all is refused that may have been
/// accepted before it.
#[test]
fn a_start_goes_on_from_what_is_known() {
    let (proofs, quota) = (leased(&nothing_known(), NOW + LEASE), Quota::default());
    prove(&proofs, &order(1, NOW), NOW, &quota).unwrap();
    let saved = Some(proofs.save());
    assert_eq!(prove(&proofs, &order(9, NOW), NOW, &quota), Err(Unproved::Stale), "it has stopped");

    let stopped = leased(&Past { leased_until: Some(NOW + LEASE), saved, elsewhere: None }, NOW + seconds(60));
    assert_eq!(prove(&stopped, &order(1, NOW), NOW, &quota), Err(Unproved::Replayed));
    assert!(prove(&stopped, &order(2, NOW), NOW, &quota).is_ok());

    // Killed. The lease reaches further than the clock, and `created` up to 5 s further still.
    let killed = || leased(&Past { leased_until: Some(NOW + LEASE), saved: None, elsewhere: None }, NOW + seconds(60));
    let later = NOW + seconds(11);
    assert_eq!(prove(&killed(), &order(2, NOW + seconds(10)), later, &quota), Err(Unproved::Stale));
    assert!(prove(&killed(), &order(2, later), later, &quota).is_ok());
    // And where the clock is further than the lease, up to it.
    let long_ago =
        leased(&Past { leased_until: Some(Timestamp(1000)), saved: None, elsewhere: None }, NOW + seconds(60));
    assert_eq!(prove(&long_ago, &order(2, NOW + seconds(5)), later, &quota), Err(Unproved::Stale));
    assert!(prove(&long_ago, &order(2, NOW + seconds(6)), later, &quota).is_ok());

    // Moved from nodes whose clocks may have been ahead. That holds after a stop in order, too.
    let elsewhere = Some(NOW + seconds(10));
    let past = || Past { leased_until: Some(NOW), saved: None, elsewhere };
    let saved = Some(Proofs::resume(BOUND, &past(), NOW, &Sevens).save());
    for past in [past(), Past { saved, ..past() }] {
        let later = NOW + seconds(16);
        let moved = leased(&past, later);
        assert_eq!(prove(&moved, &order(3, NOW + seconds(15)), later, &quota), Err(Unproved::Stale));
        assert!(moved.is_before_opening(later.0 / 1000 - 1) && !moved.is_before_opening(later.0 / 1000));
        assert!(prove(&moved, &order(3, later), later, &quota).is_ok());
    }
    assert!(!leased(&nothing_known(), NOW).is_before_opening(i64::MIN));
}

/// Only what time cures is told when.
#[test]
fn a_refusal_says_when_a_new_signature_helps() {
    let killed = leased(&Past { leased_until: Some(NOW), saved: None, elsewhere: None }, NOW + seconds(60));
    let wait = |proofs: &Proofs, why, now| proofs.refusal(why, now).retry_after;
    assert_eq!(wait(&killed, Unproved::Stale, NOW), Some(6));
    assert_eq!(wait(&killed, Unproved::Stale, NOW + seconds(5)), Some(1));
    assert_eq!(wait(&killed, Unproved::Stale, NOW + seconds(6)), None);
    assert_eq!(wait(&killed, Unproved::Replayed, NOW), None);
    assert_eq!(wait(&leased(&nothing_known(), NOW), Unproved::Stale, NOW), None);
    assert_eq!(wait(&killed, Unproved::Full, NOW), Some(5));
    // What one part of the shared store says of one use is said of that one.
    let of_many = Proofs::shared(BOUND, None, &Sevens);
    let unremembered = Unproved::Unremembered(NOW + seconds(3));
    assert_eq!(wait(&of_many, unremembered, NOW), Some(3));
    assert_eq!(wait(&of_many, unremembered, NOW + seconds(3)), None);
    assert!(prove(&of_many, &order(1, NOW), NOW, &Quota::default()).is_ok());
}

/// The room's clock never runs ahead of what the store knows: after a crash the time up to there would be open again.
#[test]
fn sweeping_stops_at_the_lease() {
    let (proofs, quota) = (leased(&nothing_known(), NOW + LEASE), Quota::default());
    prove(&proofs, &order(1, NOW), NOW, &quota).unwrap();
    proofs.sweep(NOW + seconds(500));
    assert_eq!(proofs.save().high_water(), NOW + LEASE);
}

#[test]
fn each_refusal_has_its_code() {
    use yaopai_wire::signature::NotAProof;
    let all = [
        (Unproved::Missing, Code::ProofRequired, false),
        (Unproved::NoKey, Code::ProofRequired, false),
        (Unproved::Wrong(NotAProof::NotCovered(CONTENT_DIGEST)), Code::BodyDigestRequired, false),
        (Unproved::Wrong(NotAProof::NotCovered("@path")), Code::ProofInvalid, false),
        (Unproved::OtherKey, Code::ProofInvalid, false),
        (Unproved::Stale, Code::ProofStale, false),
        (Unproved::Unremembered(NOW), Code::ProofStale, false),
        (Unproved::Replayed, Code::ProofReplayed, false),
        (Unproved::TooMany, Code::RateLimited, false),
        (Unproved::UnknownVersion, Code::LoginRequired, true),
        (Unproved::Full, Code::Unavailable, false),
        (Unproved::Unleased, Code::Unavailable, true),
    ];
    for (why, code, is_open) in all {
        assert_eq!((why.code(), why.error().code, why.is_open()), (code, code, is_open), "{why:?}");
    }
    assert!(Unproved::Wrong(NotAProof::NotCovered(CONTENT_DIGEST)).error().detail.contains("unsigned_body"));
}
