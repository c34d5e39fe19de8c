//! Which node of a cluster has which bucket. Of our own: there are 256 places to know, each node gets its own lane, and nothing is sent
//! again behind our back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::redis::{FromRedisValue as _, Value};

use super::away;
use super::error::RedisError;
use super::lane::{Lane, Terms};
use super::link::Link;
use super::place::Place;
use super::script::{Keys, TRIES_TAG};

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// The masters, as far as is known.
pub(super) struct Cluster {
    seeds: Vec<Place>,
    terms: Terms,
    /// The slot of each bucket, and that of tries behind them.
    slots: Vec<u16>,
    map: Mutex<Map>,
    /// One looks at a time.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Map {
    /// How often it was drawn.
    version: usize,
    lanes: HashMap<Node, Lane>,
    owners: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Node {
    host: String,
    port: u16,
}

impl Cluster {
    pub async fn open(seeds: Vec<Place>, terms: Terms, buckets: usize) -> Result<Self, RedisError> {
        let tags = (0..buckets).map(Keys::tag).chain([TRIES_TAG.to_owned()]);
        let slots = tags.map(|tag| slot(tag.as_bytes())).collect();
        let this = Self { seeds, terms, slots, map: Mutex::default(), looking: tokio::sync::Mutex::default() };
        match this.look(0).await {
            Ok(()) => this.must_keep().await?,
            Err(e) if e.is_away() => away(&e),
            Err(e) => return Err(e),
        }
        Ok(this)
    }

    /// None of the nodes that are there throws away what it is given, or is somebody else.
    async fn must_keep(&self) -> Result<(), RedisError> {
        let nodes: Vec<Node> = self.map().lanes.keys().cloned().collect();
        for node in nodes {
            let place = self.seeds[0].at(&node.host, node.port);
            // All else is asked again when it is used.
            if let Err(e @ (RedisError::Evicts { .. } | RedisError::Untrusted { .. })) =
                Link::open(&[place], self.terms.timeout).await
            {
                return Err(e);
            }
        }
        Ok(())
    }

    /// The lane of a bucket, if that is known, and the version of what is known.
    pub fn lane(&self, bucket: usize) -> (Option<Lane>, usize) {
        let map = self.map();
        let lane = map.owners.get(bucket).and_then(|node| map.lanes.get(node));
        (lane.cloned(), map.version)
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws the map anew, if it is still the one of `version`.
    pub async fn look(&self, version: usize) -> Result<(), RedisError> {
        let _alone = self.looking.lock().await;
        let known: Vec<Node> = {
            let map = self.map();
            if map.version != version {
                return Ok(());
            }
            map.lanes.keys().cloned().collect()
        };
        let known = known.iter().map(|node| self.seeds[0].at(&node.host, node.port));
        let places: Vec<Place> = self.seeds.iter().cloned().chain(known).collect();
        let mut failed = RedisError::NotWhole("nobody knows it".into());
        // Each time another one first: one that is cut off from the rest has an old map.
        for n in 0..places.len() {
            let place = &places[(version + n) % places.len()];
            let asked = tokio::time::timeout(self.terms.timeout, self.owners(place)).await;
            match asked.unwrap_or_else(|_| Err(place.silent())) {
                Ok(owners) => {
                    self.draw(owners);
                    return Ok(());
                }
                Err(e) => failed = e,
            }
        }
        // The next one begins elsewhere.
        self.map().version += 1;
        Err(failed)
    }

    fn draw(&self, owners: Vec<Node>) {
        let mut map = self.map();
        let mut lanes = HashMap::new();
        for node in &owners {
            if !lanes.contains_key(node) {
                let start = || {
                    let place = self.seeds[0].at(&node.host, node.port);
                    Lane::start(vec![place], self.terms.clone(), None)
                };
                lanes.insert(node.clone(), map.lanes.remove(node).unwrap_or_else(start));
            }
        }
        *map = Map { version: map.version + 1, lanes, owners };
    }

    /// Which node has which bucket, as `place` says.
    async fn owners(&self, place: &Place) -> Result<Vec<Node>, RedisError> {
        let mut connection = place.connect(self.terms.timeout).await?;
        let asked = ::redis::cmd("CLUSTER").arg("SLOTS").query_async::<Vec<Value>>(&mut connection).await;
        let ranges = asked.map_err(|e| RedisError::NotWhole(e.to_string()))?;
        let ranges: Vec<_> = ranges.iter().filter_map(|range| read(range, place)).collect();
        let owner = |slot: &u16| {
            let range = ranges.iter().find(|(from, to, _)| (from..=to).contains(&slot));
            range.map(|(.., node)| node.clone()).ok_or_else(|| RedisError::NotWhole(format!("slot {slot} has no node")))
        };
        self.slots.iter().map(owner).collect()
    }
}

/// `[first, last, [host, port, …] of the master, …]`. A node that doesn't know its own name says none: it is who was asked.
fn read(range: &Value, asked: &Place) -> Option<(u16, u16, Node)> {
    let Value::Array(fields) = range else { return None };
    let [first, last, master, ..] = &fields[..] else { return None };
    let Value::Array(master) = master else { return None };
    let [host, port, ..] = &master[..] else { return None };
    let named =
        Option::<String>::from_redis_value_ref(host).ok().flatten().filter(|host| !host.is_empty() && host != "?");
    let host = named.or_else(|| asked.host().map(str::to_owned))?;
    let number = |value: &Value| u16::from_redis_value_ref(value).ok();
    Some((number(first)?, number(last)?, Node { host, port: number(port)? }))
}

/// The slot of a key's tag: CRC16 of XMODEM (Redis cluster specification, "Key distribution model").
fn slot(tag: &[u8]) -> u16 {
    let crc = tag.iter().fold(0u16, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 },
        )
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own example.
    #[test]
    fn a_slot_is_what_the_specification_says() {
        assert_eq!(slot(b"123456789"), 0x31c3 % SLOTS);
    }

    #[test]
    fn the_buckets_are_spread() {
        let slots: std::collections::HashSet<_> = (0..256).map(|bucket| slot(Keys::tag(bucket).as_bytes())).collect();
        assert!(slots.len() > 250, "{}", slots.len());
        for third in 0..3 {
            let within = slots.iter().filter(|slot| *slot / (SLOTS / 3 + 1) == third).count();
            assert!((60..=110).contains(&within), "{within}");
        }
    }
}
