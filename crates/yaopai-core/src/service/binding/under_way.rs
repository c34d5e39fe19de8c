//! Binds that are at the back end, by identity: one person must not take all its places.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use yaopai_wire::problem::Code;

use crate::error::{Error, Result};
use crate::ids::IdentityId;
use crate::service::Service;

/// How many binds of one identity may be at the back end at a time: one, and a copy of it that the network made.
const BINDS_MAX: u32 = 2;

/// How many there are, by identity.
#[derive(Default)]
pub(in crate::service) struct UnderWay(Mutex<HashMap<IdentityId, u32>>);

/// A place at the back end, given back when dropped.
pub(super) struct AtBackEnd {
    service: Service,
    identity: IdentityId,
}

impl UnderWay {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IdentityId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts are being bound.
    pub(in crate::service) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn enter(service: &Service, identity: IdentityId) -> Result<AtBackEnd> {
        let mut under_way = service.inner.binding.lock();
        let count = under_way.entry(identity).or_default();
        if *count >= BINDS_MAX {
            let detail =
                "A bind of this account is under way; wait for its answer, or send the same request again later.";
            return Err(Error::new(Code::RateLimited, detail).retry_after(2));
        }
        *count += 1;
        Ok(AtBackEnd { service: service.clone(), identity })
    }
}

impl Drop for AtBackEnd {
    fn drop(&mut self) {
        let mut under_way = self.service.inner.binding.lock();
        if let Some(count) = under_way.get_mut(&self.identity) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.identity);
            }
        }
    }
}
