//! Keys that sign for back ends.

use async_trait::async_trait;
use yaopai_core::ports::{SigningKey, SigningStore, StoreResult};

use super::Model;

#[async_trait]
impl SigningStore for Model {
    async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>> {
        Ok(self.disk.lock().signing_keys.clone())
    }

    async fn add_signing_key(&self, key: SigningKey, after: Option<&str>, alone: bool) -> StoreResult<bool> {
        Ok(self.run(|state, _| {
            let keys = &mut state.signing_keys;
            let newest = keys.iter().rfind(|kept| kept.alg == key.alg).map(|kept| kept.kid.as_str());
            if newest != after {
                return false;
            }
            keys.retain(|kept| !alone || kept.alg != key.alg);
            keys.push(key);
            keys.sort_by(|a, b| (a.signs_from, &a.kid).cmp(&(b.signs_from, &b.kid)));
            true
        }))
    }

    async fn drop_signing_keys(&self, kids: Vec<String>) -> StoreResult<()> {
        self.run(|state, _| state.signing_keys.retain(|key| !kids.contains(&key.kid)));
        Ok(())
    }
}
