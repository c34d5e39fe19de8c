//! What back ends get beside headers: JWTs that a check hands out, the keys to verify them, introspection (RFC 7662) and the
//! documents that say where all of it is (RFC 8414).
//!
//! | file | |
//! |---|---|
//! | `jwt` | what a JWT says, signing and reading one |
//! | `keys` | the keys that sign: made, kept, rotated |
//! | `cache` | JWTs that were signed, for as long as they are good |
//! | `introspect`, `jwks`, `discovery` | the calls |

mod cache;
pub mod discovery;
pub mod introspect;
pub mod jwks;
mod jwt;
mod keys;

use std::time::Duration;

use http::HeaderValue;
use yaopai_core::Error;
use yaopai_core::ids::{Realm, SessionId};
use yaopai_core::ports::{NextKeys, SigningAlg};
use yaopai_core::proof::Proven;
use yaopai_core::service::World;
use yaopai_core::signing::Rotation;
use yaopai_core::time::{Timestamp, millis};
use yaopai_wire::problem::Code;

use crate::check::Principal;
use crate::config::{Audience, Jwt, Typ};
pub use cache::Wanted;
use cache::{Cache, Found, Life};
pub use keys::{Keys, KeysError};

/// Hands out JWTs, in its own name.
pub struct Issuer {
    /// `iss`, and where back ends reach the admin listener. `None`: there are no audiences either.
    name: Option<String>,
    audiences: Vec<Audience>,
    keys: Keys,
    cache: Cache,
}

/// What the fast path finds.
pub enum Handed {
    /// What `Authorization` is to be.
    Now(HeaderValue),
    /// One has to be signed.
    Sign,
}

const NONE: HeaderValue = HeaderValue::from_static("");

impl Issuer {
    /// Opens the keys, and makes those that are missing.
    ///
    /// # Errors
    /// The store's, or a key doesn't open.
    pub async fn open(jwt: Jwt, world: &World) -> Result<Self, KeysError> {
        let mut algs: Vec<_> = jwt.audiences.iter().map(|audience| audience.alg).collect();
        algs.sort_unstable();
        algs.dedup();
        let issuer = Self::new(jwt, algs, world);
        issuer.keys.upkeep().await?;
        Ok(issuer)
    }

    /// One that has nobody to hand out JWTs to.
    pub fn for_nobody(world: &World) -> Self {
        let rotation = Rotation { every: Duration::MAX, ahead: Duration::ZERO };
        Self::new(Jwt { issuer: None, rotation, cached: 0, audiences: Vec::new() }, Vec::new(), world)
    }

    fn new(jwt: Jwt, algs: Vec<SigningAlg>, world: &World) -> Self {
        let keys = Keys::new(jwt.rotation, algs, world);
        Self { name: jwt.issuer, audiences: jwt.audiences, keys, cache: Cache::new(jwt.cached) }
    }

    /// The audience of this name, if it is one of the realm's.
    pub fn audience(&self, name: &str, realm: &str) -> Option<Wanted> {
        let found = self.audiences.iter().position(|a| a.name == name && a.realm.as_str() == realm)?;
        u16::try_from(found).ok().map(Wanted)
    }

    /// The same, to be kept.
    pub fn named(&self, name: &str, realm: &Realm) -> Option<Audience> {
        self.audience(name, realm.as_str()).and_then(|wanted| self.of(wanted)).cloned()
    }

    fn of(&self, wanted: Wanted) -> Option<&Audience> {
        self.audiences.get(usize::from(wanted.0))
    }

    /// The JWT that is ready for a session, if there is one that says what is true now and lives for long enough. Reads only; one
    /// caller in the second half of its life is told to sign the next, and the others get it meanwhile.
    pub fn ready(&self, wanted: Wanted, principal: &Principal, id: SessionId, proven: Proven) -> Handed {
        if !self.hands_out(wanted, principal) {
            return Handed::Now(NONE);
        }
        match self.cache.find((id, wanted, proven.body_signed), principal, self.keys.clock.shown()) {
            Found::Good(jwt) => Handed::Now(jwt),
            Found::Sign => Handed::Sign,
        }
    }

    /// Signs a JWT for a session, unless there is one by now.
    ///
    /// # Errors
    /// No key signs.
    pub fn sign(
        &self,
        wanted: Wanted,
        principal: &Principal,
        id: SessionId,
        proven: Proven,
    ) -> Result<HeaderValue, Error> {
        let (Some(audience), Some(issuer)) = (self.of(wanted), &self.name) else { return Ok(NONE) };
        if !self.hands_out(wanted, principal) {
            return Ok(NONE);
        }
        // Before the key is chosen: a JWT by one that is withdrawn meanwhile is not kept.
        let epoch = self.cache.epoch();
        // Back ends compare its times with their own clocks, so they are what the machine's shows; which key signs goes by ours.
        let (now, shown) = (self.keys.clock.now(), self.keys.clock.shown());
        let facts = principal.facts(id);
        let claims = jwt::claims(&facts, audience, issuer, proven, (shown, &self.keys.jti()));
        let failed = |what: String| Error::new(Code::Unavailable, "Try again.").retry_after(1).internal(what);
        let signed = self.keys.sign(audience, &claims, now).map_err(failed)?;
        let mut value = HeaderValue::try_from(format!("Bearer {signed}")).map_err(|e| failed(e.to_string()))?;
        value.set_sensitive(true);
        let life = millis(audience.lifetime);
        // Counted from the second that `iat` says.
        let begins = Timestamp(shown.0.div_euclid(1000) * 1000);
        let (fresh_until, good_until) = (Timestamp(begins.0 + life / 2), Timestamp(begins.0 + life));
        let life = Life { begins, fresh_until, good_until };
        self.cache.keep((id, wanted, proven.body_signed), principal.stamp(), value.clone(), (shown, life, epoch));
        Ok(value)
    }

    /// RFC 9068 wants a `sub`, and a session without a user has none: inventing one would name somebody.
    fn hands_out(&self, wanted: Wanted, principal: &Principal) -> bool {
        self.of(wanted).is_some_and(|audience| audience.typ == Typ::Jwt || principal.is_bound())
    }

    /// The next keys, to be kept by [`Action::AddKeys`](yaopai_core::ports::Action); with `at_once` they are to withdraw the others.
    ///
    /// # Errors
    /// The store's.
    pub async fn next_keys(&self, at_once: bool) -> Result<NextKeys, KeysError> {
        self.keys.next(at_once).await
    }

    /// They were kept, or somebody else's were; `withdrawn`: what those before them have signed is not handed out any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn keys_changed(&self, withdrawn: bool) -> Result<(), KeysError> {
        let loaded = self.keys.load().await;
        if withdrawn {
            self.cache.forget();
        }
        loaded
    }

    /// Rotates keys by their age, and forgets what has expired.
    ///
    /// # Errors
    /// The store's; the next round makes up for it.
    pub async fn upkeep(&self) -> Result<(), KeysError> {
        self.cache.sweep(self.keys.clock.shown());
        self.keys.upkeep().await
    }

    /// How many JWTs are kept ready.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    fn audiences_of<'a>(&'a self, realm: &'a Realm) -> impl Iterator<Item = &'a Audience> {
        self.audiences.iter().filter(move |audience| audience.realm == *realm)
    }
}
