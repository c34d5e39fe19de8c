//! Keys that sign for back ends.

use async_trait::async_trait;
use yaopai_core::ports::{NextKey, NextKeys, SigningKey, SigningStore, StoreResult};

use super::Model;
use super::state::State;

#[async_trait]
impl SigningStore for Model {
    async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>> {
        Ok(self.disk.lock().signing_keys.clone())
    }

    async fn add_signing_key(&self, key: SigningKey, after: Option<&str>) -> StoreResult<bool> {
        let next = NextKey { key, after: after.map(str::to_owned) };
        Ok(self.run(|state, _| add_all(state, &NextKeys { keys: vec![next], alone: false }).is_some()))
    }

    async fn drop_signing_keys(&self, kids: Vec<String>) -> StoreResult<()> {
        self.run(|state, _| state.signing_keys.retain(|key| !kids.contains(&key.kid)));
        Ok(())
    }
}

/// All of them or none. Answers every key there is then.
pub(super) fn add_all(state: &mut State, next: &NextKeys) -> Option<Vec<SigningKey>> {
    let keys = &mut state.signing_keys;
    let newest = |next: &NextKey| keys.iter().rfind(|kept| kept.alg == next.key.alg).map(|kept| kept.kid.clone());
    if next.keys.iter().any(|one| newest(one) != one.after) {
        return None;
    }
    for NextKey { key, .. } in &next.keys {
        keys.retain(|kept| !next.alone || kept.alg != key.alg);
        keys.push(key.clone());
    }
    keys.sort_by(|a, b| (a.signs_from, &a.kid).cmp(&(b.signs_from, &b.kid)));
    Some(keys.clone())
}
