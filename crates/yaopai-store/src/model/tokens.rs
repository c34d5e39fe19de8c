//! The reference for tokens that nodes share: the rule itself over a map under a mutex.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use yaopai_core::ports::{Clock, SharedToken, SharedTokens, StoreResult, TokenAsked, TokenDigest};
use yaopai_core::shared_token::Record;
use yaopai_core::time::Timestamp;

/// Tokens in memory, for tests of whoever uses the port.
pub struct ModelTokens {
    records: Arc<Mutex<HashMap<String, Record>>>,
    clock: Arc<dyn Clock>,
    node: String,
}

impl ModelTokens {
    /// An empty store, and this node's connection to it. Its clock is [`Clock::shown`], which may go back.
    pub fn new(clock: Arc<dyn Clock>, node: &str) -> Self {
        Self { records: Arc::default(), clock, node: node.to_owned() }
    }

    /// Another node's connection to the same.
    #[must_use]
    pub fn of_node(&self, node: &str) -> Self {
        Self { records: Arc::clone(&self.records), clock: Arc::clone(&self.clock), node: node.to_owned() }
    }

    fn with<T>(&self, key: &str, decide: impl FnOnce(&mut Record, Timestamp, &str) -> T) -> StoreResult<T> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(decide(records.entry(key.to_owned()).or_default(), self.clock.shown(), &self.node))
    }
}

#[async_trait]
impl SharedTokens for ModelTokens {
    async fn ask(&self, key: &str, lease: Duration, dead: Option<TokenDigest>) -> StoreResult<TokenAsked> {
        self.with(key, |record, now, node| record.ask(now, node, lease, dead))
    }

    async fn keep(&self, key: &str, fence: u64, token: SharedToken) -> StoreResult<bool> {
        self.with(key, |record, now, node| record.keep(now, node, fence, token))
    }

    async fn force(&self, key: &str, fence: u64, lease: Duration) -> StoreResult<bool> {
        self.with(key, |record, now, node| record.force(now, node, fence, lease))
    }

    async fn give_back(&self, key: &str, fence: u64) -> StoreResult<()> {
        self.with(key, |record, _, node| record.give_back(node, fence))
    }
}
