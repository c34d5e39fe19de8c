//! Guarantee 9 over nodes: who sends made-up tokens keeps nobody out whose session was known, however many they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use yaopai_wire::token::{Secret, Token};

use crate::fleet::Fleet;
use crate::link::State;

/// Requests with made-up tokens at a time: six times as many as may read the database at a time.
const STRANGERS: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn made_up_tokens_starve_nobody_who_was_known() {
    let fleet = Fleet::start().await;
    let mut known = Vec::new();
    for n in 0..6 {
        let (session, openid) = fleet.login_guest(0, false).await;
        assert_eq!(fleet.check(0, &session.token, &[]).await.unwrap().status, 200);
        known.push((session, openid, format!("user-{n}")));
    }
    // A slow database, so that a machine of any speed is kept busy.
    fleet.links[0].iter().for_each(|link| link.set(State::Slow(Duration::from_millis(15))));
    let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let strangers: Vec<_> = (0..STRANGERS)
        .map(|n| {
            let (fleet, stop, refused) = (fleet.clone(), stop.clone(), refused.clone());
            tokio::spawn(async move {
                let mut dice = ChaCha8Rng::seed_from_u64(n);
                while !stop.load(Ordering::Relaxed) {
                    let (mut id, mut secret) = ([0; 16], [0; 32]);
                    dice.fill_bytes(&mut id);
                    dice.fill_bytes(&mut secret);
                    let token = Token { id, secret: Secret::new(secret) }.reveal();
                    if let Some(said) = fleet.check(0, &token, &[]).await {
                        assert_ne!(said.status, 200);
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (session, openid, user) in &known {
        // Another node changes it, and this one forgets what it knew.
        fleet.bind(1, openid, user).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let began = fleet.now();
        let said = fleet.check(0, &session.token, &[]).await.unwrap();
        println!("made-up tokens at a slow database: one that was known waits {} ms", fleet.now() - began);
        assert_eq!(said.status, 200, "{said:?}");
    }
    stop.store(true, Ordering::Relaxed);
    for stranger in strangers {
        stranger.await.unwrap();
    }
    assert!(refused.load(Ordering::Relaxed) > STRANGERS, "too few to say anything");
}
