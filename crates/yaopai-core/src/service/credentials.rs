//! What a request shows, and whether that is enough for its session.

use std::net::IpAddr;
use std::sync::Arc;

use yaopai_wire::problem::Code;
use yaopai_wire::signature::Kept;
use yaopai_wire::token::Token;

use super::{Service, refused};
use crate::app::{App, Keyed};
use crate::audit::{self, Actor};
use crate::error::{Error, Result};
use crate::ids::{AppName, SessionId};
use crate::limit::{self, By, What};
use crate::ports::{Use, Used};
use crate::proof::{LEASE, ProofKey, Proven, SAVED, Unproved};
use crate::session::Session;

/// A request's token, and what is to prove that its sender holds the session's key.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The token.
    pub token: Token,
    /// The signed request; `None` if it isn't signed.
    pub signed: Option<Kept>,
    /// The client's address, where it is known: what can't be proved is counted by it, too.
    pub from: Option<IpAddr>,
}

impl From<Token> for Credentials {
    fn from(token: Token) -> Self {
        Self { token, signed: None, from: None }
    }
}

impl Service {
    /// Does the request come from who holds the session's key? Each path that a token opens comes through here, so none can forget
    /// it. The session is the token's, and its secret was right.
    pub(super) async fn prove(&self, session: &Session, app: &Arc<App>, shown: &Credentials) -> Result<Proven> {
        let unproved = |why| self.refused_proof(session.id, &session.app, shown.from, why);
        if !session.key.is_keyed() {
            // Opened before the app demanded keys: whoever holds its token may have copied it.
            return match app.policy.keyed {
                Keyed::Required => Err(unproved(Unproved::NoKey)),
                Keyed::Offered | Keyed::Off => Ok(Proven::BY_TOKEN),
            };
        }
        let key = ProofKey::open(session, &self.world().sealer)?.ok_or_else(|| refused(Code::SessionUnknown))?;
        match self.prove_here(session, &key, shown) {
            Err(Unproved::Unleased) => self.prove_by(session, &key, shown).await,
            Err(Unproved::UnknownVersion) => {
                let key = self.newer_key(session, app).await?;
                self.prove_by(session, &key, shown).await
            }
            proven => self.first_use(proven.map_err(unproved)?).await.map_err(unproved),
        }
    }

    /// The same by this key, where the store has to be told first, or was waited for the key.
    pub(super) async fn prove_by(&self, session: &Session, key: &ProofKey, shown: &Credentials) -> Result<Proven> {
        let unproved = |why| self.refused_proof(session.id, &session.app, shown.from, why);
        // It may be over by now.
        self.lease().await?;
        let proven = self.prove_here(session, key, shown).map_err(unproved)?;
        self.first_use(proven).await.map_err(unproved)
    }

    /// Accepts a request that this node has proved, unless another one has accepted it before.
    ///
    /// # Errors
    /// [`Unproved`]; in doubt too.
    pub async fn first_use(&self, proven: Proven) -> Result<Proven, Unproved> {
        let Some(used) = proven.unshared else { return Ok(proven) };
        self.share(used).await.map(|()| proven.accepted())
    }

    /// Is this the first use over all nodes?
    ///
    /// # Errors
    /// Why it isn't known to be.
    pub(super) async fn share(&self, used: Use) -> Result<(), Unproved> {
        let world = self.world();
        let Some(nodes) = &world.nodes else { return Err(Unproved::Unshared) };
        // A ticket, say, that was used in another database before these sessions were moved from it.
        if world.proofs.is_before_opening(used.created) {
            return Err(Unproved::Stale);
        }
        match nodes.shared.first_use(used).await {
            Ok(Used::First) => Ok(()),
            Ok(Used::Before) => Err(Unproved::Replayed),
            // It says so of each use by itself: others are remembered elsewhere, and longer (docs/decisions/0067).
            Ok(Used::Unknown(until)) => Err(until.map_or(Unproved::Stale, Unproved::Unremembered)),
            Err(e) => {
                tracing::warn!(error = %e, "the shared store of nonces can't be asked: what is to be accepted once is refused");
                Err(Unproved::Unshared)
            }
        }
    }

    fn prove_here(&self, session: &Session, key: &ProofKey, shown: &Credentials) -> Result<Proven, Unproved> {
        let signed = shown.signed.as_ref().ok_or(Unproved::Missing)?;
        let request = (&signed.original(), signed, signed.needs());
        let (now, _) = self.now();
        let mut proven = Err(Unproved::TooMany);
        self.world().presence.count(session.id, &mut |quota| {
            proven = self.world().proofs.prove(key, session.id, request, now, quota);
        });
        proven
    }

    /// Tells the store that signed requests are accepted now, if it has to be told. One at a time does.
    async fn lease(&self) -> Result<()> {
        let world = self.world();
        let _one = self.inner.leasing.lock().await;
        let (now, _) = self.now();
        if world.proofs.wants_lease(now) {
            let until = now + LEASE;
            world.store.lease_proofs(until).await?;
            world.proofs.leased(until);
        }
        Ok(())
    }

    /// Closes the room of nonces and keeps them over a stop in order: signed requests then go on at once after it. From here on all
    /// are stale.
    ///
    /// # Errors
    /// The store's, or no seals are left: then it is as after a crash.
    pub async fn close_proofs(&self) -> Result<()> {
        let world = self.world();
        let saved = world.proofs.save().to_bytes();
        world.store.keep_proofs(world.sealer.seal(SAVED, &saved)?).await?;
        Ok(())
    }

    /// The refusal of a request that was not proved. Of too many the client is told to wait: one that is right passes all the same, so
    /// who has copied a token shuts nobody out by it.
    pub fn refused_proof(&self, session: SessionId, app: &AppName, from: Option<IpAddr>, why: Unproved) -> Error {
        let world = self.world();
        let (now, _) = self.now();
        let by = audit::By::actor(Actor::Client, from);
        self.audit().refused_proof(session, app, why.code().as_str(), by, now);
        // Not of a wrong clock, of a network that sends the same twice, of a session from before keys, or of our own troubles:
        // honest clients have those, and are to sign anew or log in at once, whatever others have sent with a copy of their token.
        if matches!(why, Unproved::Missing | Unproved::Wrong(_) | Unproved::OtherKey) {
            let network = from.map(limit::network);
            let mut by = vec![(By::Identity, session.0.as_slice()), (By::App, app.as_str().as_bytes())];
            by.extend(network.as_ref().map(|network| (By::Network, network.as_slice())));
            let wants = world.limits.wants(What::FailedProof, &by);
            if let Err(e) =
                self.count_here(&wants, "There were too many requests that were not signed as they must be; wait.")
            {
                return Error { internal: Some(why.code().as_str().into()), ..e };
            }
        }
        world.proofs.refusal(why, now)
    }
}
