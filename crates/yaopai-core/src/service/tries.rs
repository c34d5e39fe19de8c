//! How often somebody may try, over all nodes.
//!
//! Each node counts for itself first: whoever is over the limit at one node alone costs the others nothing. What passes there is counted
//! in the store that all share. If that can't say (docs/decisions/0072), binds are refused, because their limit is what stands between a
//! guesser and an account; logins and phone numbers go by this node's own count, because WeChat's word stands behind those.

use std::sync::atomic::Ordering;

use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use super::Service;
use crate::error::{Error, Result};
use crate::limit::{Taken, Want, What};
use crate::ports::{Entropy, Took};

impl Service {
    /// Counts tries over all nodes, or refuses in these words.
    pub(super) async fn count(&self, wants: &[Want<'_>], refusal: &'static str) -> Result<Taken> {
        let mut taken = self.count_here(wants, refusal)?;
        let Some(nodes) = self.world().nodes.as_ref().filter(|_| !wants.is_empty()) else { return Ok(taken) };
        let tries = self.inner.tries.tries(wants);
        let took = nodes.shared.take(&tries).await;
        if took.is_ok() && nodes.keys.alone.swap(false, Ordering::Relaxed) {
            tracing::info!("tries are counted over all nodes again");
        }
        match took {
            Ok(Took::Counted(slot)) => taken.shared = Some((tries, slot)),
            Ok(Took::Refused(wait)) => {
                self.inner.tries.give_back(&taken);
                return Err(Error::new(Code::RateLimited, refusal).retry_after(wait));
            }
            Err(e) => {
                if !nodes.keys.alone.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %e, "the shared store does not count tries: binds are refused, logins are counted by each node");
                }
                if wants.iter().any(|want| want.kind.0 == What::Bind) {
                    self.inner.tries.give_back(&taken);
                    let detail = "How often there were tries can't be told now; nothing has changed. Try again.";
                    return Err(Error::new(Code::Unavailable, detail).retry_after(1).internal(e));
                }
            }
        }
        Ok(taken)
    }

    /// The same at this node alone.
    pub(super) fn count_here(&self, wants: &[Want<'_>], refusal: &'static str) -> Result<Taken> {
        let (now, _) = self.now();
        self.inner.tries.take(wants, now).map_err(|wait| Error::new(Code::RateLimited, refusal).retry_after(wait))
    }

    /// What was counted came to nothing, through no fault of whoever tried.
    pub(super) async fn give_back(&self, taken: &Taken) {
        self.inner.tries.give_back(taken);
        if let (Some(nodes), Some((tries, slot))) = (&self.world().nodes, &taken.shared)
            && let Err(e) = nodes.shared.give_back(tries, *slot).await
        {
            tracing::debug!(error = %e, "a try stays counted");
        }
    }
}

/// Of a node that counts for itself.
pub(super) fn fresh_key(entropy: &dyn Entropy) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    entropy.fill(&mut key[..]);
    key
}
