//! A cluster of three masters of a test's own.

use std::sync::Arc;

use yaopai_core::ports::{Shared as _, Use, Used};
use yaopai_store::{RedisOptions, RedisShared};

use super::redis::{Redis, free_port, patient};

pub struct Cluster(pub Vec<Arc<Redis>>);

impl Cluster {
    /// Of nodes that are started with these settings and more. The bus is ten thousand above a port where nothing else is said, and then
    /// not always a port: it gets one of its own.
    pub fn of(start: impl Fn(&[&str]) -> Arc<Redis>) -> Self {
        let nodes: Vec<_> = (0..3)
            .map(|_| {
                start(&["cluster-enabled yes", &format!("cluster-port {}", free_port()), "cluster-node-timeout 1000"])
            })
            .collect();
        for (n, node) in nodes.iter().enumerate() {
            let (from, to) = (n * 16_384 / 3, (n + 1) * 16_384 / 3 - 1);
            let _: () = node.ask(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
            let _: () = node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]);
        }
        let bus_of = |node: &Redis| node.ask::<Vec<String>>(&["CONFIG", "GET", "cluster-port"])[1].clone();
        for node in &nodes[1..] {
            let (port, bus) = (node.port.to_string(), bus_of(node));
            let _: () = nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = Self(nodes);
        cluster.settle();
        cluster
    }

    pub fn settle(&self) {
        for node in &self.0 {
            node.becomes(&["CLUSTER", "INFO"], "cluster_state:ok");
            node.becomes(&["CLUSTER", "INFO"], "cluster_known_nodes:3");
        }
    }

    /// One of them is enough to find the others.
    pub fn options(&self) -> RedisOptions {
        RedisOptions { cluster: true, ..patient(&[self.0[1].url()]) }
    }

    pub fn age(&self, ms: i64) {
        self.0.iter().for_each(|node| node.age(ms));
    }

    pub fn now(&self) -> i64 {
        self.0[0].now() / 1000
    }

    /// A slot changes hands: its new node knows nothing of its past, and the nodes of ours find it at once.
    pub async fn moves(&self, a: &RedisShared, b: &RedisShared, now: i64) {
        let slot: i64 = self.0[0].ask(&["CLUSTER", "KEYSLOT", "{yaopai:7}"]);
        let owner =
            self.0.iter().position(|node| !node.ask::<Vec<String>>(&["KEYS", "{yaopai:7}:*"]).is_empty()).unwrap();
        let (old, new) = (&self.0[owner], &self.0[(owner + 1) % 3]);
        let (old_id, new_id): (String, String) = (old.ask(&["CLUSTER", "MYID"]), new.ask(&["CLUSTER", "MYID"]));
        let slot = slot.to_string();
        let _: () = new.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &old_id]);
        let _: () = old.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &new_id]);
        // On the way. Nobody can say, so nobody does.
        let port = new.port.to_string();
        let half: String = old.ask(&["MIGRATE", "127.0.0.1", &port, "{yaopai:7}:nonces:past", "0", "1000"]);
        assert_eq!(half, "OK");
        let e = a.first_use(within(7, 1, now)).await.unwrap_err();
        assert!(e.retry, "{e}");
        for key in old.ask::<Vec<String>>(&["KEYS", "{yaopai:7}:*"]) {
            let _: String = old.ask(&["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"]);
        }
        for node in [new, old] {
            let _: () = node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &new_id]);
        }
        for store in [a, b] {
            let answer = store.first_use(within(7, 1, now)).await;
            assert!(matches!(answer, Ok(Used::Unknown(Some(_)))), "{answer:?}");
        }
        new.age(40_000);
        assert_eq!(a.first_use(within(7, 1, now)).await.unwrap(), Used::Before, "the nonces have moved with it");
        assert_eq!(b.first_use(within(7, 2, now)).await.unwrap(), Used::First);
    }
}

/// A use in a bucket.
pub fn within(bucket: u8, n: u8, created: i64) -> Use {
    let mut fingerprint = [n; 16];
    fingerprint[0] = bucket;
    Use { fingerprint, created }
}
